"""Whole conversations on the real index: needs kept, lists refined, corrections, a late need in a long story."""

from __future__ import annotations

import httpx
import pytest

from bot.actions.basket import MOST_KEPT
from channels.conversation import Note
from tests.integration.test_actions_with_search import Talk, app, client

__all__ = ["app", "client"]


async def test_three_needs_are_kept_until_each_had_its_turn(client: httpx.AsyncClient) -> None:
    talk = Talk(client)
    first = await talk.say("action_find_support", "no food in the house, rent is 2 months late and im so lonely")
    (note,) = (each for each in first.requests if isinstance(each, Note))
    assert {"food", "rent_arrears"} <= set(note.needs)
    assert "next" in {choice.payload for choice in first.replies[0].choices}
    assert "postcode" not in first.replies[0].text, "no room for it beside three needs in a text message"
    second = await talk.say("action_find_support", "the rent thing")
    (note,) = (each for each in second.requests if isinstance(each, Note))
    assert note.needs == ("rent_arrears",)
    assert len(second.replies[0].cards) <= MOST_KEPT
    assert "postcode" in second.replies[0].text
    await talk.say("action_find_support", "rather not say")
    third = await talk.say("action_find_support", "the food thing")
    assert "postcode" not in third.replies[0].text


async def test_a_list_is_refined_and_says_what_it_lacks(client: httpx.AsyncClient) -> None:
    talk = Talk(client)
    await talk.say("action_find_support", "i feel so low, im in foxley")
    free = await talk.say("action_show_more", "free ones for women pls")
    assert free.replies[0].cards
    assert "free" in free.replies[0].text or "closest" in free.replies[0].text
    written = await talk.say("action_find_support", "cant talk on phone")
    assert written.replies[0].cards
    undone = await talk.say("action_find_support", "anything")
    assert undone.replies[0].text.startswith("Of course. Here is everything again")


async def test_a_need_in_the_middle_of_a_very_long_story_is_named_and_listed(client: httpx.AsyncClient) -> None:
    filler = "we went to my sisters for a bit and the weather was awful the whole time. "
    story = f"{filler * 25}i cant pay my rent this month and the landlord wants us out. {filler * 12}"
    answer = await client.post("/needs", json={"text": story})
    assert "rent_arrears" in answer.json()["needs"]
    whole = await Talk(client).say("action_find_support", filler * 3, metadata={"needs": answer.json()["needs"]})
    (note,) = (each for each in whole.requests if isinstance(each, Note))
    assert "rent_arrears" in note.needs


@pytest.mark.parametrize(("body", "status"), [({"text": 1}, 400), ([], 400), ({"text": ""}, 200)], ids=str)
async def test_needs_are_named_for_text_only(client: httpx.AsyncClient, body: object, status: int) -> None:
    assert (await client.post("/needs", json=body)).status_code == status
    assert (await client.post("/needs", json=body, headers={"Authorization": "Bearer no"})).status_code == 401


async def test_a_need_at_the_end_of_a_long_story_is_kept(client: httpx.AsyncClient) -> None:
    story = (
        "it has been a long year. my dad was in hospital in the spring and then the car broke down on the way there. "
        "we went to my sisters for a bit and the weather was awful the whole time. i have been so down since then. "
        "my boss was ok about it at first and then he changed my shifts round and i had to sort the buses out. "
        "the neighbours had a party all weekend as well. and on top of all that i cant pay my rent this month"
    )
    answer = await Talk(client).say("action_find_support", story)
    (note,) = (each for each in answer.requests if isinstance(each, Note))
    assert "rent_arrears" in note.needs
