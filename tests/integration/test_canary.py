"""Our own test message: through everything, measured, told, and gone. Real ledger and streams, real worker."""

from __future__ import annotations

import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.testing import capture_logs

from channels.canary import FAILURES_UNTIL_ALARM, WORDS, Canary
from channels.conversation import Channel, Inbound
from channels.doctor import Level, check_canary, judge_canary
from channels.errors import SendFailed
from channels.health import Health
from channels.intake import Intake
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics
from tests.integration.serving import eventually
from tests.worker_builders import Bench, FakeProvider, silence

ALERTS = Path(__file__).parents[2] / "channels" / "data" / "alerts.yml"


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


def canary_of(bench: Bench, metrics: WorkerMetrics, patience: float = 10.0) -> Canary:
    return Canary(
        intake=Intake(bench.ledger, bench.streams, metrics), ledger=bench.ledger, streams=bench.streams,
        metrics=metrics, every=60.0, patience=patience,
    )  # fmt: skip


def value_of(metrics: WorkerMetrics, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics.render().decode(), re.M)
    return float(found[1]) if found else 0.0


def rows_left(settings: Settings) -> dict[str, int]:
    """How much there is in each table that a message leaves something in."""
    names = ("people", "conversations", "messages", "outbox", "escalations", "audit")
    with sqlite3.connect(settings.data_dir / "ledger.sqlite") as database:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


async def test_passes_through_everything_is_measured_and_leaves_nothing(bench: Bench) -> None:
    metrics, before = WorkerMetrics(), rows_left(bench.settings)
    async with bench.working():
        assert await canary_of(bench, metrics).sing() == "passed"
    assert [asked["text"] for asked in bench.assistant.asked] == [WORDS]
    assert bench.sms.sent == bench.telegram.sent == []
    assert rows_left(bench.settings) == before
    assert value_of(metrics, 'nwd_canary_total{result="passed"}') == 1
    assert 0 < value_of(metrics, "nwd_canary_seconds") < 10
    assert abs(time.time() - value_of(metrics, "nwd_canary_last_success_timestamp")) < 60
    assert value_of(metrics, "nwd_canary_ok") == 1


async def test_with_the_assistant_silent_it_is_degraded_and_nobody_is_asked_to_come(bench: Bench) -> None:
    bench.assistant.answering = silence()
    metrics, before = WorkerMetrics(), rows_left(bench.settings)
    canary = canary_of(bench, metrics)
    async with bench.working(), bench.streams.watch("queue") as queue:
        assert await canary.sing() == "degraded"
        assert await queue.wait(0.2) is None
    assert await bench.ledger.waiting() == await bench.ledger.recent_escalations() == []
    assert rows_left(bench.settings) == before
    assert value_of(metrics, 'nwd_canary_total{result="degraded"}') == 1
    assert value_of(metrics, "nwd_canary_ok") == 1
    assert canary.failures == 0


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(SendFailed("broken", "Broken.", retryable=False), id="refused for good"),
        pytest.param(SendFailed("broken", "Broken.", retryable=True), id="tried again later"),
    ],
)
async def test_with_a_broken_sender_it_alarms_and_the_worker_lives_on(bench: Bench, problem: SendFailed) -> None:
    metrics = WorkerMetrics()
    broken = FakeProvider(failures=[problem] * 100)
    canary = canary_of(bench, metrics, patience=1.0)
    health = Health(ledger=bench.ledger, streams=bench.streams, metrics=metrics, also=lambda: {"canary": canary.well})
    async with bench.working(senders={Channel.CANARY: broken, Channel.SMS: bench.sms}):
        with capture_logs() as lines:
            for _ in range(FAILURES_UNTIL_ALARM):
                assert canary.well
                assert await canary.sing() == "failed"
        answer = await health.health(None)  # type: ignore[arg-type]  # it looks at no request
        stored = await bench.write("cant pay my rent")
        await bench.until_quiet(stored.conversation_id)
    told = [(line["log_level"], line["failures"]) for line in lines if line["event"] == "canary_failed"]
    assert told == [("warning", 1), ("warning", 2), ("error", 3)]
    assert value_of(metrics, "nwd_canary_ok") == 0
    assert value_of(metrics, "nwd_canary_last_success_timestamp") == 0
    assert (answer.status_code, bytes(answer.body)) == (200, b'{"ledger":true,"redis":true,"canary":false}')
    assert bench.sms.sent


