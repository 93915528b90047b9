"""From what was decided to the messages a person gets, in order, and the outcome that is committed.

Without a concern: who we are (once), the answer, what happens next. With one: words to it with somewhere to turn
now, what happens next, and then the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from channels.conversation import AskedFor, Choice, Concern, Consent, EscalationState, ReportWrong
from channels.hours import StaffedHours
from channels.ledger.records import (
    PLACE,
    ConversationRecord,
    Draft,
    EscalationRecord,
    Held,
    MessageRecord,
    OpenEscalation,
    Outcome,
    PersonRecord,
)
from channels.opening import Opening
from channels.safety import SCRIPT, Step, follow_up, opening
from channels.speaking import Speaker
from channels.wording import Wording

LONGEST_EPISODE: Final = 40
"""Turns; Rasa's cost grows with the length of an episode."""
LINES_REMEMBERED: Final = 12
"""Messages within which crisis lines are not repeated for the same concern."""
CONCERN_IS_FRESH: Final = timedelta(hours=48)
"""So long after a concern STOP is shown to a person; an escalation with a concern that is open has no such limit."""
ASKED_OUTRIGHT: Final = frozenset({"asked", "complaint", "language"})


class Attends(Protocol):
    """Who is really there, and how long people really wait."""

    async def here(self) -> int | None: ...

    async def wait(self, *, urgent: bool) -> str: ...


class Reads(Protocol):
    """What is looked up in the ledger on the way."""

    async def held(self, person_id: str) -> Held: ...

    async def messages(self, conversation_id: str, after_seq: int = 0, limit: int = 500) -> list[MessageRecord]: ...


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A message and all that is known when it is dealt with."""

    message: MessageRecord
    conversation: ConversationRecord
    person: PersonRecord
    escalation: EscalationRecord | None
    choices: tuple[Choice, ...]
    concerns: frozenset[Concern]
    attempt: int = 1
    looped: bool = False
    """The same words have come so often that only a person should answer on."""
    rest: str = ""
    """What did not fit into our last texts, if this message asks for it."""
    check_in: str = ""
    """agreed or asked, where we may write first."""

    @property
    def waiting(self) -> bool:
        return self.escalation is not None and self.escalation.state in (
            EscalationState.WAITING,
            EscalationState.LAPSED,
        )

    @property
    def stopped_after_concern(self) -> bool:
        """Whether STOP, if this message is one, comes after something that worries us."""
        if self.concerns or (self.escalation is not None and self.escalation.concerns):
            return True
        last = self.conversation.concern_at
        return last is not None and self.message.created_at - last < CONCERN_IS_FRESH

    @property
    def reopens(self) -> bool:
        """They had asked not to be texted first, and now they write."""
        return self.person.do_not_text_first


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An outcome in the making: before the first message, the words to a concern and the queue are added."""

    kind: str = "bot"
    said: tuple[Draft, ...] = ()
    needs: tuple[str, ...] = ()
    place: str | None = None
    language: str | None = None
    intent: str = ""
    concerns: frozenset[Concern] = frozenset()
    ask: OpenEscalation | None = None
    ask_said: bool = False
    """`said` tells of the queue already."""
    start_again: bool = False
    forget: bool = False
    do_not_text_first: bool | None = None
    code: str = ""
    """A code that `said` gives them."""
    reports: tuple[ReportWrong, ...] = ()
    check_in_at: datetime | None = None
    no_check_in: bool = False
    told: str = ""
    withdraw: frozenset[Consent] = frozenset()
    asked_for: AskedFor | None = None


