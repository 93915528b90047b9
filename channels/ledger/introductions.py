"""One peer worker brings in another. Both share the thread until the new one has spoken and the person says ok.

    offer -> OFFERED --join--> JOINED --finish--> DONE         the new one holds the conversation
                |                 |
                +---- withdraw ---+--> WITHDRAWN

The one who brings somebody in holds the conversation all the while: there is exactly one holder. When they do not
hold it any more (passed on, or their page went silent) the introduction is over for good, and the guest may take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, insert, or_, select, update

from channels.conversation import EscalationState, Sender
from channels.errors import ChannelsError, NotTaken
from channels.ledger import audit, escalations, outbound, talk_tables
from channels.ledger import tables as ledger_tables
from channels.ledger.database import Database, Work, new_id
from channels.ledger.records import Draft, EscalationRecord, PeerRecord
from channels.ledger.talk_records import IntroductionRecord, IntroductionState, Whom

TABLE: Final = talk_tables.introductions.c
OPEN: Final = (IntroductionState.OFFERED, IntroductionState.JOINED)
MOST_LISTED: Final = 50


class Unread(ChannelsError):
    """The person has written something that whoever wants to leave has not seen."""


class NotYet(ChannelsError):
    """`missing` is spoken or agreed: what has to happen before the first one leaves."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """How somebody leaves. `read`: the last message they have seen; `agreed`: the person has said that it is fine."""

    read: int
    agreed: bool
    lease_until: datetime
    told: Draft


class Introductions:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def offer(self, escalation_id: str, peer: PeerRecord, whom: Whom, read: int, notice: Draft) -> str:
        """Ask somebody to come, and tell the person so. Raises NotTaken, and Unread beyond message `read`."""
        async with self._database.writing() as work:
            conversation, row = await held_by(work, escalation_id, peer.id)
            await check_read(work, conversation, read)
            await end(work, escalation_id, IntroductionState.WITHDRAWN)
            introduction_id = new_id()
            await work.run(
                insert(talk_tables.introductions).values(
                    id=introduction_id,
                    escalation_id=escalation_id,
                    conversation_id=row.conversation_id,
                    from_id=peer.id,
                    from_name=peer.name,
                    to_kind=whom.to_kind,
                    to_id=whom.to_id,
                    to_name=whom.to_name,
                    guest_name="",
                    reads_after=0 if whom.reads_all else conversation.last_seq,
                    state=IntroductionState.OFFERED,
                    offered_at=work.now,
                )
            )
            await outbound.add(work, conversation, (notice,))
            await audit.append(work, peer.id, "introduction_offered", row.conversation_id, whom.to_kind)
            return introduction_id

    async def join(self, introduction_id: str, guest: PeerRecord, notice: Draft) -> IntroductionRecord:
        """Come when asked; of several one comes. Raises NotTaken with the name of who was quicker."""
        async with self._database.writing() as work:
            found = (await work.run(by_id(introduction_id))).first()
            if found is None:
                raise NotTaken
            conversation, _ = await held_by(work, found.escalation_id, found.from_id)
            row = (await work.run(by_id(introduction_id))).one()
            if row.state != IntroductionState.OFFERED or guest.id == row.from_id:
                raise NotTaken(row.guest_name)
            change = {"state": IntroductionState.JOINED, "guest_id": guest.id, "guest_name": guest.name}
            await work.run(
                update(talk_tables.introductions).where(TABLE.id == row.id).values(**change, joined_at=work.now)
            )
            await outbound.add(work, conversation, (notice,))
            await audit.append(work, guest.id, "introduction_joined", row.conversation_id)
            return record_of((await work.run(by_id(introduction_id))).one())

    async def finish(self, escalation_id: str, peer: PeerRecord, leaving: Leaving) -> IntroductionRecord:
        """Leave them with the guest, who holds the conversation from here on.

        Raises NotTaken, Unread, and NotYet until the guest has spoken and the person has answered that.
        """
        async with self._database.writing() as work:
            conversation, row = await held_by(work, escalation_id, peer.id)
            found = (await work.run(joined(escalation_id))).first()
            if found is None or found.from_id != peer.id:
                raise NotTaken
            await check_read(work, conversation, leaving.read)
            if found.spoke_seq is None:
                raise NotYet("spoken")
            if not leaving.agreed or await last_word(work, conversation.id) <= found.spoke_seq:
                raise NotYet("agreed")
            values = {"claimed_by": found.guest_id, "claimed_name": found.guest_name, "claimed_at": work.now}
            await work.run(escalations.change_of(row, **values, lease_until=leaving.lease_until))
            await outbound.add(work, conversation, (leaving.told,))
            await end(work, escalation_id, IntroductionState.DONE)
            await audit.append(work, peer.id, "introduction_done", row.conversation_id, found.guest_id)
            return record_of((await work.run(by_id(found.id))).one())

    async def withdraw(self, escalation_id: str, peer: PeerRecord, notice: Draft | None) -> bool:
        """The one who offered takes it back, or the guest leaves again. False when there is nothing to withdraw."""
        async with self._database.writing() as work:
            locked = await escalations.lock(work, escalation_id)
            found = (await work.run(open_one(escalation_id))).first()
            if found is None or locked is None or peer.id not in (found.from_id, found.guest_id):
                return False
            await end(work, escalation_id, IntroductionState.WITHDRAWN)
            await outbound.add(work, locked[0], (notice,) if notice else ())
            await audit.append(work, peer.id, "introduction_withdrawn", found.conversation_id)
            return True

    async def current(self, escalation_id: str) -> IntroductionRecord | None:
        """The one that is going on."""
        async with self._database.reading() as work:
            row = (await work.run(open_one(escalation_id))).first()
            return record_of(row) if row else None

    async def reads_after(self, escalation_id: str, peer_id: str) -> int:
        """What a peer worker who was brought in may read: everything after this message. 0 for everybody else."""
        wanted = select(TABLE.reads_after).where(TABLE.escalation_id == escalation_id, TABLE.guest_id == peer_id)
        async with self._database.reading() as work:
            found = await work.run(wanted.order_by(TABLE.offered_at.desc()).limit(1))
            return int(found.scalar_one_or_none() or 0)

    async def led_to(self, escalation_id: str, peer_id: str) -> bool:
        """Whether somebody of another organisation has it from a warm introduction that nobody has taken back."""
        met = TABLE.escalation_id == escalation_id, TABLE.guest_id == peer_id, TABLE.state == IntroductionState.DONE
        async with self._database.reading() as work:
            return (await work.run(select(TABLE.id).where(*met, TABLE.reads_after > 0).limit(1))).first() is not None

    async def offered(self) -> list[IntroductionRecord]:
        """Everything that waits for somebody to come, oldest first."""
        wanted = (
            open_ones().where(TABLE.state == IntroductionState.OFFERED).order_by(TABLE.offered_at).limit(MOST_LISTED)
        )
        async with self._database.reading() as work:
            return [record_of(row) for row in await work.run(wanted)]

    async def guest_of(self, peer_id: str) -> list[IntroductionRecord]:
        """Where somebody is a guest now."""
        wanted = open_ones().where(TABLE.guest_id == peer_id).order_by(TABLE.offered_at)
        async with self._database.reading() as work:
            return [record_of(row) for row in await work.run(wanted)]


async def may_write(work: Work, escalation: EscalationRecord, peer_id: str) -> bool:
    """Whoever holds it, and whoever they brought in."""
    if escalation.claimed_by == peer_id:
        return True
    found = (await work.run(joined(escalation.id))).first()
    return found is not None and found.guest_id == peer_id


async def note_spoken(work: Work, escalation_id: str, peer_id: str, seq: int) -> None:
    """The guest's first words: from now on the person can answer them."""
    change = update(talk_tables.introductions).where(
        TABLE.escalation_id == escalation_id,
        TABLE.guest_id == peer_id,
        TABLE.state == IntroductionState.JOINED,
        TABLE.spoke_seq.is_(None),
    )
    await work.run(change.values(spoke_seq=seq))


