"""The ladder, rung by rung. Pure: candidates in, picks out."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.catalogue import Organisation, Service, Status
from knowledge.choosing import Candidate, Wish, choose
from knowledge.hours import Opening
from tests.unit.knowledge.builders import line, service

UNKNOWN = Opening(is_open=None, words="ask for hours")
OPEN = Opening(is_open=True, words="open now until 5pm")
CLOSED = Opening(is_open=False, words="opens Monday 9am")
RENT, MOOD = Wish(need="rent", related=("debt",)), Wish(need="low_mood", related=("loneliness",))


def candidate(listed: Service, score: float = 1.0, **fields: Any) -> Candidate:
    serves = dict.fromkeys(listed.needs, 1.0)
    return Candidate(**{"service": listed, "score": score, "serves": serves, "opening": UNKNOWN, **fields})


def chosen(candidates: list[Candidate], *wishes: Wish, limit: int = 3, exclude: tuple[str, ...] = ()) -> list[str]:
    return [pick.candidate.service.name for pick in choose(candidates, wishes, limit=limit, exclude=exclude)]


def test_no_candidates_no_picks() -> None:
    assert choose([], [RENT], limit=3) == ()


def test_the_best_score_comes_first() -> None:
    listed = [
        candidate(service("A", "rent"), 1),
        candidate(service("B", "rent"), 3),
        candidate(service("C", "rent"), 2),
    ]
    assert chosen(listed, RENT) == ["B", "C", "A"]


def test_equal_scores_keep_one_order() -> None:
    listed = [candidate(service(name, "rent")) for name in "CAB"]
    assert chosen(listed, RENT) == ["A", "B", "C"]


def test_the_rungs_come_in_order() -> None:
    listed = [
        candidate(service("Any"), 9),
        candidate(line("Line", "food"), 8),
        candidate(service("Related", "debt"), 7),
        candidate(service("Near"), 6, likely=True),
        candidate(service("Need", "rent"), 5),
        candidate(service("Named"), 1, named=True),
    ]
    picks = choose(listed, [RENT], limit=6)
    assert [(pick.candidate.service.name, pick.rung) for pick in picks] == [
        ("Named", "named"), ("Near", "near"), ("Need", "need"),
        ("Related", "related"), ("Line", "line"), ("Any", "any"),
    ]  # fmt: skip


def test_company_for_anybody_comes_before_national_lines_when_nothing_was_understood() -> None:
    listed = [candidate(line("Line", "food"), 8), candidate(service("Tea", "loneliness"), 1)]
    picks = choose(listed, [], limit=2, general=("loneliness",))
    assert [(pick.candidate.service.name, pick.rung) for pick in picks] == [("Tea", "general"), ("Line", "line")]


def test_each_of_several_needs_gets_its_own_best() -> None:
    listed = [
        candidate(service("Rent 1", "rent"), 9),
        candidate(service("Rent 2", "rent"), 8),
        candidate(service("Rent 3", "rent"), 7),
        candidate(service("Mood poor", "low_mood"), 3, fits={"low_mood": 1.0}),
        candidate(service("Mood good", "low_mood"), 2, fits={"low_mood": 5.0}),
    ]
    assert chosen(listed, RENT, MOOD) == ["Rent 1", "Mood good", "Rent 2"]


def test_a_need_that_only_may_be_meant_gets_no_place_of_its_own() -> None:
    listed = [candidate(service(f"Rent {n}", "rent"), 9) for n in range(3)] + [
        candidate(service("Mood", "low_mood"), 1)
    ]
    assert chosen(listed, RENT, Wish(need="low_mood", sure=False)) == ["Rent 0", "Rent 1", "Rent 2"]


def test_one_service_for_two_needs_answers_both() -> None:
    listed = [
        candidate(service("Both", "rent", "low_mood"), 9),
        candidate(service("Rent", "rent"), 8),
        candidate(service("Mood", "low_mood"), 7),
    ]
    assert chosen(listed, RENT, MOOD, limit=2) == ["Both", "Rent"]


def test_an_organisation_comes_once_in_the_first_three_then_again() -> None:
    owner = Organisation(id="org-same", name="Same")
    listed = [candidate(service(f"Same {n}", "rent", organisation=owner), 9 - n) for n in range(4)]
    listed += [candidate(service("Other", "rent"), 2), candidate(service("Third", "rent"), 1)]
    assert chosen(listed, RENT, limit=5) == ["Same 0", "Other", "Third", "Same 1", "Same 2"]


def test_what_more_an_organisation_has_comes_right_after_the_first_three() -> None:
    owner = Organisation(id="org-same", name="Same")
    listed = [candidate(service(f"Same {n}", "rent", organisation=owner), 9 - n) for n in range(2)]
    listed += [candidate(service(f"Other {n}", "rent"), 5 - n) for n in range(4)]
    listed += [candidate(service("Elsewhere", "bereavement"), 1)]
    assert chosen(listed, RENT, limit=6) == ["Same 0", "Other 0", "Other 1", "Same 1", "Other 2", "Other 3"]


def test_an_organisation_comes_twice_when_nobody_else_is_left() -> None:
    owner = Organisation(id="org-same", name="Same")
    listed = [candidate(service(f"Same {n}", "rent", organisation=owner), 9 - n) for n in range(3)]
    assert chosen(listed, RENT) == ["Same 0", "Same 1", "Same 2"]


def test_what_is_paused_comes_last() -> None:
    listed = [
        candidate(service("Paused", "rent", status=Status.TEMPORARILY_CLOSED), 9),
        candidate(service("B", "rent"), 1),
    ]
    assert chosen(listed, RENT) == ["B", "Paused"]


def test_what_was_shown_is_left_out_unless_nothing_else_is_there() -> None:
    listed = [candidate(service("A", "rent"), 2), candidate(service("B", "rent"), 1)]
    assert chosen(listed, RENT, exclude=("a",)) == ["B"]
    assert chosen(listed, RENT, exclude=("a", "b")) == ["A", "B"]


@pytest.mark.parametrize("limit", [-3, 0, 1])
def test_there_is_always_one(limit: int) -> None:
    assert chosen([candidate(service("A"))], limit=limit) == ["A"]


CRISIS = Wish(need="suicidal_thoughts", urgency=3, crisis=("one", "two", "gone", "three"), crisis_lines=2)


def lines(**openings: Opening) -> list[Candidate]:
    return [
        candidate(line(name, "suicidal_thoughts", crisis=True), 0, opening=openings.get(name, OPEN))
        for name in ("one", "two", "three")
    ]


def test_crisis_lines_come_first_in_their_order() -> None:
    listed = [*lines(), candidate(service("Group", "suicidal_thoughts"), 9)]
    assert chosen(listed, CRISIS) == ["one", "two", "Group"]


def test_a_crisis_line_that_is_closed_now_gives_way_to_one_that_answers() -> None:
    assert chosen(lines(one=CLOSED), CRISIS, limit=2)[0] == "two"


def test_crisis_lines_come_before_a_name() -> None:
    assert chosen([*lines(), candidate(service("Named"), 99, named=True)], CRISIS) == ["one", "two", "Named"]


def test_a_restricted_pick_is_followed_by_an_open_one_for_the_same_need() -> None:
    listed = [candidate(service(f"Men {n}", "low_mood", eligibility="For men."), 9 - n) for n in range(3)]
    listed += [candidate(service("Everyone", "low_mood"), 1)]
    assert chosen(listed, MOOD) == ["Men 0", "Everyone", "Men 1"]


def test_pairing_needs_room_for_two() -> None:
    listed = [
        candidate(service("Men", "low_mood", eligibility="For men."), 9),
        candidate(service("All", "low_mood"), 1),
    ]
    assert chosen(listed, MOOD, limit=1) == ["Men"]


def test_pairing_adds_without_dropping_when_there_is_room() -> None:
    owner = Organisation(id="org-same", name="Same")
    listed = [
        candidate(service("Men", "low_mood", eligibility="For men."), 9),
        candidate(service("All", "low_mood"), 1),
    ]
    assert chosen(listed, MOOD, limit=5) == ["Men", "All"]
    only = [candidate(service("Men", "low_mood", eligibility="For men.", organisation=owner), 9)]
    assert chosen(only, MOOD, limit=5) == ["Men"]


def test_pairing_never_costs_another_need_its_only_answer() -> None:
    listed = [
        candidate(service("Men", "low_mood", eligibility="For men."), 9, fits={"low_mood": 9.0}),
        candidate(service("Rent", "rent"), 8),
        candidate(service("All", "low_mood"), 1, fits={"low_mood": 1.0}),
    ]
    assert chosen(listed, MOOD, RENT, limit=2) == ["Rent", "All"]


def test_a_restricted_crisis_line_is_paired_after_the_lines() -> None:
    listed = [
        candidate(line("one", "suicidal_thoughts", crisis=True, eligibility="Under 19."), 0, opening=OPEN),
        candidate(line("two", "suicidal_thoughts", crisis=True, eligibility="Under 35."), 0, opening=OPEN),
        candidate(service("Any 1", "rent"), 9),
        candidate(service("Everyone", "suicidal_thoughts"), 1),
    ]
    assert chosen(listed, CRISIS) == ["one", "two", "Everyone"]
