"""The queue's order and the cap, as anybody can read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Concern, EscalationState
from channels.escalation import (
    IN_QUEUE,
    MOST_HELD,
    MOST_HELD_WITH_CONCERN,
    CapReached,
    check_cap,
    notice_for,
    rank,
    score,
)
from channels.ledger.records import EscalationRecord

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ASKED = EscalationRecord(
    id="e1",
    conversation_id="c1",
    state=EscalationState.WAITING,
    reason="asked",
    concerns=frozenset(),
    needs=(),
    language=None,
    opened_at=NOON,
    claimed_by=None,
    claimed_name="",
    claimed_at=None,
    lease_until=None,
    closed_at=None,
)
WORRYING = replace(ASKED, id="e2", concerns=frozenset({Concern.SUICIDE}))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(ASKED, replace(ASKED, id="e0", opened_at=NOON + timedelta(seconds=1)), id="who came first"),
        pytest.param(
            replace(WORRYING, opened_at=NOON + timedelta(days=9)), ASKED, id="a concern, however late it came"
        ),
        pytest.param(
            WORRYING,
            replace(WORRYING, id="e1", opened_at=NOON + timedelta(seconds=1)),
            id="of two concerns, who came first",
        ),
        pytest.param(
            WORRYING,
            replace(WORRYING, id="e3", concerns=frozenset({Concern.ABUSE, Concern.DANGER_NOW})),
            id="never by which concern, nor how many",
        ),
        pytest.param(
            replace(ASKED, state=EscalationState.LAPSED),
            replace(ASKED, id="e9", opened_at=NOON + timedelta(hours=13)),
            id="who was told that nobody had come keeps the place",
        ),
    ],
)
def test_who_is_taken_first(first: EscalationRecord, second: EscalationRecord) -> None:
    assert sorted([second, first], key=rank) == [first, second]


MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))


@given(st.lists(st.tuples(MOMENTS, st.booleans()), max_size=30))
def test_redis_sorts_by_score_as_the_ledger_sorts_by_rank(arrivals: list[tuple[datetime, bool]]) -> None:
    people = [
        replace(WORRYING if worry else ASKED, id=f"{number:04}", opened_at=at.replace(microsecond=0))
        for number, (at, worry) in enumerate(arrivals)
    ]
    assert sorted(people, key=lambda person: (score(person), person.id)) == sorted(people, key=rank)


@pytest.mark.parametrize(
    ("held", "fits"),
    [
        pytest.param([], True, id="the first"),
        pytest.param([ASKED], True, id="a second"),
        pytest.param([ASKED, ASKED], False, id="not a third"),
        pytest.param([WORRYING], False, id="nobody beside somebody who may be in danger"),
        pytest.param([ASKED, WORRYING], False, id="nor beside both"),
    ],
)
def test_how_many_one_peer_worker_holds(held: list[EscalationRecord], fits: bool) -> None:
    if fits:
        check_cap(held)
    else:
        with pytest.raises(CapReached) as reached:
            check_cap(held)
        assert reached.value.held == len(held)
        assert reached.value.with_concern is any(one.concerns for one in held)


def test_the_cap_is_two_and_one_with_a_concern() -> None:
    assert (MOST_HELD, MOST_HELD_WITH_CONCERN) == (2, 1)


def test_what_somebody_with_a_concern_is_told_goes_first() -> None:
    assert notice_for(WORRYING, "words").urgent
    assert not notice_for(ASKED, "words").urgent


def test_the_diagram_names_every_state_and_who_waits() -> None:
    import channels.escalation

    drawn = channels.escalation.__doc__ or ""
    assert all(state.name in drawn for state in EscalationState)
    assert set(IN_QUEUE) == {EscalationState.WAITING, EscalationState.LAPSED}
