"""A service on its way from the catalogue to the page: nothing a person needs is lost between the processes."""

from __future__ import annotations

import json

import pytest

from bot.actions.answer import write_reply
from bot.actions.replies import CardMaker
from channels.assistant import read_turn
from channels.conversation import Reply
from channels.webchat.cards import call_address
from tests.unit.bot.fakes import FOXLEY, NOW, RENT_RESCUE, load_words


@pytest.mark.parametrize("detail", [pytest.param(False, id="in a list"), pytest.param(True, id="in detail")])
def test_every_fact_of_a_card_arrives(detail: bool) -> None:
    card = CardMaker(wording=load_words(), now=NOW, near=FOXLEY).make_card(RENT_RESCUE, detail=detail)
    wire = json.dumps({"messages": [{"custom": write_reply(Reply(cards=(card,), detail=detail))}]})
    (arrived,) = read_turn(json.loads(wire)).replies
    assert arrived == Reply(cards=(card,), detail=detail)
    for fact in ("phone", "hours", "place", "cost", "checked", "call", "usual_hours"):
        assert getattr(arrived.cards[0], fact)
    assert call_address(arrived.cards[0]) == "tel:01632960112"
