"""Streams on a real Valkey: work outlives workers and servers, turns are exclusive, news wakes who waits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from channels.errors import StreamsUnavailable
from channels.streams import Entry, Streams
from channels.valkey import Valkey
from tests import patience
from tests.ledger_builders import TEST_PREFIX

ROOT = Path(__file__).parents[2]
ALL = range(4)
NOW = 0
"""Milliseconds of idleness after which something is taken over."""


def raw(url: str) -> contextlib.closing[redis.Redis]:
    return contextlib.closing(redis.Redis.from_url(url, decode_responses=True))


async def take_now(streams: Streams, kind: str, consumer: str = "one", count: int = 10) -> list[Entry]:
    return await streams.take(kind, consumer, ALL, count=count, block_ms=1)


def ids(entries: list[Entry]) -> list[str]:
    return [entry.conversation_id for entry in entries]


class TestWork:
    @pytest.mark.parametrize("kind", ["inbound", "outbound"])
    async def test_is_handed_to_one_worker(self, streams: Streams, kind: str) -> None:
        announce = streams.announce_inbound if kind == "inbound" else streams.announce_outbound
        assert await announce(2, "c1")
        (entry,) = await take_now(streams, kind)
        assert (entry.kind, entry.shard, entry.conversation_id, entry.urgent) == (kind, 2, "c1", False)
        assert await take_now(streams, kind, "two") == []
        other = "outbound" if kind == "inbound" else "inbound"
        assert await take_now(streams, other) == []

    async def test_keeps_its_order_within_a_shard(self, streams: Streams) -> None:
        for n in range(5):
            await streams.announce_inbound(1, f"c{n}")
        taken: list[str] = []
        while entries := await streams.take("inbound", "one", [1], count=2, block_ms=1):
            assert len(entries) <= 2
            taken += ids(entries)
        assert taken == ["c0", "c1", "c2", "c3", "c4"]

    async def test_is_taken_from_the_shards_asked_for(self, streams: Streams) -> None:
        await streams.announce_inbound(0, "c0")
        await streams.announce_inbound(3, "c3")
        assert ids(await streams.take("inbound", "one", [3], block_ms=1)) == ["c3"]
        assert await streams.take("inbound", "one", [], block_ms=1) == []

    async def test_arrives_at_once_where_somebody_waits(self, streams: Streams) -> None:
        await take_now(streams, "inbound")
        waiting = asyncio.create_task(streams.take("inbound", "one", ALL, block_ms=600_000))
        await asyncio.sleep(0.05)
        await streams.announce_inbound(0, "c1")
        async with asyncio.timeout(patience.SECONDS):
            assert ids(await waiting) == ["c1"]

    async def test_waiting_ends_by_itself(self, streams: Streams) -> None:
        began = time.monotonic()
        async with asyncio.timeout(patience.SECONDS):
            assert await streams.take("inbound", "one", ALL, block_ms=100) == []
        assert time.monotonic() - began > 0.05

    async def test_finished_is_gone(self, streams: Streams) -> None:
        await streams.announce_inbound(0, "c1")
        (entry,) = await take_now(streams, "inbound")
        await streams.ack(entry)
        await streams.ack(entry)
        assert await streams.reclaim("inbound", "two", NOW) == []
        assert await streams.depth() == {"inbound": 0, "outbound": 0, "urgent": 0, "queue": 0}

    async def test_urgent_goes_first(self, streams: Streams) -> None:
        await streams.announce_outbound(0, "plain")
        await streams.announce_outbound(3, "urgent", urgent=True)
        assert await streams.depth() == {"inbound": 0, "outbound": 1, "urgent": 1, "queue": 0}
        (first,) = await take_now(streams, "outbound")
        assert (first.conversation_id, first.urgent, first.kind) == ("urgent", True, "outbound")
        await streams.ack(first)
        assert ids(await take_now(streams, "outbound")) == ["plain"]
        assert (await streams.depth())["urgent"] == 0

    async def test_urgent_wakes_who_waits_for_anything(self, streams: Streams) -> None:
        await take_now(streams, "outbound")
        waiting = asyncio.create_task(streams.take("outbound", "one", ALL, block_ms=5000))
        await asyncio.sleep(0.05)
        await streams.announce_outbound(2, "c1", urgent=True)
        (entry,) = await waiting
        assert entry.urgent


class TestTakingOver:
    @pytest.mark.parametrize("urgent", [False, True], ids=["plain", "urgent"])
    async def test_what_a_worker_left_behind(self, streams: Streams, urgent: bool) -> None:
        await streams.announce_outbound(1, "c1", urgent=urgent)
        (left,) = await take_now(streams, "outbound", "dead")
        assert await streams.reclaim("outbound", "alive", 60_000) == []
        assert await streams.reclaim("outbound", "alive", NOW) == [left]
        await streams.ack(left)
        assert await streams.reclaim("outbound", "third", NOW) == []

    async def test_one_of_several_gets_it(self, streams: Streams) -> None:
        for n in range(8):
            await streams.announce_inbound(n % 4, f"c{n}")
        await take_now(streams, "inbound", "dead", 40)
        await asyncio.sleep(2)
        results = await asyncio.gather(*(streams.reclaim("inbound", f"alive {n}", 2000) for n in range(4)))
        assert sorted(found for entries in results for found in ids(entries)) == [f"c{n}" for n in range(8)]

    async def test_before_there_is_any_work(self, streams: Streams) -> None:
        assert await streams.reclaim("inbound", "alive", NOW) == []

    async def test_after_kill_9_of_a_worker(self, streams: Streams, valkey_url: str) -> None:
        for n in range(4):
            await streams.announce_inbound(n, f"c{n}")
        program = (
            "import asyncio, sys\n"
            "from channels.streams import Streams\n"
            "async def work():\n"
            f"    streams = Streams.connect(sys.argv[1], {TEST_PREFIX!r}, 4)\n"
            "    print(len(await streams.take('inbound', 'dead', range(4), 40)), flush=True)\n"
            "    await asyncio.sleep(60)\n"
            "asyncio.run(work())\n"
        )
        worker = subprocess.Popen(
            [sys.executable, "-c", program, valkey_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert worker.stdout is not None
        assert await asyncio.to_thread(worker.stdout.readline) == "4\n"
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        assert sorted(ids(await streams.reclaim("inbound", "alive", NOW))) == ["c0", "c1", "c2", "c3"]

    async def test_dead_consumers_are_struck_off_but_not_with_work_left(self, streams: Streams) -> None:
        await streams.announce_inbound(0, "c1")
        (left,) = await streams.take("inbound", "dead", [0], block_ms=1)
        assert await streams.tidy(idle_ms=60_000) == 0
        await asyncio.sleep(0.01)
        assert await streams.tidy(idle_ms=1) == 0
        await streams.ack(left)
        assert await streams.tidy(idle_ms=1) == 1


class TestLosingEverything:
    async def test_after_flushall_the_next_announcement_arrives(self, streams: Streams, valkey_url: str) -> None:
        await streams.announce_inbound(0, "lost")
        await take_now(streams, "inbound")
        with raw(valkey_url) as client:
            client.flushall()
        assert await streams.reclaim("inbound", "one", NOW) == []
        await streams.announce_inbound(0, "again")
        assert ids(await take_now(streams, "inbound")) == ["again"]

    async def test_flushall_under_somebody_who_waits(self, streams: Streams, valkey_url: str) -> None:
        await take_now(streams, "inbound")
        waiting = asyncio.create_task(streams.take("inbound", "one", ALL, block_ms=3000))
        await asyncio.sleep(0.05)
        with raw(valkey_url) as client:
            client.flushall()
        await streams.announce_inbound(0, "again")
        taken = await waiting or await take_now(streams, "inbound")
        assert ids(taken) == ["again"]

    async def test_acknowledging_what_is_no_longer_there(self, streams: Streams, valkey_url: str) -> None:
        await streams.announce_inbound(0, "c1")
        (entry,) = await take_now(streams, "inbound")
        with raw(valkey_url) as client:
            client.flushall()
        await streams.ack(entry)

    async def test_a_server_that_was_killed_comes_back_with_the_work(self, own_valkey: Valkey) -> None:
        streams = Streams.connect(own_valkey.url, TEST_PREFIX, 4)
        await streams.announce_inbound(0, "taken")
        await take_now(streams, "inbound", "dead")
        await streams.announce_inbound(0, "new")
        with raw(own_valkey.url) as client:
            os.kill(client.info("server")["process_id"], signal.SIGKILL)
        await asyncio.to_thread(own_valkey.start)
        assert ids(await take_now(streams, "inbound")) == ["new"]
        assert ids(await streams.reclaim("inbound", "alive", NOW)) == ["taken", "new"]
        await streams.close()

    async def test_without_a_server_announcing_says_no_and_the_rest_says_why(self, own_valkey: Valkey) -> None:
        streams = Streams.connect(own_valkey.url, TEST_PREFIX, 4)
        await asyncio.to_thread(own_valkey.stop)
        async with asyncio.timeout(patience.SECONDS):
            assert await streams.announce_inbound(0, "c1") is False
            assert await streams.announce_outbound(0, "c1", urgent=True) is False
            await streams.changed("queue")
        with pytest.raises(StreamsUnavailable):
            await streams.ping()
        with pytest.raises(StreamsUnavailable):
            await take_now(streams, "inbound")
        with pytest.raises(StreamsUnavailable):
            async with streams.lock("c1", 5):
                pytest.fail("nobody gave this lock")
        await streams.close()


class TestLocks:
    async def test_one_of_twenty_has_it(self, streams: Streams) -> None:
        refused, all_tried = 0, asyncio.Event()

        async def work() -> bool:
            nonlocal refused
            async with streams.lock("c1", 60) as mine:
                refused += not mine
                if refused == 19:
                    all_tried.set()
                if mine:
                    async with asyncio.timeout(patience.SECONDS):
                        await all_tried.wait()
                return mine

        assert sum(await asyncio.gather(*(work() for _ in range(20)))) == 1

    async def test_is_free_again_afterwards_even_after_an_error(self, streams: Streams) -> None:
        with pytest.raises(RuntimeError):
            async with streams.lock("c1", 5):
                raise RuntimeError
        async with streams.lock("c1", 5) as mine:
            assert mine

    async def test_different_names_do_not_meet(self, streams: Streams) -> None:
        async with streams.lock("c1", 5) as one, streams.lock("c2", 5) as other:
            assert one
            assert other

    async def test_an_expired_one_is_not_taken_from_its_next_holder(self, streams: Streams) -> None:
        async with streams.lock("c1", 0.03) as first:
            assert first
            await asyncio.sleep(0.06)
            late = streams.lock("c1", 5)
            assert await late.__aenter__()
        async with streams.lock("c1", 5) as third:
            assert not third
        await late.__aexit__(None, None, None)

    async def test_an_error_of_the_work_inside_stays_what_it_is(self, streams: Streams) -> None:
        with pytest.raises(OSError, match="ours"):
            async with streams.lock("c1", 5):
                raise OSError("ours")


class TestTheQueue:
    async def test_holds_each_who_was_put_in_and_not_taken_out_by_score(self, streams: Streams) -> None:
        await streams.queue_put({"late": 30.5, "second": 2.0})
        await streams.queue_put({"first": -1.0})
        assert list(await streams.queue_scores()) == ["first", "second", "late"]
        assert (await streams.depth())["queue"] == 3
        await streams.queue_remove("second", "never there")
        assert list(await streams.queue_scores()) == ["first", "late"]
        await streams.queue_remove("first", "late")
        assert list(await streams.queue_scores()) == []

    async def test_a_lease_has_an_owner_until_it_ends(self, streams: Streams) -> None:
        assert await streams.lease_owner("e1") is None
        await streams.lease("e1", "sam", 30)
        assert await streams.lease_owner("e1") == "sam"
        await streams.drop_lease("e1")
        assert await streams.lease_owner("e1") is None
        await streams.lease("e1", "sam", 0.02)
        await asyncio.sleep(0.05)
        assert await streams.lease_owner("e1") is None

    async def test_presence_ends_without_a_sign_of_life(self, streams: Streams) -> None:
        await streams.present("sam", 30)
        await streams.present("ana", 30)
        assert sorted(await streams.presence()) == ["ana", "sam"]
        await streams.present("ana", 0.02)
        await asyncio.sleep(0.05)
        assert await streams.presence() == ["sam"]


async def test_a_key_that_is_something_else_is_said_and_not_overwritten(streams: Streams, valkey_url: str) -> None:
    with raw(valkey_url) as client:
        client.set(f"{TEST_PREFIX}:inbound:0", "not a stream")
    assert await streams.announce_inbound(0, "c1") is False
    with pytest.raises(StreamsUnavailable):
        await take_now(streams, "inbound")
    with pytest.raises(StreamsUnavailable):
        await streams.reclaim("inbound", "one", NOW)
    with raw(valkey_url) as client:
        assert client.get(f"{TEST_PREFIX}:inbound:0") == "not a stream"


async def test_two_services_on_one_server_never_meet(streams: Streams, valkey_url: str) -> None:
    other = Streams.connect(valkey_url, "other", 4)
    await streams.announce_inbound(0, "c1")
    await streams.queue_put({"e1": 1.0})
    await streams.lease("e1", "sam", 30)
    await streams.present("sam", 30)
    assert await take_now(other, "inbound") == []
    assert (list(await other.queue_scores()), await other.lease_owner("e1"), await other.presence()) == ([], None, [])
    async with streams.lock("c1", 5), other.lock("c1", 5) as mine, other.watch("c1") as watch:
        assert mine
        await streams.changed("c1")
        await other.changed("c1")
        assert await watch.wait(patience.SECONDS) == "c1"
        assert await watch.wait(0.05) is None
    with raw(valkey_url) as client:
        assert {key.split(":")[0] for key in client.keys("*")} == {TEST_PREFIX, "other"}
    await other.close()


async def test_a_burst_waits_for_a_connection_and_is_not_told_that_redis_is_away(streams: Streams) -> None:
    announced = await asyncio.gather(*(streams.announce_inbound(0, f"c{number}") for number in range(500)))
    assert all(announced)
    assert (await streams.depth())["inbound"] == 500
