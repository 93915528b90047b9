"""Who goes first, and how fast."""

from __future__ import annotations

import asyncio

import pytest

from channels.pacing import Pacer, Places


async def turns(pacer: Pacer, names: list[tuple[str, bool]], cost: int = 1) -> list[str]:
    """The order in which they went."""
    went: list[str] = []

    async def go(name: str, urgent: bool) -> None:
        await pacer.turn(cost, urgent=urgent)
        went.append(name)

    await asyncio.gather(*(go(name, urgent) for name, urgent in names))
    return went


async def seconds(pacer: Pacer, count: int, cost: int = 1) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await turns(pacer, [("x", False)] * count, cost)
    return loop.time() - began


@pytest.mark.parametrize(
    ("rate", "count", "cost", "least"),
    [
        pytest.param(50, 50, 1, 0.0, id="a bucketful goes at once"),
        pytest.param(50, 60, 1, 0.2, id="ten more take a fifth of a second"),
        pytest.param(50, 30, 2, 0.2, id="two segments count twice"),
        pytest.param(5, 2, 6, 0.2, id="more than the bucket holds goes, and the next waits longer"),
    ],
)
async def test_no_more_than_the_rate(rate: float, count: int, cost: int, least: float) -> None:
    taken = await seconds(Pacer(rate), count, cost)
    assert taken >= least - 0.01
    if least == 0.0:
        assert taken < 0.1


async def test_urgent_ones_overtake_all_who_wait_and_the_rest_keep_their_order() -> None:
    pacer = Pacer(20)
    await turns(pacer, [("x", False)] * 20)
    names = [("a", False), ("b", False), ("c", True), ("d", False), ("e", True)]
    assert await turns(pacer, names) == ["c", "e", "a", "b", "d"]


async def test_whoever_gives_up_waiting_holds_nobody_back() -> None:
    pacer = Pacer(20)
    await turns(pacer, [("x", False)] * 20)
    tired = [asyncio.create_task(pacer.turn()) for _ in range(50)]
    await asyncio.sleep(0)
    for task in tired:
        task.cancel()
    async with asyncio.timeout(0.5):
        await pacer.turn()


async def test_places_are_limited_and_go_to_urgent_work_first() -> None:
    places, inside, went = Places(2), 0, list[str]()
    release = asyncio.Event()

    async def work(name: str, urgent: bool = False) -> None:
        nonlocal inside
        async with places.take(urgent=urgent):
            inside += 1
            assert inside <= 2
            await release.wait()
            went.append(name)
            inside -= 1

    tasks = [asyncio.create_task(work(name, name == "urgent")) for name in ("a", "b", "c", "d", "urgent")]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(*tasks)
    assert went == ["a", "b", "urgent", "c", "d"]


@pytest.mark.parametrize("when", ["while waiting", "just when called", "inside"])
async def test_a_place_is_never_lost_to_a_cancellation(when: str) -> None:
    places, hold = Places(1), asyncio.Event()

    async def work() -> None:
        async with places.take():
            await hold.wait()

    first, second = asyncio.create_task(work()), asyncio.create_task(work())
    await asyncio.sleep(0)
    if when == "inside":
        first.cancel()
    elif when == "while waiting":
        second.cancel()
        hold.set()
    else:
        hold.set()
        await first
        second.cancel()
    hold.set()
    await asyncio.gather(first, second, return_exceptions=True)
    async with asyncio.timeout(0.2), places.take():
        pass
