"""Messages to people: in order within a conversation, each with a delivery state that only moves forward.

QUEUED --mark_sending--> SENDING --mark_sent--> SENT --receipt--> DELIVERED
   ^                        |                     \\---receipt---> FAILED
   +------ a later try -----+--mark_failed, final-----------------^
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from channels.conversation import Channel, Delivery, Receipt, Sender
from channels.ledger import erasure, reading, rows, tables
from channels.ledger.database import Work, new_id
from channels.ledger.delivery import Known, forward
from channels.ledger.records import Draft, MessageRecord, Unconfirmed

OUTBOUND = "outbound"
UNCONFIRMED_AT_ONCE = 1000
KEEP = tables.messages.insert()
SEND = tables.outbox.insert()


async def add(
    work: Work, conversation: Row[Any], drafts: Sequence[Draft], *, answers: bool = False, **change: object
) -> int:
    """Append what no message led to, to a locked conversation, and say how many now wait to be sent.

    Somebody who asked not to be texted first gets no notice, only what a peer worker writes to them; unless it
    answers them. `change`: what else becomes of the conversation.
    """
    quiet = conversation.do_not_text_first and not answers
    wanted = [draft for draft in drafts if not (quiet and draft.sender is Sender.NOTICE)]
    count = await insert(work, conversation, wanted)
    values = {**change, "last_seq": conversation.last_seq + count} if count else change
    if values:
        table = tables.conversations
        await work.run(update(table).where(table.c.id == conversation.id).values(**values))
    return count


async def insert(work: Work, conversation: Row[Any], drafts: Sequence[Draft]) -> int:
    """Answers to a message; the caller counts `last_seq` up. Somebody forgotten has no address: nothing is kept."""
    if not drafts or conversation.forgotten_at is not None:
        return 0
    numbered = [(new_id(), seq, draft) for seq, draft in enumerate(drafts, start=conversation.last_seq + 1)]
    await work.run_many(KEEP, [message_row(work, conversation, *numbers) for numbers in numbered])
    await work.run_many(
        SEND,
        [
            {
                "message_id": message_id,
                "conversation_id": conversation.id,
                "kind": OUTBOUND,
                "seq": seq,
                "urgent": draft.urgent,
                "due_at": work.now,
            }
            for message_id, seq, draft in numbered
        ],
    )
    return len(drafts)


def message_row(work: Work, conversation: Row[Any], message_id: str, seq: int, draft: Draft) -> dict[str, Any]:
    return {
        "id": message_id,
        "conversation_id": conversation.id,
        "seq": seq,
        "channel": conversation.channel,
        "sender": draft.sender,
        "body": rows.seal_draft(work.cipher.of(conversation.id), draft),
        "episode": conversation.episode,
        "answered": False,
        "outcome": "",
        "intent": "",
        "delivery": Delivery.QUEUED,
        "attempts": 0,
        "error_code": "",
        "created_at": work.now,
    }


async def next_unsent(work: Work, conversation_id: str) -> MessageRecord | None:
    """The head of the line, or None while it waits for its next try: what comes after it never overtakes it."""
    waiting = tables.outbox.c
    wanted = (
        select(tables.messages, waiting.due_at)
        .join(tables.outbox, waiting.message_id == tables.messages.c.id)
        .where(waiting.conversation_id == conversation_id, waiting.kind == OUTBOUND)
        .order_by(waiting.seq)
        .limit(1)
    )
    row = (await work.run(wanted)).first()
    if row is None or (row.delivery == Delivery.QUEUED and row.due_at > work.now):
        return None
    return rows.message_of(work.cipher, row)


async def has_urgent(work: Work, conversation_id: str) -> bool:
    waiting = tables.outbox.c
    wanted = select(waiting.message_id).where(
        waiting.conversation_id == conversation_id, waiting.kind == OUTBOUND, waiting.urgent.is_(True)
    )
    return (await work.run(wanted.limit(1))).first() is not None


async def mark_sending(work: Work, message_id: str) -> bool:
    """Whether it is ours to send now."""
    table = tables.messages.c
    taken = await work.changed(
        update(tables.messages)
        .where(table.id == message_id, table.delivery == Delivery.QUEUED)
        .values(delivery=Delivery.SENDING, attempts=table.attempts + 1, sending_since=work.now)
    )
    if taken:
        await set_due(work, message_id, work.now)
    return taken == 1


async def mark_sent(work: Work, message_id: str, provider_id: str) -> bool:
    """Take the provider's id; a receipt that was quicker than its answer counts now. Whether anything was erased."""
    row = await lock_message(work, message_id)
    key = work.cipher.keyed_hash(OUTBOUND, row.channel, provider_id)
    await work.hold(key)
    known = forward(Known(Delivery(row.delivery), row.error_code), Known(Delivery.SENT))
    early = select(tables.receipts.c.state, tables.receipts.c.error_code).where(tables.receipts.c.provider_key == key)
    for receipt in await work.run(early):
        known = forward(known, Known(Delivery(receipt.state), receipt.error_code))
    await work.run(
        update(tables.messages)
        .where(tables.messages.c.id == message_id)
        .values(
            provider_key=key,
            provider_id=work.cipher.of(row.conversation_id).encrypt(provider_id),
            delivery=known.state,
            error_code=known.error_code,
            error_text=None,
        )
    )
    return await settle(work, row)


