"""Transactions made together: as if each had been alone, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest
from sqlalchemy import event, text

from channels.conversation import Channel
from channels.errors import LedgerUnavailable, NotFound
from channels.ledger import Ledger, tables
from channels.ledger.database import Work
from channels.settings import Settings
from tests.ledger_builders import text_from

COUNT = text("SELECT count(*) FROM people")


def number(end: int) -> str:
    return f"+441632960{end:03}"


async def people(ledger: Ledger) -> int:
    async def count(work: Work) -> int:
        return int((await work.run(COUNT)).scalar_one())

    return await ledger._database.read(count)


async def test_many_at_once_are_all_there_and_each_has_its_own_answer(any_ledger: Ledger) -> None:
    stored = await asyncio.gather(*(any_ledger.store_inbound(text_from(number(at), f"m{at}")) for at in range(40)))
    assert len({one.conversation_id for one in stored}) == 40
    for at in (0, 39):
        person = await any_ledger.person_at(Channel.SMS, number(at))
        assert person is not None and person.id == (await any_ledger.conversation(stored[at].conversation_id)).person_id


async def test_what_one_does_wrong_undoes_its_own_and_nothing_of_the_others(any_ledger: Ledger) -> None:
    async def keep_and_fail(work: Work) -> None:
        await work.insert_new(
            tables.people,
            id="a" * 24, channel="sms", person_key="key", do_not_text_first=False, created_at=work.now,
        )  # fmt: skip
        raise NotFound

    good = [any_ledger.store_inbound(text_from(number(at), f"m{at}")) for at in range(6)]
    bad = [any_ledger._database.write(keep_and_fail) for _ in range(3)]
    results = await asyncio.gather(*good[:3], *bad, *good[3:], return_exceptions=True)
    assert [isinstance(one, NotFound) for one in results] == [False] * 3 + [True] * 3 + [False] * 3
    assert await people(any_ledger) == 6


async def test_those_who_come_together_share_a_commit(ledger: Ledger) -> None:
    commits = 0

    def count(*_: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(ledger._database.engines[0], "commit", count)
    await asyncio.gather(*(ledger.store_inbound(text_from(number(at), f"m{at}")) for at in range(40)))
    assert await people(ledger) == 40
    assert commits < 10


async def test_when_the_disk_does_not_take_it_each_of_them_hears_so(ledger: Ledger) -> None:
    async def fill_up(work: Work) -> None:
        pages = (await work.run(text("PRAGMA page_count"))).scalar_one()
        await work.run(text(f"PRAGMA max_page_count={pages}"))

    await ledger._database.write(fill_up)
    tries = (ledger.store_inbound(text_from(number(at), f"m{at}", "x" * 4000)) for at in range(8))
    results = await asyncio.gather(*tries, return_exceptions=True)
    refused = sum(isinstance(one, LedgerUnavailable) for one in results)
    assert refused >= 1
    assert await people(ledger) == 8 - refused, "whoever was told that it is kept is kept, and nobody else"


async def test_somebody_who_gives_up_before_their_turn_has_changed_nothing(ledger: Ledger, settings: Settings) -> None:
    other = sqlite3.connect(settings.data_dir / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(ledger.store_inbound(text_from(number(1), "m1")))
    await asyncio.sleep(0)
    second = asyncio.create_task(ledger.store_inbound(text_from(number(2), "m2")))
    while len(ledger._database._writer._line) != 1:  # type: ignore[union-attr]  # The first one has its turn.
        await asyncio.sleep(0)
    second.cancel()
    other.execute("COMMIT")
    other.close()
    await first
    assert await people(ledger) == 1


async def test_a_transaction_that_waits_for_anything_else_is_a_mistake_of_ours(any_ledger: Ledger) -> None:
    async def wait(work: Work) -> None:
        await work.run(COUNT)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="not its database"):
        await any_ledger._database.write(wait)


async def test_after_a_deadlock_it_is_done_again(any_ledger: Ledger) -> None:
    """Two who hold what the other wants: on PostgreSQL one is thrown out and begins again; SQLite has one writer."""
    meeting, met = threading.Barrier(2), set[str]()

    async def hold_both(work: Work, first: str, second: str) -> str:
        await work.hold(first)
        if not work.is_alone and first not in met:
            met.add(first)
            meeting.wait(timeout=10)
        await work.hold(second)
        return first

    one, other = "1" * 16, "2" * 16
    write = any_ledger._database.write
    both = write(lambda work: hold_both(work, one, other)), write(lambda work: hold_both(work, other, one))
    assert await asyncio.gather(*both) == [one, other]
