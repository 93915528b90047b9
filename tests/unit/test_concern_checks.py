"""When one gentle text after a concern is due, and when it is not right to send it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from channels.concern_checks import Standing, Verdict
from channels.conversation import Concern
from channels.following_up import FollowUpRules

CHECKS = FollowUpRules.load(4).concern
LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WAITING = Standing(
    at=NOON, last_inbound_at=NOON - timedelta(hours=5), quiet=False, answered=False,
    concerns=frozenset({Concern.SUICIDE}),
)  # fmt: skip
HURT = replace(WAITING, concerns=frozenset({Concern.ABUSE}))


@pytest.mark.parametrize(
    ("standing", "verdict"),
    [
        pytest.param(WAITING, Verdict.ASK, id="silent for 5 hours, nobody has come"),
        pytest.param(replace(WAITING, last_inbound_at=NOON - timedelta(hours=1)), Verdict.LATER, id="wrote since"),
        pytest.param(replace(WAITING, answered=True), Verdict.DROP, id="a peer worker has come"),
        pytest.param(replace(WAITING, quiet=True), Verdict.DROP, id="wants no texts"),
        pytest.param(replace(WAITING, last_inbound_at=NOON - timedelta(days=1)), Verdict.ASK, id="silent for a day"),
        pytest.param(replace(WAITING, safe=True), Verdict.ASK, id="safe to text"),
        pytest.param(replace(WAITING, safe=False), Verdict.DROP, id="said it is not safe"),
        pytest.param(replace(WAITING, safe=True, safe_hours=(18, 20)), Verdict.LATER, id="not at this time of theirs"),
        pytest.param(replace(WAITING, at=NOON + timedelta(hours=10)), Verdict.LATER, id="by night"),
        pytest.param(HURT, Verdict.DROP, id="hurt at home, never asked whether it is safe"),
        pytest.param(replace(HURT, safe=True), Verdict.ASK, id="hurt at home, said that it is safe"),
        pytest.param(
            replace(WAITING, concerns=frozenset({Concern.SUICIDE, Concern.CHILD_AT_RISK})), Verdict.DROP, id="a child"
        ),
    ],
)
def test_whether_to_ask(standing: Standing, verdict: Verdict) -> None:
    assert CHECKS.judge(standing, LONDON) is verdict


@pytest.mark.parametrize(
    ("found", "due"),
    [
        (datetime(2026, 11, 23, 9, 0, tzinfo=LONDON), datetime(2026, 11, 23, 13, 0, tzinfo=LONDON)),
        (datetime(2026, 11, 23, 20, 0, tzinfo=LONDON), datetime(2026, 11, 24, 8, 0, tzinfo=LONDON)),
        (datetime(2026, 11, 24, 2, 0, tzinfo=LONDON), datetime(2026, 11, 24, 8, 0, tzinfo=LONDON)),
    ],
    ids=["by day", "in the evening", "at night"],
)
def test_when_it_is_due(found: datetime, due: datetime) -> None:
    assert CHECKS.due(found.astimezone(UTC), LONDON) == due


@pytest.mark.parametrize(
    ("concerns", "offered"),
    [
        pytest.param({Concern.SUICIDE}, True, id="thoughts of suicide"),
        pytest.param({Concern.EATING_DISORDER}, True, id="eating"),
        pytest.param(set(), False, id="nothing worries us"),
        pytest.param({Concern.ABUSE}, False, id="somebody else may hold the phone"),
        pytest.param({Concern.SUICIDE, Concern.CHILD_AT_RISK}, False, id="a child among others"),
        pytest.param({Concern.ATTEMPT}, False, id="help is on its way"),
    ],
)
def test_who_is_asked_whether_we_may(concerns: set[Concern], offered: bool) -> None:
    assert CHECKS.may_offer(frozenset(concerns)) is offered


def test_nobody_is_asked_where_it_is_turned_off() -> None:
    assert not FollowUpRules.load(0).concern.may_offer(frozenset({Concern.SUICIDE}))


def test_it_can_be_turned_off() -> None:
    assert FollowUpRules.load(0).concern.due(NOON, LONDON) is None
