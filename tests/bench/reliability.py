"""`python -m tests.bench.reliability`: what becomes of messages when a phone network is at its worst, in figures.

The tests in tests/chaos run the same scenarios with smaller numbers. Out of order means:

- within a conversation, two texts are stored the other way round than the network handed them in, where it handed
  in the second one only after it had our answer to the first; or
- answers leave in another order than the texts they answer are stored.

Where a network hands in one person's texts at the same time, in whatever order, nobody can know the order they were
written in (Twilio sends no number with them): then the order of acceptance is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import logging
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from cryptography.fernet import Fernet

from channels.conversation import Sender
from channels.ledger import migrate
from channels.ledger.records import MessageRecord
from channels.settings import Settings, read_settings
from channels.sms.twilio import Twilio
from channels.valkey import Valkey
from tests.bench.carrier import Carrier, Text, bodies, number_of, written_by
from tests.bench.rig import ANSWER, Rig, echo, open_rig
from tests.integration.serving import eventually

REPEATED = 0.2
OUTAGE = timedelta(seconds=60)
SEED = 20261123
PATIENCE = 900.0


@dataclass(kw_only=True)
class Crowd:
    """Figures of many people writing at once; every one from `lost` on must be 0."""

    people: int
    texts: int
    requests: int = 0
    receipts: int = 0
    seconds: float = 0.0
    lost: int = 0
    stored_twice: int = 0
    unanswered: int = 0
    answered_twice: int = 0
    out_of_order: int = 0
    wrong_state: int = 0
    refused: int = 0

    @property
    def worst(self) -> dict[str, int]:
        names = ("lost", "stored_twice", "unanswered", "answered_twice", "out_of_order", "wrong_state", "refused")
        return {name: getattr(self, name) for name in names}


@dataclass(kw_only=True)
class _Log:
    """When each text was first handed in, and when its first answer came."""

    begun: dict[str, float] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    requests: int = 0


async def run_crowd(rig: Rig, people: int, lines: int) -> Crowd:
    """Half of the people's texts come one after the other, the other half's all at once; a fifth of all come twice."""
    carrier, log = rig.carrier, _Log()
    written = {number_of(person): written_by(person, lines) for person in range(people)}
    began = time.monotonic()
    async with rig.working(echo(carrier.chance)):
        order = list(written.values())
        carrier.chance.shuffle(order)
        await asyncio.gather(
            *(_write(carrier, log, texts, at_once=number % 2 == 1) for number, texts in enumerate(order))
        )
        await eventually(rig.at_rest, PATIENCE)
    reports = len(carrier.reports)
    await carrier.post_reports(REPEATED)
    figures = Crowd(people=people, texts=people * lines, requests=log.requests, refused=carrier.refused)
    figures.receipts, figures.seconds = reports, time.monotonic() - began
    answers = Counter(bodies(carrier.sent))
    for number, texts in written.items():
        _count(figures, log, texts, answers, await rig.conversation(number))
        _count_order_of_answers(figures, carrier, number, await rig.conversation(number))
    return figures


async def _write(carrier: Carrier, log: _Log, texts: Sequence[Text], *, at_once: bool) -> None:
    """One person's texts. A repeated one goes to the other gateway at the same moment, or comes back later."""
    later = []
    if at_once:
        mixed = carrier.chance.sample(texts, len(texts))
        await asyncio.gather(*(_hand_in(carrier, log, text, carrier.chance.randrange(2)) for text in mixed))
        later = [text for text in texts if carrier.chance.random() < REPEATED]
    else:
        for text in texts:
            gateway, chance = carrier.chance.randrange(2), carrier.chance.random()
            handing = [_hand_in(carrier, log, text, gateway)]
            handing += [_hand_in(carrier, log, text, 1 - gateway)] if chance < REPEATED / 2 else []
            await asyncio.gather(*handing)
            later += [text] if REPEATED / 2 <= chance < REPEATED else []
    for text in later:
        await asyncio.sleep(carrier.chance.random() * 0.2)
        await _hand_in(carrier, log, text, carrier.chance.randrange(2))


