"""What looks like a piece of a thought, and what is whole however short it is."""

from __future__ import annotations

import pytest

from channels.pieces import Pieces

PIECES = Pieces.load(2.5)


@pytest.mark.parametrize(
    "text",
    [
        "hi", "Hiya", "helo", "good morning", "its my landlord", "It\u2019s my son again", "so my landlord", "my dad",
        "hes", "i need some help with my", "i was going to ring but", "the thing is...", "um", "shwmae", "so basically",
    ],
)  # fmt: skip
def test_more_is_about_to_come(text: str) -> None:
    assert PIECES.is_open(text, goes_on=False)


@pytest.mark.parametrize(
    "text",
    [
        "cant pay my rent", "food bank", "i need food", "hi i need somewhere to stay tonight", "yes", "ok",
        "thanks", "why", "LS1", "2", "hello?", "hi!", "who do i go to", "whats it like", "closer",
        "not really", "my list", "no", "hi.", "ok then", "is anyone there",
        "I have been on my own since my husband left and I do not know who to turn to but",
        "\U0001f622", "", "are you there", "chucking us out", "shelter", "it is free",
    ],
)  # fmt: skip
def test_what_is_whole_is_not_waited_for(text: str) -> None:
    assert not PIECES.is_open(text, goes_on=False)


@pytest.mark.parametrize("text", ["chucking us out", "friday", "me and the kids"])
def test_few_words_right_after_a_piece_are_another_one(text: str) -> None:
    assert PIECES.is_open(text, goes_on=True)


@pytest.mark.parametrize("text", ["he is chucking us out on friday", "yes", "friday.", "who with?", "ok", "not safe"])
def test_a_thought_ends(text: str) -> None:
    assert not PIECES.is_open(text, goes_on=True)


@pytest.mark.parametrize("text", ["yes", "OK", "2", " thanks ", "Not safe", "\U0001f44d", "diolch"])
def test_what_answers_by_itself_is_read_with_nothing_else(text: str) -> None:
    assert not PIECES.may_join(text)


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["hi", "its my landlord", "hes", " chucking us out ", "friday"], "its my landlord hes chucking us out friday"),
        (["hi", "hello"], "hello"),
        (["my mum", "hi"], "my mum"),
    ],
)
def test_pieces_are_read_as_one_without_greetings(texts: list[str], joined: str) -> None:
    assert PIECES.join(texts) == joined
