"""News on a real Valkey: whoever waits is woken at once, and after any trouble everybody looks for themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import redis

from channels.streams import Streams
from channels.streams.keys import Keys
from channels.streams.watch import Watching
from channels.valkey import Valkey
from tests import patience
from tests.ledger_builders import TEST_PREFIX


def raw(url: str) -> contextlib.closing[redis.Redis]:
    return contextlib.closing(redis.Redis.from_url(url, decode_responses=True))


class TestNews:
    async def test_wakes_who_waits_for_that_name(self, streams: Streams) -> None:
        async with streams.watch("c1", "queue") as watch:
            waiting = asyncio.create_task(watch.wait(patience.SECONDS))
            await asyncio.sleep(0)
            await streams.changed("c2")
            await streams.changed("c1")
            assert await waiting == "c1"
            assert await watch.wait(0.05) is None

    async def test_each_name_comes_once_however_often_it_changed(self, streams: Streams) -> None:
        async with streams.watch("c1", "queue", "end") as watch, streams.watch("end") as last:
            for name in ("c1", "queue", "c1", "queue", "end"):
                await streams.changed(name)
            assert await last.wait(patience.SECONDS) == "end"
            assert [await watch.wait(patience.SECONDS) for _ in range(3)] == ["c1", "queue", "end"]
            assert await watch.wait(0.05) is None

    async def test_what_changes_while_nobody_waits_is_told_at_the_next_look(self, streams: Streams) -> None:
        async with streams.watch("c1") as watch, streams.watch("c1") as other:
            await streams.changed("c1")
            assert await other.wait(patience.SECONDS) == "c1"
            assert await watch.wait(patience.SECONDS) == "c1"

    async def test_one_subscription_serves_all_pages(self, streams: Streams, valkey_url: str) -> None:
        async with contextlib.AsyncExitStack() as pages:
            watches = [await pages.enter_async_context(streams.watch("queue")) for _ in range(50)]
            with raw(valkey_url) as client:
                assert client.pubsub_numpat() == 1
            await streams.changed("queue")
            assert await asyncio.gather(*(watch.wait(patience.SECONDS) for watch in watches)) == ["queue"] * 50

    async def test_another_process_hears_it_too(self, streams: Streams, valkey_url: str) -> None:
        elsewhere = Streams.connect(valkey_url, TEST_PREFIX, 4)
        async with streams.watch("c1") as watch:
            await elsewhere.changed("c1")
            assert await watch.wait(patience.SECONDS) == "c1"
        await elsewhere.close()

    async def test_a_whole_kind_of_news_can_be_watched(self, streams: Streams) -> None:
        async with streams.watch("typing:*") as watch, streams.watch("typing:c2") as only:
            for name in ("typing:c1", "c1", "queue", "typing:c2"):
                await streams.changed(name)
            assert [await watch.wait(patience.SECONDS), await watch.wait(patience.SECONDS)] == [
                "typing:c1",
                "typing:c2",
            ]
            assert await only.wait(patience.SECONDS) == "typing:c2"
            assert await watch.wait(0.05) is None

    async def test_what_several_processes_would_do_is_done_by_the_first(
        self, streams: Streams, valkey_url: str
    ) -> None:
        elsewhere = Streams.connect(valkey_url, TEST_PREFIX, 4)
        asked = await asyncio.gather(streams.first("x", 60), elsewhere.first("x", 60), streams.first("x", 60))
        assert sorted(asked) == [False, False, True]
        assert await elsewhere.first("y", 60)
        await elsewhere.close()

    async def test_after_a_restart_of_the_server_everybody_looks_and_hears_again(self, own_valkey: Valkey) -> None:
        streams = Streams.connect(own_valkey.url, TEST_PREFIX, 4)
        async with streams.watch("c1", "queue") as watch:
            with raw(own_valkey.url) as client:
                os.kill(client.info("server")["process_id"], signal.SIGKILL)
            await asyncio.to_thread(own_valkey.start)
            assert {await watch.wait(patience.SECONDS), await watch.wait(patience.SECONDS)} == {"c1", "queue"}
            await streams.changed("queue")
            assert await watch.wait(patience.SECONDS) == "queue"
        await streams.close()

    async def test_a_server_that_stops_answering_is_left_and_found_again(self, own_valkey: Valkey) -> None:
        watching = Watching(own_valkey.url, Keys(TEST_PREFIX), quiet=0.05)
        with raw(own_valkey.url) as client:
            pid = client.info("server")["process_id"]
        async with watching.watch(["c1"]) as watch:
            assert await watch.wait(0.3) is None
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.2)
            os.kill(pid, signal.SIGCONT)
            assert await watch.wait(patience.SECONDS) == "c1"
        await watching.close()

    async def test_a_page_opens_without_a_server_and_hears_when_it_comes(self, own_valkey: Valkey) -> None:
        await asyncio.to_thread(own_valkey.stop)
        streams = Streams.connect(own_valkey.url, TEST_PREFIX, 4)
        async with streams.watch("c1") as watch:
            await asyncio.to_thread(own_valkey.start)
            assert await watch.wait(patience.SECONDS) == "c1"
        await streams.close()


class Swallowing(Watching):
    """Loses its first cancellation, as the client does when one comes while it connects."""

    async def _listen(self) -> None:
        self._subscribed.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)


async def test_closing_comes_to_an_end_though_a_cancellation_is_swallowed() -> None:
    watching = Swallowing("redis://127.0.0.1:1", Keys(TEST_PREFIX))
    async with watching.watch(["queue"]):
        closing = asyncio.create_task(watching.close())
        ended, _ = await asyncio.wait([closing], timeout=patience.SECONDS)
    assert closing in ended
    await watching.close()
