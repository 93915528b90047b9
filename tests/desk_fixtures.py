"""Fixtures for the queue and the desk, for a test module with `pytest_plugins = ["tests.desk_fixtures"]`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests.desk_builders import Browser, Clock, Office, open_office


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def escalations(ledger: Ledger, streams: Streams, settings: Settings, clock: Clock) -> Escalations:
    return Escalations(ledger, streams, Wording.load(), settings, clock=clock)


@pytest.fixture
async def office(
    ledger: Ledger, streams: Streams, settings: Settings, escalations: Escalations
) -> AsyncIterator[Office]:
    opened = open_office(ledger, streams, escalations, settings)
    yield opened
    await opened.close()


@pytest.fixture
async def live_office(
    ledger: Ledger, streams: Streams, settings: Settings, escalations: Escalations
) -> AsyncIterator[Office]:
    """Not a demo, and on the web."""
    live = settings.model_copy(update={"demo": False, "public_url": "https://help.example"})
    opened = open_office(ledger, streams, escalations, live)
    yield opened
    await opened.close()


@pytest.fixture
async def jo(office: Office) -> Browser:
    """A peer worker's browser, signed in."""
    return await office.sit_down("Jo")


@pytest.fixture
async def ana(office: Office) -> Browser:
    """Another's."""
    return await office.sit_down("Ana")
