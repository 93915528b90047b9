"""Closing goes back to the assistant; asking again to the same peer worker by itself, when that one is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from channels.conversation import Concern, EscalationState, Holder
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.duties import Duty, DutyState
from channels.ledger.records import OpenEscalation, PeerRecord
from channels.ledger.talk_records import NoteKind
from channels.own_peer import own_peer_of
from channels.shifts import Shifts
from channels.streams import Streams
from tests.desk_builders import Clock
from tests.escalation_builders import ask, last_words, now_of
from tests.ledger_builders import answer, peer_named, text_from

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
def shifts(ledger: Ledger, streams: Streams, escalations: Escalations, clock: Clock) -> Shifts:
    return Shifts(ledger=ledger, streams=streams, escalations=escalations, clock=clock)


@pytest.fixture
async def sam(ledger: Ledger, streams: Streams) -> PeerRecord:
    """At the desk."""
    peer = await peer_named(ledger, "Sam")
    await streams.present(peer.id, 3600)
    return peer


async def talked(escalations: Escalations, ledger: Ledger, peer: PeerRecord) -> str:
    """They were with this peer worker, who has closed. Gives the conversation."""
    escalation_id = await ask(escalations, ledger, 1)
    await escalations.claim(escalation_id, peer)
    await escalations.close(escalation_id, peer)
    return (await now_of(ledger, escalation_id)).conversation_id


async def ask_again(ledger: Ledger, shifts: Shifts) -> str:
    """As the worker has it: opened with the answer, then shown to the desks."""
    stored = await ledger.store_inbound(text_from("+441632960001", provider_id="again"))
    committed = await answer(ledger, stored, escalation=OpenEscalation(reason="asked"))
    assert committed.escalation_id is not None
    await shifts.announce(committed.escalation_id)
    return committed.escalation_id


async def test_closing_is_back_with_the_assistant_and_asking_again_back_with_the_same_one(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    conversation_id = await talked(escalations, ledger, sam)
    assert (await ledger.conversation(conversation_id)).holder is Holder.BOT
    again = await now_of(ledger, await ask_again(ledger, shifts))
    assert (again.conversation_id, again.state, again.claimed_by) == (conversation_id, EscalationState.HELD, sam.id)
    assert "Sam" in await last_words(ledger, again.id)


Change = Callable[[Ledger, Streams, PeerRecord], Awaitable[object]]


async def go_away(ledger: Ledger, _streams: Streams, sam: PeerRecord) -> None:
    await ledger.queue.keep_duty(Duty(peer_id=sam.id, state=DutyState.AWAY), sam.id)


async def go_home(ledger: Ledger, _streams: Streams, sam: PeerRecord) -> None:
    await ledger.queue.keep_duty(Duty(peer_id=sam.id, state=DutyState.LEAVING), sam.id)


async def close_the_desk(_ledger: Ledger, streams: Streams, sam: PeerRecord) -> None:
    await streams.present(sam.id, -1)


async def rest(ledger: Ledger, _streams: Streams, sam: PeerRecord) -> None:
    await ledger.care.rest(sam.id, datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize("change", [go_away, go_home, close_the_desk, rest], ids=lambda one: one.__name__)
async def test_whoever_is_not_free_for_them_is_not_given_them(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, streams: Streams, sam: PeerRecord, change: Change
) -> None:
    await talked(escalations, ledger, sam)
    await change(ledger, streams, sam)
    again = await now_of(ledger, await ask_again(ledger, shifts))
    assert again.state is EscalationState.WAITING
    assert await own_peer_of(ledger, again) == sam.id, "they are offered to Sam first all the same"


async def test_whoever_has_their_hands_full_is_not_given_one_more(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    await talked(escalations, ledger, sam)
    for end in (2, 3):
        await escalations.claim(await ask(escalations, ledger, end), sam)
    again = await now_of(ledger, await ask_again(ledger, shifts))
    assert again.state is EscalationState.WAITING


async def test_whoever_is_free_takes_them_in_their_turn_when_their_own_has_no_hand_free(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    """A talk lasts most of an hour: nobody is made to wait that long for a familiar name, and nobody is passed over."""
    await talked(escalations, ledger, sam)
    for end in (2, 3):
        await escalations.claim(await ask(escalations, ledger, end), sam)
    again = await ask_again(ledger, shifts)
    later = await ask(escalations, ledger, 4)
    assert await own_peer_of(ledger, await now_of(ledger, again)) == sam.id
    ana = await peer_named(ledger, "Ana")
    taken = [await escalations.take_next(ana) for _ in range(2)]
    assert [one.id for one in taken if one] == [again, later]


async def test_after_two_days_anybody_is_as_good(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    await talked(escalations, ledger, sam)
    again = await now_of(ledger, await ask_again(ledger, shifts))
    assert await own_peer_of(ledger, again) == sam.id
    assert await own_peer_of(ledger, replace(again, opened_at=again.opened_at + timedelta(days=2))) == ""


async def test_a_break_from_this_chat_is_one(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    conversation_id = await talked(escalations, ledger, sam)
    until = {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat(), "name": "Sam"}
    await ledger.talk.add(conversation_id, NoteKind.PAUSE, sam.id, until)
    again = await now_of(ledger, await ask_again(ledger, shifts))
    assert again.state is EscalationState.WAITING
    assert await own_peer_of(ledger, again) == ""


async def test_whom_they_chose_comes_before_whom_they_were_with(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, streams: Streams, sam: PeerRecord
) -> None:
    conversation_id = await talked(escalations, ledger, sam)
    ana = await peer_named(ledger, "Ana")
    await streams.present(ana.id, 3600)
    chosen = {"peer": ana.id, "name": "Ana", "agreed": "yes"}
    await ledger.talk.add(conversation_id, NoteKind.NAMED_PEER, ana.id, chosen)
    assert (await now_of(ledger, await ask_again(ledger, shifts))).claimed_by == ana.id


async def test_whom_somebody_passed_on_does_not_come_back_by_themselves(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    await talked(escalations, ledger, sam)
    again = await ask_again(ledger, shifts)
    await escalations.pass_on(again, sam)
    await shifts.announce(again)
    assert (await now_of(ledger, again)).state is EscalationState.WAITING


async def test_somebody_in_danger_is_not_made_to_wait_for_it(
    escalations: Escalations, ledger: Ledger, shifts: Shifts, sam: PeerRecord
) -> None:
    await talked(escalations, ledger, sam)
    await ask(escalations, ledger, 2, (Concern.SUICIDE,))
    again = await now_of(ledger, await ask_again(ledger, shifts))
    assert again.state is EscalationState.WAITING