@dataclass(frozen=True, kw_only=True)
class Composer:
    """Reads the queue and the last messages; changes nothing."""

    ledger: Reads
    wording: Wording
    opening: Opening
    attendance: Attends
    clock: Callable[[], datetime]
    own_number: str = ""
    """The service's own telephone, if it has one: given instead of a crisis line when nothing else works."""

    async def compose(self, moment: Moment, speaker: Speaker, plan: Plan) -> Outcome:
        concerns = moment.concerns | plan.concerns
        ask = plan.ask
        if concerns:
            ask = OpenEscalation(reason="concern", need=ask.need if ask else None)
        queue = await self._say_queue(moment, speaker, plan, concerns)
        first: tuple[Draft, ...] = ()
        quiet = plan.do_not_text_first
        if not moment.conversation.turns and not quiet:
            first = speaker.say_notice(self.wording.say("first_message"))
        if moment.reopens and not quiet:
            quiet = False
            first += speaker.say_notice(self.wording.say("reopened"))
        if concerns:
            drafts = await self._say_concern(moment, speaker, concerns) + queue + first + plan.said
        elif plan.ask_said:
            drafts = plan.said + first
        else:
            drafts = first + plan.said + queue
        return Outcome(
            message_id=moment.message.id,
            expected_holder=moment.conversation.holder,
            kind=plan.kind,
            drafts=drafts,
            concerns=concerns,
            needs=plan.needs,
            place=plan.place,
            language=plan.language,
            escalation=ask,
            new_episode=starts_anew(moment, plan, asked=ask is not None),
            do_not_text_first=quiet,
            intent=plan.intent,
            code=plan.code,
            say_place=self.wording.place,
            reports=plan.reports,
            check_in_at=plan.check_in_at,
            no_check_in=plan.no_check_in,
            told=plan.told,
            withdraw=plan.withdraw,
            asked_for=plan.asked_for,
        )

    async def safety_step(self, moment: Moment) -> Step | None:
        """What comes next when this message answers a question that a concern made us ask."""
        last, typed = moment.conversation.concern_at, not moment.message.payload
        if last is None or not typed or moment.message.created_at - last > CONCERN_IS_FRESH:
            return None
        start = max(0, moment.message.seq - 1 - LINES_REMEMBERED)
        recent = await self.ledger.messages(moment.conversation.id, start, moment.message.seq - 1 - start)
        known = moment.conversation.concerns
        openings = {key: opening(self.wording.messages[key]) for key in SCRIPT}
        again = bool(moment.concerns) and moment.concerns <= known
        return follow_up(moment.message.text, recent, openings, worried=again)

    async def say_held(self, moment: Moment, speaker: Speaker) -> tuple[Draft, ...]:
        held = await self.ledger.held(moment.person.id)
        topics = (self.wording.say("topics") if held.needs else "") + (
            self.wording.say("topics_place") if held.place else ""
        )
        topics += self.wording.say("topics_list") if held.saved else ""
        topics += self.wording.say("topics_notes") if held.noted else ""
        words = self.wording.say(
            "my_info",
            messages=held.messages,
            since=self.opening.service.day(held.since),
            until=self.opening.service.day(held.keep_until),
            topics=topics,
        )
        return speaker.say_notice(words, choices=speaker.person_choice)

    async def fallback_words(self, moment: Moment) -> str:
        """The assistant was silent: a person will read it, and when that can be."""
        line = (
            self.wording.say("own_number", number=self.own_number) if self.own_number else self.wording.lines(limit=1)
        )
        now = self.clock()
        if moment.waiting:
            return self.wording.say("fallback_waiting", place=PLACE, line=line)
        hours = self._hours(moment)
        if hours.open_at(now):
            return self.wording.say("fallback", place=PLACE, line=line)
        opens = hours.next_opening(now, self.wording)
        return self.wording.say("fallback_nobody_here", opens=opens, line=line)

    async def _say_concern(self, moment: Moment, speaker: Speaker, concerns: frozenset[Concern]) -> tuple[Draft, ...]:
        """In full for a concern that is new here; for one we know, briefly, and not with every message."""
        fresh = concerns - moment.conversation.concerns
        if fresh:
            return speaker.say_concern(self.wording.concern(fresh))
        earlier = await self.ledger.messages(moment.conversation.id, moment.message.seq - LINES_REMEMBERED)
        if any(line.say in message.text for message in earlier for line in self.wording.crisis.lines):
            return ()
        return speaker.say_concern(self.wording.say("concern_again", line=self.wording.lines(concerns, limit=1)))

    async def _say_queue(
        self, moment: Moment, speaker: Speaker, plan: Plan, concerns: frozenset[Concern]
    ) -> tuple[Draft, ...]:
        """What really happens next. Somebody who waits already hears it again only if they ask, or move up."""
        if plan.ask_said or not (plan.ask or concerns):
            return ()
        known = moment.escalation.concerns if moment.escalation else frozenset()
        moves_up = bool(concerns) and not known
        asked = plan.ask is not None and (plan.ask.reason in ASKED_OUTRIGHT or not plan.said)
        if moment.waiting and not moves_up and not (asked and not concerns):
            return ()
        urgent = bool(concerns)
        now, hours, suffix = self.clock(), self._hours(moment), "_with_concern" if concerns else ""
        if not hours.open_at(now):
            values = {"place": PLACE, "opens": hours.next_opening(now, self.wording)}
            if not concerns:
                values["hours"] = hours.in_words(self.wording)
            return speaker.say_notice(self.wording.say(f"nobody_here_now{suffix}", **values), urgent=urgent)
        again = moment.waiting and not concerns
        return speaker.say_notice(await self._open_words(suffix, again=again, urgent=urgent), urgent=urgent)

    async def _open_words(self, suffix: str, *, again: bool, urgent: bool) -> str:
        """Within hours: whether somebody is really at the desk, and how long it has taken lately."""
        if await self.attendance.here() == 0:
            return self.wording.say(f"nobody_at_desk{suffix}", place=PLACE)
        if again:
            return self.wording.say("still_waiting", place=PLACE)
        wait = "" if urgent else await self.attendance.wait(urgent=urgent)
        if wait:
            return self.wording.say("waiting_known", place=PLACE, wait=wait)
        return self.wording.say(f"waiting{suffix}", place=PLACE)

    def _hours(self, moment: Moment) -> StaffedHours:
        return self.opening.of(moment.conversation.channel, moment.escalation.team if moment.escalation else None)


def starts_anew(moment: Moment, plan: Plan, *, asked: bool) -> bool:
    """Whether the next message begins a new episode.

    Asking for a person begins one, unless the assistant has just offered choices: "more" must still mean
    something while they wait. The release of the conversation begins one in any case.
    """
    offers = any(draft.choices for draft in plan.said)
    opened = asked and not moment.waiting and not offers
    return plan.start_again or opened or moment.conversation.episode_turns + 1 >= LONGEST_EPISODE
