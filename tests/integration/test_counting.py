"""Messages are counted by the database: the same numbers as by loading each of them, whatever the days and the zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, insert, make_url

from channels.conversation import Channel, Delivery, Holder, Sender
from channels.ledger import Ledger, tables
from channels.ledger.counting import Days

TALKS = ("1" * 24, "2" * 24, "3" * 24)
ZONES = ("Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
# Around both changes of the clock, with every fraction of a second a database may round.
MOMENTS = st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 30)).map(lambda moment: moment.replace(tzinfo=UTC))
MIDNIGHTS = st.builds(
    lambda day, zone, off: datetime(2026, 3, 1, tzinfo=ZoneInfo(zone)) + timedelta(days=day, microseconds=off),
    st.integers(0, 270), st.sampled_from(ZONES), st.sampled_from((-1, 0, 1, -400, 999_999)),
)  # fmt: skip
MESSAGES = st.lists(
    st.tuples(
        st.one_of(MOMENTS, MIDNIGHTS),
        st.sampled_from((Channel.SMS, Channel.WEB, Channel.CANARY)),
        st.sampled_from(TALKS),
        st.sampled_from((Sender.PERSON, Sender.PEER)),
        st.sampled_from((None, Delivery.FAILED, Delivery.SENT)),
    ),
    max_size=30,
)


def by_hand(rows: Sequence[tuple[Any, ...]], days: Days, zone: ZoneInfo) -> tuple[set[Any], set[Any]]:
    """As it was: every message looked at."""
    people: dict[tuple[date, Channel], set[str]] = {}
    failures: dict[tuple[date, Channel], int] = {}
    for at, channel, talk, sender, delivery in rows:
        if channel is Channel.CANARY or not days.starts[0] <= at < days.starts[-1]:
            continue
        key = at.astimezone(zone).date(), channel
        if sender is Sender.PERSON:
            people.setdefault(key, set()).add(talk)
        elif delivery is Delivery.FAILED:
            failures[key] = failures.get(key, 0) + 1
    return {(*key, len(talks)) for key, talks in people.items()}, {(*key, count) for key, count in failures.items()}


@pytest.fixture
def put(any_ledger_url: str) -> Any:
    """In the place of all messages."""
    url = make_url(any_ledger_url)
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        for talk in TALKS:
            person = {"id": talk, "channel": "sms", "do_not_text_first": False, "created_at": begun}
            connection.execute(insert(tables.people).values(**person))
            row = {"id": talk, "person_id": talk, "channel": "sms", "holder": Holder.BOT, "episode": talk}
            row |= {"episode_turns": 0, "turns": 0, "created_at": begun, "last_seq": 0}
            connection.execute(insert(tables.conversations).values(**row))

    def put(rows: Sequence[tuple[Any, ...]]) -> None:
        with engine.begin() as connection:
            connection.execute(delete(tables.messages))
            for number, (at, channel, talk, sender, delivery) in enumerate(rows):
                row = {"id": f"{number:024}", "conversation_id": talk, "seq": number, "channel": channel}
                row |= {"sender": sender, "delivery": delivery, "created_at": at, "episode": talk, "answered": True}
                row |= {"outcome": "", "intent": "", "attempts": 0, "error_code": ""}
                connection.execute(insert(tables.messages).values(**row))

    yield put
    engine.dispose()


async def test_the_database_counts_as_we_did(any_ledger: Ledger, put: Any) -> None:
    """Hypothesis gives the rows; the ledger is asked in this test's own loop."""
    examples: list[tuple[list[tuple[Any, ...]], str, date, int]] = []

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(MESSAGES, st.sampled_from(ZONES), st.dates(date(2026, 2, 20), date(2026, 11, 20)), st.integers(0, 300))
    def collect(rows: list[tuple[Any, ...]], zone: str, first: date, more: int) -> None:
        examples.append((rows, zone, first, more))

    collect()
    for rows, name, first, more in examples:
        put(rows)
        zone = ZoneInfo(name)
        days = Days.of(first, first + timedelta(days=more), zone)
        found = await any_ledger.queue.counted(days)
        assert (set(found.contacts), set(found.failures)) == by_hand(rows, days, zone)
        assert len(set(found.contacts)) == len(found.contacts), "each day and channel once"


@pytest.mark.parametrize(
    ("first", "last", "spans"),
    [
        pytest.param(date(2026, 11, 1), date(2026, 11, 14), [(0, 14)], id="a fortnight"),
        pytest.param(date(2026, 3, 28), date(2026, 3, 31), [(0, 2), (2, 4)], id="a day of 23 hours"),
        pytest.param(date(2026, 10, 25), date(2026, 10, 25), [(0, 1)], id="only one of 25"),
        pytest.param(date(2026, 1, 1), date(2026, 12, 31), [(0, 88), (88, 298), (298, 365)], id="a year"),
    ],
)
def test_days_that_begin_24_hours_after_one_another(first: date, last: date, spans: list[tuple[int, int]]) -> None:
    assert list(Days.of(first, last, ZoneInfo("Europe/London")).spans()) == spans
