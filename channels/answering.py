"""What one message leads to: words, a person, or both. Reads, asks the assistant, and changes nothing.

    concern first  ->  who has the turn (routing)  ->  the assistant, with a deadline  ->  one Outcome

Whatever goes wrong on the way, the person hears something true and somebody is asked to come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import structlog

from channels.asking_later import AskingLater
from channels.assistant import is_shortened
from channels.codes import new_code, shown
from channels.composing import Composer, Moment, Plan
from channels.conversation import (
    CONCERNS_OF_NEEDS,
    AskedFor,
    Channel,
    Choice,
    Concern,
    Consent,
    ForgetMe,
    HandOver,
    Holder,
    MyInfo,
    Note,
    Remember,
    Reply,
    ReportWrong,
    StartAgain,
    Turn,
    Withdraw,
)
from channels.errors import AssistantSilent
from channels.fitting import FOUND
from channels.following_up import ANSWERS, CLOSED_DOOR, PUSHED, TOLD, FollowUpRules
from channels.guard import Guard
from channels.ledger.records import ConversationRecord, Draft, MessageRecord, OpenEscalation, Outcome
from channels.noted import hear_noted
from channels.routing import AskHelp, AskMove, AskPerson, NoWords, OptIn, OptOut, ToBot, ToPeer, decide
from channels.safety import ALONE, SAFETY, SCRIPT
from channels.speaking import Speaker
from channels.taking_back import TakingBack
from channels.wording import Wording

SAYS_ONLY_THAT: Final = 3
"""Words: "they said no" asks for what else there is; a longer message about a closed door is read for what it says."""
MOST_ATTEMPTS: Final = 3
"""A message that work on broke off this often goes to a person instead."""
KEPT: Final = ("safety_kept", "safety_kept_more", "safety_kept_again")
"""Said in turn to somebody who keeps writing where it is not safe."""
KEPT_REMEMBERED: Final = 30
"""Messages of both sides."""
FORGET_YES, FORGET_NO = "forget:yes", "forget:no"

STOPPED: Final = "stopped"
"""Why somebody is on the desk: they wrote STOP or its like, soon after a concern."""


class Answers(Protocol):
    """The assistant."""

    async def answer(
        self,
        conversation: ConversationRecord,
        message: MessageRecord,
        payload: str | None = None,
        *,
        waiting: bool = False,
        concerns: Collection[Concern] = (),
    ) -> Turn: ...


@dataclass(frozen=True, kw_only=True)
class Farewell:
    """The person is to be forgotten, after these words."""

    drafts: tuple[Draft, ...]


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Raises LedgerUnavailable, and nothing else that is foreseen."""

    assistant: Answers
    composer: Composer
    guard: Guard
    follow_up: FollowUpRules
    taking_back: TakingBack
    on_silence: Callable[[str], None] = field(default=lambda cause: None)

    @property
    def wording(self) -> Wording:
        return self.composer.wording

    @property
    def _asking_later(self) -> AskingLater:
        return AskingLater(composer=self.composer, rules=self.follow_up)

    async def answer(self, moment: Moment) -> Outcome | Farewell:
        """The whole consequence of one message, in the language of the conversation."""
        wording = self.wording.within(moment.person.language)
        if wording is not self.wording:
            return await self._in_words(wording).answer(moment)
        speaker = Speaker(wording=self.wording, channel=moment.conversation.channel)
        if moment.conversation.holder is Holder.PEER:
            return self._leave_to_peer(moment, speaker)
        if moment.attempt > MOST_ATTEMPTS:
            plan = await self._plan_fallback(moment, speaker, "given_up")
        elif moment.looped:
            plan = await self._plan_loop(moment, speaker)
        elif moment.rest and not moment.concerns:
            plan = Plan(kind="more", said=speaker.say_rest(moment.rest, moment.choices))
        elif moment.held and not moment.concerns:
            plan = Plan(said=speaker.say_replies(moment.held))
        else:
            plan = await self._plan(moment, speaker)
        if plan.forget:
            return Farewell(drafts=speaker.say_notice(self.wording.say("forgotten")))
        answers = self._in_words(self.wording.within(plan.language or self.wording.language))
        return await answers._compose(moment, self._asking_later.look_ahead(moment, plan))

    def _in_words(self, wording: Wording) -> Answering:
        return replace(
            self, composer=replace(self.composer, wording=wording), guard=replace(self.guard, wording=wording)
        )

    async def _compose(self, moment: Moment, plan: Plan) -> Outcome:
        """In the language that the message turned out to be in, when our texts are in it: greeting and queue too."""
        speaker = Speaker(wording=self.wording, channel=moment.conversation.channel)
        return self.guard.connect(moment, await self.composer.compose(moment, speaker, plan))

    def _leave_to_peer(self, moment: Moment, speaker: Speaker) -> Outcome:
        """Nothing is said. That somebody asked for quiet, or has written again since, is kept all the same.

        A consent that is plainly taken back ends at once, whoever they are talking to, and that is said.
        """
        route = decide(moment.conversation, moment.message, moment.concerns, moment.escalation)
        kept = Outcome(
            message_id=moment.message.id, expected_holder=Holder.PEER, kind="peer", concerns=moment.concerns,
            do_not_text_first=False if moment.reopens else None,
        )  # fmt: skip
        plan = self._plan_taking_back(speaker, "" if moment.message.payload else moment.message.text)
        if plan is not None:
            return replace(kept, kind=plan.kind, drafts=plan.said, withdraw=plan.withdraw)
        if route != ToPeer(opted_out=True):
            return kept
        stopped = OpenEscalation(reason=STOPPED) if moment.stopped_after_concern else None
        return replace(kept, kind=kind_of_opt_out(moment), do_not_text_first=True, escalation=stopped)

    async def _plan(self, moment: Moment, speaker: Speaker) -> Plan:
        route = decide(moment.conversation, moment.message, moment.concerns, moment.escalation, moment.choices)
        match route:
            case OptOut():
                return self._plan_opt_out(moment, speaker)
            case AskPerson():
                return Plan(ask=OpenEscalation(reason="asked"), intent="ask_person")
            case ToBot(payload=payload) if payload == FOUND:
                return await self._plan_bot(moment, speaker, ToBot("more"))
            case ToBot():
                return (
                    await self._plan_safety(moment, speaker)
                    or self._plan_taking_back(speaker, "" if route.payload else moment.message.text)
                    or await self._asking_later.hear(moment, speaker, route.payload)
                    or await hear_noted(moment, speaker, self.composer, route.payload)
                    or await self._plan_follow_up(moment, speaker, route)
                    or await self._plan_bot(moment, speaker, route)
                )
            case ToPeer():
                raise AssertionError("a peer's conversation is dealt with before routing")
            case _:
                return self._plan_notice(moment, speaker, route)

    async def _plan_safety(self, moment: Moment, speaker: Speaker) -> Plan | None:
        """The next question to somebody who answers the last one. A denial clears nothing and closes nothing."""
        step = await self.composer.safety_step(moment)
        if step is None:
            return None
        line = self.wording.lines(moment.conversation.concerns | moment.concerns, limit=1)
        said = speaker.say_concern(self.wording.say(step.key, line=line))
        ask = None if moment.waiting else OpenEscalation(reason="concern")
        return Plan(
            kind=SAFETY, said=said, ask=ask, do_not_text_first=step.quiet, ask_said=not moment.concerns,
            asks=step.key in SCRIPT or step.key in ALONE,
        )  # fmt: skip

    def _plan_notice(self, moment: Moment, speaker: Speaker, route: OptIn | AskHelp | AskMove | NoWords) -> Plan:
        """What the service answers itself, in fixed words."""
        match route:
            case OptIn():
                return self._plan_opt_in(moment, speaker)
            case AskHelp():
                return self._plan_help(moment, speaker)
            case AskMove():
                code = new_code()
                return Plan(said=speaker.say_notice(self.wording.say("move_code", code=shown(code))), code=code)
            case NoWords(kind=kind):
                words = self.wording.say("media", thing=self.wording.thing(kind)) if kind else self.wording.say("empty")
                return Plan(said=speaker.say_notice(words, choices=speaker.person_choice))

    def _plan_opt_out(self, moment: Moment, speaker: Speaker) -> Plan:
        """Phone networks answer STOP themselves and block what we would send; elsewhere we answer it once.

        After a concern it may mean that somebody has given up: a person sees it. Nothing is closed or said for it.
        """
        ask = OpenEscalation(reason=STOPPED) if moment.stopped_after_concern else None
        plan = Plan(kind=kind_of_opt_out(moment), do_not_text_first=True, ask=ask, ask_said=True)
        if moment.conversation.channel is Channel.SMS or moment.person.do_not_text_first:
            return plan
        return replace(plan, said=speaker.say_notice(self.wording.say("opt_out_other_channels")))

    def _plan_opt_in(self, moment: Moment, speaker: Speaker) -> Plan:
        """For somebody who had asked for quiet, the words that everybody in their place gets are the whole answer."""
        if moment.person.do_not_text_first:
            return Plan(do_not_text_first=False)
        key = "welcome_back" if moment.conversation.turns else "welcome"
        said = speaker.say_notice(self.wording.say(key), choices=speaker.person_choice)
        return Plan(said=said, do_not_text_first=False)

    def _plan_help(self, moment: Moment, speaker: Speaker) -> Plan:
        """One answer with somebody to ring; for those who wait for a person already, how that stands."""
        if moment.waiting:
            return Plan(ask=OpenEscalation(reason="asked"), intent="ask_help")
        said = speaker.say_notice(self.wording.say("help_first"), choices=speaker.person_choice, urgent=True)
        return Plan(said=said, intent="ask_help")

    async def _plan_loop(self, moment: Moment, speaker: Speaker) -> Plan:
        """The last thing we say by ourselves: it may be a machine, and it may be somebody with no other words left."""
        plan = await self._plan_fallback(moment, speaker, "repeated")
        return replace(plan, kind="repeated", ask=OpenEscalation(reason="repeated"))

    # -- following up

    async def _plan_follow_up(self, moment: Moment, speaker: Speaker, route: ToBot) -> Plan | None:
        """None when the message is about something else."""
        text, answer = moment.message.text, (route.payload or "").removeprefix(TOLD)
        if route.payload:
            told = route.payload.startswith(TOLD) and answer in ANSWERS
            return await self._plan_told(moment, speaker, answer, ToBot("more")) if told else None
        if self.follow_up.agrees(text) and moment.conversation.channel in PUSHED:
            now = self.composer.clock()
            hours = self.composer.opening.service
            due = self.follow_up.due(now, hours.zone)
            words = self.wording.say("check_in_agreed", when=hours.day(due, self.wording))
            return Plan(said=speaker.say_notice(words), check_in_at=due)
        if moment.check_in and self.follow_up.declines(text):
            return Plan(said=speaker.say_notice(self.wording.say("check_in_not_wanted")), no_check_in=True)
        if self.follow_up.tells_of_closed_door(text):
            says_more = len(text.split()) > SAYS_ONLY_THAT
            return await self._plan_told(moment, speaker, CLOSED_DOOR, route if says_more else ToBot("more"))
        return None

    async def _plan_told(self, moment: Moment, speaker: Speaker, answer: str, route: ToBot) -> Plan:
        """A closed door is counted, and opens the next one: what else there is, or a person."""
        said = speaker.say_notice(self.wording.say(f"told_{answer}"), choices=speaker.person_choice)
        if answer != CLOSED_DOOR:
            return Plan(said=said, told=answer)
        plan = await self._plan_bot(moment, speaker, route)
        return replace(plan, said=plan.said if moment.new_concerns() else said + plan.said, told=answer)

    # -- the assistant

    async def _plan_bot(self, moment: Moment, speaker: Speaker, route: ToBot) -> Plan:
        try:
            # Phones say what language they are set to; a text message does not, and what was heard before counts.
            language = moment.message.language or moment.person.language
            turn = await self.assistant.answer(
                moment.conversation,
                replace(moment.message, language=language),
                route.payload,
                waiting=moment.waiting,
                concerns=moment.concerns,
            )
        except AssistantSilent as silent:
            return await self._plan_silence(moment, speaker, silent.cause, route.payload)
        plan = await self._add_requests(moment, speaker, turn, Plan())
        offers = self.follow_up.may_offer(moment, turn) and not await self.composer.said_lately(
            moment, "check_in_offer"
        )
        plan = self._add_replies(moment, speaker, turn, plan, offers=offers)
        if moment.unsafe and not route.payload and any(reply.cards and not reply.detail for reply in turn.replies):
            plan = await self._keep_for_later(moment, speaker, turn, plan)
        if plan.said or plan.ask or plan.forget or moment.concerns:
            return plan
        return await self._plan_silence(moment, speaker, "empty", route.payload)

    def _add_replies(self, moment: Moment, speaker: Speaker, turn: Turn, plan: Plan, *, offers: bool) -> Plan:
        """The assistant's words come first. With a new concern they wait, but for a question about a right."""
        replies = tuple(self.guard.mend_reply(reply, moment.message.id) for reply in turn.replies)
        if moment.new_concerns(plan.concerns):
            asks = tuple(reply for reply in replies if asks_to_forget(reply))
            held = tuple(reply for reply in replies if reply not in asks)
            return replace(plan, said=speaker.say_replies(asks) + plan.said, held=held)
        said = speaker.say_replies(replies, urgent=bool(moment.concerns))
        if is_shortened(moment.message.text):
            said += speaker.say_notice(self.wording.say("too_long"), choices=speaker.person_choice)
        if offers:
            said += speaker.say_notice(self.wording.say("check_in_offer"))
        return replace(plan, said=said + plan.said)

    async def _keep_for_later(self, moment: Moment, speaker: Speaker, turn: Turn, plan: Plan) -> Plan:
        """Somebody else may read along: that something was found, without a name. MORE, or the button, brings it."""
        if moment.new_concerns(plan.concerns):
            return plan
        line = self.wording.lines(moment.conversation.concerns, limit=1)
        found = Choice(title=self.wording.say("choice_found"), payload=FOUND)
        choices = () if speaker.channel is Channel.SMS else (found, *speaker.person_choice)
        start = max(0, moment.message.seq - 1 - KEPT_REMEMBERED)
        before = await self.composer.ledger.messages(moment.conversation.id, start, moment.message.seq - 1 - start)
        key = KEPT[sum(bool(one.held) for one in before) % len(KEPT)]
        said = speaker.say_notice(self.wording.say(key, line=line), choices=choices, urgent=True)
        replies = tuple(self.guard.mend_reply(reply, moment.message.id) for reply in turn.replies)
        return replace(plan, said=tuple(replace(draft, held=replies) for draft in said))

    async def _add_requests(self, moment: Moment, speaker: Speaker, turn: Turn, plan: Plan) -> Plan:
        """Actions answer, the worker acts."""
        plan = replace(plan, intent=str((turn.understood.get("intent") or {}).get("name", "")))
        for request in turn.requests:
            match request:
                case HandOver(reason=reason, need=need, language=language):
                    found = {CONCERNS_OF_NEEDS[need]} if reason == "concern" and need in CONCERNS_OF_NEEDS else set()
                    plan = replace(
                        plan,
                        ask=OpenEscalation(reason=reason, need=need),
                        concerns=plan.concerns | frozenset(found),
                        language=language or plan.language,
                    )
                case ForgetMe(confirmed=confirmed):
                    plan = replace(plan, forget=plan.forget or confirmed)
                case MyInfo():
                    plan = replace(plan, said=plan.said + await self.composer.say_held(moment, speaker))
                case Note(needs=needs, place=place, intent=word):
                    asked_for = AskedFor(word) if word in set(AskedFor) else plan.asked_for
                    plan = replace(plan, needs=plan.needs + needs, place=place or plan.place, asked_for=asked_for)
                case ReportWrong():
                    plan = replace(plan, reports=(*plan.reports, request))
                case Remember():
                    plan = replace(plan, remember=request)
                case StartAgain():
                    plan = replace(plan, start_again=True)
                case Withdraw(what=what):
                    plan = self._withdrawn(speaker, plan, what)
        return plan

    def _plan_taking_back(self, speaker: Speaker, text: str) -> Plan | None:
        """Plain words need no assistant. None for any other message."""
        what = self.taking_back.read(text)
        return self._withdrawn(speaker, Plan(), what) if what else None

    def _withdrawn(self, speaker: Speaker, plan: Plan, what: Consent) -> Plan:
        """Said as done, for it is done in the transaction that says it."""
        words = speaker.say_notice(self.wording.say(f"took_back_{what}"), choices=speaker.person_choice)
        return replace(plan, kind=f"took_back_{what}", said=plan.said + words, withdraw=plan.withdraw | {what})

    # -- when the assistant has nothing to say

    async def _plan_silence(self, moment: Moment, speaker: Speaker, cause: str, payload: str | None) -> Plan:
        """A person's rights work without the assistant; everything else goes to a person."""
        self.on_silence(cause)
        structlog.get_logger().warning("assistant_silent", message_id=moment.message.id, cause=cause)
        words = " ".join(moment.message.text.casefold().split()).strip(" .!?")
        if payload == FORGET_YES:
            return Plan(kind="fallback", forget=True)
        if payload == FORGET_NO:
            return Plan(kind="fallback", said=speaker.say_notice(self.wording.say("not_forgotten")))
        if words == "my info":
            return Plan(kind="fallback", said=await self.composer.say_held(moment, speaker))
        if words == "forget me":
            choices = (
                Choice(title=self.wording.say("choice_forget_yes"), payload=FORGET_YES),
                Choice(title=self.wording.say("choice_forget_no"), payload=FORGET_NO),
            )
            return Plan(kind="fallback", said=speaker.say_notice(self.wording.say("forget_ask"), choices=choices))
        return await self._plan_fallback(moment, speaker, cause)

    async def _plan_fallback(self, moment: Moment, speaker: Speaker, cause: str) -> Plan:
        """The person is told that a person will read it. With a concern, its own words say that already."""
        ask = OpenEscalation(reason="silent")
        if cause == "given_up":
            structlog.get_logger().error("message_given_to_a_person", message_id=moment.message.id)
        if moment.concerns:
            return Plan(kind="fallback", ask=ask, start_again=True)
        words = await self.composer.fallback_words(moment)
        said = speaker.say_notice(words, urgent=True)
        return Plan(kind="fallback", said=said, ask=ask, ask_said=True, start_again=True)


def asks_to_forget(reply: Reply) -> bool:
    return any(choice.payload in (FORGET_YES, FORGET_NO) for choice in reply.choices)


def kind_of_opt_out(moment: Moment) -> str:
    return "opted_out_after_concern" if moment.stopped_after_concern else "opted_out"
