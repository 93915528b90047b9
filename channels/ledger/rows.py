"""Rows into records and back: the one place that knows what the encrypted columns hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from channels.conversation import (
    AskedFor,
    Channel,
    Choice,
    Concern,
    Delivery,
    EscalationState,
    Holder,
    Inbound,
    Media,
    Remember,
    Reply,
    Sender,
    ServiceCard,
)
from channels.ledger.cipher import Cipher
from channels.ledger.database import shard_of
from channels.ledger.records import ConversationRecord, Draft, EscalationRecord, MessageRecord, PeerRecord, PersonRecord


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What is understood about a person or asked for them; kept encrypted as a whole."""

    concerns: frozenset[Concern] = frozenset()
    needs: tuple[str, ...] = ()
    place: str | None = None
    came_from: str | None = None
    blocked: bool = False
    concern_at: datetime | None = None
    """When a concern was last found."""
    asked_for: AskedFor | None = None
    remembered: Remember | None = None
    remembered_at: datetime | None = None

    def with_more(self, concerns: Iterable[Concern], needs: Iterable[str], place: str | None) -> Notes:
        """Only adds: a concern never clears itself."""
        return replace(
            self,
            concerns=self.concerns | frozenset(concerns),
            needs=tuple(dict.fromkeys((*self.needs, *needs))),
            place=place or self.place,
        )


def seal_notes(cipher: Cipher, notes: Notes) -> str | None:
    if notes == Notes():
        return None
    held = {
        "concerns": sorted(notes.concerns),
        "needs": notes.needs,
        "place": notes.place,
        "came_from": notes.came_from,
        "blocked": notes.blocked,
        "concern_at": notes.concern_at.isoformat() if notes.concern_at else None,
        "asked_for": notes.asked_for,
        "remembered": asdict(notes.remembered) if notes.remembered else None,
        "remembered_at": notes.remembered_at.isoformat() if notes.remembered_at else None,
    }
    return cipher.encrypt(json.dumps(held))


def open_notes(cipher: Cipher, token: str | None) -> Notes:
    if token is None:
        return Notes()
    words = cipher.decrypt(token)
    if not words:  # Its key went with its person.
        return Notes()
    held = json.loads(words)
    return Notes(
        concerns=frozenset(Concern(word) for word in held["concerns"]),
        needs=tuple(held["needs"]),
        place=held["place"],
        came_from=held.get("came_from"),
        blocked=held.get("blocked", False),
        concern_at=moment_of(held.get("concern_at")),
        asked_for=AskedFor(held["asked_for"]) if held.get("asked_for") else None,
        remembered=remembered_of(held.get("remembered")),
        remembered_at=moment_of(held.get("remembered_at")),
    )


def moment_of(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def remembered_of(held: dict[str, Any] | None) -> Remember | None:
    if held is None:
        return None
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in held.items()}
    return Remember(**known(Remember, values))


def seal_inbound(cipher: Cipher, inbound: Inbound) -> str:
    held = {"text": inbound.text, "payload": inbound.payload, "media": [asdict(item) for item in inbound.media]}
    return cipher.encrypt(json.dumps(held))


def seal_draft(cipher: Cipher, draft: Draft) -> str:
    held = {
        "text": draft.text,
        "sender_name": draft.sender_name,
        "reply": asdict(draft.reply) if draft.reply else None,
        "choices": [asdict(choice) for choice in draft.choices],
        **({"rest": draft.rest} if draft.rest else {}),
        **({"held": [asdict(reply) for reply in draft.held]} if draft.held else {}),
    }
    return cipher.encrypt(json.dumps(held))


def open_body(cipher: Cipher, token: str | None) -> dict[str, Any]:
    words = cipher.decrypt(token) if token else ""
    held: dict[str, Any] = json.loads(words) if words else {}
    return held


def known(noun: type[Any], held: dict[str, Any]) -> dict[str, Any]:
    """Fields that `noun` has today: what an older or newer release wrote stays readable."""
    names = {field.name for field in fields(noun)}
    return {name: value for name, value in held.items() if name in names}


