"""Somebody whose key is not here: they stay on the list and it says so, and nobody else is kept waiting by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from channels.conversation import Channel, EscalationState, Holder, Inbound
from channels.doctor import closed_now
from channels.escalation import Escalations
from channels.following_up import FollowUp, FollowUpRules
from channels.hours import StaffedHours
from channels.ledger import Cipher, Ledger
from channels.ledger.key_store import KeyStore
from channels.ledger.records import Stored
from channels.ledger.talk_records import PlanKind
from channels.planning import Planner
from channels.settings import Settings
from channels.streams import Streams
from channels.webchat.reader import Reader
from channels.webchat.visitor import Visitor
from channels.wording import Wording
from tests.desk_builders import Clock, Office, Person, open_office, person_asks, texts, words_of
from tests.ledger_builders import TEST_KEY, TEST_PERSON_SECRET, answer, text_from

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
async def people(office: Office, any_ledger_url: str) -> tuple[Person, Person]:
    """Two who wait; the key of the first is lost."""
    both = await person_asks(office, 1), await person_asks(office, 2)
    peer, tomorrow = await office.hire("Ana"), datetime.now(UTC) + timedelta(days=1)
    for number, one in enumerate(both, 1):
        await office.ledger.planned.plan(one.conversation_id, peer, PlanKind.MESSAGE, tomorrow, "How did it go?")
        stored = await office.ledger.store_inbound(text_from(f"+44163296000{number}", f"check-{number}", "CHECK"))
        await answer(office.ledger, stored, check_in_at=tomorrow)
    lose_key(any_ledger_url, both[0])
    return both


def lose_key(ledger_url: str, whose: Person | Stored) -> None:
    keys = KeyStore(ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET))
    keys.destroy([whose.conversation_id], leave_trace=False)
    keys.close()


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    return any_ledger


@pytest.fixture
async def later(
    people: tuple[Person, Person], any_ledger_url: str, streams: Streams, settings: Settings, clock: Clock
) -> AsyncIterator[Office]:
    """The same, after a new start: keys that were in memory are gone."""
    ledger = Ledger.open(any_ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET), shards=settings.shards)
    queue = Escalations(ledger, streams, Wording.load(), settings, clock=clock)
    office = open_office(ledger, streams, queue, settings)
    yield office
    await office.close()
    await ledger.close()


async def test_they_stay_on_the_list_and_it_says_why(people: tuple[Person, Person], later: Office) -> None:
    lost, other = people
    jo = await later.sit_down("Jo")
    page = await jo.get("/desk")
    assert "Words cannot be opened" in words_of(page.text)
    assert "ring your administrator" in words_of(page.text)
    assert f"take-{other.conversation_id}" in page.text
    assert f"take-{lost.conversation_id}" not in page.text
    assert "Waiting (2)" in page.text


async def test_whoever_is_free_gets_the_one_after(people: tuple[Person, Person], later: Office) -> None:
    _, other = people
    jo = await later.sit_down("Jo")
    assert (await jo.post("/desk/take-next")).headers["location"].startswith(other.page)


async def test_the_sweep_goes_on_with_everybody_else(
    people: tuple[Person, Person], later: Office, clock: Clock, settings: Settings
) -> None:
    lost, other = people
    clock.ahead = timedelta(days=1)
    await later.escalations.sweep()
    await later.escalations.sweep()
    swept = await later.ledger.escalation(other.escalation_id)
    assert swept is not None and swept.state is EscalationState.LAPSED
    (closed,) = [one for one in await later.ledger.queue.first(9, with_unreadable=True) if one.is_unreadable]
    assert (closed.id, closed.state) == (lost.escalation_id, EscalationState.WAITING)


async def test_the_doctor_names_them(people: tuple[Person, Person], later: Office) -> None:
    assert await closed_now(later.ledger) == [people[0].escalation_id]


class TestWhoeverWritesAgain:
    """Nothing new may go under the id of the lost key, and nobody has to know that it was lost."""

    async def test_is_read_and_keeps_their_place(self, people: tuple[Person, Person], later: Office) -> None:
        lost, _ = people
        stored = await later.ledger.store_inbound(text_from("+441632960001", "again", "are you there?"))
        assert stored.conversation_id != lost.conversation_id
        assert [one.text for one in await later.ledger.messages(stored.conversation_id)] == ["are you there?"]
        (first, _second) = await later.ledger.queue.first(9, with_unreadable=True)
        assert (first.id, first.conversation_id) == (lost.escalation_id, stored.conversation_id)
        assert not first.is_unreadable
        assert await closed_now(later.ledger) == []
        person = await later.ledger.person_at(Channel.SMS, "+441632960001")
        assert person is not None
        assert person.address == "+441632960001"
        again = await later.ledger.store_inbound(text_from("+441632960001", "third", "hello?"))
        assert again.conversation_id == stored.conversation_id

    async def test_on_the_web_sees_a_page_to_write_on(
        self, office: Office, any_ledger_url: str, later: Office, people: tuple[Person, Person]
    ) -> None:
        visitor = Visitor(secret="v" * 32)
        chat = Inbound(channel=Channel.WEB, address=visitor.address, provider_id="web-1", text="hello")
        stored = await office.ledger.store_inbound(chat)
        await answer(office.ledger, stored, place="Wrenbridge")
        lose_key(any_ledger_url, stored)
        hours = StaffedHours.parse("", "Europe/London")
        reader = Reader(ledger=later.ledger, hours=hours, wording=Wording.load())
        assert (await reader.talk(visitor)).standing.kind == "new"
        again = await later.ledger.store_inbound(replace(chat, provider_id="web-2", text="still there?"))
        assert [one.text for one in await later.ledger.messages(again.conversation_id)] == ["still there?"]
        assert (await reader.talk(visitor)).last_seq == 1

    async def test_makes_no_key_in_the_place_of_the_lost_one(
        self, people: tuple[Person, Person], later: Office, any_ledger_url: str
    ) -> None:
        lost, _ = people
        await later.ledger.store_inbound(text_from("+441632960001", "again", "are you there?"))
        keys = KeyStore(any_ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET))
        assert keys.missing([lost.conversation_id]) == {lost.conversation_id}
        keys.close()

    async def test_stays_with_whom_they_were_with(
        self, office: Office, any_ledger_url: str, later: Office, people: tuple[Person, Person]
    ) -> None:
        held = await person_asks(office, 3)
        peer = await office.hire("Sam")
        await office.escalations.claim(held.escalation_id, peer)
        lose_key(any_ledger_url, held)
        stored = await later.ledger.store_inbound(text_from("+441632960003", "again", "are you there?"))
        conversation = await later.ledger.conversation(stored.conversation_id)
        (theirs,) = await later.ledger.queue.held_by(peer.id)
        assert (conversation.holder, theirs.conversation_id) == (Holder.PEER, conversation.id)

    async def test_is_forgotten_with_what_was_set_aside(
        self, people: tuple[Person, Person], later: Office, any_ledger_url: str
    ) -> None:
        lost, _ = people
        stored = await later.ledger.store_inbound(text_from("+441632960001", "again", "are you there?"))
        assert await later.ledger.person_keys.count_set_aside() == 1
        await later.ledger.forget((await later.ledger.conversation(stored.conversation_id)).person_id)
        keys = KeyStore(any_ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET))
        assert [keys.to_read(one) for one in (lost.conversation_id, stored.conversation_id)] == [None, None]
        keys.close()
        assert not any(one.text for one in await later.ledger.messages(lost.conversation_id))
        assert await later.ledger.person_keys.count_set_aside() == 0


async def test_what_was_planned_is_held_for_them_and_goes_for_everybody_else(
    people: tuple[Person, Person], later: Office, streams: Streams, clock: Clock
) -> None:
    lost, other = people
    clock.ahead = timedelta(days=2)
    planner = Planner(ledger=later.ledger, streams=streams, clock=clock, never=FollowUpRules.load().never_offered)
    with capture_logs() as lines:
        await planner.send_due()
        await planner.send_due()
    named = [line for line in lines if line["event"] == "words_closed"]
    assert [line["conversation_id"] for line in named] == [lost.conversation_id]
    assert (await texts(later, other.conversation_id))[-1] == "How did it go?"


async def test_how_did_it_go_is_asked_of_everybody_else(
    people: tuple[Person, Person], later: Office, streams: Streams, clock: Clock
) -> None:
    lost, other = people
    now = datetime.now(UTC)
    clock.ahead = now.replace(hour=12) + timedelta(days=4) - now
    follow_up = FollowUp(
        ledger=later.ledger, streams=streams, wording=Wording.load(), rules=FollowUpRules.load(),
        zone=ZoneInfo("Europe/London"), clock=clock,
    )  # fmt: skip
    with capture_logs() as lines:
        assert await follow_up.ask_due() == 1
        assert await follow_up.ask_due() == 0
    assert [line["conversation_id"] for line in lines if line["event"] == "words_closed"] == [lost.conversation_id]
    assert await later.ledger.check_ins.state(other.conversation_id) == "asked"
    assert await later.ledger.check_ins.state(lost.conversation_id) == "agreed"


async def test_retention_forgets_them_like_everybody_else(
    office: Office, any_ledger_url: str, settings: Settings
) -> None:
    numbers = ("+441632960001", "+441632960002")
    stored = [await office.ledger.store_inbound(text_from(number, number)) for number in numbers]
    for one in stored:
        await answer(office.ledger, one, place="Wrenbridge")
    lose_key(any_ledger_url, stored[0])
    ledger = Ledger.open(any_ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET), shards=settings.shards)
    assert await ledger.person_keys.lost() == [stored[0].conversation_id]
    await ledger.expire(datetime.now(UTC) + timedelta(days=1))
    assert [await ledger.person_at(Channel.SMS, number) for number in numbers] == [None, None]
    assert await ledger.person_keys.lost() == []
    await ledger.close()
