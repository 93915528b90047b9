"""A model of the queue small enough to be obviously right, beside the real thing (`test_escalation_machine`)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import redis
from hypothesis.stateful import (
    RuleBasedStateMachine,
)

from channels.conversation import EscalationState, Sender
from channels.escalation import Escalations, NotYours
from channels.ledger import Cipher, Ledger
from channels.settings import Settings
from channels.shifts import Shifts
from channels.streams import Streams
from channels.wording import Wording
from tests.queue_builders import TEAMS

WAITING, HELD, LAPSED, CLOSED = EscalationState
NAMES = ("Sam", "Ana", "Jo")
PARTNER = "Lou"
"""Of another organisation: sees only who agreed to it and was passed on to its team."""
KEYS = {"release": "back_with_assistant", "close": "left", "pass_on": "passed_on"}
"""What the person is told when a peer worker lets go of them."""
HERE_NOW = "Somebody is here now."
T = TypeVar("T")


@dataclass
class Someone:
    """What should be true of one escalation."""

    number: str
    conversation_id: str
    state: EscalationState = WAITING
    concern: bool = False
    holder: int | None = None
    agreed: bool = False
    passed_on: bool = False
    """To the partner's team."""
    later: bool = False
    """They want to hear from us when somebody is here."""
    forgotten: bool = False


class QueueModel(RuleBasedStateMachine):
    """Opens and closes the real thing, and knows what should be true of it."""

    def __init__(self, settings: Settings, cipher: Cipher, begin: Callable[[], str], valkey_url: str) -> None:
        super().__init__()
        self.settings = settings
        self.ahead = timedelta()
        self.model: dict[str, Someone] = {}
        self.told: Counter[tuple[str, str]] = Counter()
        self.leaving: set[int] = set()
        self.messages = 0
        self.loop = asyncio.new_event_loop()
        url = begin()
        self.redis = redis.Redis.from_url(valkey_url)
        self.redis.flushall()
        self.ledger = Ledger.open(url, cipher, shards=settings.shards)
        self.streams = Streams.connect(valkey_url, "test", settings.shards)
        self.wording = Wording.load()
        self.escalations = Escalations(
            self.ledger,
            self.streams,
            self.wording,
            settings,
            teams=TEAMS,
            clock=lambda: datetime.now(UTC) + self.ahead,
        )
        self.shifts = Shifts(ledger=self.ledger, streams=self.streams, escalations=self.escalations)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        async def end() -> None:
            await self.streams.close()
            await self.ledger.close()

        try:
            self.everything_was_said_once()
        finally:
            self.run(end())
            self.loop.close()
            self.redis.close()

    def everything_was_said_once(self) -> None:
        """Looked at once, at the end: by then every step has had its chance to say something twice."""
        heard: Counter[tuple[str, str]] = Counter()
        forgotten = {who.conversation_id for who in self.model.values() if who.forgotten}
        for conversation_id in {who.conversation_id for who in self.model.values()} - forgotten:
            for message in self.run(self.ledger.messages(conversation_id)):
                if message.sender is Sender.PEER:
                    heard[conversation_id, "reply"] += 1
                if message.sender is Sender.NOTICE:
                    heard[conversation_id, self._key(message.text)] += 1
        assert heard == Counter({told: count for told, count in self.told.items() if told[0] not in forgotten})

    # -- the model's own sums

    def _queue(self) -> list[str]:
        order = list(self.model)
        waiting = [one for one, who in self.model.items() if who.state in {WAITING, LAPSED}]
        return sorted(waiting, key=lambda one: (not self.model[one].concern, order.index(one)))

    def _hears(self, one: str, key: str) -> None:
        self.told[self.model[one].conversation_id, key] += 1

    def _open_of(self, conversation_id: str, states: set[EscalationState]) -> str | None:
        found = (one for one, who in self.model.items() if who.conversation_id == conversation_id)
        return next((one for one in found if self.model[one].state in states), None)

    def _held_by(self, peer: int) -> list[str]:
        return [one for one, who in self.model.items() if who.holder == peer]

    def _has_room(self, peer: int, but: str) -> bool:
        held = [who for one, who in self.model.items() if who.holder == peer and one != but]
        return len(held) < (1 if any(who.concern for who in held) else 2)

    def _ever_worried(self, number: str) -> bool:
        return any(who.concern for who in self.model.values() if who.number == number and not who.forgotten)

    def _done(self, act: Coroutine[Any, Any, None], one: str, peer: int) -> bool:
        """Do it; whoever does not hold it must have been refused."""
        try:
            self.run(act)
        except NotYours:
            assert self.model[one].holder != peer
            return False
        assert self.model[one].holder == peer
        return True

    def _key(self, text: str) -> str:
        """Which of the wording's texts this is."""
        if text == HERE_NOW:
            return "here_now"
        keys = ("joined", *KEYS.values(), "lapse", "lease_ran_out", "transferred", "shift_ended", "sharing_ended")
        ends = {key: self.wording.say(key, name="{name}", place="{place}", team="") for key in keys}
        return next(key for key, end in ends.items() if text.endswith(end.split("{name}")[-1].split("{place}")[-1]))