async def mark_failed(work: Work, message_id: str, code: str, explanation: str, retry_at: datetime | None) -> bool:
    """Queue another try, or end it where the desk can see it. What a receipt already decided stays.

    Whether anything was erased.
    """
    row = await lock_message(work, message_id)
    if row.delivery not in (Delivery.QUEUED, Delivery.SENDING):
        return False
    state = Delivery.QUEUED if retry_at else Delivery.FAILED
    await work.run(
        update(tables.messages)
        .where(tables.messages.c.id == message_id)
        .values(
            delivery=state,
            error_code=code,
            error_text=work.cipher.of(row.conversation_id).encrypt(explanation) if explanation else None,
            sending_since=None,
        )
    )
    if retry_at:
        await set_due(work, message_id, retry_at)
        return False
    return await settle(work, row)


async def store_receipt(work: Work, receipt: Receipt) -> bool:
    """Whether it belongs to a message we know; kept in any case, since it may be ahead of our own bookkeeping."""
    key = work.cipher.keyed_hash(OUTBOUND, receipt.channel, receipt.provider_id)
    await work.hold(key)
    await work.insert_new(
        tables.receipts,
        id=new_id(),
        provider_key=key,
        state=receipt.state,
        error_code=receipt.error_code,
        received_at=work.now,
    )
    table = tables.messages.c
    wanted = select(tables.messages).where(table.provider_key == key, table.sender != Sender.PERSON).with_for_update()
    row = (await work.run(wanted)).first()
    if row is None:
        return False
    known = forward(Known(Delivery(row.delivery), row.error_code), Known(receipt.state, receipt.error_code))
    await work.run(
        update(tables.messages).where(table.id == row.id).values(delivery=known.state, error_code=known.error_code)
    )
    return True


async def unconfirmed(work: Work, channel: Channel, since: datetime, before: datetime) -> list[Unconfirmed]:
    """The index on created_at bounds it: a message is written before it is sent."""
    table = tables.messages.c
    wanted = (
        select(table.id, table.conversation_id, table.provider_id, table.sending_since)
        .where(
            table.created_at >= since,
            table.created_at < before,
            table.sending_since < before,
            table.channel == channel,
            table.delivery == Delivery.SENT,
            table.provider_id.is_not(None),
        )
        .order_by(table.created_at.desc())
        .limit(UNCONFIRMED_AT_ONCE)
    )
    return [
        Unconfirmed(
            message_id=row.id,
            conversation_id=row.conversation_id,
            provider_id=work.cipher.decrypt(row.provider_id),
            sent_at=row.sending_since,
        )
        for row in await work.run(wanted)
    ]


async def lock_message(work: Work, message_id: str) -> Row[Any]:
    wanted = select(tables.messages).where(tables.messages.c.id == message_id).with_for_update()
    return await reading.one(work, wanted)


async def set_due(work: Work, message_id: str, moment: datetime) -> None:
    await work.run(update(tables.outbox).where(tables.outbox.c.message_id == message_id).values(due_at=moment))


async def settle(work: Work, row: Row[Any]) -> bool:
    """Nothing more is to be done for this message; if its person was forgotten meanwhile, it goes too (True)."""
    await work.run(delete(tables.outbox).where(tables.outbox.c.message_id == row.id))
    return await erasure.finish(work, row.conversation_id)
