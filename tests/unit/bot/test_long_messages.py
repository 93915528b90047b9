"""Stories are read in pieces."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.long_messages import LONG, PIECE, PLAIN, find_in_parts, split_pieces
from tests.unit.bot.fakes import LOW, RENT, FakeSearch, make_tools

STORY = (
    "hello i am not sure where to begin. it has been a hard year for all of us here. the days are long and grey. "
    "the gas bill came and it is more than i get in a week. sorry for going on"
)


def test_nothing_of_a_story_is_left_out() -> None:
    pieces = split_pieces(STORY)
    assert " ".join(pieces) == STORY
    assert len(pieces) > 2
    assert all(len(piece) < 2 * PIECE for piece in pieces)


def test_each_piece_is_asked_about_and_only_what_is_plain_counts() -> None:
    finder = FakeSearch(needs=(RENT, replace(LOW, score=PLAIN - 0.1)))
    assert find_in_parts(STORY, make_tools(finder)) == (RENT.id,)
    assert [asked[0] for asked in finder.asked] == split_pieces(STORY)


def test_a_short_message_is_read_once() -> None:
    finder = FakeSearch(needs=(RENT,))
    assert find_in_parts(STORY[: LONG - 1], make_tools(finder)) == ()
    assert finder.asked == []