async def _hand_in(carrier: Carrier, log: _Log, text: Text, gateway: int) -> None:
    log.requests += 1
    log.begun.setdefault(text.sid, time.monotonic())
    status = await carrier.hand_in(text, gateway)
    if status == 200:
        log.accepted.setdefault(text.sid, time.monotonic())


def _count(
    figures: Crowd, log: _Log, texts: Sequence[Text], answers: Counter[str], stored: Sequence[MessageRecord]
) -> None:
    kept = Counter(message.text for message in stored if message.sender is Sender.PERSON)
    for text in texts:
        figures.lost += kept[text.body] == 0
        figures.stored_twice += max(0, kept[text.body] - 1)
        figures.unanswered += answers[ANSWER + text.body] == 0
        figures.answered_twice += max(0, answers[ANSWER + text.body] - 1)
    place = {message.text: message.seq for message in stored if message.sender is Sender.PERSON}
    for one in texts:
        for other in texts:
            known = one.body in place and other.body in place and one.sid in log.accepted
            if known and log.accepted[one.sid] < log.begun[other.sid]:
                figures.out_of_order += place[one.body] > place[other.body]


def _count_order_of_answers(figures: Crowd, carrier: Carrier, number: str, stored: Sequence[MessageRecord]) -> None:
    """Against the order of storage; and whether each answer's state is what the network last knew of it."""
    asked = [ANSWER + message.text for message in stored if message.sender is Sender.PERSON]
    went = [text for text in carrier.sent if text.to == number]
    places = [asked.index(text.body) for text in went if text.body in asked]
    figures.out_of_order += sum(earlier > later for earlier, later in itertools.pairwise(places))
    states = {text.sid: "failed" if text.status == "undelivered" else text.status for text in went}
    ours = [message for message in stored if message.sender is not Sender.PERSON]
    figures.wrong_state += sum(states.get(message.provider_id) != message.delivery for message in ours)


@dataclass(kw_only=True)
class Outage:
    """Texts of a minute in which nobody could be reached, and one look at the provider's list afterwards."""

    texts: int
    look_seconds: float
    answered_seconds: float
    lost: int
    answered_twice: int
    out_of_order: int


async def run_outage(rig: Rig, people: int, lines: int) -> Outage:
    """The list carries the times of that minute; nothing sleeps through it."""
    carrier = rig.carrier
    written = {number_of(person): written_by(person, lines) for person in range(people)}
    every = [text for texts in zip(*written.values(), strict=True) for text in texts]
    until = datetime.now(UTC) - timedelta(seconds=5)
    for number, text in enumerate(every):
        text.at = until - OUTAGE + OUTAGE * number / len(every)
    carrier.lost += every
    twilio, began = Twilio(rig.settings), time.monotonic()
    async with rig.working(echo(carrier.chance)):
        await rig.reconciler(twilio).reconcile()
        look = time.monotonic() - began
        await eventually(rig.at_rest, PATIENCE)
    figures = Outage(
        texts=len(every), look_seconds=look, answered_seconds=time.monotonic() - began,
        lost=0, answered_twice=0, out_of_order=0,
    )  # fmt: skip
    twilio.close()
    answers = Counter(bodies(carrier.sent))
    for text in every:
        figures.lost += answers[ANSWER + text.body] == 0
        figures.answered_twice += max(0, answers[ANSWER + text.body] - 1)
    for number, texts in written.items():
        stored = [message.text for message in await rig.conversation(number) if message.sender is Sender.PERSON]
        figures.out_of_order += stored != bodies(texts)
    return figures


@dataclass(kw_only=True)
class Forgeries:
    """Requests with a signature that is not Twilio's, to both gateways."""

    requests: int
    accepted: int
    stored: int


