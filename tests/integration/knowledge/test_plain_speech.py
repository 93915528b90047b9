"""Messages as people send them, on the demo catalogue: what must be among the three that are offered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knowledge.search import Search

NIGHT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("cant pay my rent this month and im so down", "rent_arrears", "low_mood"),
        ("i owe loads on cards and i keep having panic attacks", "debt", "anxiety_panic"),
        ("theres no food in and no electric either", "food", "energy_heating"),
        ("lost my job and feel worthless", "employment", "low_mood"),
        ("gambled everything and now im up to my neck in loans", "gambling", "debt"),
        ("came out of prison yesterday and got no place to stay", "prison_leavers", "homelessness"),
        ("benefits stopped and the kids are hungry", "benefits", "food"),
        ("mould in the house and my autistic son has asthma", "housing_conditions", "children_additional_needs"),
        ("im 5 months pregnant and my boyfriend hit me", "domestic_abuse", "pregnancy_new_baby"),
        ("i care for my mum with dementia and i never get any sleep", "memory_dementia", "carers"),
        ("struggling with the kids and bills piling up", "parenting", "debt"),
        ("ex army, nightmares every night", "veterans", "sleep"),
    ],
)
def test_two_needs_in_one_message_are_both_answered(real_search: Search, text: str, first: str, second: str) -> None:
    found = real_search.find(text, now=NOON)
    carried = {need for match in found.matches for need in match.service.needs}
    assert {first, second} <= carried
    assert all(match.service.phones for match in found.matches)


def test_a_mere_hint_of_something_urgent_comes_after_what_was_said(real_search: Search) -> None:
    found = real_search.find("hav been bord out my skull an cant sleep, mum is ill and rent due fri", now=NOON)
    assert "rent_arrears" in found.matches[0].service.needs
    found = real_search.find("rent is due and i have nowhere to sleep tonight", now=NOON)
    assert "homelessness" in found.matches[0].service.needs


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("nowhere 2 sleep 2nite", "homelessness"),
        ("bailiffs r coming tmrw wot do i do", "debt"),
        ("my landlord wants us out by the end of the month", "eviction_landlord"),
        ("been drinking since i lost my wife", "alcohol"),
        ("i dont see anyone from one day to the next", "loneliness"),
        ("my asylum claim got refused", "immigration_asylum"),
        ("my mate hears voices", "hearing_voices"),
        ("cant get out of bed whats the point of anything", "low_mood"),
        ("do you know anywhere i can sing with other people", "creative_arts"),
        ("i think my lad is taking stuff", "drugs"),
        ("kids at school call my daughter names because of her skin", "young_people"),
        ("dont know how to do forms online", "digital_access"),
        ("my mum keeps getting lost in her own street", "memory_dementia"),
        ("got a section 21", "eviction_landlord"),
        ("bailiffs coming tomorrow", "debt"),
        ("the home office turned me down", "immigration_asylum"),
        ("out of the nick yesterday", "prison_leavers"),
        ("dad kicked me out", "homelessness"),
        ("was in the army, cant settle", "veterans"),
        ("is there anyone who fixes a wheelchair ramp", "disability"),
        ("where can i get my hair cut and have a chat", "loneliness"),
    ],
)
def test_plain_speech_finds_help_for_it(real_search: Search, text: str, need: str) -> None:
    found = real_search.find(text, now=NOON)
    assert sum(need in match.service.needs for match in found.matches) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "i dont want to be here any more",
        "everyone would be better off without me",
        "thinking about ending it",
        "i started cutting again",
        "cant pay the rent and i want to die",
    ],
)
def test_a_crisis_brings_a_line_that_answers_now_first(real_search: Search, text: str) -> None:
    first, second, *_ = real_search.find(text, now=NIGHT).matches
    assert first.service.crisis
    assert second.service.crisis
    assert first.opening.is_open


@pytest.mark.parametrize(
    "text",
    ["he hit me last nite", "need to leave him but me and the kids have nowhere to go", "im scared of my partner"],
)
def test_being_hurt_brings_a_line_for_it_first(real_search: Search, text: str) -> None:
    first = real_search.find(text, now=NIGHT).matches[0].service
    assert first.kind.value == "line"
    assert first.needs[0] == "domestic_abuse"


def test_a_part_of_a_message_that_only_sounds_like_it_brings_no_crisis_line(real_search: Search) -> None:
    found = real_search.find("my asylum claim got refused and i have to leave", now=NOON)
    assert found.matches[0].need == "immigration_asylum"


def test_somebody_young_gets_a_line_for_them_first(real_search: Search) -> None:
    found = real_search.find("im 14 and i cut myself", now=NOON)
    limits = found.matches[0].service
    assert limits.maximum_age is not None or "under 35" in limits.eligibility


def test_every_need_has_something_of_its_own(real_search: Search) -> None:
    for need in real_search.index.needs:
        found = real_search.find("", needs=[need.id], now=NOON)
        assert any(need.id in match.service.needs for match in found.matches), need.id


def test_every_label_is_recognised(real_search: Search) -> None:
    missed = [
        need.id
        for need in real_search.index.needs
        if need.id not in [guess.id for guess in real_search.find(need.label, now=NOON).needs[:2]]
    ]
    assert missed == []


def test_nothing_is_called_open_at_night_that_is_not(real_search: Search) -> None:
    found = real_search.find("someone to talk to now", now=NIGHT, limit=10)
    for match in found.matches:
        if "open now" in match.reason or "open 24 hours" in match.reason:
            assert match.opening.is_open


def test_a_place_puts_near_help_first_and_keeps_national_help(real_search: Search) -> None:
    near = real_search.find("food bank near Foxley", now=NOON, limit=10)
    assert near.place is not None
    assert near.matches[0].miles is not None
    assert near.matches[0].miles < 3
    far = real_search.find("help with debt", near="Penzance", now=NOON)
    assert any(match.service.area.value == "national" for match in far.matches)


def test_three_rounds_of_more_never_repeat_and_never_end(real_search: Search) -> None:
    shown: list[str] = []
    for _ in range(4):
        found = real_search.find("im lonely", exclude=shown, now=NOON)
        fresh = [match.service.id for match in found.matches]
        assert fresh
        assert not set(fresh) & set(shown)
        shown += fresh


@pytest.mark.parametrize(
    ("text", "need"),
    [
        pytest.param(
            "hi, not sure if this is the right place to write. my husband left us in march, since then everything has "
            "gone wrong. the car broke down, my hours at the bakery were cut, my little one has had a cough. "
            "my sister rings sometimes but she has her own family, and on top of all that we are now two months "
            "behind with the rent",
            "rent_arrears",
            id="rent at the end of a hard winter",
        ),
        pytest.param(
            "I moved here in the spring, the move went fine, the flat is nice, the dog loves the park, we had a good "
            "summer, then he lost his job, he went back to his parents, I kept the flat on my own, I sold the telly, I "
            "cook soup for the whole week, and I just found out that I owe nearly four thousand on the credit cards",
            "debt",
            id="cards at the end of a year",
        ),
        pytest.param(
            "we came over last year, my wife works nights, i do deliveries, the kids are settled in school, my english "
            "is ok, our neighbours are kind, the winter was hard, now the home office wrote that my visa is refused",
            "immigration_asylum",
            id="a refusal at the end of a good year",
        ),
        pytest.param(
            "went to the shops, saw my friend marie, had tea, the bus was late as ever, came home, fed the cat, "
            "watched the news, rang my daughter, watered the plants, and then dad kicked me out so i have nowhere "
            "to sleep tonight",
            "homelessness",
            id="nowhere to sleep at the end of a day",
        ),
    ],
)
def test_a_need_named_late_in_a_long_message_is_answered(real_search: Search, text: str, need: str) -> None:
    found = real_search.find(text, now=NOON)
    assert any(need in match.service.needs for match in found.matches)


def test_of_several_needs_the_most_urgent_comes_first(real_search: Search) -> None:
    text = (
        "i am lonely since the move, my cv needs sorting, and we have not eaten since yesterday, the kids are starving"
    )
    found = real_search.find(text, now=NOON)
    assert "food" in found.matches[0].service.needs
