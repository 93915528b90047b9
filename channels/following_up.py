"""Writing first, only to somebody who agreed to it and said that it is safe: once, by day, to ask whether it helped.
And one gentle question after a concern that nobody has answered (`concern_checks`), to whoever said yes to it, by the
same table and sender.

Rules are data (data/follow_up.yml). Deciding is pure; `FollowUp.ask_due` is what a sweep does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog
import yaml

from channels.composing import Moment
from channels.concern_checks import ConcernChecks, Standing, Verdict, by_day
from channels.conversation import Channel, Choice, Concern, Holder, Turn
from channels.errors import SettingsError
from channels.ledger import Ledger
from channels.ledger.check_ins import CONCERN, HELPED, CheckIn
from channels.ledger.records import Committed, ConversationRecord, Draft, PersonRecord
from channels.ledger.talk_records import NoteKind
from channels.speaking import Speaker
from channels.streams import Streams
from channels.wording import Wording

FILE: Final = Path(__file__).parent / "data" / "follow_up.yml"
TOLD: Final = "told:"
ANSWERS: Final = ("helped", "partly", "no")
CLOSED_DOOR: Final = "no"
CLOSED_FOR: Final = timedelta(hours=1)
"""Until somebody whose words cannot be opened is looked at again."""
PUSHED: Final = frozenset({Channel.SMS, Channel.TELEGRAM})
"""Where we can write first. A web chat is only there while it is open."""


@dataclass(frozen=True, kw_only=True)
class FollowUpRules:
    """When it is offered, agreed and due."""

    days: int
    first_hour: int
    last_hour: int
    word: str
    not_wanted: frozenset[str]
    never_offered: frozenset[Concern]
    longest: int
    told_no: tuple[re.Pattern[str], ...]
    concern: ConcernChecks

    @classmethod
    def load(cls, concern_check_hours: float = 0, path: Path = FILE) -> FollowUpRules:
        body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        return cls(
            days=body["days"],
            first_hour=body["hours"][0],
            last_hour=body["hours"][1],
            word=body["word"],
            not_wanted=frozenset(body["not_wanted"]),
            never_offered=frozenset(Concern(one) for one in body["never_offered"]),
            longest=body["longest"],
            told_no=tuple(re.compile(pattern) for pattern in body["told_no"]),
            concern=ConcernChecks.build(body["concern"], concern_check_hours),
        )

    def due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """So many days on, moved to a time of day at which a text frightens nobody."""
        return self.day_for(now.astimezone(zone) + timedelta(days=self.days), zone).astimezone(now.tzinfo)

    def day_for(self, moment: datetime, zone: ZoneInfo, said: tuple[int, int] = (0, 24)) -> datetime:
        """Then, or at the next time of day at which a text frightens nobody; `said`: hours they called safe."""
        first, last = max(self.first_hour, said[0]), min(self.last_hour, said[1])
        return by_day(moment, zone, *((first, last) if first < last else said))

    def is_day(self, now: datetime, zone: ZoneInfo) -> bool:
        return self.first_hour <= now.astimezone(zone).hour < self.last_hour

    def judge(self, standing: Standing, zone: ZoneInfo) -> Verdict:
        """By what is true at that moment. Where no hour suits both them and us it is not asked at all."""
        first, last = max(self.first_hour, standing.safe_hours[0]), min(self.last_hour, standing.safe_hours[1])
        if standing.quiet or first >= last or not standing.is_safe(self.never_offered):
            return Verdict.DROP
        return Verdict.ASK if first <= standing.at.astimezone(zone).hour < last else Verdict.LATER

    def may_offer(self, moment: Moment, turn: Turn) -> bool:
        """After a service was looked at in full, where we can write first and nothing speaks against it."""
        conversation = moment.conversation
        looked_at = any(reply.detail and reply.cards for reply in turn.replies)
        worried = self.never_offered & (moment.concerns | conversation.concerns)
        quiet = moment.person.do_not_text_first or moment.check_in
        return looked_at and conversation.channel in PUSHED and not worried and not quiet

    def agrees_to_check(self, moment: Moment) -> bool:
        """A yes in words, to the offer that was the last thing we said."""
        return self.concern.reads_yes(_words(moment.message.text), moment.choices)

    def agrees(self, text: str) -> bool:
        return _words(text) == self.word

    def declines(self, text: str) -> bool:
        return _words(text) in self.not_wanted

    def tells_of_closed_door(self, text: str) -> bool:
        return len(text) <= self.longest and any(pattern.search(_words(text)) for pattern in self.told_no)


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """Asks everybody whose day has come. Any number of workers may do this at once: each is asked once."""

    ledger: Ledger
    streams: Streams
    wording: Wording
    rules: FollowUpRules
    zone: ZoneInfo
    clock: Callable[[], datetime]

    async def ask_due(self) -> int:
        """Says how many were asked. Raises LedgerUnavailable."""
        now, asked = self.clock(), 0
        kinds = (HELPED, CONCERN) if self.rules.is_day(now, self.zone) else (CONCERN,)
        for check_in in await self.ledger.check_ins.due(now, kinds):
            try:
                committed = await self._ask(check_in)
            except SettingsError:
                # Whether it is safe cannot be read: theirs waits, nobody else's does.
                structlog.get_logger().error(
                    "words_closed", check_in_id=check_in.id, conversation_id=check_in.conversation_id
                )
                await self.ledger.check_ins.put_off(check_in, now + CLOSED_FOR)
                continue
            if committed is None:
                continue
            asked += 1
            structlog.get_logger().info("checked_in", conversation_id=check_in.conversation_id, kind=check_in.kind)
            await self.streams.announce_outbound(committed.shard, check_in.conversation_id)
            await self.streams.changed(check_in.conversation_id)
        return asked

    async def _ask(self, check_in: CheckIn) -> Committed | None:
        conversation = await self.ledger.conversation(check_in.conversation_id)
        person = await self.ledger.person(conversation.person_id)
        speaker = Speaker(wording=self.wording.within(person.language), channel=conversation.channel)
        judge = self.rules.judge if check_in.kind == HELPED else self.rules.concern.judge
        verdict = judge(await self._standing(conversation, person), self.zone)
        if verdict is Verdict.DROP:
            await self.ledger.check_ins.call_off(check_in)
        if verdict is not Verdict.ASK:
            return None
        words = say_question(speaker) if check_in.kind == HELPED else say_gently(speaker)
        return await self.ledger.check_ins.ask(check_in, words, unread_since=conversation.last_seq)

    async def _standing(self, conversation: ConversationRecord, person: PersonRecord) -> Standing:
        waits = await self.ledger.escalation_of(conversation.id)
        asked = [note for note in await self.ledger.talk.notes(conversation.id) if note.kind is NoteKind.SAFE_CONTACT]
        safe = asked[-1].body if asked else None
        return Standing(
            at=self.clock(),
            last_inbound_at=conversation.last_inbound_at or conversation.created_at,
            quiet=person.do_not_text_first or conversation.blocked,
            answered=conversation.holder is not Holder.BOT or waits is None or waits.answered_at is not None,
            concerns=conversation.concerns,
            safe=None if safe is None else safe.get("ok") == "yes",
            safe_hours=(0, 24) if safe is None else (int(safe.get("from", 0)), int(safe.get("to", 24))),
        )


def say_gently(speaker: Speaker) -> tuple[Draft, ...]:
    return speaker.say_notice(speaker.wording.say("gentle_check"), choices=speaker.person_choice)


def say_question(speaker: Speaker) -> tuple[Draft, ...]:
    """Neutral: it names no service and no need, for somebody else may hold the phone."""
    choices = [Choice(title=speaker.wording.say(f"choice_told_{answer}"), payload=TOLD + answer) for answer in ANSWERS]
    return speaker.say_notice(speaker.wording.say("check_in_ask"), choices=(*choices, *speaker.person_choice))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold().replace("'", "").replace("\u2019", "")))
