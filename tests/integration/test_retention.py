"""How long each class of things is kept: gone when its time is over, not before, and not while somebody is on hold."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from channels.conversation import Channel, Concern, Delivery, Receipt, Sender
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation
from channels.ledger.retention import Periods
from channels.ledger.talk_records import NoteKind
from channels.settings import Settings
from channels.streams import FORGOTTEN_CONSUMER_MS, Streams
from tests.ledger_builders import TEST_PREFIX, answer, text_from
from tests.worker_builders import Bench

LONG = timedelta(days=3650)
KEPT = Periods(**{field.name: LONG for field in fields(Periods)})
"""Nothing is over."""
OVER = timedelta(days=10)
LATER = datetime.now(UTC) + timedelta(days=20)
"""A time at which everything made now is over for a class that is kept for 10 days."""
CLASSES = ("deliveries", "consents", "reports", "audit")
NUMBER = "+441632960001"


async def story(ledger: Ledger) -> str:
    """Somebody of whom there is something in every class. Gives the conversation."""
    stored = await ledger.store_inbound(text_from(NUMBER, "SM1"))
    await answer(
        ledger, stored, Draft(sender=Sender.ASSISTANT, text="ok"), needs=("housing",), told="helped",
        escalation=OpenEscalation(reason="asked"), concerns=frozenset({Concern.ABUSE}),
    )  # fmt: skip
    conversation_id = stored.conversation_id
    message = await ledger.next_unsent(conversation_id)
    assert message is not None
    await ledger.mark_sending(message.id)
    await ledger.mark_sent(message.id, "SM-out")
    await ledger.store_receipt(Receipt(channel=Channel.SMS, provider_id="SM-unknown", state=Delivery.DELIVERED))
    jo = await ledger.add_peer(name="Jo", login="jo", role="peer", password_hash="x")
    await ledger.queue.agree(conversation_id, "clearwater")
    await ledger.talk.add(conversation_id, NoteKind.NOTE, jo.id, {"text": "a note"})
    await ledger.talk.add(conversation_id, NoteKind.SAFEGUARDING, jo.id, {"text": "a worry", "told": ["lead"]})
    escalation = await ledger.escalation_of(conversation_id)
    assert escalation is not None
    joined = Draft(sender=Sender.NOTICE, text="Jo is here.")
    await ledger.claim(escalation.id, jo, datetime.now(UTC) + timedelta(hours=1), joined)
    await ledger.close_escalation(escalation.id, jo.id, None)
    await ledger.listing_reports.add("svc-rent", "phone", "person")
    (report,) = await ledger.listing_reports.take()
    await ledger.listing_reports.settle(report.id, "told")
    return conversation_id


def count(settings: Settings, statement: str) -> int:
    with sqlite3.connect(Path(str(make_url(settings.ledger_url).database))) as database:
        return int(database.execute(f"SELECT count(*) FROM {statement}").fetchone()[0])


def counts(settings: Settings) -> dict[str, int]:
    """What there is of each class."""
    return {
        "deliveries": count(settings, "messages WHERE provider_id IS NOT NULL") + count(settings, "receipts"),
        "consents": count(settings, "consents"),
        "reports": sum(count(settings, table) for table in ("escalations", "told", "listing_reports")),
        "audit": count(settings, "audit WHERE action != 'audit_expired'"),
    }


@pytest.mark.parametrize("kind", CLASSES)
async def test_a_class_goes_when_its_time_is_over_and_the_others_stay(
    ledger: Ledger, settings: Settings, kind: str
) -> None:
    await story(ledger)
    before = counts(settings)
    assert all(before.values()), before
    assert not any((await ledger.retention.expire(replace(KEPT, **{kind: timedelta(days=30)}), LATER)).values())
    assert counts(settings) == before
    gone = await ledger.retention.expire(replace(KEPT, **{kind: OVER}), LATER)
    assert gone[kind] > 0
    assert counts(settings) == {**before, kind: 0}
    assert not any((await ledger.retention.expire(replace(KEPT, **{kind: OVER}), LATER)).values()) or kind == "audit"


@pytest.mark.parametrize("kind", CLASSES)
async def test_a_hold_stops_it(ledger: Ledger, settings: Settings, kind: str) -> None:
    conversation_id = await story(ledger)
    person_id = (await ledger.conversation(conversation_id)).person_id
    robin = await ledger.add_peer(name="Robin", login="robin", role="coordinator", password_hash="x")
    await ledger.rights.hold(robin.id, person_id, "the police asked")
    theirs = {
        "deliveries": "messages WHERE provider_id IS NOT NULL", "consents": "consents", "reports": "escalations",
        "audit": "audit",
    }[kind]  # fmt: skip
    before = count(settings, theirs)
    await ledger.retention.expire(replace(KEPT, **{kind: OVER}), LATER)
    assert count(settings, theirs) == before
    await ledger.rights.lift(robin.id, person_id)
    await ledger.retention.expire(replace(KEPT, **{kind: OVER}), LATER)
    assert count(settings, theirs) < before


async def test_a_webhook_that_comes_again_is_known_when_its_id_is_gone(ledger: Ledger, settings: Settings) -> None:
    await story(ledger)
    await ledger.retention.expire(replace(KEPT, deliveries=OVER), LATER)
    assert (await ledger.store_inbound(text_from(NUMBER, "SM1"))).duplicate


# -- words


async def notes_of(ledger: Ledger, conversation_id: str) -> set[NoteKind]:
    return {note.kind for note in await ledger.talk.notes(conversation_id)}


async def test_notes_and_safeguarding_notes_each_have_their_time(ledger: Ledger) -> None:
    conversation_id = await story(ledger)
    now, past = datetime.now(UTC) + timedelta(minutes=1), datetime.now(UTC) - LONG
    await ledger.expire(past, notes=now, safeguarding=past)
    assert await notes_of(ledger, conversation_id) == {NoteKind.SAFEGUARDING}
    assert (await ledger.messages(conversation_id))[0].text, "words have theirs"
    await ledger.expire(past, notes=now, safeguarding=now)
    assert await notes_of(ledger, conversation_id) == set()


async def test_whom_a_note_is_about_stays_known_as_long_as_the_note(ledger: Ledger) -> None:
    conversation_id = await story(ledger)
    now, past = datetime.now(UTC) + timedelta(minutes=1), datetime.now(UTC) - LONG
    while message := await ledger.next_unsent(conversation_id):
        await ledger.mark_sending(message.id)
        await ledger.mark_sent(message.id, f"SM-{message.seq}")
    await ledger.expire(now, notes=now, safeguarding=past)
    assert (await ledger.messages(conversation_id))[0].text == ""
    assert await notes_of(ledger, conversation_id) == {NoteKind.SAFEGUARDING}
    assert await ledger.person_at(Channel.SMS, NUMBER) is not None
    await ledger.expire(now, notes=now, safeguarding=now)
    assert await ledger.person_at(Channel.SMS, NUMBER) is None


# -- the audit trail


async def test_a_trail_whose_beginning_is_over_still_shows_tampering(ledger: Ledger, settings: Settings) -> None:
    await story(ledger)
    now = datetime.now(UTC) + timedelta(minutes=1)
    gone = (await ledger.retention.expire(replace(KEPT, audit=timedelta()), now))["audit"]
    assert gone > 3
    for number in range(3):
        await ledger.audit("jo", "looked", f"c{number}")
    assert await ledger.verify_audit()
    newest = await ledger.audit_log()
    assert [row.action for row in newest] == ["looked", "looked", "looked", "audit_expired"]
    assert newest[-1].id == gone + 1, "numbers go on"
    for tampering in (
        f"DELETE FROM audit WHERE id = {gone + 1}",
        f"UPDATE audit SET actor = 'somebody' WHERE id = {gone + 2}",
        "DELETE FROM audit_head WHERE id = 2",
        "UPDATE audit_head SET rows = rows - 1 WHERE id = 2",
    ):
        file = Path(str(make_url(settings.ledger_url).database))
        with sqlite3.connect(file) as database:
            saved = "\n".join(database.iterdump())
            database.execute(tampering)
        assert not await ledger.verify_audit(), tampering
        with sqlite3.connect(file) as database:
            for table in ("audit", "audit_head"):
                database.execute(f"DELETE FROM {table}")
            rows = [
                line
                for line in saved.splitlines()
                if line.startswith(('INSERT INTO "audit"', 'INSERT INTO "audit_head"'))
            ]
            database.executescript("\n".join(rows))
        assert await ledger.verify_audit()


# -- the worker does it


async def test_the_worker_lets_go_of_every_class_by_the_settings(
    settings: Settings, ledger: Ledger, streams: Streams
) -> None:
    await story(ledger)
    bench = Bench.quick(settings, ledger, streams)
    bench.clock = lambda: datetime.now(UTC) + timedelta(days=settings.retention_audit_days, seconds=60)
    await bench.worker().sweeper.sweep()
    assert counts(settings) == dict.fromkeys(CLASSES, 0)
    assert await ledger.verify_audit()


class Counting(Streams):
    """Says how often it was tidied."""

    tidied = 0

    async def tidy(self, idle_ms: int = FORGOTTEN_CONSUMER_MS) -> int:
        self.tidied += 1
        return await super().tidy(idle_ms)


async def test_the_worker_strikes_off_workers_that_ended_long_ago_now_and_then(
    settings: Settings, ledger: Ledger, valkey_url: str
) -> None:
    streams = Counting(valkey_url, TEST_PREFIX, settings.shards)
    sweeper = Bench.quick(settings, ledger, streams).worker().sweeper
    await sweeper.sweep()
    await sweeper.sweep()
    assert streams.tidied == 1
    await streams.close()


async def test_words_go_when_their_time_is_over_though_redis_is_away(settings: Settings, ledger: Ledger) -> None:
    streams = Streams("redis://127.0.0.1:1", TEST_PREFIX, settings.shards)
    await story(ledger)
    bench = Bench.quick(settings, ledger, streams)
    bench.clock = lambda: datetime.now(UTC) + timedelta(days=settings.retention_audit_days, seconds=60)
    await bench.worker().sweeper.sweep()
    assert counts(settings) == dict.fromkeys(CLASSES, 0)
    await streams.close()


def test_every_class_has_a_setting(settings: Settings) -> None:
    days = {name for name in Settings.model_fields if name.startswith("retention")}
    assert len(days) == len(fields(Periods))
    assert all(getattr(Periods.of(settings), field.name) >= timedelta(days=1) for field in fields(Periods))
