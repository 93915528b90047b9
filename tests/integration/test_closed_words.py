"""Somebody whose key is not here: they stay on the list and it says so, and nobody else is kept waiting by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from channels.conversation import EscalationState
from channels.doctor import closed_now
from channels.escalation import Escalations
from channels.ledger import Cipher, Ledger
from channels.ledger.key_store import KeyStore
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests.desk_builders import Clock, Office, Person, open_office, person_asks, words_of
from tests.ledger_builders import TEST_KEY, TEST_PERSON_SECRET

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
async def people(office: Office, any_ledger_url: str) -> tuple[Person, Person]:
    """Two who wait; the key of the first is lost."""
    lost, other = await person_asks(office, 1), await person_asks(office, 2)
    keys = KeyStore(any_ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET))
    keys.destroy([lost.conversation_id], leave_trace=False)
    keys.close()
    return lost, other


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
