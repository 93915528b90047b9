"""The ledger's front door: one method, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from channels.conversation import Channel, Choice, Inbound, Receipt
from channels.errors import LedgerUnavailable, NotTaken
from channels.ledger import (
    canary,
    ending,
    escalations,
    inbound,
    introductions,
    moving,
    outbound,
    people,
    queue_order,
    reading,
    returning,
    sweep,
)  # fmt: skip
from channels.ledger.accounts import Accounts
from channels.ledger.care import Care
from channels.ledger.check_ins import CheckIns
from channels.ledger.cipher import Cipher
from channels.ledger.database import Database, shard_of
from channels.ledger.ending import Leaves
from channels.ledger.factors import Factors
from channels.ledger.introductions import Introductions
from channels.ledger.key_store import KeyStore
from channels.ledger.listing_reports import ListingReports
from channels.ledger.lists import Lists
from channels.ledger.person_keys import PersonKeys
from channels.ledger.planned import Planned
from channels.ledger.queue_ledger import QueueLedger
from channels.ledger.records import (
    Committed,
    ConversationRecord,
    Draft,
    EscalationRecord,
    Held,
    MessageRecord,
    Moved,
    Outcome,
    Pace,
    PeerRecord,
    PersonRecord,
    Stalled,
    Stored,
    Unconfirmed,
)  # fmt: skip
from channels.ledger.retention import Retention
from channels.ledger.rights import Rights
from channels.ledger.saved_replies import SavedRepliesLedger
from channels.ledger.staff_ledger import StaffLedger
from channels.ledger.talk import Talk
from channels.ledger.withdrawing import Withdrawing

RETENTION = timedelta(days=90)


class Ledger(StaffLedger):
    """What happened, kept safely. Every method raises LedgerUnavailable when the database does not do its part.

    Reading by an id that is not there raises NotFound for people and conversations, which always belong to
    something, and gives None for what an address typed into a browser may name.
    """

    def __init__(self, database: Database, retention: timedelta) -> None:
        super().__init__(database)
        self.person_keys = PersonKeys(database)
        self._retention = retention
        self.lists = Lists(database)
        self.accounts = Accounts(database)
        self.factors = Factors(database)
        self.rights = Rights(database)
        self.queue = QueueLedger(database)
        self.listing_reports = ListingReports(database)
        self.check_ins = CheckIns(database)
        self.talk = Talk(database)
        self.introductions = Introductions(database)
        self.planned = Planned(database)
        self.consents = Withdrawing(database)
        self.retention = Retention(database)
        self.saved_replies = SavedRepliesLedger(database)
        self.care = Care(database)

    @classmethod
    def open(cls, url: str, cipher: Cipher, *, shards: int, retention: timedelta = RETENTION) -> Ledger:
        """Connects at the first use; the tables must be there (`channels.ledger.migrate`)."""
        return cls(Database(url, cipher.with_people(KeyStore(url, cipher)), shards), retention)

    async def close(self) -> None:
        await self._database.close()

    async def fold(self) -> None:
        """Housekeeping of the file, done now and then by whoever keeps nobody waiting by it."""
        await self._database.fold()

    async def ping(self) -> None:
        """The database answers and its tables are there."""
        try:
            async with self._database.reading() as work:
                await work.run(text("SELECT 1 FROM people WHERE 1 = 0"))
        except ProgrammingError:
            raise LedgerUnavailable("no_tables") from None

    # Messages from people

    async def store_inbound(self, message: Inbound) -> Stored:
        """Keep a message before its provider is told that we have it; the same provider id again changes nothing."""
        return await self._database.write(lambda work: inbound.store(work, message))

    async def set_blocked(self, channel: Channel, address: str, blocked: bool) -> str | None:
        """Whether somebody has shut us out at their provider. Gives their conversation; None if we do not know them."""
        async with self._database.writing() as work:
            return await inbound.set_blocked(work, channel, address, blocked)

    async def unknown(self, channel: Channel, provider_ids: Sequence[str]) -> set[str]:
        """Those of a provider's ids that no message from a person has, forgotten and expired ones included."""
        return await self._database.read(lambda work: inbound.unknown(work, channel, provider_ids))

    async def newest_inbound(self, channel: Channel) -> datetime | None:
        """When the last message from anybody was stored; None before the first one."""
        return await self._database.read(lambda work: inbound.newest(work, channel))

    async def next_unanswered(self, conversation_id: str) -> MessageRecord | None:
        """The earliest message still to be answered: asking for nothing else is what keeps order."""
        return await self._database.read(lambda work: inbound.next_unanswered(work, conversation_id))

    async def commit(self, outcome: Outcome) -> Committed | None:
        """Everything a message led to, at once; None when it was answered or the turn changed hands meanwhile.

        Raises NotFound.
        """
        return await self._database.write(lambda work: inbound.commit(work, outcome))

    async def defer(self, message_id: str) -> None:
        """Work on it goes on elsewhere or later: the sweeper leaves it alone for another interval."""
        await self._database.write(lambda work: inbound.touch(work, message_id))

    async def count_attempt(self, message_id: str) -> int:
        """How often work on it has begun, this time included. Raises NotFound."""
        return await self._database.write(lambda work: inbound.count_attempt(work, message_id))

    # Messages to people

    async def append(
        self,
        conversation_id: str,
        drafts: Sequence[Draft],
        *,
        held_by: str | None = None,
        answers: bool = False,
        code: str = "",
    ) -> Committed:
        """Queue messages nobody's message led to: a peer worker's reply, a notice.

        With `held_by` only while that peer worker holds the conversation, or was brought in by who does. Notices are
        not kept for somebody who asked not to be texted first, unless they answer what the person has just asked for.
        `code` is one that the drafts give them, to carry on elsewhere. Raises NotTaken, NotFound.
        """
        async with self._database.writing() as work:
            conversation = await reading.lock_conversation(work, conversation_id)
            current = await escalations.found(work, escalations.open_one(conversation_id))
            if held_by is not None and (current is None or not await introductions.may_write(work, current, held_by)):
                raise NotTaken(current.claimed_name if current else "")
            if code:
                await returning.keep(work, conversation.reaches, code)
            count = await outbound.add(work, conversation, drafts, answers=answers)
            if held_by is not None and current is not None:
                await introductions.note_spoken(work, current.id, held_by, conversation.last_seq + count)
            return Committed(
                conversation_id=conversation_id,
                shard=shard_of(conversation_id, work.shards),
                outbound=count,
                escalation_id=current.id if current else None,
            )

    async def next_unsent(self, conversation_id: str) -> MessageRecord | None:
        """The earliest message not yet with the provider: QUEUED and due, or SENDING if somebody began and stopped."""
        return await self._database.read(lambda work: outbound.next_unsent(work, conversation_id))

    async def has_urgent(self, conversation_id: str) -> bool:
        """Whether anything that waits to be sent in it should go before other people's messages."""
        return await self._database.read(lambda work: outbound.has_urgent(work, conversation_id))

    async def mark_sending(self, message_id: str) -> bool:
        return await self._database.write(lambda work: outbound.mark_sending(work, message_id))

    async def mark_sent(self, message_id: str, provider_id: str) -> None:
        erased = await self._database.write(lambda work: outbound.mark_sent(work, message_id, provider_id))
        if erased:
            await self._database.scrub()

    async def mark_failed(self, message_id: str, code: str, text: str, retry_at: datetime | None) -> None:
        """`text` is what the desk shows; `retry_at` None means that no further try can help."""
        erased = await self._database.write(lambda work: outbound.mark_failed(work, message_id, code, text, retry_at))
        if erased:
            await self._database.scrub()

    async def store_receipt(self, receipt: Receipt) -> bool:
        return await self._database.write(lambda work: outbound.store_receipt(work, receipt))

    async def unconfirmed(self, channel: Channel, since: datetime, before: datetime) -> list[Unconfirmed]:
        """What was sent between those moments and is still no more than SENT, newest first, at most so many."""
        return await self._database.read(lambda work: outbound.unconfirmed(work, channel, since, before))

    async def remove_canaries(self, conversation_id: str, before: datetime) -> int:
        """A round of our own test messages, and rounds begun before a moment; nobody else's, whatever the id."""
        async with self._database.writing() as work:
            return await canary.remove(work, conversation_id, before)

    # Reading

    async def conversation(self, conversation_id: str) -> ConversationRecord:
        return await self._database.read(lambda work: reading.conversation(work, conversation_id))

    async def conversation_of(self, person_id: str) -> ConversationRecord:
        return await self._database.read(lambda work: reading.conversation_of(work, person_id))

    async def person(self, person_id: str) -> PersonRecord:
        return await self._database.read(lambda work: reading.person(work, person_id))

    async def person_at(self, channel: Channel, address: str) -> PersonRecord | None:
        return await self._database.read(lambda work: reading.person_at(work, channel, address))

    async def message(self, message_id: str) -> MessageRecord | None:
        return await self._database.read(lambda work: reading.message(work, message_id))

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 500) -> list[MessageRecord]:
        return await self._database.read(lambda work: reading.messages(work, conversation_id, after_seq, limit))

    async def last_choices(self, conversation_id: str) -> tuple[Choice, ...]:
        """What a typed "2" means: the choices of the newest of our last messages that offered any."""
        return await self._database.read(lambda work: reading.last_choices(work, conversation_id))

    async def pace(self, conversation_id: str) -> Pace:
        return await self._database.read(lambda work: reading.pace(work, conversation_id))

    async def held(self, person_id: str) -> Held:
        return await self._database.read(lambda work: people.held(work, person_id, self._retention))

    async def stalled(self, older_than: timedelta) -> Stalled:
        """What nothing has happened to for `older_than`: announce it again."""
        return await self._database.read(lambda work: sweep.stalled(work, older_than))

    # Escalations

    async def waiting(self) -> list[EscalationRecord]:
        """The queue, WAITING and LAPSED, in the order of `queue_order`."""
        return await self._database.read(lambda work: escalations.listed(work, queue_order.waiting()))

    async def held_escalations(self, *, with_unreadable: bool = False) -> list[EscalationRecord]:
        wanted = escalations.held()
        return await self._database.read(lambda work: escalations.listed(work, wanted, with_unreadable=with_unreadable))

    async def recent_escalations(self, limit: int = 50) -> list[EscalationRecord]:
        """In any state, newest first."""
        return await self._database.read(lambda work: escalations.listed(work, escalations.recent(limit)))

    async def escalation(self, escalation_id: str) -> EscalationRecord | None:
        return await self._database.read(lambda work: escalations.found(work, escalations.by_id(escalation_id)))

    async def escalation_of(self, conversation_id: str) -> EscalationRecord | None:
        """The one that is not closed."""
        return await self._database.read(lambda work: escalations.found(work, escalations.open_one(conversation_id)))

    async def place_in_queue(self, conversation_id: str | None, has_concern: bool) -> int:
        """1 = next. For somebody not waiting yet, the place they would have."""
        return await self._database.read(lambda work: queue_order.place_in_queue(work, conversation_id, has_concern))

    async def claim(
        self, escalation_id: str, peer: PeerRecord, lease_until: datetime, notice: Draft
    ) -> EscalationRecord:
        """Raises NotTaken."""
        return await self._database.write(
            lambda work: escalations.claim(work, escalation_id, peer, lease_until, notice)
        )

    async def renew(self, escalation_id: str, peer_id: str, lease_until: datetime) -> bool:
        return await self._database.write(lambda work: escalations.renew(work, escalation_id, peer_id, lease_until))

    async def give_back(
        self,
        escalation_id: str,
        notice: Draft | None,
        *,
        held_by: str | None = None,
        expired_at: datetime | None = None,
    ) -> bool:
        """HELD to WAITING. `held_by`: only if that peer worker holds it; `expired_at`: only if the lease is over."""
        return await self._database.write(
            lambda work: escalations.give_back(work, escalation_id, notice, held_by=held_by, expired_at=expired_at)
        )

    async def lapse(self, escalation_id: str, notice: Draft | None) -> bool:
        return await self._database.write(lambda work: escalations.lapse(work, escalation_id, notice))

    async def close_escalation(
        self, escalation_id: str, peer_id: str, notice: Draft | None, leaves: Leaves | None = None
    ) -> bool:
        return await self._database.write(lambda work: ending.end(work, escalation_id, peer_id, notice, leaves))

    async def expired_leases(self, now: datetime) -> list[EscalationRecord]:
        return await self._database.read(lambda work: escalations.listed(work, escalations.expired(now)))

    async def overdue(self, before: datetime) -> list[EscalationRecord]:
        """Still WAITING, and since before that moment."""
        return await self._database.read(lambda work: escalations.listed(work, escalations.overdue(before)))

    # People's rights

    async def forget(self, person_id: str, actor: str = "person") -> None:
        """Commit the farewell first: what waits to be sent then is sent, and erased with the address after it."""
        async with self._database.writing() as work:
            await people.forget(work, person_id, actor)
        await self._database.scrub()

    async def make_return_code(self, person_id: str, visit: str) -> str:
        """A code that opens `visit`, once, within 15 minutes."""
        async with self._database.writing() as work:
            return await returning.make(work, person_id, visit)

    async def use_return_code(self, code: str) -> str | None:
        async with self._database.writing() as work:
            return await returning.use(work, code)

    async def redeem(self, message_id: str, code: str, notice: Draft) -> Moved | None:
        """Carry on, where this message was written, with the conversation whose code it is. None for a wrong one."""
        async with self._database.writing() as work:
            return await moving.redeem(work, message_id, code, notice)

    async def expire(
        self, before: datetime, *, notes: datetime | None = None, safeguarding: datetime | None = None
    ) -> int:
        """Retention of words. Says how many rows were emptied. Notes have times of their own, else the same."""
        total = 0
        while True:
            async with self._database.writing() as work:
                done = await people.expire(work, before, notes or before, safeguarding or before)
            if not done:
                break
            total += done
        await self._database.destroy_keys()
        if total or self._database.unscrubbed:
            await self._database.scrub()
        return total

    async def reencrypt(self, tell: Callable[[int], None] = lambda _count: None) -> int:
        """Put everything under the newest key, and under its person's, while work goes on.

        Afterwards older keys can be dropped. Says how many rows and keys were written anew, and tells how many so far
        after each batch: what is done stays done, and whoever begins again goes on from there.
        """
        total = await self.person_keys.rewrap()
        for column in sweep.ENCRYPTED:
            after: str | None = ""
            while after is not None:
                batch = partial(sweep.reencrypt_batch, column=column, after=after)
                after, count = await self._database.write(batch)
                total += count
                tell(total)
        await self._database.scrub()
        return total