async def run_forgeries(rig: Rig, count: int) -> Forgeries:
    """Random signatures of the right length, and the true one with a letter changed."""
    carrier, statuses = rig.carrier, Counter[int]()
    numbers = [f"+4477008{number:05}" for number in range(count)]
    busy = asyncio.Semaphore(16)

    async def forge(number: str) -> None:
        fields = {"MessageSid": "SM" + secrets.token_hex(16), "From": number, "Body": "let me in", "NumMedia": "0"}
        signature = base64.b64encode(carrier.chance.randbytes(20)).decode()
        async with busy:
            statuses[await carrier.post("/hooks/twilio/message", fields, signature)] += 1

    await asyncio.gather(*(forge(number) for number in numbers))
    stored = [number for number in numbers[:100] if await rig.conversation(number)]
    return Forgeries(requests=count, accepted=count - statuses[403], stored=len(stored))


@dataclass(kw_only=True)
class Ambiguous:
    """Answers that the provider took, and then broke the connection."""

    sends: int
    lost: int
    arrived_twice: int


async def run_ambiguous(rig: Rig, people: int) -> Ambiguous:
    """The first `people` sends are cut off. What was taken is looked up before anything is sent again."""
    carrier, twilio = rig.carrier, Twilio(rig.settings)
    carrier.break_off = people
    texts = [written_by(person, 1)[0] for person in range(people)]
    carrier.lost += texts
    async with rig.working(echo(carrier.chance)):
        await rig.reconciler(twilio).reconcile()
        await eventually(rig.at_rest, PATIENCE)
    twilio.close()
    arrived = Counter((text.to, text.body) for text in carrier.sent)
    answers = [arrived[text.sender, ANSWER + text.body] for text in texts]
    twice = sum(count > 1 for count in arrived.values())
    return Ambiguous(sends=people, lost=sum(count == 0 for count in answers), arrived_twice=twice)


# -- the table


def fresh_settings(folder: Path) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    settings = read_settings(
        data_dir=folder, encryption_keys=Fernet.generate_key().decode(), person_key_secret=secrets.token_hex(32)
    )
    migrate(settings.ledger_url)
    return settings


def show(what: str, figure: str) -> None:
    """At once: the next one may take a while."""
    print(f"{what}\n    {figure}", flush=True)


async def measure(arguments: argparse.Namespace, folder: Path, redis_url: str) -> None:
    async with open_rig(fresh_settings(folder / "crowd"), redis_url, arguments.seed) as rig:
        crowd = await run_crowd(rig, arguments.people, arguments.lines)
        show(
            f"{crowd.texts} texts of {crowd.people} people in {crowd.requests} requests to two gateways, shuffled, "
            f"{crowd.requests - crowd.texts} repeated; {crowd.receipts} receipts shuffled, a fifth repeated",
            ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in crowd.worst.items())
            + f"; {crowd.seconds:.0f} s",
        )  # fmt: skip
        forged = await run_forgeries(rig, arguments.forgeries)
        show(f"{forged.requests} forged requests", f"{forged.accepted} accepted, {forged.stored} stored")
    async with open_rig(fresh_settings(folder / "outage"), redis_url, arguments.seed, gateways=0) as rig:
        outage = await run_outage(rig, arguments.people, arguments.lines)
        show(
            f"{outage.texts} texts written in 60 s without any gateway",
            f"all stored {outage.look_seconds:.1f} s after one look began, all answered after "
            f"{outage.answered_seconds:.1f} s; {outage.lost} lost, {outage.answered_twice} answered twice, "
            f"{outage.out_of_order} conversations out of order",
        )  # fmt: skip
    async with open_rig(fresh_settings(folder / "ambiguous"), redis_url, arguments.seed, gateways=0) as rig:
        cut = await run_ambiguous(rig, arguments.people)
        show(
            f"{cut.sends} sends that Twilio took before the connection broke",
            f"{cut.lost} lost, {cut.arrived_twice} arrived twice",
        )  # fmt: skip


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--lines", type=int, default=5, help="texts of each person")
    parser.add_argument("--forgeries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    return parser.parse_args()


def quieten() -> None:
    """What goes wrong here goes wrong on purpose."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)


def main() -> None:
    arguments = parse_arguments()
    quieten()
    # A short path: that of a unix socket must be.
    with tempfile.TemporaryDirectory(prefix="nwd-") as name:
        server = Valkey(Path(name) / "valkey")
        server.start()
        try:
            asyncio.run(measure(arguments, Path(name), server.url))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
