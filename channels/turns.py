"""One conversation's unanswered messages, oldest first: each is dealt with once, and what follows is committed at once.

    next unanswered -> answer -> commit (only if nobody answered it and the turn is still ours) -> announce

A commit that is refused means that a peer worker has taken the conversation meanwhile, or another worker was quicker:
what the assistant said is thrown away and the decision is made again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final, Protocol

import structlog

from channels.agreeing import Agreeing
from channels.answering import Answering, Farewell
from channels.codes import read_code
from channels.composing import Moment
from channels.concern import find_concerns
from channels.conversation import Concern, Holder, Reply, Sender
from channels.fitting import FOUND
from channels.gathering import Gathering, LookAgain
from channels.ledger import Ledger
from channels.ledger.records import Committed, Draft, MessageRecord, OpenEscalation, Outcome
from channels.ledger.talk_records import safe_contact
from channels.noticing import Notices, says_something
from channels.routing import asks_for_rest
from channels.safety import UNSAFE
from channels.slowing import MERGED, Judgement, Slowing, Verdict
from channels.streams import Streams
from channels.typing_signs import TypingSigns
from channels.worker_metrics import WorkerMetrics

MOST_DECISIONS: Final = 5
"""A turn that changes hands more often than this within one message is left to the sweeper."""
LONGEST_STRETCH: Final = 2.0
"""Seconds after which no further message of the same conversation is begun: a lock lasts one answer longer."""
REMEMBERED: Final = 12
"""Messages of ours that MORE can still be about."""
QUEUE: Final = "queue"
SILENT: Final = {Verdict.MERGE: MERGED, Verdict.KEEP_QUIET: "quiet"}
"""What a message is marked with that is not answered by itself."""


class Announces(Protocol):
    """Shows the desks what the ledger has just opened or learnt more of, and ends what a person takes back."""

    async def announce(self, escalation_id: str) -> None: ...

    async def end_unshared(self, conversation_id: str) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Turns:
    """Raises LedgerUnavailable: the work is then announced again later."""

    ledger: Ledger
    streams: Streams
    answering: Answering
    escalations: Announces
    metrics: WorkerMetrics
    signs: TypingSigns
    slowing: Slowing
    agreeing: Agreeing
    notices: Notices
    later: LookAgain
    gathering: Gathering | None = None
    """Without it every message is answered by itself."""

    async def work_through(self, conversation_id: str) -> None:
        """Answer until nothing is left to answer. The caller sees to it that one worker does this at a time.

        After a while it goes to the back of the line: others are answered too, and no lock ends in mid-answer.
        """
        started = time.monotonic()
        while (message := await self.ledger.next_unanswered(conversation_id)) is not None:
            if time.monotonic() - started > LONGEST_STRETCH and await self._announce_again(conversation_id):
                return
            if await self._carry_on(message) or await self._hear(message):
                continue
            concerns = await self._find_concerns(message)
            judgement = await self._judge(message, concerned=bool(concerns))
            if judgement.words:
                # A piece like "hes" adds nothing to guess by, and the start of a thought is guessed at the worst.
                holds_more = judgement.verdict is not Verdict.HOLD or says_something(message.text)
                message = replace(message, text=judgement.words)
                concerns |= await self._find_concerns(message, guess=holds_more)
            if judgement.verdict is Verdict.HOLD and not concerns:
                await self._hold(conversation_id, judgement.seconds)
                return
            if judgement.verdict is Verdict.WAIT:
                await self.ledger.defer(message.id)
                return
            if judgement.verdict in SILENT:
                await self._mark(message, SILENT[judgement.verdict], concerns)
                continue
            attempt = await self.ledger.count_attempt(message.id)
            if not await self._answer(message, concerns, attempt, looped=judgement.verdict is Verdict.HAND_OVER):
                return

    async def _judge(self, message: MessageRecord, *, concerned: bool) -> Judgement:
        """Very many messages first; then whether this one is a piece of something."""
        judgement = await self.slowing.judge(message, concerned=concerned)
        if self.gathering is not None and judgement == Judgement(verdict=Verdict.ANSWER):
            judgement = await self.gathering.judge(message, concerned=concerned)
        if judgement.verdict is not Verdict.ANSWER:
            self.metrics.count_slowed(judgement.verdict)
        return judgement

    async def _hold(self, conversation_id: str, seconds: float) -> None:
        """It stays unanswered in the ledger: whatever is written next brings it back, or this, or the sweeper."""
        conversation = await self.ledger.conversation(conversation_id)
        self.later.after(seconds, conversation.shard, conversation_id)

    async def _announce_again(self, conversation_id: str) -> bool:
        """False when Redis is away: then there is no lock either, and the work goes on."""
        conversation = await self.ledger.conversation(conversation_id)
        return await self.streams.announce_inbound(conversation.shard, conversation_id)

    async def _carry_on(self, message: MessageRecord) -> bool:
        """A code from another channel: go on with what was said there. Whether the message is dealt with."""
        code = None if message.payload else read_code(message.text)
        if code is None:
            return False
        say = self.answering.wording.say
        notice = Draft(sender=Sender.NOTICE, text=say("moved"))
        moved = await self.ledger.redeem(message.id, code, notice)
        conversation = await self.ledger.conversation(message.conversation_id)
        if moved is None:
            kind_words = (Draft(sender=Sender.NOTICE, text=say("wrong_code")),)
            holder = conversation.holder
            # Nobody's guesses, however many, bring as many texts.
            told = holder is Holder.BOT and not await self.slowing.is_fast(conversation.id)
            drafts = kind_words if told else ()
            quiet = (await self.ledger.person(conversation.person_id)).do_not_text_first
            quiet = quiet and not conversation.concerns & UNSAFE
            outcome = Outcome(
                message_id=message.id, expected_holder=holder, kind="wrong_code", drafts=drafts,
                do_not_text_first=False if quiet else None,
            )  # fmt: skip
            if (committed := await self.ledger.commit(outcome)) is not None:
                await self._announce(committed, outcome)
            return True
        structlog.get_logger().info("conversation_moved", conversation_id=moved.conversation_id)
        await self.streams.announce_inbound(moved.shard, moved.conversation_id)
        await self.streams.announce_outbound(moved.shard, moved.conversation_id)
        for name in (moved.left, moved.conversation_id, QUEUE):
            await self.streams.changed(name)
        return True

    async def _hear(self, message: MessageRecord) -> bool:
        """An answer to a question of ours about consent. Whether the message is dealt with."""
        heard = await self.agreeing.hear(message)
        if heard is not None:
            await self._announce(*heard)
            await self.escalations.end_unshared(message.conversation_id)
            await self.streams.changed(QUEUE)
        return heard is not None

    async def _mark(self, message: MessageRecord, kind: str, concerns: frozenset[Concern]) -> None:
        """Shown on the desk, and nothing said. A peer worker who has taken over meanwhile has it judged again."""
        ask = OpenEscalation(reason="concern") if concerns else None
        outcome = Outcome(
            message_id=message.id, expected_holder=Holder.BOT, kind=kind, concerns=concerns, escalation=ask
        )
        if (committed := await self.ledger.commit(outcome)) is not None:
            await self._announce(committed, outcome)

    async def _answer(
        self, message: MessageRecord, concerns: frozenset[Concern], attempt: int, *, looped: bool
    ) -> bool:
        """False when it could not be settled now; the sweeper brings it back."""
        started = time.monotonic()
        for _ in range(MOST_DECISIONS):
            moment = replace(await self._look(message, concerns), attempt=attempt, looped=looped)
            async with self.signs.thinking(moment):
                decided = await self.answering.answer(moment)
            if isinstance(decided, Farewell):
                await self._forget(moment, decided)
                self.metrics.count_turn(moment.conversation.channel, "forgotten", time.monotonic() - started)
                return True
            committed = await self.ledger.commit(decided)
            if committed is not None:
                await self._announce(committed, decided)
                self.metrics.count_turn(moment.conversation.channel, decided.kind, time.monotonic() - started)
                return True
            current = await self.ledger.message(message.id)
            if current is None or current.answered:
                return True
        structlog.get_logger().warning("turn_keeps_changing_hands", message_id=message.id)
        return False

    async def _find_concerns(self, message: MessageRecord, *, guess: bool = True) -> frozenset[Concern]:
        """Both layers, added up: the patterns, which are always there, and the classifier, where it answers."""
        found = frozenset(one.concern for one in find_concerns(message.text))
        if guess:
            found |= await self.notices.notice(message)
        if found:
            self.metrics.count_concerns(found)
        return found

    async def _look(self, message: MessageRecord, concerns: frozenset[Concern]) -> Moment:
        conversation = await self.ledger.conversation(message.conversation_id)
        worried = bool(concerns or conversation.concerns)
        hurt = bool((concerns | conversation.concerns) & UNSAFE) and not message.payload
        return Moment(
            message=message,
            conversation=conversation,
            person=await self.ledger.person(conversation.person_id),
            escalation=await self.ledger.escalation_of(conversation.id),
            choices=await self.ledger.last_choices(conversation.id),
            concerns=concerns,
            rest=await self._rest_before(message) if asks_for_rest(message) else "",
            held=await self._held_before(message) if asks_for_rest(message) or message.payload == FOUND else (),
            check_in=await self.ledger.check_ins.state(conversation.id),
            concern_check=await self.ledger.check_ins.concern_state(conversation.id) if worried else "",
            safe_contact=safe_contact(await self.ledger.talk.notes(conversation.id)) if worried else None,
            watched=hurt and self.answering.composer.safe_again.tells_watched(message.text),
        )

    async def _rest_before(self, message: MessageRecord) -> str:
        """What our last words left out, if nothing else has been written since."""
        start = max(0, message.seq - 1 - REMEMBERED)
        before = await self.ledger.messages(message.conversation_id, start, message.seq - 1 - start)
        ours = takewhile(lambda earlier: earlier.sender is not Sender.PERSON, reversed(before))
        return "\n".join(earlier.rest for earlier in reversed(list(ours)) if earlier.rest)

    async def _held_before(self, message: MessageRecord) -> tuple[Reply, ...]:
        """What a concern came before, unless something has been listed since."""
        start = max(0, message.seq - 1 - REMEMBERED)
        before = await self.ledger.messages(message.conversation_id, start, message.seq - 1 - start)
        for earlier in reversed(before):
            if earlier.held or (earlier.reply is not None and earlier.reply.cards):
                return earlier.held
        return ()

    async def _announce(self, committed: Committed, outcome: Outcome) -> None:
        if committed.outbound:
            urgent = any(draft.urgent for draft in outcome.drafts)
            await self.streams.announce_outbound(committed.shard, committed.conversation_id, urgent)
        await self.streams.changed(committed.conversation_id)
        if outcome.withdraw:
            await self.escalations.end_unshared(committed.conversation_id)
        if committed.escalation_id is None:
            return
        if outcome.escalation or outcome.concerns or outcome.needs:
            await self.escalations.announce(committed.escalation_id)
        await self.streams.changed(QUEUE)

    async def _forget(self, moment: Moment, farewell: Farewell) -> None:
        """Queue the farewell, then erase: the ledger keeps what waits to be sent until it is, and the address with it.

        Erasing is what answers the message. A worker that dies in between leaves it unanswered, so erasure never
        gets lost; the farewell that is queued by then is not queued again.
        """
        conversation = moment.conversation
        later = await self.ledger.messages(conversation.id, moment.message.seq)
        words = {draft.text for draft in farewell.drafts}
        if not any(message.sender is Sender.NOTICE and message.text in words for message in later):
            await self.ledger.append(conversation.id, farewell.drafts, answers=True)
        await self.ledger.forget(moment.person.id)
        structlog.get_logger().info("person_forgotten", conversation_id=conversation.id)
        await self.streams.announce_outbound(conversation.shard, conversation.id)
        await self.streams.changed(conversation.id)
        await self.streams.changed(QUEUE)
