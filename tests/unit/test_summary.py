"""Sentences picked from somebody's own words, and what counts as saying that something is fine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.conversation import Sender
from channels.desk.agreeing import agreed_after, says_ok
from channels.desk.summary import LONGEST, summarise
from channels.ledger.records import MessageRecord
from tests.unit.test_desk import SAID


def conversation(*said: str, sender: Sender = Sender.PERSON) -> list[MessageRecord]:
    return [replace(SAID, id=f"m{seq}", seq=seq, text=text, sender=sender) for seq, text in enumerate(said, 1)]


@pytest.mark.parametrize(
    ("said", "picked"),
    [
        pytest.param(["hi", "thanks", "2", "ok", "more"], "", id="nothing was said yet"),
        pytest.param(
            ["hello there! I lost my job in March. cant pay the rent"],
            "I lost my job in March. cant pay the rent.",
            id="greetings say nothing",
        ),
        pytest.param(
            ["my landlord wants me out by friday", "can i talk to someone", "I lost my job"],
            "my landlord wants me out by friday. I lost my job.",
            id="asking for a person says nothing",
        ),
        pytest.param(
            ["cant pay my rent this month", "cant pay my rent this month", "CANT PAY MY RENT this month!"],
            "cant pay my rent this month.",
            id="the same is said once",
        ),
    ],
)
def test_what_tells_most_is_picked_in_the_order_it_was_said(said: list[str], picked: str) -> None:
    assert summarise(conversation(*said)) == picked


def test_what_worries_us_is_in_it_however_much_else_was_said() -> None:
    chat = [f"the landlord came round on day {day} about the rent and the bills and the house" for day in range(9)]
    assert "i want to kill myself" in summarise(conversation(*chat, "anyway", "i want to kill myself"))


def test_it_is_short_and_every_sentence_is_theirs() -> None:
    needs = ("rent", "bills", "food", "job", "kids")
    said = [f"I need help with the {word} because it is too much for me" for word in needs]
    text = summarise(conversation(*said))
    assert 0 < len(text) <= LONGEST
    assert all(sentence.strip(" .") in said for sentence in text.split(". "))


def test_a_very_long_sentence_is_cut_at_a_word() -> None:
    text = summarise(conversation("I need help " + "because of the rent " * 40))
    assert len(text) <= LONGEST + len(" ...")
    assert text.endswith(" ...")


def test_our_own_words_are_not_theirs() -> None:
    assert summarise(conversation("I lost my job and cant pay the rent", sender=Sender.ASSISTANT)) == ""


@pytest.mark.parametrize(
    "text",
    ["ok", "Yes.", "yes thats fine", "ok thank you", "Sounds good!", "fine by me", "no problem", "I don\u2019t mind"],
)
def test_plain_agreement_counts(text: str) -> None:
    assert says_ok(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "no", "ok but not him", "not ok", "yes but later", "STOP", "ok stop", "why", "who is that", "hi",
        "yes my husband hits me", "id rather talk to sam", "fine, whatever you say, nobody listens anyway",
    ],
)  # fmt: skip
def test_everything_else_is_for_somebody_to_read(text: str) -> None:
    assert not says_ok(text)


def test_only_the_newest_words_since_then_count() -> None:
    messages = conversation("ok", "hm", "yes")
    assert agreed_after(messages, 0)
    assert not agreed_after(messages[:2], 0)
    assert not agreed_after(messages, 3)
