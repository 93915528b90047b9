"""Short answers and asides, in the spelling of text messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions.sayings import About, Act, load_sayings
from knowledge.preferences import Preference

SAYINGS = load_sayings()
FREE, OPEN, ONLINE, REMOTE = Preference.FREE, Preference.OPEN_NOW, Preference.ONLINE, Preference.REMOTE
WRITTEN, PERSON, WOMEN, KIDS = Preference.WRITTEN, Preference.IN_PERSON, Preference.WOMEN, Preference.CHILDREN
EVENINGS, WEEKENDS, NEAR = Preference.EVENINGS, Preference.WEEKENDS, Preference.NEAR
ALONE = Preference.ALONE


@pytest.mark.parametrize(
    ("said", "act"),
    [
        *((said, Act.ACCEPT) for said in ("yeah", "k", "yh", "ok", "Yes please", "go on then", "aye", "sure why not")),
        *((said, Act.DECLINE) for said in ("nah", "no", "no thanks", "nope", "not now", "nah im good", "never mind")),
        *((said, Act.THANKS) for said in ("ta", "thx", "Thank you so much", "cheers mate", "nice one ta")),
        *((said, Act.SAY_AGAIN) for said in ("?", "??", "wot", "what?", "eh", "what do u mean", "im confused")),
        *((said, Act.UNSURE) for said in ("idk", "dunno", "not sure tbh", "i dont know", "u choose", "no idea lol")),
        *((said, Act.BOTH) for said in ("both", "both please", "both of them")),
        *((said, Act.NEAREST) for said in ("which one's nearest", "wich is closest", "nearest one pls")),
        *((said, Act.CALL_FOR_ME) for said in ("ring them for me", "can u call them for me", "will u book it for me")),
        *((said, Act.LIKE_THIS) for said in ("more like this", "anything like the second one", "similar ones")),
        *((said, Act.CORRECT) for said in ("no not that", "thats not it", "wrong one", "none of those")),
        *((said, Act.SOMETHING_ELSE) for said in ("something else", "anything else?", "any others", "tried those")),
        *((said, Act.NEXT) for said in ("next", "the next thing", "what about the other thing", "move on to the next")),
        *((said, Act.ANYTHING) for said in ("anything", "dont mind", "doesnt matter", "any will do")),
        *((said, Act.RATHER_NOT) for said in ("rather not say", "id rather not", "why do u need that")),
    ],
)  # fmt: skip
def test_acts(said: str, act: Act) -> None:
    assert SAYINGS.read_act(said) is act


@pytest.mark.parametrize(
    "said",
    [
        "my rent is late",
        "no food in the house",
        "i dont know how to pay my rent",
        "i want it to stop",
        "nothing matters",
        "im done",
        "no one cares",
        "both my parents died",
        "yes i want to die",
        "i cant talk to anyone",
        "what do i do my husband hit me",
        "next week i lose my flat",
        "nearest food bank",
        "",
        "!!!",
        "\U0001f622",
    ],
)
def test_a_message_that_says_more_is_no_act(said: str) -> None:
    assert SAYINGS.read_act(said) is None


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("free ones", {FREE}),
        ("any that are free and open now?", {FREE, OPEN}),
        ("which are open now", {OPEN}),
        ("online pls", {ONLINE}),
        ("can i do it over the phone", {REMOTE}),
        ("cant talk on phone", {WRITTEN}),
        ("i hate phone calls", {WRITTEN}),
        ("something face to face", {PERSON}),
        ("not a phone line, somewhere i can go", {PERSON}),
        ("not another helpline", {PERSON}),
        ("women only", {WOMEN}),
        ("is there one for women", {WOMEN}),
        ("somewhere i can bring my kids", {KIDS}),
        ("anything in the evenings", {EVENINGS}),
        ("after work", {EVENINGS}),
        ("at the weekend", {WEEKENDS}),
        ("no groups", {ALONE}),
        ("not a group", {ALONE}),
        ("no people", {ALONE}),
        ("i dont want to be in a group", {ALONE}),
        ("hate groups lol", {ALONE}),
        ("one to one", {ALONE}),
        ("not with other people, closer", {ALONE, NEAR}),
        ("closer", {NEAR}),
        ("thats too far", {NEAR}),
        ("anything nearer that is free", {NEAR, FREE}),
        ("free, in the evening, with kids", {FREE, EVENINGS, KIDS}),
    ],
)
def test_preferences(said: str, wanted: set[Preference]) -> None:
    assert SAYINGS.read_preferences(said) == wanted
    assert SAYINGS.says_only_preferences(said)


@pytest.mark.parametrize(
    "said",
    [
        "free counselling",
        "women only gym",
        "my kids get free school meals but i cant feed them at the weekend",
        "my rent",
        "hello",
        "",
        "i work nights and cant sleep",
        "groups",
        "a group for new mums",
        "no people my age here and im lonely",
        "i need someone to talk to right now",
    ],
)
def test_a_message_with_a_need_is_more_than_preferences(said: str) -> None:
    assert not SAYINGS.says_only_preferences(said)


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("my mum needs help with her heating", About.SOMEONE),
        ("worried about my son, he wont come out of his room", About.SOMEONE),
        ("how can i help my friend shes so low", About.SOMEONE),
        ("is there a group for my dad", About.SOMEONE),
        ("its not for me its for my nan", About.SOMEONE),
        ("my client has no food", About.WORKER),
        ("im a social worker looking for a food bank for a family", About.WORKER),
        ("someone i support is being evicted", About.WORKER),
        ("no its for me", About.ME),
        ("me nan keeps falling", About.SOMEONE),
        ("our kid needs somewhere to live", About.SOMEONE),
        ("my lad is 15 and wont go to school", About.SOMEONE),
        ("food bank for me mam", About.SOMEONE),
        ("worried about our kid hes drinking", About.SOMEONE),
        ("me and my son need somewhere to stay", None),
        ("my lad is with me and we have nowhere to sleep", None),
        ("my lad is 4 and we have no food", None),
        ("im a single dad with a lad, cant pay the gas", None),
        ("my son and me got evicted", None),
        ("my sons dad has him at weekends and i cant afford food", None),
        ("cant pay my rent", None),
        ("my husband hits me", None),
        ("my dad died in march", None),
        ("my mum kicked me out", None),
        ("im a nurse and im burnt out", None),
        ("my partner left me with the kids", None),
    ],
)
def test_who_it_is_about(said: str, about: About | None) -> None:
    assert SAYINGS.read_about(said) is about


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (
            "im a social worker, got a client needs emergency accommodation tonight in foxley, male 34",
            "needs emergency accommodation tonight in foxley",
        ),
        ("My client has no food", "has no food"),
        ("hi im a support worker looking for debt advice for a client", "looking for debt advice"),
        ("i have a client who needs a food bank", "needs a food bank"),
        ("my client", "my client"),
    ],
)
def test_what_a_worker_asks_for_is_what_is_searched_with(said: str, asked: str) -> None:
    assert SAYINGS.without_framing(said) == asked


@pytest.mark.parametrize(
    ("said", "rest", "instead_of"),
    [
        ("i meant my mum", "my mum", ""),
        ("no i meant the gas bill", "the gas bill", ""),
        ("no its about my landlord", "my landlord", ""),
        ("not drinking, gambling", "gambling", "drinking"),
        ("gambling not drinking", "gambling", "drinking"),
        ("sorry i mean courses", "courses", ""),
    ],
)
def test_what_was_meant(said: str, rest: str, instead_of: str) -> None:
    meant = SAYINGS.read_meant(said)
    assert meant is not None
    assert (meant.rest, meant.instead_of) == (rest, instead_of)


@pytest.mark.parametrize("said", ["no not that", "no", "its fine", "no its ok", "my rent is late", "not now"])
def test_nothing_was_meant(said: str) -> None:
    assert SAYINGS.read_meant(said) is None


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    SAYINGS.read_act(text)
    SAYINGS.read_about(text)
    SAYINGS.read_meant(text)
    assert SAYINGS.says_only_preferences(text) <= bool(SAYINGS.read_preferences(text))


@pytest.mark.parametrize(
    "said", ["my family must not know", "dont tell my mum", "please dont tell social services", "nobody can know this"]
)
def test_who_may_hear_of_it_is_a_question_of_privacy(said: str) -> None:
    assert SAYINGS.keeps_secret(said)


@pytest.mark.parametrize("said", ["I am afraid", "im so scared", "im ashamed", "feel hopeless"])
def test_a_feeling_is_no_choice(said: str) -> None:
    assert SAYINGS.feels_it(said)


@pytest.mark.parametrize(
    "said",
    ["im scared of my husband", "my son cant hear", "they must know about the rent", "closer"],
)
def test_more_than_a_feeling_or_a_secret_is_neither(said: str) -> None:
    assert not SAYINGS.feels_it(said)
    assert not SAYINGS.keeps_secret(said)
