"""From a message to help, on a tiny catalogue: the promises of `Search.find`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st

from knowledge.catalogue import Area, Place, Status
from knowledge.choosing import Candidate, Pick, Wish
from knowledge.hours import Opening
from knowledge.index import Index
from knowledge.places import Places
from knowledge.search import Found, Search, strength_of
from knowledge.settings import Settings
from knowledge.spelling import Spelling
from tests.unit.knowledge.builders import (
    FAR_AWAY,
    MONDAY_NOON,
    NEEDS,
    SERVICES,
    WordEncoder,
    line,
    make_index,
    make_search,
    service,
)


def names(found: Found) -> list[str]:
    return [match.service.name for match in found.matches]


def ask(search: Search, text: str, **asked: object) -> Found:
    return search.find(text, **{"now": MONDAY_NOON, **asked})  # type: ignore[arg-type]  # as a caller would


ANY_TEXT = st.one_of(
    st.text(max_size=300),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "So", "Zs"]), max_size=30),
    st.lists(st.sampled_from(["rent", "im", "and", "so", "food", "in", "WZ2", "2", "?", ",", "\n"]), max_size=40).map(
        " ".join
    ),
)


@given(
    text=ANY_TEXT,
    near=st.none() | st.text(max_size=40),
    limit=st.integers(-1, 12),
    exclude=st.sets(st.sampled_from([each.id for each in SERVICES])),
    needs=st.lists(st.sampled_from([*(each.id for each in NEEDS), "unknown"]), max_size=3),
)
@checked(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_something_is_offered(
    search: Search, text: str, near: str | None, limit: int, exclude: set[str], needs: list[str]
) -> None:
    found = ask(search, text, near=near, limit=limit, exclude=exclude, needs=needs)
    offered = [match.service.id for match in found.matches]
    assert 1 <= len(offered) <= max(1, limit)
    assert len(set(offered)) == len(offered)
    assert all(match.reason.startswith("because ") for match in found.matches)
    assert all(match.strength in {"good", "maybe", "wider"} for match in found.matches)
    owners = [match.service.organisation.id for match in found.matches][:3]
    assert len(set(owners)) == len(owners)


@pytest.mark.parametrize("need", [need.id for need in NEEDS])
def test_every_need_is_answered_by_a_service_that_carries_it(search: Search, need: str) -> None:
    found = ask(search, "", needs=[need])
    assert need in found.matches[0].service.needs
    assert found.matches[0].need == need


def test_one_need_is_answered_with_services_for_it(search: Search) -> None:
    found = ask(search, "i am behind with rent")
    assert names(found)[:2] in (["Rent Rescue", "Roof Advice"], ["Roof Advice", "Rent Rescue"])
    assert found.matches[0].strength == "good"
    assert found.matches[0].reason == "because you mentioned rent; open now until 5pm"
    assert found.needs[0].id == "rent"


def test_several_needs_in_one_message_are_answered_together(search: Search) -> None:
    found = ask(search, "cant pay my rent this month and im so down")
    assert {need.id for need in found.needs[:2]} == {"rent", "low_mood"}
    carried = [match.service.needs for match in found.matches]
    assert any("rent" in needs for needs in carried)
    assert any("low_mood" in needs for needs in carried)


def test_the_most_urgent_of_several_needs_comes_first(search: Search) -> None:
    found = ask(search, "owe money on cards and nothing to eat")
    assert found.matches[0].need == "food"


def test_a_message_about_suicide_brings_the_crisis_lines_first(search: Search) -> None:
    found = ask(search, "i want to die")
    assert names(found)[:2] == ["Samaritans", "Shout"]
    assert "somebody is there to talk" in found.matches[0].reason
    assert len(found.matches) == 3


def test_crisis_lines_come_first_even_beside_another_need(search: Search) -> None:
    found = ask(search, "cannot pay my rent and want to die")
    assert names(found)[0] == "Samaritans"
    assert any("rent" in match.service.needs for match in found.matches)


def test_crisis_lines_leave_room_when_only_two_are_asked_for(search: Search) -> None:
    found = ask(search, "cannot pay my rent and want to die", limit=2)
    assert names(found)[0] == "Samaritans"
    assert "rent" in found.matches[1].service.needs


def test_a_named_service_comes_first(search: Search) -> None:
    found = ask(search, "what is the number of the kettle club please")
    assert names(found)[0] == "Kettle Club"
    assert found.matches[0].reason.startswith("because you named it")


def test_a_name_with_a_typing_error_is_still_that_name(search: Search) -> None:
    assert names(ask(search, "rainbw social"))[0] == "Rainbow Social"


def test_what_was_shown_is_not_shown_again(search: Search) -> None:
    first = ask(search, "i am behind with rent")
    second = ask(search, "i am behind with rent", exclude={match.service.id for match in first.matches})
    assert not set(names(first)) & set(names(second))


def test_when_everything_was_shown_it_starts_over_rather_than_saying_no(search: Search) -> None:
    found = ask(search, "i am behind with rent", exclude={each.id for each in SERVICES})
    assert "rent" in found.matches[0].service.needs


def test_related_needs_fill_up_when_there_is_too_little_for_the_need(search: Search) -> None:
    found = ask(search, "gay and proud", limit=5)
    assert names(found)[0] == "Rainbow Social"
    rungs = {match.service.name: match for match in found.matches}
    assert rungs["Kettle Club"].strength in {"wider", "maybe"}


SQUARE = (-1.0, 54.0, -0.8, 54.3)
"""West, south, east, north."""
OUTLINE = "-1,54 -0.8,54 -0.8,54.3 -1,54.3 -1,54"
DRAWN = (
    *SERVICES,
    service("Drawn Pantry", "food", summary="Food to take home.", drawn=OUTLINE),
    service("County Meals", "food", summary="Hot food.", area=Area.COUNTY, drawn=OUTLINE),
    line("Food Line", "food", summary="Where to get food.", drawn=OUTLINE),
)


@pytest.fixture(scope="module")
def drawn_index() -> Index:
    return make_index(DRAWN)


@given(east=st.floats(-1.4, -0.4), north=st.floats(53.7, 54.6))
@checked(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_drawn_area_says_who_is_served_and_hides_nothing(drawn_index: Index, east: float, north: float) -> None:
    here = Place(name="Here", latitude=north, longitude=east)
    search = Search(Settings(), drawn_index, WordEncoder(), Spelling({}), Places({"ZZ1": here}, {}, {}))
    found = {match.service.name: match for match in ask(search, "need food", near="ZZ1", limit=10).matches}
    west, south, most_east, most_north = SQUARE
    inside = west < east < most_east and south < north < most_north
    for name in ("Drawn Pantry", "County Meals"):
        assert found[name].strength == ("good" if inside else "maybe")
        assert f"Here is {'in' if inside else 'outside'} the area it serves" in found[name].reason
    assert found["Food Line"].strength == "good"
    assert "outside" not in found["Food Line"].reason


def test_near_help_comes_first_and_far_help_is_not_hidden(search: Search) -> None:
    here = ask(search, "need food in Millgate", limit=5)
    assert here.place is not None
    assert here.place.name == "Millgate"
    assert names(here)[0] == "Pantry"
    assert "in Millgate" in here.matches[0].reason
    assert "Food Share" in names(here)
    there = ask(search, "need food", near="penzance", limit=5)
    assert there.place == FAR_AWAY
    assert names(there)[0] == "Food Share"


def test_a_place_never_hides_national_help(search: Search) -> None:
    found = ask(search, "debt letters", near="penzance", limit=3)
    assert "Debtline" in names(found)


def test_something_for_some_people_is_paired_with_something_for_everyone() -> None:
    index = make_index(
        [*SERVICES, service("Low Mood Men", "low_mood", summary="feeling low and down", eligibility="Men.")]
    )
    found = ask(make_search(index), "feeling low and down", limit=3)
    restricted = [match for match in found.matches if match.service.restricted]
    open_to_all = [match for match in found.matches if not match.service.restricted]
    assert not restricted or any("low_mood" in match.service.needs for match in open_to_all)


def test_what_is_closed_for_now_comes_after_what_is_not() -> None:
    index = make_index(
        [
            service("Best Food", "food", summary="need food, nothing to eat", status=Status.TEMPORARILY_CLOSED),
            service("Other Food", "food"),
            line("Samaritans", "suicidal_thoughts", crisis=True),
        ]
    )
    found = ask(make_search(index), "need food nothing to eat", limit=3)
    assert names(found) == ["Other Food", "Samaritans", "Best Food"]
    assert found.matches[2].opening.is_open is False


def test_a_message_that_says_nothing_is_answered_with_somebody_to_talk_to(search: Search) -> None:
    found = ask(search, "????")
    assert found.needs == ()
    assert all(match.strength == "wider" for match in found.matches)
    assert {"loneliness", "low_mood"} & set(found.matches[0].service.needs)
    assert "anybody" in found.matches[0].reason


def test_an_age_puts_what_is_made_for_it_first() -> None:
    said = {"summary": "feeling low", "eligibility": "For ages 11 to 25."}
    young = service("Young Ear", "low_mood", minimum_age=11, maximum_age=25, **said)
    search = make_search(make_index([*SERVICES, young]))
    assert names(ask(search, "im 15 and feeling low"))[0] == "Young Ear"
    assert names(ask(search, "im 60 and feeling low"))[0] != "Young Ear"


def test_the_line_for_an_age_comes_before_the_line_for_everybody() -> None:
    child = line("Childline", "suicidal_thoughts", crisis=True, maximum_age=19)
    index = make_index([*SERVICES, child])
    index.crisis["suicidal_thoughts"] = ("samaritans", "shout", "childline")  # type: ignore[index]  # a dict here
    search = make_search(index)
    assert names(ask(search, "im 14 and want to die"))[0] == "Childline"
    assert names(ask(search, "want to die"))[0] == "Samaritans"
    index.crisis["suicidal_thoughts"] = ("samaritans", "shout")  # type: ignore[index]  # a dict here


def test_needs_known_from_elsewhere_count_as_said(search: Search) -> None:
    found = ask(search, "yes please", needs=["food", "no_such_need"])
    assert found.matches[0].need == "food"
    assert found.needs[0].score >= 0.95


def test_text_message_spelling_is_understood(search: Search) -> None:
    assert ask(search, "CANT PAY MY RENT 2DAY").needs[0].id == "rent"


def test_a_very_long_message_is_read_from_its_beginning(search: Search) -> None:
    found = ask(search, "cannot pay my rent. " + "word " * 4000)
    assert found.matches


def test_without_a_time_it_is_now(search: Search) -> None:
    assert search.find("rent").matches


def test_a_service_is_found_by_its_id(search: Search) -> None:
    known = search.service("rent-rescue")
    assert known is not None
    assert known.name == "Rent Rescue"
    assert search.service("no-such-service") is None


def test_the_snapshot_that_serves_can_be_seen(search: Search, index: Index) -> None:
    assert search.index is index


def test_what_is_out_of_reach_is_never_called_good_and_a_national_line_is_beside_it(search: Search) -> None:
    found = ask(search, "need food", near="penzance", needs=["lgbt"], limit=3)
    strengths = {match.service.name: match.strength for match in found.matches}
    assert strengths.get("Pantry") != "good"
    alone = make_search(make_index([*(service(f"Club {n}", "lgbt", locations=SERVICES[0].locations) for n in range(4)),
                                    line("Samaritans", "suicidal_thoughts")]))  # fmt: skip
    offered = ask(alone, "queer friends", near="penzance", limit=3)
    assert names(offered)[-1] == "Samaritans"
    assert all(match.strength != "good" for match in offered.matches)


@pytest.mark.parametrize(
    ("chance", "serves", "tagged", "expected"),
    [
        pytest.param(0.6, 1.0, True, "good", id="tagged, and probably meant"),
        pytest.param(0.5, 1.0, True, "maybe", id="tagged, but perhaps not meant"),
        pytest.param(0.6, 0.7, True, "good", id="tagged for it in the fifth place"),
        pytest.param(0.9, 0.85, False, "good", id="reads like it, and plainly meant"),
        pytest.param(0.9, 0.7, False, "maybe", id="plainly meant, but the listing may be for something else"),
    ],
)
def test_good_is_said_when_need_and_listing_are_both_likely(
    chance: float, serves: float, tagged: bool, expected: str
) -> None:
    listed = service("Desk", *(["rent"] if tagged else []))
    state = Opening(is_open=None, words="ask for hours")
    candidate = Candidate(service=listed, score=1.0, serves={"rent": serves}, opening=state)
    pick = Pick(candidate=candidate, rung="need", need="rent")
    assert strength_of(pick, Wish(need="rent", chance=chance)) == expected
