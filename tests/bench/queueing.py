"""`python -m tests.bench.queueing`: a long queue and many peer workers who take, let go and vanish at random.

Everybody is checked against the audit, which is one line of all that happened in the order it was committed:

- lost: in no state, in two, or missing from the line in Redis once everything is at rest;
- claimed twice: claimed while somebody held them;
- order violations: claimed by "take next" while somebody of a lower rank waited.

Beside it, in the same run, the same number of peer workers in the same rhythm on the barest thing that could work:
ZPOPMIN on a sorted set (no story, no notice, no lease; lost with the process), and one SQL update
that marks the first row.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import logging
import random
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis.asyncio
import structlog
from cryptography.fernet import Fernet
from sqlalchemy import select, text

from channels.conversation import Channel, Concern, EscalationState, Holder
from channels.errors import CapReached, NotTaken
from channels.escalation import Escalations, NotYours
from channels.ledger import Ledger, migrate, open_ledger
from channels.ledger import tables as ledger_tables
from channels.ledger.database import new_id
from channels.ledger.queue_order import rank_of
from channels.ledger.records import PeerRecord
from channels.ledger.rows import Notes, seal_notes
from channels.settings import Settings, read_settings
from channels.streams import Streams
from channels.valkey import Valkey
from channels.wording import Wording

SEED = 20261123
THINK = 3.0
"""Seconds between two acts of one peer worker, on average; real ones take most of an hour."""
LEASE = 4.0
WORRIED = 0.1
VANISH, PASS_ON = 0.2, 0.2


@dataclass(kw_only=True)
class Figures:
    """What came of it; every one from `lost` on must be 0."""

    claims: list[float] = field(default_factory=list)
    vanished: int = 0
    returned: int = 0
    lost: int = 0
    twice: int = 0
    violations: int = 0
    late_told_wrong: int = 0


async def fill(ledger: Ledger, waiting: int, chance: random.Random) -> None:
    """People who have waited for up to a day, one in ten with a concern."""
    now = datetime.now(UTC)
    async with ledger._database.writing() as work:
        worry = seal_notes(work.cipher, Notes(concerns=frozenset({Concern.SUICIDE})))
        people, talks, asked = [], [], []
        for number in range(waiting):
            person, talk = new_id(), new_id()
            opened, urgent = now - timedelta(seconds=chance.uniform(0, 86_400)), chance.random() < WORRIED
            people.append({
                "id": person, "channel": Channel.WEB, "person_key": f"key-{number}", "do_not_text_first": False,
                "created_at": opened,
            })  # fmt: skip
            talks.append({
                "id": talk, "person_id": person, "channel": Channel.WEB, "holder": Holder.BOT, "episode": new_id(),
                "episode_turns": 0, "turns": 1, "created_at": opened, "last_seq": 0,
            })  # fmt: skip
            asked.append({
                "id": new_id(), "conversation_id": talk, "state": EscalationState.WAITING, "urgent": urgent,
                "reason": "asked", "notes": worry if urgent else None, "opened_at": opened, "waiting_since": now,
                "claimed_name": "", "rank_at": rank_of(opened, urgent=urgent), "told_count": 0, "follow_up": False,
            })  # fmt: skip
        for table, rows in zip(
            (ledger_tables.people, ledger_tables.conversations, ledger_tables.escalations), (people, talks, asked),
            strict=True,
        ):  # fmt: skip
            await work.run_many(table.insert(), rows)


async def work_shift(queue: Escalations, peer: PeerRecord, figures: Figures, chance: random.Random, end: float) -> None:
    """One peer worker: takes the next, stays a moment, then closes, passes on or vanishes without a word."""
    await asyncio.sleep(chance.uniform(0, THINK))
    while time.monotonic() < end:
        began = time.perf_counter()
        with suppress(CapReached):
            taken = await queue.take_next(peer)
            if taken is None:
                return
            figures.claims.append(time.perf_counter() - began)
            await asyncio.sleep(chance.expovariate(1 / THINK))
            fate = chance.random()
            if fate < VANISH:
                figures.vanished += 1
            else:
                await queue.renew_all(peer.id)
                with suppress(NotYours):
                    await (queue.pass_on if fate < VANISH + PASS_ON else queue.close)(taken.id, peer)
        await asyncio.sleep(chance.expovariate(1 / THINK))


async def sweep(queue: Escalations, figures: Figures, stop: asyncio.Event) -> None:
    while not stop.is_set():
        figures.returned += (await queue.sweep()).returned
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 2.0)


async def judge(ledger: Ledger, streams: Streams, figures: Figures, waiting: int) -> None:
    """Replay the audit from the beginning, and look where everybody is in the end."""
    async with ledger._database.reading() as work:
        table, audit = ledger_tables.escalations.c, ledger_tables.audit.c
        rows = {row.id: row for row in await work.run(select(table.id, table.state, table.rank_at))}
        happened = (await work.run(select(audit.action, audit.subject).order_by(audit.id))).all()
    line = [(row.rank_at, row.id) for row in rows.values()]
    heapq.heapify(line)
    in_line, held, closed = set(rows), set[str](), set[str]()
    for action, subject in happened:
        if action == "escalation_claimed":
            while line and line[0][1] not in in_line:
                heapq.heappop(line)
            figures.twice += subject in held
            figures.violations += not line or line[0][1] != subject
            in_line.discard(subject)
            held.add(subject)
        elif action in ("escalation_given_back", "escalation_lease_ran_out"):
            held.discard(subject)
            in_line.add(subject)
            heapq.heappush(line, (rows[subject].rank_at, subject))
        elif action == "escalation_closed":
            held.discard(subject)
            closed.add(subject)
    states = {one: row.state for one, row in rows.items()}
    wrong = sum(states[one] != EscalationState.WAITING for one in in_line)
    wrong += sum(states[one] != EscalationState.HELD for one in held)
    wrong += sum(states[one] != EscalationState.CLOSED for one in closed)
    figures.lost = wrong + abs(waiting - len(in_line) - len(held) - len(closed))
    figures.lost += len(set(await streams.queue_ids()) ^ in_line)


async def contest(queue: Escalations, peers: list[PeerRecord], figures: Figures) -> None:
    """Everybody takes the same person at the same moment: one does, the others are told who."""
    chosen = (await queue.waiting(1))[0]
    results = await asyncio.gather(*(queue.claim(chosen.id, peer) for peer in peers), return_exceptions=True)
    names = [one.holder_name for one in results if isinstance(one, NotTaken)]
    winner = [one.claimed_name for one in results if not isinstance(one, BaseException)]
    figures.late_told_wrong = sum(name != winner[0] for name in names) + (len(peers) - 1 - len(names))
    figures.twice += len(winner) != 1


async def rhythm(take: Callable[[], Awaitable[object]], peers: int, seconds: float) -> list[float]:
    """A barest way to take somebody, by so many in the same rhythm."""
    times: list[float] = []
    end = time.monotonic() + seconds

    async def one(chance: random.Random) -> None:
        while time.monotonic() < end:
            await asyncio.sleep(chance.expovariate(1 / THINK))
            began = time.perf_counter()
            await take()
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(one(random.Random(SEED + number)) for number in range(peers)))
    return times


def percentile(times: list[float], share: float) -> float:
    """Milliseconds."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def show(name: str, times: list[float]) -> None:
    p50, p99, worst = (percentile(times, share) for share in (0.5, 0.99, 1.0))
    print(f"  {name:34} {len(times):6} takes   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   worst {worst:6.1f} ms")


