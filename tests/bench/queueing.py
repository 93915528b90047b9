"""`python -m tests.bench.queueing`: a long queue and many peer workers who take, let go and vanish at random.

As in life: two processes of the desk, in which 50 peer workers work, and a worker that sweeps, on one ledger and one
Valkey. In the middle of each part one desk is killed with SIGKILL and begins again; whoever was held there comes back
by their lease. Two rhythms: with pauses of 1 to 3 s between two acts (real ones take most of an hour), and all at once
without any pause. A claim's time is what the handler of "take next" waits for: decision, transaction, news to Redis.

Everybody is checked against the audit, which is one line of all that happened in the order it was committed:

- lost: in no state, in two, or missing from the line in Redis once everything is at rest;
- claimed twice: claimed while somebody held them;
- order violations: claimed by "take next" while somebody of a lower rank waited.

Beside it, with the same pauses, the barest thing that could work: ZPOPMIN on a sorted set (no story, no notice, no
lease; lost with the process), and one SQL update that marks the first row. `--postgres` does it all on a PostgreSQL
of its own, which waits for the disk as in life.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import heapq
import json
import logging
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis.asyncio
import structlog
from cryptography.fernet import Fernet
from sqlalchemy import event, select, text

from channels.conversation import Channel, Concern, EscalationState, Holder
from channels.errors import NotTaken
from channels.escalation import Escalations
from channels.ledger import Ledger, migrate, open_ledger
from channels.ledger import tables as ledger_tables
from channels.ledger.database import Work, new_id
from channels.ledger.queue_order import rank_of
from channels.ledger.records import PeerRecord
from channels.ledger.rows import Notes, seal_notes
from channels.streams import Streams
from channels.valkey import Valkey
from channels.wording import Wording
from tests.bench.queue_desk import Order, settings_of
from tests.conftest import find_postgres, run_postgres

SEED = 20261123
LEASE = 6.0
WORRIED = 0.1
DESKS = 2
KILLED_AFTER = 0.5
PAUSE = (1.0, 3.0)


@dataclass(kw_only=True)
class Figures:
    """What came of it; every one from `lost` on must be 0."""

    claims: list[float] = field(default_factory=list)
    early: list[float] = field(default_factory=list)
    """Of processes that have just begun."""
    vanished: int = 0
    returned: int = 0
    killed_with: int = 0
    """People whom the peer workers of a killed desk were with."""
    lost: int = 0
    twice: int = 0
    violations: int = 0
    late_told_wrong: int = 0

    def read(self, folder: Path) -> None:
        for path in folder.glob("report-*"):
            for line in path.read_text().splitlines():
                what, seconds = line.split()
                if what in ("claim", "early"):
                    (self.claims if what == "claim" else self.early).append(float(seconds))
                self.vanished += what == "vanished"
                self.returned += what == "returned"
            path.unlink()


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
    figures.lost += len(set(await streams.queue_scores()) ^ in_line)


async def contest(queue: Escalations, peers: list[PeerRecord], figures: Figures) -> list[PeerRecord]:
    """Everybody takes the same person at the same moment: one does, the others are told who. Who has nobody then."""
    chosen = (await queue.waiting(1))[0]
    results = await asyncio.gather(*(queue.claim(chosen.id, peer) for peer in peers), return_exceptions=True)
    names = [one.holder_name for one in results if isinstance(one, NotTaken)]
    winner = [one.claimed_name for one in results if not isinstance(one, BaseException)]
    figures.late_told_wrong = sum(name != winner[0] for name in names) + (len(peers) - 1 - len(names))
    figures.twice += len(winner) != 1
    return [peer for peer, one in zip(peers, results, strict=True) if isinstance(one, BaseException)]


def percentile(times: list[float], share: float) -> float:
    """Milliseconds."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def show(name: str, times: list[float]) -> None:
    p50, p99, worst = (percentile(times, share) for share in (0.5, 0.99, 1.0))
    print(f"  {name:34} {len(times):6} takes   p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   worst {worst:6.1f} ms")


class Processes:
    """The desks and the worker of one part. Whoever is left at the end is ended."""

    def __init__(self, order: Order, peers: list[PeerRecord]) -> None:
        self._order = order
        self._groups = [tuple(peer.id for peer in peers[at::DESKS]) for at in range(DESKS)]
        self._sweeper = self._start("worker", order)
        self._desks = [self._start(f"desk-{at}", self._of(at, order.seconds)) for at in range(DESKS)]
        # Where the killed one goes on; its programs are loaded by then, as a supervisor's next process is at once.
        self._spare = self._start("desk-again", self._of(0, order.seconds * (1 - KILLED_AFTER)))
        for desk in self._desks:
            self._go(desk)

    def _of(self, at: int, seconds: float) -> Order:
        return replace(self._order, peers=self._groups[at], seconds=seconds, seed=SEED + 100 * at)

    def _start(self, name: str, order: Order) -> subprocess.Popen[str]:
        told = asdict(replace(order, report=f"{order.folder}/report-{name}"))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.queue_desk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    def _go(self, desk: subprocess.Popen[str]) -> None:
        assert desk.stdin is not None
        desk.stdin.write("go\n")
        desk.stdin.flush()

    def kill_one(self) -> tuple[str, ...]:
        """SIGKILL, in the middle of whatever it does; and it begins again. Gives its peer workers."""
        self._desks[0].kill()
        self._desks[0].wait()
        self._desks[0] = self._spare
        self._go(self._spare)
        return self._groups[0]

    async def end(self) -> None:
        for desk in self._desks:
            assert await asyncio.to_thread(desk.wait) == 0, "a desk ended by itself"
        await asyncio.sleep(LEASE + 2.5)
        await asyncio.to_thread(self._sweeper.communicate, "end\n")

    def stop(self) -> None:
        for process in (*self._desks, self._spare, self._sweeper):
            if process.poll() is None:
                process.kill()
                process.wait()


