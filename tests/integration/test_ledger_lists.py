"""A person's own list in the ledger: kept in order, unreadable in the file, gone with its words; and copies counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.errors import NotFound
from channels.ledger import Ledger
from channels.ledger.lists import CopyLimits
from channels.ledger.records import SavedService
from channels.settings import Settings
from tests.chat_builders import RENT
from tests.ledger_builders import text_from

DEBT = replace(RENT, service_id="svc-debt", name="Debt Line", why="because of debts")
FOOD = replace(RENT, service_id="svc-food", name="Food Bank")
LIMITS = CopyLimits(from_one=2, to_one=2, together=3)


async def begun(ledger: Ledger, number: str = "+447700900123") -> str:
    message = text_from(number, provider_id=f"SM-{number}")
    return (await ledger.store_inbound(message)).conversation_id


async def names(ledger: Ledger, conversation_id: str) -> list[str]:
    return [one.card.name for one in await ledger.lists.saved(conversation_id)]


async def test_a_list_keeps_the_order_in_which_services_were_offered(any_ledger: Ledger) -> None:
    here = await begun(any_ledger)
    for card, seq, place in ((FOOD, 4, 0), (DEBT, 2, 1), (RENT, 2, 0)):
        await any_ledger.lists.save(here, SavedService(card=card, seq=seq, place=place))
    assert await names(any_ledger, here) == [RENT.name, DEBT.name, FOOD.name]
    await any_ledger.lists.remove(here, DEBT.service_id)
    await any_ledger.lists.remove(here, DEBT.service_id)
    assert await names(any_ledger, here) == [RENT.name, FOOD.name]
    assert (await any_ledger.held((await any_ledger.conversation(here)).person_id)).saved == 2


async def test_a_service_saved_again_is_there_once_with_what_is_newer(any_ledger: Ledger) -> None:
    here = await begun(any_ledger)
    await any_ledger.lists.save(here, SavedService(card=DEBT, seq=2, place=0))
    newer = replace(DEBT, how_to="Just turn up.")
    await any_ledger.lists.save(here, SavedService(card=newer, seq=5, place=0))
    (kept,) = await any_ledger.lists.saved(here)
    assert (kept.card.how_to, kept.seq) == ("Just turn up.", 5)
    assert kept.card.why == "", "what the peer worker is told about it is not the person's to carry around"


async def test_lists_are_apart(any_ledger: Ledger) -> None:
    here, there = await begun(any_ledger), await begun(any_ledger, "+447700900124")
    await any_ledger.lists.save(here, SavedService(card=RENT, seq=2, place=0))
    assert await names(any_ledger, there) == []
    await any_ledger.lists.remove(there, RENT.service_id)
    assert await names(any_ledger, here) == [RENT.name]


async def test_nothing_of_a_list_can_be_read_in_the_file_and_nothing_stays_once_forgotten(
    ledger: Ledger, settings: Settings
) -> None:
    here = await begun(ledger)
    canary = replace(RENT, service_id="canary-service", name="canary-sings-at-dawn")
    await ledger.lists.save(here, SavedService(card=canary, seq=2, place=0))
    assert await ledger.lists.count_copy(here, "tel:+447700900999", LIMITS)
    assert b"canary" not in file_bytes(settings)
    assert b"7700900999" not in file_bytes(settings)
    person_id = (await ledger.conversation(here)).person_id
    await ledger.forget(person_id)
    assert await ledger.lists.saved(here) == []
    with pytest.raises(NotFound):
        await ledger.lists.save(here, SavedService(card=canary, seq=2, place=0))


def file_bytes(settings: Settings) -> bytes:
    return b"".join(path.read_bytes() for path in settings.data_dir.glob("ledger.sqlite*"))


async def test_a_list_ends_with_its_words(any_ledger: Ledger) -> None:
    here = await begun(any_ledger)
    await any_ledger.lists.save(here, SavedService(card=RENT, seq=2, place=0))
    await any_ledger.expire(datetime.now(UTC) - timedelta(hours=1))
    assert await names(any_ledger, here) == [RENT.name]
    await any_ledger.expire(datetime.now(UTC) + timedelta(seconds=1))
    assert await names(any_ledger, here) == []


async def test_copies_are_counted_by_list_by_destination_and_together(any_ledger: Ledger) -> None:
    one, other, third = [await begun(any_ledger, f"+44770090012{n}") for n in range(3)]
    count = any_ledger.lists.count_copy
    first = await count(one, "tel:1", LIMITS)
    assert first
    assert await count(one, "tel:2", LIMITS)
    assert await count(one, "tel:3", LIMITS) is None, "too many of one list"
    await any_ledger.lists.uncount_copy(first)
    assert await count(other, "tel:2", LIMITS)
    assert await count(third, "tel:2", LIMITS) is None, "too many to one number"
    assert await count(third, "tel:4", LIMITS)
    assert await count(third, "tel:5", LIMITS) is None, "too many together"


async def test_copies_asked_for_at_once_do_not_slip_past_the_limit(any_ledger: Ledger) -> None:
    here = await begun(any_ledger)
    asked = await asyncio.gather(*(any_ledger.lists.count_copy(here, f"tel:{n}", LIMITS) for n in range(8)))
    assert sum(one is not None for one in asked) == LIMITS.from_one


async def test_forgetting_does_not_open_a_number_to_more_copies(any_ledger: Ledger) -> None:
    for number in ("+447700900121", "+447700900122"):
        here = await begun(any_ledger, number)
        assert await any_ledger.lists.count_copy(here, "tel:1", LIMITS)
        await any_ledger.forget((await any_ledger.conversation(here)).person_id)
    third = await begun(any_ledger, "+447700900125")
    assert await any_ledger.lists.count_copy(third, "tel:1", LIMITS) is None
