"""Retention by class: how long each kind of thing is kept, and letting go of what is over. A hold stops it.

messages, notes, safeguarding notes    `Ledger.expire`, with the people they are of
deliveries                             providers' ids and words about a delivery, receipts, refused requests
consents                               a yes to sharing, and check-ins that are over
audit                                  who did what: the oldest rows first, and none while anybody is on hold
reports                                talks that are over, counts of what helped, settled reports about listings
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, update

from channels.conversation import EscalationState
from channels.ledger import audit, erasure, tables, talk_tables
from channels.ledger.check_ins import OPEN
from channels.ledger.database import Database, Work
from channels.ledger.desk_tables import consents
from channels.ledger.follow_up_tables import check_ins, told
from channels.ledger.listing_reports import table as listing_reports
from channels.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Periods:
    """How long each class is kept."""

    messages: timedelta
    notes: timedelta
    safeguarding: timedelta
    deliveries: timedelta
    consents: timedelta
    audit: timedelta
    reports: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Periods:
        return cls(
            messages=timedelta(days=settings.retention_days),
            notes=timedelta(days=settings.retention_notes_days),
            safeguarding=timedelta(days=settings.retention_safeguarding_days),
            deliveries=timedelta(days=settings.retention_delivery_days),
            consents=timedelta(days=settings.retention_consent_days),
            audit=timedelta(days=settings.retention_audit_days),
            reports=timedelta(days=settings.retention_report_days),
        )


class Retention:
    """Raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire(self, periods: Periods, now: datetime) -> Mapping[str, int]:
        """How many rows of each class went; each class in a transaction of its own."""
        gone: dict[str, int] = {}
        async with self._database.writing() as work:
            gone["deliveries"] = await expire_deliveries(work, now - periods.deliveries)
        async with self._database.writing() as work:
            gone["consents"] = await expire_consents(work, now - periods.consents)
        async with self._database.writing() as work:
            gone["reports"] = await expire_reports(work, now - periods.reports)
        async with self._database.writing() as work:
            gone["audit"] = await expire_audit(work, now - periods.audit)
        if any(gone.values()):
            await self._database.scrub()
        return gone


async def expire_deliveries(work: Work, before: datetime) -> int:
    """The keyed hash of an id stays: by it a webhook that comes again is known."""
    message = tables.messages.c
    known = or_(message.provider_id.is_not(None), message.error_text.is_not(None))
    on_its_way = exists().where(tables.outbox.c.message_id == message.id)
    held = message.conversation_id.in_(erasure.held_conversations())
    change = update(tables.messages).where(message.created_at < before, known, ~on_its_way, ~held)
    return (
        await work.changed(change.values(provider_id=None, error_text=None))
        + await work.changed(delete(tables.receipts).where(tables.receipts.c.received_at < before))
        + await work.changed(delete(tables.quarantine).where(tables.quarantine.c.at < before))
    )


async def expire_consents(work: Work, before: datetime) -> int:
    """A yes that is old is none: they can be asked again."""
    held = erasure.held_conversations()
    over = check_ins.c.state.not_in(OPEN), check_ins.c.made_at < before
    agreed = consents.c.agreed_at < before, consents.c.conversation_id.not_in(held)
    return await work.changed(delete(consents).where(*agreed)) + await work.changed(
        delete(check_ins).where(*over, check_ins.c.conversation_id.not_in(held))
    )


async def expire_reports(work: Work, before: datetime) -> int:
    talk, meeting = tables.escalations.c, talk_tables.introductions.c
    over = (
        talk.state == EscalationState.CLOSED,
        talk.closed_at < before,
        talk.conversation_id.not_in(erasure.held_conversations()),
    )
    await work.run(delete(talk_tables.introductions).where(meeting.escalation_id.in_(select(talk.id).where(*over))))
    settled = listing_reports.c.due_at.is_(None), listing_reports.c.noticed_at < before
    return (
        await work.changed(delete(tables.escalations).where(*over))
        + await work.changed(delete(told).where(told.c.told_on < before))
        + await work.changed(delete(listing_reports).where(*settled))
    )


async def expire_audit(work: Work, before: datetime) -> int:
    """A chain can only be cut at its beginning, so while anybody is on hold all of it stays."""
    if (await work.run(select(tables.holds.c.person_id).limit(1))).first() is not None:
        return 0
    return await audit.expire(work, before)
