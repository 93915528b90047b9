"""`python -m tests.bench.sealing`: what a key for each person costs, beside one key for all, taken in turns.

SQLite with `synchronous=FULL`. Times are of this machine now; the ratios say more.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.fernet import Fernet

from channels.conversation import Channel, Inbound, Sender
from channels.ledger import Cipher, Ledger, migrate
from channels.ledger.database import Database
from channels.ledger.ledger import RETENTION
from channels.ledger.records import Draft, PeerRecord
from tests.ledger_builders import ask_for_a_person, peer_named

WORDS = "my landlord says i have to be out by friday and i dont know who to ring " * 2
MESSAGES = 20


@dataclass
class Arm:
    """One way to keep words, and how long each thing took."""

    name: str
    ledger: Ledger
    sam: PeerRecord
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def take(self, what: str, do: Callable[[], Awaitable[object]]) -> None:
        began = time.perf_counter()
        await do()
        self.seconds[what].append(time.perf_counter() - began)

    async def visit(self, number: int) -> None:
        """Somebody new writes, asks for a person, is taken, answered, read and forgotten."""
        ledger, address = self.ledger, f"+4416329{number:05}"

        def text(which: int) -> Inbound:
            return Inbound(channel=Channel.SMS, address=address, provider_id=f"SM{number}-{which}", text=WORDS)

        await self.take("first message of somebody", lambda: ledger.store_inbound(text(0)))
        for which in range(1, MESSAGES):
            await self.take("next message", lambda which=which: ledger.store_inbound(text(which)))
        escalation_id = await ask_for_a_person(ledger, address)
        lease, hello = datetime.now(UTC) + timedelta(minutes=1), Draft(sender=Sender.NOTICE, text="Sam is here")
        await self.take("claim", lambda: ledger.claim(escalation_id, self.sam, lease, hello))
        person = await ledger.person_at(Channel.SMS, address)
        assert person is not None
        talk = (await ledger.conversation_of(person.id)).id
        reply = Draft(sender=Sender.PEER, text=WORDS)
        await self.take("append", lambda: ledger.append(talk, [reply], held_by=self.sam.id))
        for _ in range(5):
            await self.take(f"read {MESSAGES + 4} messages", lambda: ledger.messages(talk))
        await self.take("forget", lambda: ledger.forget(person.id))


async def run(folder: Path, people: int) -> None:
    cipher = Cipher([Fernet.generate_key().decode()], "secret")
    arms = []
    for name in ("one key", "a key each"):
        (folder / name).mkdir()
        url = f"sqlite+aiosqlite:///{folder}/{name}/ledger.sqlite"
        migrate(url)
        alone = Ledger(Database(url, cipher, 4), RETENTION)
        ledger = alone if name == "one key" else Ledger.open(url, cipher, shards=4)
        arms.append(Arm(name, ledger, await peer_named(ledger, "Sam")))
    for number in range(people):
        for arm in arms if number % 2 else reversed(arms):
            await arm.visit(number)
    before, after = arms
    print(f"{'p50, ms':28}{before.name:>12}{after.name:>12}{'ratio':>8}")
    for what in before.seconds:
        old, new = (statistics.median(arm.seconds[what]) * 1000 for arm in arms)
        print(f"{what:28}{old:12.2f}{new:12.2f}{new / old:8.2f}")
    for arm in arms:
        await arm.ledger.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=40)
    with tempfile.TemporaryDirectory(prefix="nwd-bench-") as folder:
        asyncio.run(run(Path(folder), parser.parse_args().people))


if __name__ == "__main__":
    main()
