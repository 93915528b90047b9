"""From what was decided to the messages a person gets, in order, and the outcome that is committed.

Without a concern: who we are (once), the answer, what happens next. With one: words to it with somewhere to turn
now, what happens next, and then the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from channels.concern import find_concerns
from channels.concern_checks import CHECK_NO, CHECK_OK, CHECK_YES
from channels.conversation import (
    AskedFor,
    Choice,
    Concern,
    Consent,
    EscalationState,
    Remember,
    Reply,
    ReportWrong,
    Sender,
)
from channels.first_words import Second, say_first_contact, say_second
from channels.fitting import PERSON
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
from channels.safe_again import Safe, SafeAgain
from channels.safety import ASK_AGAIN, ONE_QUESTION, SAFETY, SCRIPT, UNSAFE, Step, follow_up, opening, safe_step
from channels.speaking import Speaker
from channels.wording import Wording

LONGEST_EPISODE: Final = 40
"""Turns; Rasa's cost grows with the length of an episode."""
LINES_REMEMBERED: Final = 12
"""Messages within which crisis lines are not repeated for the same concern."""
OFFERS_REMEMBERED: Final = 30
"""Messages within which an offer is not repeated."""
CONCERN_IS_FRESH: Final = timedelta(hours=48)
"""So long after a concern STOP is shown to a person; an escalation with a concern that is open has no such limit."""
ASKED_OUTRIGHT: Final = frozenset({"asked", "complaint"})


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
    held: tuple[Reply, ...] = ()
    """What was found and not said yet because a concern came first, if this message asks for it."""
    check_in: str = ""
    """agreed or asked, where we may write first."""
    concern_check: str = ""
    """Of one gentle text after a concern: offered, agreed, declined, asked, cancelled, or empty: not offered yet."""
    safe_contact: bool | None = None
    """What they said to a peer worker about being texted first."""
    watched: bool = False
    """They are hurt and read along with, or ask for quiet: nothing is sent first, and no service named unasked."""

    @property
    def waiting(self) -> bool:
        return self.escalation is not None and self.escalation.state in (
            EscalationState.WAITING,
            EscalationState.LAPSED,
        )

    def new_concerns(self, more: frozenset[Concern] = frozenset()) -> frozenset[Concern]:
        """Of this message, and of what the assistant adds: those that were not known here before."""
        return (self.concerns | more) - self.conversation.concerns

    @property
    def waits_with_concern(self) -> bool:
        """Something worried us lately, and nobody has come yet."""
        last = self.conversation.concern_at
        return self.waiting and last is not None and self.message.created_at - last < CONCERN_IS_FRESH

    @property
    def stopped_after_concern(self) -> bool:
        """Whether STOP, if this message is one, comes after something that worries us."""
        if self.concerns or (self.escalation is not None and self.escalation.concerns):
            return True
        last = self.conversation.concern_at
        return last is not None and self.message.created_at - last < CONCERN_IS_FRESH

    @property
    def unsafe(self) -> bool:
        """They said that it is not safe to write, or STOP where somebody else may hold the phone."""
        return self.watched or (self.person.do_not_text_first and bool(self.conversation.concerns & UNSAFE))

    @property
    def reopens(self) -> bool:
        """They had asked not to be texted first, and now they write.

        Whoever is afraid of somebody stays unwritten to until they say that it is safe: writing is no sign of that.
        """
        return self.person.do_not_text_first and not self.conversation.concerns & UNSAFE


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An outcome in the making: before the first message, the words to a concern and the queue are added."""

    kind: str = "bot"
    said: tuple[Draft, ...] = ()
    held: tuple[Reply, ...] = ()
    """The assistant's answer to a message with a new concern: it waits until they ask for it."""
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
    asks: bool = False
    """`said` asks something, or tells them to ring now: nothing else is asked beside it."""
    may_offer_check: bool = False
    """They may be asked whether we may write later to ask how they are, where there is room for it."""
    check_at: datetime | None = None
    no_check: bool = False
    remember: Remember | None = None
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
    safe_again: SafeAgain
    own_number: str = ""
    """The service's own telephone, if it has one: given instead of a crisis line when nothing else works."""

    async def compose(self, moment: Moment, speaker: Speaker, plan: Plan) -> Outcome:
        concerns = moment.concerns | plan.concerns
        ask = plan.ask
        if concerns:
            ask = OpenEscalation(reason="concern", need=ask.need if ask else None)
        chosen = True if moment.watched else plan.do_not_text_first
        quiet = False if moment.reopens and not chosen else chosen
        drafts = await self._say_all(moment, speaker, plan, concerns)
        return Outcome(
            message_id=moment.message.id,
            expected_holder=moment.conversation.holder,
            kind=plan.kind,
            drafts=drafts,
            offers_check=offers_check(drafts),
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
            concern_check_at=plan.check_at,
            declines_check=plan.no_check,
            remember=plan.remember,
            told=plan.told,
            withdraw=plan.withdraw,
            asked_for=plan.asked_for,
        )

    async def _say_all(
        self, moment: Moment, speaker: Speaker, plan: Plan, concerns: frozenset[Concern]
    ) -> tuple[Draft, ...]:
        """Everything, in order. A new concern is answered in two texts, and by what they asked for outright."""
        queue = await self._queue_words(moment, plan, concerns)
        welcome = not moment.conversation.turns and not plan.do_not_text_first
        reopens = moment.reopens and not plan.do_not_text_first
        if moment.new_concerns(plan.concerns) and plan.kind != SAFETY:
            fresh = moment.new_concerns(plan.concerns)
            if plan.language and plan.language not in self.wording.crisis.languages:
                words = speaker.say_concern(self.wording.concern_abroad(fresh, plan.language))
                return words + say_first_contact(speaker, plan.held) + plan.said
            second = Second(
                queue=queue, first=welcome, reopens=reopens, held=plan.held, offers_check=plan.may_offer_check
            )
            heard = speaker.say_concern(self.wording.concern(speak_to(fresh, moment.message.text)))
            return heard + say_second(speaker, second) + plan.said
        next_up = speaker.say_notice(queue, urgent=bool(concerns)) if queue else ()
        first = speaker.say_notice(self.wording.say("first_message")) if welcome else ()
        first += speaker.say_notice(self.wording.say("reopened")) if reopens else ()
        if concerns:
            again = () if plan.kind == SAFETY else await self._say_concern_again(moment, speaker, concerns)
            said = again + next_up + first + plan.said
        else:
            said = plan.said + first if plan.ask_said else first + plan.said + next_up
            if first and plan.language and plan.language not in self.wording.crisis.languages:
                # Their own language comes before anything in English.
                said = plan.said[:1] + first + plan.said[1:] + next_up
        return said + self._offer_check(speaker, said) if plan.may_offer_check and not plan.asks else said

    def _offer_check(self, speaker: Speaker, said: tuple[Draft, ...]) -> tuple[Draft, ...]:
        """Not beside choices of other things: a number must mean what it meant when it was read."""
        if not said or any(choice.payload != PERSON for draft in said for choice in draft.choices):
            return ()
        say = self.wording.say
        choices = (
            Choice(title=say("choice_check_yes"), payload=CHECK_YES),
            Choice(title=say("choice_check_no"), payload=CHECK_NO),
        )
        return speaker.say_notice(say("check_later_offer"), choices=choices)

    async def safety_step(self, moment: Moment) -> Step | None:
        """What comes next when this message answers a question that a concern made us ask."""
        last, typed = moment.conversation.concern_at, not moment.message.payload
        if last is None or not typed:
            return None
        if not moment.new_concerns() and (step := await self._safe_step(moment)) is not None:
            return step
        if not moment.unsafe and moment.message.created_at - last > CONCERN_IS_FRESH:
            return None
        start = max(0, moment.message.seq - 1 - LINES_REMEMBERED)
        recent = await self.ledger.messages(moment.conversation.id, start, moment.message.seq - 1 - start)
        openings = {key: opening(self.wording.messages[key]) for key in SCRIPT}
        same = moment.conversation.concerns & ONE_QUESTION
        if moment.new_concerns() - (ONE_QUESTION if same else frozenset()):
            return None
        return follow_up(moment.message.text, recent, openings, worried=bool(moment.concerns))

    async def _safe_step(self, moment: Moment) -> Step | None:
        said = self.safe_again.read(moment.message.text) if moment.conversation.concerns & UNSAFE else None
        asked = said is Safe.PERHAPS and await self.said_lately(moment, ASK_AGAIN.key)
        return safe_step(said, quiet=moment.unsafe, asked=asked)

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
            since=self.opening.service.day(held.since, self.wording),
            until=self.opening.service.day(held.keep_until, self.wording),
            topics=topics,
        )
        return speaker.say_notice(words, choices=speaker.person_choice)

    async def fallback_words(self, moment: Moment) -> str:
        """The assistant was silent: a person will read it, and when that can be."""
        line = (
            self.wording.say("own_number", number=self.own_number) if self.own_number else self.wording.lines(limit=1)
        )
        now, hours = self.clock(), self._hours(moment)
        opens = "" if hours.open_at(now) else hours.next_opening(now, self.wording)
        if moment.waiting:
            return await self._waiting_in_silence(moment, opens, line)
        if opens:
            return self.wording.say("fallback_nobody_here", opens=opens, line=line)
        return self.wording.say("fallback", place=PLACE, line=line)

    async def said_lately(self, moment: Moment, key: str) -> bool:
        """Whether they have read this question a while ago: an offer that was left alone is not made again at once."""
        words, start = opening(self.wording.messages[key]), max(0, moment.message.seq - 1 - OFFERS_REMEMBERED)
        earlier = await self.ledger.messages(moment.conversation.id, start, moment.message.seq - 1 - start)
        return any(words in message.text for message in earlier)

    async def _waiting_in_silence(self, moment: Moment, opens: str, line: str) -> str:
        """Whoever has just read those words is not told them again, but how it stands."""
        start = max(0, moment.message.seq - 1 - LINES_REMEMBERED)
        before = await self.ledger.messages(moment.conversation.id, start, moment.message.seq - 1 - start)
        last = next((one.outcome for one in reversed(before) if one.sender is Sender.PERSON), "")
        if last != "fallback":
            return self.wording.say("fallback_waiting", place=PLACE, line=line)
        if opens:
            return self.wording.say("fallback_again_nobody_here", place=PLACE, opens=opens, line=line)
        if await self.attendance.here() == 0:
            return self.wording.say("fallback_again_nobody_at_desk", place=PLACE, line=line)
        return self.wording.say("fallback_again", place=PLACE, line=line)

    async def _say_concern_again(
        self, moment: Moment, speaker: Speaker, concerns: frozenset[Concern]
    ) -> tuple[Draft, ...]:
        """For a concern we know: briefly, and not with every message."""
        earlier = await self.ledger.messages(moment.conversation.id, moment.message.seq - LINES_REMEMBERED)
        if any(line.say in message.text for message in earlier for line in self.wording.crisis.lines):
            return ()
        return speaker.say_concern(self.wording.say("concern_again", line=self.wording.lines(concerns, limit=1)))

    async def _queue_words(self, moment: Moment, plan: Plan, concerns: frozenset[Concern]) -> str:
        """What really happens next. Somebody who waits already hears it again only if they ask, or move up."""
        if plan.ask_said or not (plan.ask or concerns):
            return ""
        known = moment.escalation.concerns if moment.escalation else frozenset()
        moves_up = bool(concerns) and not known
        asked = plan.ask is not None and (plan.ask.reason in ASKED_OUTRIGHT or not plan.said)
        if moment.waiting and not moves_up and not (asked and not concerns):
            return ""
        urgent = bool(concerns)
        now, hours, suffix = self.clock(), self._hours(moment), "_with_concern" if concerns else ""
        line = self.wording.lines(concerns or known, limit=1)
        if not hours.open_at(now):
            values = {"place": PLACE, "opens": hours.next_opening(now, self.wording), "line": line}
            if not concerns:
                values["hours"] = hours.in_words(self.wording)
            return self.wording.say(f"nobody_here_now{suffix}", **values)
        if await self.attendance.here() == 0:
            return self.wording.say(f"nobody_at_desk{suffix}", place=PLACE, line=line)
        return await self._open_words(suffix, again=moment.waiting and not concerns, urgent=urgent)

    async def _open_words(self, suffix: str, *, again: bool, urgent: bool) -> str:
        """Somebody is at the desk: how long it has taken lately, where that is known."""
        if again:
            return self.wording.say("still_waiting", place=PLACE)
        wait = "" if urgent else await self.attendance.wait(urgent=urgent)
        if wait:
            return self.wording.say("waiting_known", place=PLACE, wait=wait)
        return self.wording.say(f"waiting{suffix}", place=PLACE)

    def _hours(self, moment: Moment) -> StaffedHours:
        return self.opening.of(moment.conversation.channel, moment.escalation.team if moment.escalation else None)


def speak_to(fresh: frozenset[Concern], text: str) -> frozenset[Concern]:
    """Whom the words are for: who is hurt by a partner is not spoken to as a child on the classifier's guess alone.

    The concern itself stays, and orders the queue: only the words are chosen here.
    """
    guessed = {Concern.CHILD_AT_RISK} - {one.concern for one in find_concerns(text)}
    return fresh - guessed if Concern.ABUSE in fresh else fresh


def offers_check(drafts: tuple[Draft, ...]) -> bool:
    """Whether these words ask if we may write later to ask how they are."""
    return any(choice.payload in (CHECK_OK, CHECK_YES) for draft in drafts for choice in draft.choices)


def starts_anew(moment: Moment, plan: Plan, *, asked: bool) -> bool:
    """Whether the next message begins a new episode.

    Asking for a person begins one, unless the assistant has just offered choices: "more" must still mean
    something while they wait. The release of the conversation begins one in any case.
    """
    offers = bool(plan.held) or any(draft.choices for draft in plan.said)
    opened = asked and not moment.waiting and not offers
    return plan.start_again or opened or moment.conversation.episode_turns + 1 >= LONGEST_EPISODE