async def test_an_alarm_ends_with_the_next_answer(bench: Bench) -> None:
    metrics = WorkerMetrics()
    canary = canary_of(bench, metrics, patience=0.1)
    for _ in range(FAILURES_UNTIL_ALARM):
        assert await canary.sing() == "failed"
    canary.patience = 10.0
    async with bench.working():
        assert await canary.sing() == "passed"
    assert value_of(metrics, "nwd_canary_ok") == 1


async def test_what_broke_off_is_removed_later_and_never_anybody_elses(bench: Bench) -> None:
    """The round that nobody answered stays for the worker that may still be at it."""
    before = rows_left(bench.settings)
    assert await canary_of(bench, WorkerMetrics(), patience=2.0).sing() == "failed"
    assert rows_left(bench.settings)["people"] == before["people"] + 1
    stored = await bench.store("cant pay my rent")
    assert await bench.ledger.remove_canaries(stored.conversation_id, datetime.now(UTC) - timedelta(minutes=10)) == 0
    assert await bench.ledger.remove_canaries(stored.conversation_id, datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert [message.text for message in await bench.ledger.messages(stored.conversation_id)] == ["cant pay my rent"]


async def test_without_redis_the_ledger_alone_brings_it_through(bench: Bench, settings: Settings) -> None:
    away = Streams.connect(f"unix://{settings.data_dir}/nobody.sock", "test", settings.shards)
    bench.streams = away
    async with bench.working():
        assert await canary_of(bench, WorkerMetrics()).sing() == "passed"
    await away.close()


@pytest.mark.parametrize(("every", "sings"), [pytest.param(0.2, True, id="on"), pytest.param(0.0, False, id="off")])
async def test_a_worker_sings_by_itself(bench: Bench, every: float, sings: bool) -> None:
    bench.settings = bench.settings.model_copy(update={"canary_seconds": every})
    async with bench.working():
        if sings:
            await eventually(bench.streams.canary_ages)
        else:
            stored = await bench.write("cant pay my rent")
            await bench.until_quiet(stored.conversation_id)
    assert ("passed" in await bench.streams.canary_ages()) is sings


async def test_a_text_that_only_claims_to_be_a_canary_is_nobodys_secret_way_in(bench: Bench) -> None:
    """The channel is ours to set: no webhook makes one."""
    async with bench.working():
        stored = await bench.ledger.store_inbound(
            Inbound(channel=Channel.SMS, address="canary-1", provider_id="SM1", text="hello")
        )
        await bench.streams.announce_inbound(stored.shard, stored.conversation_id)
        await bench.until_quiet(stored.conversation_id)
    assert bench.sms.sent


# -- what the doctor and Prometheus make of it


async def test_the_doctor_says_when_it_last_passed(streams: Streams, settings: Settings, valkey_url: str) -> None:
    given = settings.model_copy(update={"redis_url": type(settings.redis_url)(valkey_url), "redis_prefix": "test"})
    (before,) = await check_canary(given)
    await streams.note_canary("passed")
    (after,) = await check_canary(given)
    (off,) = await check_canary(given.model_copy(update={"canary_seconds": 0.0}))
    assert (before.level, after.level, off.level) == (Level.WARNING, Level.OK, Level.WARNING)
    assert after.seen.startswith("last passed ")


@pytest.mark.parametrize(
    ("ages", "level", "seen"),
    [
        pytest.param({"passed": 20.0}, Level.OK, "last passed 20 s ago", id="fresh"),
        pytest.param({"passed": 20.0, "failed": 90.0}, Level.OK, "last passed 20 s ago", id="is back"),
        pytest.param({"passed": 400.0, "failed": 30.0}, Level.FAILED, "not answered; last passed 400 s ago", id="no"),
        pytest.param({"degraded": 10.0}, Level.WARNING, "answered with the fixed words; has never passed", id="fixed"),
        pytest.param({"passed": 900.0}, Level.FAILED, "nothing for 900 s; last passed 900 s ago", id="no worker"),
    ],
)
def test_how_the_doctor_judges(ages: dict[str, float], level: Level, seen: str) -> None:
    finding = judge_canary(ages, 60.0)
    assert (finding.level, finding.seen) == (level, seen)


def test_every_alert_has_a_rule_on_metrics_that_exist_and_says_what_to_do() -> None:
    metrics = WorkerMetrics()
    known = set(re.findall(r"^# TYPE (\w+)", metrics.render().decode(), re.M))
    rules: list[dict[str, Any]] = [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 3
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        named = set(re.findall(r"nwd_\w+", rule["expr"]))
        assert named
        assert named <= known, rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "action"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
