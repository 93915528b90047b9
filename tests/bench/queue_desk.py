"""One process of the queue's bench, as in life: a desk where some peer workers work, or a worker that sweeps.

It is told on one line of standard input what to do, writes one line for each claim it made to a file, and may be killed
at any moment.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from channels.errors import CapReached
from channels.escalation import Escalations, NotYours
from channels.ledger import open_ledger
from channels.ledger.records import PeerRecord
from channels.settings import Settings, read_settings
from channels.streams import Streams
from channels.wording import Wording

VANISH, PASS_ON = 0.2, 0.2
WARMING = 4.0
"""Seconds in which a process makes its statements: what it claims then is checked, and timed apart."""
EVERY, FOLD_EVERY = 2.0, 5.0
"""Seconds between two sweeps, and between two foldings of the log: a worker's own, and its default."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What one process is to do. `pause`: seconds between two acts, from and to; none is as fast as they can."""

    folder: str
    url: str
    secrets: dict[str, str]
    lease: float
    seconds: float = 0.0
    peers: tuple[str, ...] = ()
    pause: tuple[float, float] = (0.0, 0.0)
    seed: int = 0
    report: str = ""


def settings_of(order: Order) -> Settings:
    return read_settings(data_dir=Path(order.folder), lease_seconds=order.lease, lapse_minutes=100_000, **order.secrets)


async def work_shift(
    queue: Escalations, peer: PeerRecord, order: Order, chance: random.Random, note: Callable[[str, float], None]
) -> None:
    """One peer worker: takes the next, stays a moment, then closes, passes on or vanishes without a word."""
    end = time.monotonic() + order.seconds
    await asyncio.sleep(chance.uniform(0, order.pause[1]))
    while time.monotonic() < end:
        began = time.perf_counter()
        try:
            taken = await queue.take_next(peer)
        except CapReached:
            # With two whom they left without a word: until those have come back there is nothing to do.
            await asyncio.sleep(chance.uniform(*order.pause) or 0.5)
            continue
        if taken is None:
            return
        early = time.monotonic() < end - order.seconds + WARMING
        note("early" if early else "claim", time.perf_counter() - began)
        stay = chance.uniform(*order.pause)
        await asyncio.sleep(stay)
        fate = chance.random()
        if fate < VANISH:
            note("vanished", 0.0)
        else:
            if stay > order.lease / 3:
                # As often as an open page gives a sign of life.
                await queue.renew_all(peer.id)
            with suppress(NotYours):
                await (queue.pass_on if fate < VANISH + PASS_ON else queue.close)(taken.id, peer)
        await asyncio.sleep(chance.uniform(*order.pause))


async def desk(order: Order) -> None:
    settings = settings_of(order)
    ledger = await open_ledger(settings)
    streams = Streams.connect(order.url, "bench", settings.shards)
    queue = Escalations(ledger, streams, Wording.load(), settings)
    people = [peer for peer in [await ledger.peer(one) for one in order.peers] if peer is not None]
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    with Path(order.report).open("a", buffering=1, encoding="utf-8") as report:

        def note(what: str, seconds: float) -> None:
            report.write(f"{what} {seconds:.6f}\n")

        chances = [random.Random(order.seed + at) for at in range(len(people))]
        shifts = (work_shift(queue, peer, order, at, note) for peer, at in zip(people, chances, strict=True))
        await asyncio.gather(*shifts)
    await streams.close()
    await ledger.close()


async def sweeper(order: Order) -> None:
    """As the worker does, until it is told to end; then once more."""
    settings = settings_of(order)
    ledger = await open_ledger(settings)
    streams = Streams.connect(order.url, "bench", settings.shards)
    queue = Escalations(ledger, streams, Wording.load(), settings)
    folded = time.monotonic()
    ending = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print("ready", flush=True)
    with Path(order.report).open("a", buffering=1, encoding="utf-8") as report:
        while not ending.done():
            for _ in range((await queue.sweep()).returned):
                report.write("returned 0\n")
            if time.monotonic() > folded + FOLD_EVERY:
                folded = time.monotonic()
                await ledger.fold()
            await asyncio.wait([ending], timeout=EVERY)
        for _ in range((await queue.sweep()).returned):
            report.write("returned 0\n")
    await streams.close()
    await ledger.close()


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    order = Order(**{**told, "peers": tuple(told["peers"]), "pause": tuple(told["pause"])})
    asyncio.run(desk(order) if order.peers else sweeper(order))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