async def baselines(settings: Settings, ledger: Ledger, url: str, arguments: argparse.Namespace) -> None:
    client = redis.asyncio.Redis.from_url(url)
    await client.zadd("bench:bare", {str(number): number for number in range(arguments.waiting)})
    show("bare ZPOPMIN", await rhythm(lambda: client.zpopmin("bench:bare"), arguments.peers, arguments.seconds / 3))
    await client.aclose()
    bare = text(
        "UPDATE escalations SET closed_at = rank_at WHERE id = (SELECT id FROM escalations "
        "WHERE claimed_by IS NULL AND closed_at IS NULL ORDER BY rank_at, id LIMIT 1)"
    )

    async def mark() -> None:
        async with ledger._database.writing() as work:
            await work.run(bare)

    show("bare SQL update", await rhythm(mark, arguments.peers, arguments.seconds / 3))


async def run(settings: Settings, url: str, arguments: argparse.Namespace) -> bool:
    chance = random.Random(SEED)
    ledger = await open_ledger(settings)
    streams = Streams.connect(url, "bench", settings.shards)
    queue = Escalations(ledger, streams, Wording.load(), settings)
    peers = [
        await ledger.add_peer(name=f"Peer {number}", login=f"p{number}", role="peer", password_hash="none")
        for number in range(arguments.peers)
    ]
    await fill(ledger, arguments.waiting, chance)
    figures, stop = Figures(), asyncio.Event()
    sweeping = asyncio.create_task(sweep(queue, figures, stop))
    end = time.monotonic() + arguments.seconds
    await asyncio.gather(
        *(work_shift(queue, peer, figures, random.Random(SEED + at), end) for at, peer in enumerate(peers))
    )
    await asyncio.sleep(LEASE + 2)
    stop.set()
    await sweeping
    await queue.sweep()
    await judge(ledger, streams, figures, arguments.waiting)
    await contest(queue, peers, figures)
    print(f"{arguments.waiting} waiting, {arguments.peers} peer workers, {arguments.seconds:.0f} s:")
    show("take next, all of it", figures.claims)
    await baselines(settings, ledger, url, arguments)
    print(f"  vanished {figures.vanished}, came back to the line {figures.returned}")
    print(
        f"  lost {figures.lost}, claimed twice {figures.twice}, order violations {figures.violations}, "
        f"told wrong who was quicker {figures.late_told_wrong} of {arguments.peers - 1}"
    )
    await streams.close()
    await ledger.close()
    return not (figures.lost or figures.twice or figures.violations or figures.late_told_wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--peers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="nwd-bench-") as folder:
        settings = read_settings(
            data_dir=Path(folder), encryption_keys=Fernet.generate_key().decode(), lease_seconds=LEASE,
            person_key_secret=secrets.token_hex(16), lapse_minutes=100_000,
        )  # fmt: skip
        migrate(settings.ledger_url)
        server = Valkey(Path(folder))
        server.start()
        try:
            good = asyncio.run(run(settings, server.url, arguments))
        finally:
            server.stop()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
