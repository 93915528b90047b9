"""The queue's order and the cap, as anybody can read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Concern, EscalationState
from channels.escalation import notice_for, rank, score
from channels.escalation_states import IN_QUEUE, MOVES, Move, as_markdown, may
from channels.ledger.queue_order import HEAD_START, rank_of
from channels.ledger.records import EscalationRecord

README = Path(__file__).parents[2] / "channels" / "README.md"

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
            replace(WORRYING, opened_at=NOON + timedelta(hours=71)), ASKED, id="a concern, though it came days later"
        ),
        pytest.param(
            ASKED, replace(WORRYING, opened_at=NOON + timedelta(hours=73)), id="after three days more, whoever waits"
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


@given(st.lists(st.tuples(MOMENTS, st.booleans()), min_size=1, max_size=30), MOMENTS)
def test_nobody_is_overtaken_by_whoever_asks_three_days_later(
    arrivals: list[tuple[datetime, bool]], start: datetime
) -> None:
    mine = rank_of(start, urgent=False)
    later = [rank_of(at, urgent=worry) for at, worry in arrivals if at > start + HEAD_START]
    assert all(mine < other for other in later)


def test_what_somebody_with_a_concern_is_told_goes_first() -> None:
    assert notice_for(WORRYING, "words").urgent
    assert not notice_for(ASKED, "words").urgent


@pytest.mark.parametrize("move", Move)
def test_every_move_is_in_the_diagram_and_the_table_of_the_readme(move: Move) -> None:
    readme = README.read_text()
    diagram = readme[readme.index("Escalation:") : readme.index("```", readme.index("Escalation:"))]
    assert f"| {move} |" in readme
    assert move in diagram
    assert MOVES[move].end.name in diagram


def test_the_readme_shows_the_table_that_the_code_goes_by() -> None:
    assert as_markdown() in README.read_text()


def test_what_is_closed_stays_closed_and_only_whoever_waits_can_be_taken() -> None:
    assert [move for move in Move if may(move, EscalationState.CLOSED)] == []
    assert set(IN_QUEUE) == {EscalationState.WAITING, EscalationState.LAPSED}


@pytest.mark.parametrize("state", [state for state in EscalationState if state is not EscalationState.CLOSED])
def test_from_every_state_there_is_a_way_to_a_person_or_an_end(state: EscalationState) -> None:
    assert may(Move.CLAIM, state) or may(Move.CLOSE, state)
