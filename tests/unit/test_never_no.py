"""What nobody may hear from us is found, said otherwise, and ordinary words are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.never_no import NeverNo

RULES = NeverNo.load()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("I'm sorry, I'm not able to help with that.", "cannot_help"),
        ("I’m sorry, we can’t help you.", "cannot_help"),
        ("There is nothing we can do.", "cannot_help"),
        ("We are unable to answer.", "cannot_help"),
        ("No results found.", "nothing_to_offer"),
        ("I couldn't find anything for you", "nothing_to_offer"),
        ("You are not eligible for this.", "not_eligible"),
        ("You do not qualify.", "not_eligible"),
        ("We only accept people who live in Foxley.", "not_eligible"),
        ("That is outside my remit.", "not_for_us"),
        ("We don't offer housing advice.", "not_for_us"),
        ("This is not a crisis service!", "not_for_us"),
        ("You must contact your council.", "sent_away"),
        ("Please try again later.", "sent_away"),
        ("Sorry, I didn't understand that.", "not_understood"),
        ("Invalid option.", "not_understood"),
        ("Your case has been closed.", "closed_door"),
        ("Unfortunately it is full.", "closed_door"),
        ("Promise me you will stay safe.", "pact"),
        ("We will keep it a secret.", "secrecy"),
        ("That's abuse.", "label"),
        ("You are depressed.", "label"),
        ("Yn anffodus mae ar gau.", "closed_door"),
    ],
)
def test_turning_somebody_away_is_found(text: str, rule: str) -> None:
    assert rule in RULES.broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "I got your picture. I can't open it here, but a person can.",
        "They help people who can't pay their rent.",
        "You don't have to say.",
        "No need to ring first.",
        "Ask who can help with the rest.",
        "A person can read all of it: text PERSON and I'll ask someone.",
        "You can tell us in secret code if you like words games.",
        "Open to everyone, and you need not ring first.",
        "This is No Wrong Door.",
        "It can get very hard. You can say it plainly here.",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert RULES.broken(text) == ()
    assert RULES.mend(text).text == text


def test_the_sentence_is_said_otherwise_and_the_rest_stays() -> None:
    mended = RULES.mend("Thank you for telling me. We can't help with that. Rent Rescue is on 01632 960112.")
    assert mended.text == (
        "Thank you for telling me. There are people who can look at this with you. Rent Rescue is on 01632 960112."
    )
    assert mended.broken == ("cannot_help",)


def test_two_refusals_are_not_answered_with_the_same_sentence_twice() -> None:
    assert RULES.mend("We can't help. We are unable to help.").text == "There are people who can look at this with you."


def test_a_welsh_conversation_is_mended_in_welsh() -> None:
    assert RULES.mend("We can't help.", "cy").text == "Mae pobl a all edrych ar hyn gyda chi."


def test_what_is_said_instead_breaks_no_rule_in_any_language() -> None:
    for rule in RULES.rules:
        assert set(rule.instead) == {"en", "cy"}
        assert not [said for said in rule.instead.values() if RULES.broken(said)]


REFUSALS = st.sampled_from(
    ["We can't help.", "no results", "You must contact your GP!", "Try again later", "I refuse."]
)
WORDS = st.text(alphabet="abc 019.!?\n'’", max_size=60)


@given(st.lists(REFUSALS | WORDS, max_size=6).map("\n".join))
def test_what_is_mended_needs_no_mending_again(text: str) -> None:
    mended = RULES.mend(text)
    assert RULES.broken(mended.text) == ()
    assert RULES.mend(mended.text).text == mended.text
    assert mended.broken or mended.text == text


@pytest.mark.parametrize(
    ("text", "connects"),
    [
        ("Text PERSON to talk to someone.", True),
        ("Tecstiwch PERSON i gael sgwrs gyda rhywun.", True),
        ("Atebwch 1 neu 2, neu PERSON.", True),
        ("Ring 01632 960112.", True),
        ("Ring +44 1632 960112", True),
        ("Text SHOUT to 85258", True),
        ("I've asked a person to join you.", False),
        ("A person will read this too.", False),
        ("It costs 12 pounds.", False),
        ("On 14 October 2026 from 9am to 10.30am.", False),
    ],
)
def test_what_counts_as_somebody_to_reach(text: str, connects: bool) -> None:
    assert RULES.connects(text) is connects
