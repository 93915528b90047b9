"""Somebody whose key is lost, which is not destroyed: nothing of theirs can be read, and nothing may be written to them
under the same id, for a new key would take the place of the one that is to be brought back.

When they write again they begin anew: a conversation with a key of its own, to which their place in the queue, who is
with them, what they agreed to be shared and their STOP come along. What was said before is set aside, closed, with
somebody who is only there for it; FORGET ME takes it along.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update

from channels.conversation import Channel, Delivery, Holder
from channels.errors import KeyLost, SettingsError
from channels.ledger import audit, check_ins, desk_tables, sealing, tables, talk_tables
from channels.ledger.database import Work, new_id
from channels.ledger.reading import OPEN

CLOSED: Final = "words_closed"
AT_A_TIME: Final = 500


def opens(work: Work, *tokens: str | None, unless: type[SettingsError] = SettingsError) -> bool:
    """Whether all of them can be read."""
    try:
        for token in tokens:
            if token:
                work.cipher.decrypt(token)
    except unless:
        return False
    return True


def is_lost(work: Work, conversation: Row[Any], address: str) -> bool:
    """Whether a conversation is closed to whoever writes to it from there. A key that is here and only wants one of
    the service's to be put back is not lost.
    """
    own = sealing.is_sealed(address) and sealing.key_id_of(address) == conversation.id
    return not opens(work, conversation.notes, address if own else None, unless=KeyLost)


async def begin_anew(work: Work, old: Row[Any]) -> str:
    """In the place of this locked conversation, for whoever writes to it. Gives the id of the new one."""
    fresh, nobody = new_id(), new_id()
    people, talks = tables.people, tables.conversations
    kept = {"channel": old.channel, "do_not_text_first": False, "created_at": old.created_at, "shares": fresh}
    await work.run(insert(people).values(id=nobody, **kept))
    await work.run(update(people).where(people.c.shares == old.id).values(shares=fresh))
    await work.run(update(talks).where(talks.c.id == old.id).values(person_id=nobody))
    begun = {"channel": old.channel, "holder": old.holder, "episode": new_id(), "reach_id": old.reach_id}
    await work.run(
        insert(talks).values(
            id=fresh, person_id=old.person_id, **begun, episode_turns=0, turns=0, created_at=work.now, last_seq=0
        )
    )
    await bring_along(work, old.id, fresh)
    await set_aside(work, old.id)
    await audit.append(work, "system", "began_anew", fresh, old.id)
    structlog.get_logger().error(CLOSED, conversation_id=old.id, goes_on_in=fresh)
    return fresh


async def bring_along(work: Work, old: str, fresh: str) -> None:
    """What needs no key. Nothing is said first any more: what spoke against it may be among what cannot be read."""
    asked = tables.escalations
    open_now = asked.c.conversation_id == old, asked.c.state.in_(OPEN)
    await work.run(update(asked).where(*open_now).values(conversation_id=fresh, notes=None))
    for table in (desk_tables.consents, talk_tables.introductions, talk_tables.pings):
        await work.run(update(table).where(table.c.conversation_id == old).values(conversation_id=fresh))
    await check_ins.cancel(work, old)


async def set_aside(work: Work, old: str) -> None:
    """Nobody can answer or send what nobody can read; what became of it is on record."""
    message, waiting = tables.messages, tables.outbox
    theirs = select(waiting.c.message_id).where(waiting.c.conversation_id == old)
    asked = update(message).where(message.c.id.in_(theirs.where(waiting.c.kind == "inbound")))
    await work.run(asked.values(answered=True, outcome=CLOSED))
    unsent = update(message).where(message.c.id.in_(theirs.where(waiting.c.kind == "outbound")))
    await work.run(unsent.values(delivery=Delivery.FAILED, error_code=CLOSED))
    await work.run(waiting.delete().where(waiting.c.conversation_id == old))
    await work.run(update(tables.conversations).where(tables.conversations.c.id == old).values(holder=Holder.BOT))


async def aside(work: Work, circle: Collection[str]) -> list[str]:
    """What these people left closed behind them."""
    talk, person = tables.conversations.c, tables.people.c
    wanted = select(talk.id).join(tables.people, person.id == talk.person_id)
    return list((await work.run(wanted.where(person.id.in_(circle), is_nobody()))).scalars())


def is_nobody() -> ColumnElement[bool]:
    """They only stand for what was set aside."""
    person = tables.people.c
    return and_(person.person_key.is_(None), person.address.is_(None), person.forgotten_at.is_(None))


async def lost(work: Work) -> list[str]:
    """Conversations of people whose key is not here."""
    keys, talk, person = work.cipher.people, tables.conversations.c, tables.people.c
    found, after = list[str](), ""
    while keys is not None:
        wanted = (
            select(talk.id, person.address)
            .join(tables.people, person.id == talk.person_id)
            .where(talk.id > after, person.address.is_not(None), person.channel != Channel.CANARY)
        )
        some = {row.id: row.address for row in await work.run(wanted.order_by(talk.id).limit(AT_A_TIME))}
        if not some:
            break
        missing = keys.missing({sealing.key_id_of(one) for one in some.values() if sealing.is_sealed(one)})
        found += [id_ for id_, one in some.items() if sealing.is_sealed(one) and sealing.key_id_of(one) in missing]
        after = max(some)
    return found


async def count_set_aside(work: Work) -> int:
    """Conversations from before somebody began anew."""
    return int((await work.run(select(func.count()).select_from(tables.people).where(is_nobody()))).scalar_one())
