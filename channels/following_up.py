"""Writing first, only to somebody who agreed to it and said that it is safe: once, by day, to ask whether it helped.
And one gentle question after a concern that nobody has answered (`concern_checks`), to whoever said yes to it, by the
same table and sender.

Rules are data (data/follow_up.yml). Deciding is pure; `FollowUp.ask_due` is what a sweep does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog
import yaml

from channels.composing import Moment
from channels.concern_checks import ConcernChecks, Standing, Verdict
from channels.conversation import Channel, Choice, Concern, Holder, Turn
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

    def due(self, now: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
        """So many days on (0: as many as the rules say), moved to a time of day at which a text frightens nobody."""
        local = now.astimezone(zone) + timedelta(days=days or self.days)
        if local.hour >= self.last_hour:
            local = datetime.combine(local.date() + timedelta(days=1), time(self.first_hour), tzinfo=zone)
        elif local.hour < self.first_hour:
            local = datetime.combine(local.date(), time(self.first_hour), tzinfo=zone)
        return local.astimezone(now.tzinfo)

    def is_day(self, now: datetime, zone: ZoneInfo) -> bool:
        return self.first_hour <= now.astimezone(zone).hour < self.last_hour

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
            committed = await self._ask(check_in)
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
        if check_in.kind == HELPED:
            return await self.ledger.check_ins.ask(check_in, say_question(speaker))
        verdict = self.rules.concern.judge(await self._standing(conversation, person), self.zone)
        if verdict is Verdict.DROP:
            await self.ledger.check_ins.call_off(check_in)
        if verdict is not Verdict.ASK:
            return None
        words = speaker.say_notice(speaker.wording.say("gentle_check"), choices=speaker.person_choice)
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
            safe_hours=None if safe is None else (int(safe.get("from", 0)), int(safe.get("to", 24))),
        )


def say_question(speaker: Speaker) -> tuple[Draft, ...]:
    """Neutral: it names no service and no need, for somebody else may hold the phone."""
    choices = [Choice(title=speaker.wording.say(f"choice_told_{answer}"), payload=TOLD + answer) for answer in ANSWERS]
    return speaker.say_notice(speaker.wording.say("check_in_ask"), choices=(*choices, *speaker.person_choice))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold().replace("'", "").replace("\u2019", "")))
