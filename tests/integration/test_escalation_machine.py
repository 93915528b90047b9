"""Anything, in any order, by anybody: after every step each person is in exactly one place, and has been told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from channels.conversation import Concern, Holder, Sender
from channels.errors import NotTaken
from channels.escalation import CapReached, Leaving, NotAgreed
from channels.ledger import Cipher
from channels.ledger.duties import DutyState
from channels.ledger.records import Draft, EscalationRecord, OpenEscalation, PeerRecord
from channels.settings import Settings
from tests.ledger_builders import answer, empty_postgres, text_from
from tests.queue_builders import peer_in
from tests.queue_model import CLOSED, HELD, HERE_NOW, KEYS, LAPSED, NAMES, PARTNER, WAITING, QueueModel, Someone


class QueueMachine(QueueModel):
    """Everything that can happen, and what must be true after each of them."""

    asked = Bundle("asked")
    peers = st.integers(0, len(NAMES) - 1)

    @initialize(target=asked, concerns=st.lists(st.booleans(), min_size=3, max_size=3))
    def an_evening_begins(self, concerns: list[bool]) -> Any:
        async def staff() -> list[PeerRecord]:
            at_home = [await peer_in(self.ledger, name, "peers") for name in NAMES]
            return [*at_home, await peer_in(self.ledger, PARTNER, "legal")]

        self.people = self.run(staff())
        return multiple(*(self.ask(concern) for concern in concerns))

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
                agreed=known.agreed and not known.forgotten,
            )
        else:
            assert escalation_id == latest, "somebody who waits already keeps the place"
            known.later = known.later and known.state is WAITING
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
        able = [peer for peer in trying if self._has_room(peer, one) and peer not in self.leaving]

        async def take() -> list[Any]:
            claims = (self.escalations.claim(one, self.people[peer]) for peer in trying)
            return await asyncio.gather(*claims, return_exceptions=True)

        results = dict(zip(trying, self.run(take()), strict=True))
        winners = [peer for peer, result in results.items() if isinstance(result, EscalationRecord)]
        losers = [result for result in results.values() if not isinstance(result, EscalationRecord)]
        assert all(isinstance(result, NotTaken | CapReached | Leaving) for result in losers), results
        if someone.state in {WAITING, LAPSED}:
            assert len(winners) == min(1, len(able))
            assert set(winners) <= set(able)
            if winners:
                self._is_taken(one, winners[0])
                names = [result.holder_name for result in losers if isinstance(result, NotTaken)]
                assert set(names) <= {NAMES[winners[0]]}, "whoever comes second is told who has them"
        else:
            assert winners == [peer for peer in trying if peer == someone.holder and peer not in self.leaving]

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
        able = [peer for peer in who if self._has_room(peer, "") and peer not in self.leaving]
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
        except Leaving:
            assert peer in self.leaving
            return
        assert self._has_room(peer, "") and peer not in self.leaving
        assert (taken.id if taken else None) == (line[0] if line else None)
        if taken:
            self._is_taken(taken.id, peer)

    def _is_taken(self, one: str, peer: int) -> None:
        self.model[one].state, self.model[one].holder = HELD, peer
        self._hears(one, "joined")

    @rule(one=asked, yes=st.booleans())
    def say_yes_or_take_it_back(self, one: str, yes: bool) -> None:
        conversation_id = self.model[one].conversation_id
        queue = self.ledger.queue
        change = queue.agree if yes else queue.withdraw
        self.run(change(conversation_id, "lawhouse"))
        lost = [key for key in self._held_by(len(NAMES)) if self.model[key].conversation_id == conversation_id]
        assert self.run(self.escalations.end_unshared(conversation_id)) == (0 if yes else len(lost))
        for key, someone in self.model.items():
            if someone.conversation_id == conversation_id:
                someone.agreed = yes
            if key in lost and not yes:
                someone.state, someone.holder, someone.passed_on = WAITING, None, False
                self._hears(key, "sharing_ended")

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
            self._hears(one, "transferred")
            someone.state, someone.holder, someone.passed_on = WAITING, None, True

    @rule(one=asked, peer=peers, how=st.sampled_from(sorted(KEYS)))
    def let_go(self, one: str, peer: int, how: str) -> None:
        if self._done(getattr(self.escalations, how)(one, self.people[peer]), one, peer):
            self._hears(one, KEYS[how])
            self.model[one].state = WAITING if how == "pass_on" else CLOSED
            self.model[one].holder = None

    @rule(one=asked, peer=peers)
    def reply(self, one: str, peer: int) -> None:
        assert self.run(self.escalations.renew(one, self.people[peer].id)) is (self.model[one].holder == peer)
        if self._done(self.escalations.reply(one, self.people[peer], "I am here."), one, peer):
            self._hears(one, "reply")

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
            for peer in set(held.values()) - silent:
                theirs = {one for one, holder in held.items() if holder == peer}
                assert set(await self.escalations.renew_all(self.people[peer].id)) == theirs
            self.ahead += lease * 0.6
            for one in held:
                await self.streams.drop_lease(one)
            return (await self.escalations.sweep()).returned

        lost = [one for one, peer in held.items() if peer in silent]
        assert self.run(wait()) == len(lost)
        for one in lost:
            self._hears(one, "lease_ran_out")
            self.model[one].state, self.model[one].holder = WAITING, None

    @rule(one=asked)
    def lapse(self, one: str) -> None:
        waits = self.model[one].state is WAITING
        assert self.run(self.escalations.lapse(one)) is waits
        if waits:
            self.model[one].state = LAPSED
            self._hears(one, "lapse")

    @rule(one=asked)
    def want_to_hear_later(self, one: str) -> None:
        """Of a conversation: whichever of its escalations is open."""
        someone = self.model[one]
        waits = self._open_of(someone.conversation_id, {WAITING, LAPSED})
        assert self.run(self.ledger.queue.want_follow_up(someone.conversation_id, True)) is (waits is not None)
        if waits:
            self.model[waits].later = True

    @rule(one=asked)
    def somebody_is_here_now(self, one: str) -> None:
        someone = self.model[one]
        due = someone.state is LAPSED and someone.later
        word = Draft(sender=Sender.NOTICE, text=HERE_NOW)
        assert self.run(self.ledger.queue.follow_up(one, word)) is due
        if due:
            someone.state, someone.later = WAITING, False
            self._hears(one, "here_now")

    @rule(peer=peers, state=st.sampled_from([DutyState.ON, DutyState.AWAY, DutyState.BREAK, DutyState.LEAVING]))
    def say_how_the_shift_goes(self, peer: int, state: DutyState) -> None:
        self.run(self.shifts.change(self.people[peer], state))
        self.leaving.discard(peer)
        if state is DutyState.LEAVING and self._held_by(peer):
            self.leaving.add(peer)

    @rule(peer=peers)
    def go_home(self, peer: int) -> None:
        held = self._held_by(peer)
        assert self.run(self.shifts.hand_back_rest(self.people[peer])) == len(held)
        self.leaving.discard(peer)
        for one in held:
            self._hears(one, "shift_ended")
            self.model[one].state, self.model[one].holder = WAITING, None

    @rule(one=asked)
    def ask_to_be_forgotten(self, one: str) -> None:
        """Whatever the state; the worker's next sweep takes them out of Redis."""
        someone = self.model[one]
        if someone.forgotten:
            return
        person_id = self.run(self.ledger.conversation(someone.conversation_id)).person_id
        self.run(self.ledger.forget(person_id))
        self.run(self.escalations.sweep())
        for each in self.model.values():
            if each.conversation_id == someone.conversation_id:
                each.state, each.holder, each.forgotten, each.agreed = CLOSED, None, True, False

    @rule()
    def redis_forgets(self) -> None:
        self.redis.flushall()
        swept = self.run(self.escalations.sweep())
        assert (swept.returned, swept.lapsed) == (0, 0)
        assert list(self.run(self.streams.queue_scores())) == self._queue()

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
    def another_organisation_has_nobody_who_does_not_say_yes(self) -> None:
        held = self.run(self.ledger.queue.held_by(self.people[-1].id))
        assert all(self.model[one.id].agreed for one in held)

    @invariant()
    def redis_has_the_same_line(self) -> None:
        assert list(self.run(self.streams.queue_scores())) == self._queue()


def test_whatever_happens_nobody_is_lost_or_held_twice(
    settings: Settings, cipher: Cipher, migrated_sqlite: Path, valkey_url: str
) -> None:
    def begin() -> str:
        for path in settings.data_dir.glob("ledger.sqlite*"):
            path.unlink()
        shutil.copy(migrated_sqlite, settings.data_dir / "ledger.sqlite")
        return settings.ledger_url

    run(lambda: QueueMachine(settings, cipher, begin, valkey_url), examples=10)


@pytest.mark.postgres
def test_the_same_on_postgresql(settings: Settings, cipher: Cipher, migrated_postgres: str, valkey_url: str) -> None:
    def begin() -> str:
        empty_postgres(migrated_postgres)
        return migrated_postgres

    run(lambda: QueueMachine(settings, cipher, begin, valkey_url), examples=5)


def run(machine: Callable[[], QueueMachine], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            # A failure is at most 25 steps long; making it shorter would take minutes on a real database.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
