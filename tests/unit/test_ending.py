"""A task that swallows a cancellation ends all the same."""

from __future__ import annotations

import asyncio

from channels.ending import cut_short


async def test_a_swallowed_cancellation_is_said_again() -> None:
    swallowed = 0

    async def connect() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed += 1

    tasks = [asyncio.create_task(connect()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    await cut_short(tasks)
    assert swallowed == 1
    assert all(task.cancelled() for task in tasks)


async def test_what_has_ended_is_left_alone() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "done"))
    await task
    await cut_short([task])
    assert task.result() == "done"
