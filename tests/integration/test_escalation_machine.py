"""Anything, in any order, by anybody: after every step each person is in exactly one place, and has been told."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import redis
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from channels.conversation import Concern, EscalationState, Holder, Sender
from channels.errors import NotTaken
from channels.escalation import CapReached, Escalations, NotAgreed, NotYours
from channels.ledger import Cipher, Ledger
from channels.ledger.records import EscalationRecord, OpenEscalation, PeerRecord
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests.ledger_builders import answer, text_from
from tests.queue_builders import TEAMS, peer_in

WAITING, HELD, LAPSED, CLOSED = EscalationState
NAMES = ("Sam", "Ana", "Jo")
PARTNER = "Lou"
"""Of another organisation: sees only who agreed to it and was passed on to its team."""
KEYS = {"release": "back_with_assistant", "close": "left", "pass_on": "passed_on"}
"""What the person is told when a peer worker lets go of them."""
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


class QueueMachine(RuleBasedStateMachine):
    """Runs the real thing beside a model of it small enough to be obviously right."""

    asked = Bundle("asked")
    peers = st.integers(0, len(NAMES) - 1)

    def __init__(self, settings: Settings, cipher: Cipher, migrated: Path, valkey_url: str) -> None:
        super().__init__()
        self.settings = settings
        self.ahead = timedelta()
        self.model: dict[str, Someone] = {}
        self.told: Counter[str] = Counter()
        self.messages = 0
        self.loop = asyncio.new_event_loop()
        shutil.copy(migrated, settings.data_dir / "ledger.sqlite")
        self.redis = redis.Redis.from_url(valkey_url)
        self.redis.flushall()
        self.ledger = Ledger.open(settings.ledger_url, cipher, shards=settings.shards)
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

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize(target=asked, concerns=st.lists(st.booleans(), min_size=3, max_size=3))
    def an_evening_begins(self, concerns: list[bool]) -> Any:
        async def staff() -> list[PeerRecord]:
            at_home = [await peer_in(self.ledger, name, "peers") for name in NAMES]
            return [*at_home, await peer_in(self.ledger, PARTNER, "legal")]

        self.people = self.run(staff())
        return multiple(*(self.ask(concern) for concern in concerns))

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
        for path in self.settings.data_dir.glob("ledger.sqlite*"):
            path.unlink()

    # -- what can happen

    @precondition(lambda self: len(self.model) < 6)
    @rule(target=asked, concern=st.booleans())
    def somebody_asks(self, concern: bool) -> str:
        return self.ask(concern)

    def ask(self, concern: bool) -> str:
        number = f"+4416329600{len(self.model):02}"
        escalation_id, conversation_id = self.run(self._ask(number, concern))
        assert escalation_id not in self.model
        self.model[escalation_id] = Someone(number, conversation_id, concern=concern)
        return escalation_id

    @rule(target=asked, one=asked, concern=st.booleans())
    def ask_again(self, one: str, concern: bool) -> str:
        someone = self.model[one]
        latest = next(key for key in reversed(self.model) if self.model[key].number == someone.number)
        known = self.model[latest]
        if known.state is HELD:
            return latest
        escalation_id, conversation_id = self.run(self._ask(someone.number, concern))
        if known.state is CLOSED:
            assert escalation_id != latest
            self.model[escalation_id] = Someone(
                someone.number,
                conversation_id,
                concern=concern or self._ever_worried(someone.number),
                agreed=known.agreed,
            )
        else:
            assert escalation_id == latest, "somebody who waits already keeps the place"
            known.state = WAITING
            known.concern = known.concern or concern
        return escalation_id

    async def _ask(self, number: str, concern: bool) -> tuple[str, str]:
        self.messages += 1
        stored = await self.ledger.store_inbound(text_from(number, f"m{self.messages}"))
        concerns = frozenset({Concern.SUICIDE} if concern else ())
        committed = await answer(self.ledger, stored, escalation=OpenEscalation(reason="asked"), concerns=concerns)
        assert committed.escalation_id is not None
        await self.escalations.announce(committed.escalation_id)
        return committed.escalation_id, committed.conversation_id

    @rule(one=asked, peer=peers)
    def take(self, one: str, peer: int) -> None:
        self._take_at_once(one, [peer])

    @rule(one=asked, who=st.permutations(range(len(NAMES))), many=st.integers(2, len(NAMES)))
    def take_at_once(self, one: str, who: list[int], many: int) -> None:
        self._take_at_once(one, who[:many])

    def _take_at_once(self, one: str, trying: list[int]) -> None:
        someone = self.model[one]
        able = [peer for peer in trying if self._has_room(peer, one)]

        async def take() -> list[Any]:
            claims = (self.escalations.claim(one, self.people[peer]) for peer in trying)
            return await asyncio.gather(*claims, return_exceptions=True)

        results = dict(zip(trying, self.run(take()), strict=True))
        winners = [peer for peer, result in results.items() if isinstance(result, EscalationRecord)]
        losers = [result for result in results.values() if not isinstance(result, EscalationRecord)]
        assert all(isinstance(result, NotTaken | CapReached) for result in losers), results
        if someone.state in {WAITING, LAPSED}:
            assert len(winners) == min(1, len(able))
            assert set(winners) <= set(able)
            if winners:
                someone.state, someone.holder = HELD, winners[0]
                self.told["joined"] += 1
        else:
            assert winners == [peer for peer in trying if peer == someone.holder]

    @rule(peer=peers)
    def take_next(self, peer: int) -> None:
        """Whoever is first in line comes to whoever has room; nobody is passed over."""
        self._take_next(peer, self._queue())

    @rule()
    def the_partner_takes_next(self) -> None:
        mine = [one for one in self._queue() if self.model[one].agreed and self.model[one].passed_on]
        self._take_next(len(NAMES), mine)

    @rule(who=st.permutations(range(len(NAMES))))
    def take_next_at_once(self, who: list[int]) -> None:
        able = [peer for peer in who if self._has_room(peer, "")]
        expected = self._queue()[: len(able)]

        async def take() -> list[Any]:
            claims = (self.escalations.take_next(self.people[peer]) for peer in who)
            return await asyncio.gather(*claims, return_exceptions=True)

        results = dict(zip(who, self.run(take()), strict=True))
        taken = {one.id: peer for peer, one in results.items() if isinstance(one, EscalationRecord)}
        assert set(taken) == set(expected), results
        for one, peer in taken.items():
            self._is_taken(one, peer)

    def _take_next(self, peer: int, line: list[str]) -> None:
        try:
            taken = self.run(self.escalations.take_next(self.people[peer]))
        except CapReached:
            assert not self._has_room(peer, "")
            return
        assert self._has_room(peer, "")
        assert (taken.id if taken else None) == (line[0] if line else None)
        if taken:
            self._is_taken(taken.id, peer)

    def _is_taken(self, one: str, peer: int) -> None:
        self.model[one].state, self.model[one].holder = HELD, peer
        self.told["joined"] += 1

    @rule(one=asked, yes=st.booleans())
    def say_yes_or_take_it_back(self, one: str, yes: bool) -> None:
        conversation_id = self.model[one].conversation_id
        queue = self.ledger.queue
        change = queue.agree if yes else queue.withdraw
        self.run(change(conversation_id, "lawhouse"))
        for someone in self.model.values():
            if someone.conversation_id == conversation_id:
                someone.agreed = yes

    @rule(one=asked, peer=peers)
    def transfer(self, one: str, peer: int) -> None:
        someone = self.model[one]
        try:
            done = self._done(self.escalations.transfer(one, self.people[peer], "legal"), one, peer)
        except NotAgreed:
            assert not someone.agreed
            return
        assert someone.agreed
        if done:
            self.told["transferred"] += 1
            someone.state, someone.holder, someone.passed_on = WAITING, None, True

    @rule(one=asked, peer=peers, how=st.sampled_from(sorted(KEYS)))
    def let_go(self, one: str, peer: int, how: str) -> None:
        if self._done(getattr(self.escalations, how)(one, self.people[peer]), one, peer):
            self.told[KEYS[how]] += 1
            self.model[one].state = WAITING if how == "pass_on" else CLOSED
            self.model[one].holder = None

    @rule(one=asked, peer=peers)
    def reply(self, one: str, peer: int) -> None:
        assert self.run(self.escalations.renew(one, self.people[peer].id)) is (self.model[one].holder == peer)
        if self._done(self.escalations.reply(one, self.people[peer], "I am here."), one, peer):
            self.told["reply"] += 1

    @rule(silent=st.sets(peers))
    def pages_go_quiet(self, silent: set[int]) -> None:
        """A lease goes by; the peer workers in `silent` have given no sign of life."""
        lease = timedelta(seconds=self.settings.lease_seconds)
        held = {one: someone.holder for one, someone in self.model.items() if someone.holder is not None}

        async def wait() -> int:
            self.ahead += lease * 0.6
            for one, peer in held.items():
                assert await self.escalations.renew(one, self.people[peer].id)
            self.ahead += lease * 0.6
            for one, peer in held.items():
                if peer not in silent:
                    assert await self.escalations.renew(one, self.people[peer].id)
            self.ahead += lease * 0.6
            for one in held:
                await self.streams.drop_lease(one)
            return (await self.escalations.sweep()).returned

        lost = [one for one, peer in held.items() if peer in silent]
        assert self.run(wait()) == len(lost)
        if lost:
            self.told["lease_ran_out"] += len(lost)
        for one in lost:
            self.model[one].state, self.model[one].holder = WAITING, None

    @rule(one=asked)
    def lapse(self, one: str) -> None:
        waits = self.model[one].state is WAITING
        assert self.run(self.escalations.lapse(one)) is waits
        if waits:
            self.model[one].state = LAPSED
            self.told["lapse"] += 1

    @rule()
    def redis_forgets(self) -> None:
        self.redis.flushall()
        swept = self.run(self.escalations.sweep())
        assert (swept.returned, swept.lapsed) == (0, 0)
        assert self.run(self.streams.queue_ids()) == self._queue()

    # -- what must be true after each of them

    @invariant()
    def everybody_is_in_exactly_one_place(self) -> None:
        waiting, held = self.run(self.escalations.waiting()), self.run(self.ledger.held_escalations())
        assert [one.id for one in waiting] == self._queue()
        assert {one.id for one in held} == {one for one, who in self.model.items() if who.state is HELD}
        everybody = self.run(self.ledger.recent_escalations(1000))
        assert {one.id: one.state for one in everybody} == {one: who.state for one, who in self.model.items()}

    @invariant()
    def exactly_one_has_the_turn(self) -> None:
        held = {who.conversation_id for who in self.model.values() if who.state is HELD}
        for conversation_id in {who.conversation_id for who in self.model.values()}:
            holder = self.run(self.ledger.conversation(conversation_id)).holder
            assert holder is (Holder.PEER if conversation_id in held else Holder.BOT)

    @invariant()
    def another_organisation_sees_only_who_said_yes(self) -> None:
        for one, someone in self.model.items():
            if someone.state is CLOSED:
                continue
            escalation = self.run(self.ledger.escalation(one))
            assert escalation is not None
            seen = self.run(self.escalations.may_see(self.people[-1], escalation))
            assert seen is (someone.agreed and someone.passed_on)

    @invariant()
    def redis_has_the_same_line(self) -> None:
        assert self.run(self.streams.queue_ids()) == self._queue()

    def everything_was_said_once(self) -> None:
        """Looked at once, at the end: by then every step has had its chance to say something twice."""
        heard: Counter[str] = Counter()
        for conversation_id in {who.conversation_id for who in self.model.values()}:
            for message in self.run(self.ledger.messages(conversation_id)):
                if message.sender is Sender.PEER:
                    heard["reply"] += 1
                if message.sender is Sender.NOTICE:
                    heard[self._key(message.text)] += 1
        assert heard == self.told

    # -- the model's own sums

    def _queue(self) -> list[str]:
        order = list(self.model)
        waiting = [one for one, who in self.model.items() if who.state in {WAITING, LAPSED}]
        return sorted(waiting, key=lambda one: (not self.model[one].concern, order.index(one)))

    def _has_room(self, peer: int, but: str) -> bool:
        held = [who for one, who in self.model.items() if who.holder == peer and one != but]
        return len(held) < (1 if any(who.concern for who in held) else 2)

    def _ever_worried(self, number: str) -> bool:
        return any(who.concern for who in self.model.values() if who.number == number)

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
        keys = ("joined", "left", "back_with_assistant", "passed_on", "lapse", "lease_ran_out", "transferred")
        ends = {key: self.wording.say(key, name="{name}", place="{place}", team="") for key in keys}
        return next(key for key, end in ends.items() if text.endswith(end.split("{name}")[-1].split("{place}")[-1]))


def test_whatever_happens_nobody_is_lost_or_held_twice(
    settings: Settings, cipher: Cipher, migrated_sqlite: Path, valkey_url: str
) -> None:
    run_state_machine_as_test(
        lambda: QueueMachine(settings, cipher, migrated_sqlite, valkey_url),
        settings=hypothesis_settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            # A failure is at most 25 steps long; making it shorter would take minutes on a real database.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