async def held_by(work: Work, escalation_id: str, peer_id: str) -> tuple[Row[Any], Row[Any]]:
    """The conversation, now ours, and its escalation. Raises NotTaken unless that peer worker holds it."""
    locked = await escalations.lock(work, escalation_id)
    if locked is None:
        raise NotTaken
    conversation, row = locked
    if row.state != EscalationState.HELD or row.claimed_by != peer_id:
        raise NotTaken(row.claimed_name if row.state == EscalationState.HELD else "")
    return conversation, row


async def check_read(work: Work, conversation: Row[Any], read: int) -> None:
    """Raises Unread."""
    if await last_word(work, conversation.id) > read:
        raise Unread


async def last_word(work: Work, conversation_id: str) -> int:
    """The person's newest message."""
    table = ledger_tables.messages.c
    wanted = select(func.max(table.seq)).where(table.conversation_id == conversation_id, table.sender == Sender.PERSON)
    return int((await work.run(wanted)).scalar_one() or 0)


async def end(work: Work, escalation_id: str, state: IntroductionState) -> None:
    change = update(talk_tables.introductions).where(TABLE.escalation_id == escalation_id, TABLE.state.in_(OPEN))
    await work.run(change.values(state=state, ended_at=work.now))


def by_id(introduction_id: str) -> Select[Any]:
    return select(talk_tables.introductions).where(TABLE.id == introduction_id)


def open_ones() -> Select[Any]:
    """Going on, and the one who offers holds the conversation without a break since."""
    theirs = escalations.TABLE
    both = talk_tables.introductions.join(ledger_tables.escalations, theirs.id == TABLE.escalation_id)
    held = (
        theirs.state == EscalationState.HELD,
        theirs.claimed_by == TABLE.from_id,
        theirs.claimed_at <= TABLE.offered_at,
    )
    return select(talk_tables.introductions).select_from(both).where(*held, or_(*(TABLE.state == one for one in OPEN)))


def open_one(escalation_id: str) -> Select[Any]:
    return open_ones().where(TABLE.escalation_id == escalation_id).order_by(TABLE.offered_at.desc()).limit(1)


def joined(escalation_id: str) -> Select[Any]:
    return open_one(escalation_id).where(TABLE.state == IntroductionState.JOINED)


def record_of(row: Row[Any]) -> IntroductionRecord:
    return IntroductionRecord(**{**row._mapping, "state": IntroductionState(row.state)})