async def part(ledger: Ledger, streams: Streams, order: Order, peers: list[PeerRecord], waiting: int) -> Figures:
    """One rhythm, with one desk killed in its middle."""
    figures = Figures()
    processes = Processes(order, peers)
    try:
        await asyncio.sleep(order.seconds * KILLED_AFTER)
        killed = processes.kill_one()
        held = await ledger.held_escalations()
        figures.killed_with = sum(one.claimed_by in killed for one in held)
        await processes.end()
    finally:
        processes.stop()
    figures.read(Path(order.folder))
    await judge(ledger, streams, figures, waiting)
    return figures


async def rhythm(take: Callable[[], Awaitable[object]], peers: int, seconds: float) -> list[float]:
    """A barest way to take somebody, by so many in the same rhythm."""
    times: list[float] = []
    end = time.monotonic() + seconds

    async def one(chance: random.Random) -> None:
        while time.monotonic() < end:
            await asyncio.sleep(chance.uniform(*PAUSE))
            began = time.perf_counter()
            await take()
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(one(random.Random(SEED + number)) for number in range(peers)))
    return times


async def baselines(ledger: Ledger, url: str, arguments: argparse.Namespace) -> None:
    client = redis.asyncio.Redis.from_url(url)
    await client.zadd("bench:bare", {str(number): number for number in range(arguments.waiting)})
    show("bare ZPOPMIN", await rhythm(lambda: client.zpopmin("bench:bare"), arguments.peers, arguments.seconds / 3))
    await client.aclose()
    bare = text(
        "UPDATE escalations SET closed_at = rank_at WHERE id = (SELECT id FROM escalations "
        "WHERE claimed_by IS NULL AND closed_at IS NULL ORDER BY rank_at, id LIMIT 1)"
    )

    async def mark(work: Work) -> None:
        await work.run(bare)

    show("bare SQL update", await rhythm(lambda: ledger._database.write(mark), arguments.peers, arguments.seconds / 3))


async def alone(queue: Escalations, ledger: Ledger, peers: list[PeerRecord]) -> None:
    """One peer worker after the other: what a claim costs, in statements and in time."""
    statements, times, processor = 0, [], time.process_time()

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    engines = ledger._database.engines
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    for peer in peers:
        began = time.perf_counter()
        assert await queue.take_next(peer)
        times.append(time.perf_counter() - began)
    for engine in engines:
        event.remove(engine, "before_cursor_execute", count)
    cost = 1000 * (time.process_time() - processor) / len(peers)
    show("one after the other", times)
    print(f"    {statements / len(peers):.1f} SQL statements and {cost:.1f} ms of processor time a claim")


def report(name: str, figures: Figures) -> bool:
    show(name, figures.claims)
    show("  in a process's first 4 s", figures.early)
    print(
        f"    vanished {figures.vanished}; a desk killed, its peer workers were with {figures.killed_with}; came back "
        f"{figures.returned}\n    lost {figures.lost}, claimed twice {figures.twice}, "
        f"order violations {figures.violations}"
    )
    return not (figures.lost or figures.twice or figures.violations)


async def run(order: Order, arguments: argparse.Namespace) -> bool:
    settings = settings_of(order)
    ledger = await open_ledger(settings)
    streams = Streams.connect(order.url, "bench", settings.shards)
    queue = Escalations(ledger, streams, Wording.load(), settings)
    peers = [
        await ledger.add_peer(name=f"Peer {number}", login=f"p{number}", role="peer", password_hash="none")
        for number in range(arguments.peers)
    ]
    await fill(ledger, arguments.waiting, random.Random(SEED))
    await queue.sweep()
    print(
        f"{arguments.waiting} waiting, {arguments.peers} peer workers, {DESKS} desks, {arguments.seconds:.0f} s each:"
    )
    paced = await part(ledger, streams, replace(order, pause=PAUSE), peers, arguments.waiting)
    good = report("take next, with pauses", paced)
    if arguments.saturated:
        hurried = await part(ledger, streams, order, peers, arguments.waiting)
        good = report("take next, all at once", hurried) and good
    contested = Figures()
    free = await contest(queue, peers, contested)
    good = good and not (contested.twice or contested.late_told_wrong)
    print(f"  told wrong who was quicker {contested.late_told_wrong} of {arguments.peers - 1}")
    await alone(queue, ledger, free)
    await baselines(ledger, order.url, arguments)
    await streams.close()
    await ledger.close()
    return good


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A server that waits for the disk."""
    binaries = find_postgres()
    if binaries is None:
        raise SystemExit("no PostgreSQL: install it (apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="nwd-postgres-") as folder:
        yield from run_postgres(binaries, Path(folder), durable=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--peers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--saturated", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="nwd-bench-"))
        known = {"encryption_keys": Fernet.generate_key().decode(), "person_key_secret": secrets.token_hex(16)}
        if arguments.postgres:
            known["database_url"] = stack.enter_context(postgres())
        server = Valkey(Path(folder))
        server.start()
        order = Order(folder=folder, url=server.url, secrets=known, lease=LEASE, seconds=arguments.seconds)
        migrate(settings_of(order).ledger_url)
        try:
            good = asyncio.run(run(order, arguments))
        finally:
            server.stop()
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