def choices_of(held: Iterable[dict[str, Any]] | None) -> tuple[Choice, ...]:
    return tuple(Choice(**known(Choice, item)) for item in held or ())


def reply_of(held: dict[str, Any] | None) -> Reply | None:
    if held is None:
        return None
    plain = Reply(**{name: value for name, value in known(Reply, held).items() if name in ("text", "detail")})
    cards = tuple(ServiceCard(**known(ServiceCard, card)) for card in held.get("cards", ()))
    return replace(plain, cards=cards, choices=choices_of(held.get("choices")))


def message_of(cipher: Cipher, row: Row[Any]) -> MessageRecord:
    body = open_body(cipher, row.body)
    return MessageRecord(
        id=row.id,
        conversation_id=row.conversation_id,
        seq=row.seq,
        sender=Sender(row.sender),
        sender_name=body.get("sender_name", ""),
        text=body.get("text", ""),
        reply=reply_of(body.get("reply")),
        choices=choices_of(body.get("choices")),
        payload=body.get("payload"),
        media=tuple(Media(**known(Media, item)) for item in body.get("media", ())),
        opt_out=row.opt_out,
        language=row.language,
        episode=row.episode,
        answered=row.answered,
        outcome=row.outcome,
        delivery=Delivery(row.delivery) if row.delivery else None,
        attempts=row.attempts,
        sending_since=row.sending_since,
        provider_id=cipher.decrypt(row.provider_id) if row.provider_id else "",
        error_code=row.error_code,
        error_text=cipher.decrypt(row.error_text) if row.error_text else "",
        created_at=row.created_at,
        rest=body.get("rest", ""),
        held=tuple(reply for held in body.get("held", ()) if (reply := reply_of(held)) is not None),
        channel=Channel(row.channel),
    )


def person_of(cipher: Cipher, row: Row[Any]) -> PersonRecord:
    return PersonRecord(
        id=row.id,
        channel=Channel(row.channel),
        address=cipher.decrypt(row.address) if row.address else "",
        language=row.language,
        do_not_text_first=row.do_not_text_first,
        created_at=row.created_at,
    )


def conversation_of(cipher: Cipher, row: Row[Any], shards: int) -> ConversationRecord:
    notes = open_notes(cipher, row.notes)
    return ConversationRecord(
        id=row.id,
        person_id=row.reach_id or row.person_id,
        channel=Channel(row.channel),
        holder=Holder(row.holder),
        shard=shard_of(row.id, shards),
        episode=row.episode,
        episode_turns=row.episode_turns,
        turns=row.turns,
        concerns=notes.concerns,
        needs=notes.needs,
        place=notes.place,
        last_inbound_at=row.last_inbound_at,
        created_at=row.created_at,
        last_seq=row.last_seq,
        came_from=notes.came_from,
        blocked=notes.blocked,
        concern_at=notes.concern_at,
        asked_for=notes.asked_for,
        remembered=notes.remembered,
        remembered_at=notes.remembered_at,
    )


def escalation_of(cipher: Cipher, row: Row[Any], notes: Notes | None = None) -> EscalationRecord:
    """With what is known of them, or, where that cannot be opened, with `notes`. Raises SettingsError."""
    notes = open_notes(cipher, row.notes) if notes is None else notes
    return EscalationRecord(
        id=row.id,
        conversation_id=row.conversation_id,
        state=EscalationState(row.state),
        reason=row.reason,
        concerns=notes.concerns,
        needs=notes.needs,
        language=row.language,
        opened_at=row.opened_at,
        claimed_by=row.claimed_by,
        claimed_name=row.claimed_name,
        claimed_at=row.claimed_at,
        lease_until=row.lease_until,
        closed_at=row.closed_at,
        answered_at=row.answered_at,
        told_count=row.told_count,
        follow_up=row.follow_up,
        team=row.team,
    )


def peer_of(row: Row[Any]) -> PeerRecord:
    return PeerRecord(
        id=row.id,
        name=row.name,
        login=row.login,
        role=row.role,
        password_hash=row.password_hash,
        ended=row.ended_at is not None,
    )
