"""House rules for saved replies: the same as for everything that is sent, because a peer worker sends them."""

from __future__ import annotations

import re

import pytest

from channels.desk.replies import VARIABLES, SavedReplies, SavedReply, fill
from channels.desk.reply_rules import problems
from channels.fitting import fits_sms
from channels.gsm7 import is_gsm7
from channels.never_no import NeverNo
from channels.reserved_words import words_asked_for
from channels.wording import Wording, fields_of
from tests.unit.test_wording import REFUSALS, grade

REPLIES = SavedReplies.load()
EVERY = SavedReplies.load(languages=("cy",))
WORDING = Wording.load()
VALUES = {"name": "Bartholomew", "service": "Wrenbridge Advice", "emergency": "999", "line": WORDING.lines(limit=1)}


@pytest.mark.parametrize("reply", REPLIES.replies, ids=lambda reply: reply.id)
class TestEveryReply:
    def test_never_refuses_and_asks_for_no_kept_word(self, reply: SavedReply) -> None:
        assert not [phrase for phrase in REFUSALS if phrase in reply.text.casefold()]
        assert words_asked_for(reply.text) == []

    def test_is_complete(self, reply: SavedReply) -> None:
        assert fields_of(reply.text) <= VARIABLES
        assert not re.search(r"\[|\bxxx|\.\.\.|TODO|INSERT|pending", reply.text, re.IGNORECASE)
        assert reply.text[-1] in ".?!"
        assert re.fullmatch(r"20\d\d-\d\d", reply.checked)

    def test_is_one_text_message_of_letters_every_phone_has(self, reply: SavedReply) -> None:
        text = fill(reply, VALUES).text
        assert is_gsm7(text)
        assert fits_sms(text)

    def test_reads_easily(self, reply: SavedReply) -> None:
        assert grade(fill(reply, {**VALUES, "line": "Ring this line"}).text) <= 6.0


@pytest.mark.parametrize("reply", EVERY.replies, ids=lambda reply: f"{reply.id} in {reply.language}")
def test_each_in_each_language_could_be_kept_at_the_desk(reply: SavedReply) -> None:
    assert list(problems(reply, NeverNo.load(), VALUES)) == []


def test_no_two_have_the_same_name() -> None:
    assert len({reply.id for reply in REPLIES.replies}) == len(REPLIES.replies)


@pytest.mark.parametrize(
    ("words", "first"),
    [("hello", "hello"), ("suicide", "asking-suicide"), ("turned away", "said-no"), ("SAFE write", "safe-to-write")],
)
def test_a_reply_is_found_by_its_words(words: str, first: str) -> None:
    assert REPLIES.find(words)[0].id == first


def test_no_words_find_all_and_strange_ones_none() -> None:
    assert len(REPLIES.find("")) == len(REPLIES.replies)
    assert REPLIES.find("zebra") == []


def test_what_has_no_value_yet_is_left_to_be_written() -> None:
    filled = fill(SavedReply(id="x", title="x", text="I'm {name}. {service} may help."), {"name": "Jo"})
    assert filled.text == "I'm Jo. {service} may help."
