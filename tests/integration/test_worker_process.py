"""The worker as a process of its own, and what it does when something unforeseen happens."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from channels.crew import Crew
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.sweeping import repeat
from channels.worker_metrics import WorkerMetrics
from tests import patience
from tests.integration.serving import eventually, free_port
from tests.ledger_builders import TEST_KEY, TEST_PERSON_SECRET
from tests.worker_builders import Bench

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def test_starts_answers_a_person_without_rasa_and_stops_when_told(
    settings: Settings, ledger: Ledger, streams: Streams, valkey_url: str
) -> None:
    """Nobody listens where Rasa should be: a web visitor still gets words, and a place in the queue."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "NWD_DATA_DIR": str(settings.data_dir),
        "NWD_PORT": str(port - 2),
        "NWD_REDIS_URL": valkey_url,
        "NWD_REDIS_PREFIX": "test",
        "NWD_SHARDS": str(settings.shards),
        "NWD_ENCRYPTION_KEYS": TEST_KEY,
        "NWD_PERSON_KEY_SECRET": TEST_PERSON_SECRET,
        "NWD_ASSISTANT_DEADLINE": "1",
        "NWD_RASA_URL": f"http://127.0.0.1:{free_port()}",
    }
    command = (sys.executable, "-m", "channels", "worker")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(lambda: is_healthy(port), seconds=30)
        bench = Bench(settings=settings, ledger=ledger, streams=streams)
        stored = await bench.write("a secret about my rent", channel="web", address="visitor-77")
        messages = await bench.until_quiet(stored.conversation_id)
        metrics = (await fetch(port, "/metrics")).text
    finally:
        process.send_signal(signal.SIGTERM)
        _, logged = await process.communicate()
    assert messages[0].outcome == "fallback"
    assert await ledger.escalation_of(stored.conversation_id) is not None
    assert 'nwd_assistant_silent_total{cause="unreachable"} 1.0' in metrics
    assert process.returncode == 0
    assert b"worker_stopped" in logged
    for secret in (b"secret", b"visitor-77"):
        assert secret not in logged
        assert secret.decode() not in metrics


async def is_healthy(port: int) -> bool:
    try:
        return (await fetch(port, "/health")).status_code == 200
    except httpx.HTTPError:
        return False


async def fetch(port: int, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{port}{path}")


async def test_words_older_than_the_retention_are_erased(bench: Bench) -> None:
    stored = await bench.write("cant pay my rent")
    async with bench.working():
        await bench.until_quiet(stored.conversation_id)
    bench.clock = lambda: datetime.now(UTC) + timedelta(days=bench.settings.retention_days, seconds=1)
    await bench.worker().sweeper.sweep()
    assert [message.text for message in await bench.ledger.messages(stored.conversation_id)] == ["", "", ""]


async def test_retention_runs_now_and_then_and_not_with_every_sweep(bench: Bench) -> None:
    sweeper = bench.worker().sweeper
    await sweeper.sweep()
    stored = await bench.write("cant pay my rent")
    async with bench.working():
        await bench.until_quiet(stored.conversation_id)
    sweeper.clock = lambda: datetime.now(UTC) + timedelta(days=400)
    await sweeper.sweep()
    assert (await bench.ledger.messages(stored.conversation_id))[0].text == "cant pay my rent"


async def test_work_that_breaks_off_stays_announced_and_its_words_stay_out_of_the_log(
    bench: Bench, streams: Streams, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work(conversation_id: str) -> None:
        raise ValueError("what somebody wrote")

    await streams.announce_inbound(0, "c1")
    (entry,) = await streams.take("inbound", "me", [0], block_ms=10)
    crew = Crew(kind="inbound", streams=streams, work=work, metrics=WorkerMetrics(), lock_seconds=1)
    crew.start("c1", entry)
    await crew.drain(5)
    assert await streams.reclaim("inbound", "me", 0) == [entry]
    output = "".join(capsys.readouterr())
    assert "work_broke_off" in output and "ValueError" in output
    assert "what somebody wrote" not in output


async def test_two_do_not_work_on_one_conversation_at_a_time(streams: Streams) -> None:
    busy, most = 0, 0

    async def work(conversation_id: str) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.02)
        busy -= 1

    crews = [
        Crew(kind="inbound", streams=streams, work=work, metrics=WorkerMetrics(), lock_seconds=5) for _ in range(2)
    ]
    for crew in crews:
        crew.start("c1")
        crew.start("c1")
    await asyncio.gather(*(crew.drain(5) for crew in crews))
    assert most == 1
    assert all(crew.idle for crew in crews)


async def test_what_is_announced_before_work_has_begun_is_done_with_it(streams: Streams) -> None:
    """A burst of announcements for one conversation is one piece of work, and every entry is finished with."""
    done: list[str] = []

    async def work(conversation_id: str) -> None:
        done.append(conversation_id)

    for _ in range(5):
        await streams.announce_inbound(0, "c1")
    entries = await streams.take("inbound", "me", [0], count=5, block_ms=100)
    crew = Crew(kind="inbound", streams=streams, work=work, metrics=WorkerMetrics(), lock_seconds=5)
    for entry in entries:
        crew.start("c1", entry)
    await crew.drain(5)
    assert (len(entries), done) == (5, ["c1"])
    assert (await streams.depth())["inbound"] == 0
    crew.start("c1")
    await crew.drain(5)
    assert done == ["c1", "c1"]


async def test_a_lock_that_is_never_given_back_is_not_waited_for_for_ever(streams: Streams) -> None:
    done: list[str] = []

    async def work(conversation_id: str) -> None:
        done.append(conversation_id)

    crew = Crew(kind="inbound", streams=streams, work=work, metrics=WorkerMetrics(), lock_seconds=0.1)
    async with streams.lock("inbound:c1", 30):
        crew.start("c1")
        await crew.drain(5)
    assert done == []


async def test_what_does_not_end_in_time_is_cut_short(streams: Streams) -> None:
    async def work(conversation_id: str) -> None:
        await asyncio.Event().wait()

    crew = Crew(kind="inbound", streams=streams, work=work, metrics=WorkerMetrics(), lock_seconds=5, at_once=1)
    crew.most_waiting = 0
    crew.start("c1")
    assert crew.full
    await crew.drain(0.05)
    assert crew.idle


async def test_a_job_is_repeated_until_told_to_stop() -> None:
    stop, times = asyncio.Event(), 0

    async def job() -> None:
        nonlocal times
        times += 1
        if times == 3:
            stop.set()

    await repeat(job, 0.01, stop)
    assert times == 3


async def test_something_nobody_foresaw_ends_the_process_rather_than_leaving_it_half_alive(bench: Bench) -> None:
    worker = bench.worker()

    async def broken() -> None:
        raise RuntimeError("a programming mistake")

    worker.sweeper.sweep = broken  # type: ignore[method-assign]  # stands for a mistake in it
    with pytest.raises(RuntimeError):
        async with asyncio.timeout(patience.SECONDS):
            await worker.run(asyncio.Event())
