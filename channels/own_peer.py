"""Whose somebody is when they ask for a person again: whom they chose as their own, or the last to be with them.

Not for long after the last talk, and not while that peer worker takes a break from this very chat.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from channels.ledger import Ledger
from channels.ledger.records import EscalationRecord
from channels.ledger.talk_records import NoteKind, NoteRecord

BACK_WITHIN: Final = timedelta(days=2)
"""Somebody who asks again this soon goes first to whom they were with."""


async def own_peer_of(ledger: Ledger, escalation: EscalationRecord) -> str:
    """A peer worker's id, or nothing. Raises LedgerUnavailable."""
    notes = await ledger.talk.notes(escalation.conversation_id)
    named = _newest(notes, NoteKind.NAMED_PEER)
    if named is not None and named.body.get("agreed"):
        return _unless_on_a_break(str(named.body.get("peer")), notes, escalation.opened_at)
    earlier = await ledger.talk.earlier(escalation.conversation_id)
    last = earlier[0] if earlier else None
    if last is None or last.closed_at is None or escalation.opened_at - last.closed_at >= BACK_WITHIN:
        return ""
    return _unless_on_a_break(last.claimed_by or "", notes, escalation.opened_at)


def _unless_on_a_break(peer_id: str, notes: Iterable[NoteRecord], now: datetime) -> str:
    pause = _newest(notes, NoteKind.PAUSE)
    if pause is None or pause.author_id != peer_id:
        return peer_id
    return peer_id if datetime.fromisoformat(str(pause.body["until"])) <= now else ""


def _newest(notes: Iterable[NoteRecord], kind: NoteKind) -> NoteRecord | None:
    return next((note for note in reversed(tuple(notes)) if note.kind is kind), None)
