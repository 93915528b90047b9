"""aiogram as a second opinion: it reads every recorded update, and drives the fake Telegram as its own Bot API.

Only with NWD_TEST_AIOGRAM=1: the package is then fetched into an environment in the tests' own temporary folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.telegram import Telegram
from tests.integration.serving import eventually
from tests.phone_builders import ASH, World, open_world, with_phones

PACKAGE = "aiogram==3.31.0"
CLIENT = Path(__file__).parent.parent / "aiogram_client.py"
DATA = Path(__file__).parent.parent / "data" / "telegram"
STEP_SECONDS = 120.0
"""The first step waits for the library to load."""
KINDS = {
    "edited": "edited_message",
    "channel_post": "channel_post",
    "channel_mention": "channel_post",
    "live_location_moves": "edited_message",
}
MEMBERSHIP = {"blocked_us", "unblocked_us", "added_to_group", "made_administrator", "removed_from_group"}


@pytest.fixture(scope="module")
def aiogram(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has aiogram."""
    if os.environ.get("NWD_TEST_AIOGRAM") != "1":
        pytest.skip("set NWD_TEST_AIOGRAM=1 to fetch aiogram and compare")
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed: nothing to make an environment with")
    folder = tmp_path_factory.mktemp("aiogram")
    python = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--python", sys.executable, folder],
        [uv, "pip", "install", "--python", python, PACKAGE],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        if done.returncode != 0:
            pytest.skip(f"uv could not fetch {PACKAGE}: {done.stderr.strip()[-200:]}")
    return python


# -- updates


def expected_kind(name: str) -> str | None:
    if name == "kind_from_the_future":
        return None
    if name in MEMBERSHIP:
        return "my_chat_member"
    return "callback_query" if "press" in name else KINDS.get(name, "message")


async def test_aiogram_reads_every_recorded_update_as_we_do(aiogram: Path) -> None:
    recorded = {path.stem: json.loads(path.read_text()) for path in sorted(DATA.glob("*.json"))}
    done = subprocess.run(
        [aiogram, CLIENT, "read"], input=json.dumps(recorded), capture_output=True, text=True, timeout=STEP_SECONDS
    )
    assert done.returncode == 0, done.stderr[-2000:]
    read: dict[str, Any] = json.loads(done.stdout)
    assert {name: found["kind"] for name, found in read.items()} == {name: expected_kind(name) for name in recorded}
    telegram = Telegram(Settings(telegram_token="123456789:token", telegram_secret="s"))
    compared = 0
    for name, update in recorded.items():
        ours, theirs = telegram.parse(update), read[name]
        if ours is None or theirs["chat"] is None:
            continue
        compared += 1
        assert ours.address == str(theirs["chat"]), name
        if not (theirs["words"] or "").startswith("/"):
            assert (ours.payload or ours.text) == (theirs["words"] or ""), name
    await telegram.close()
    assert compared >= 15


# -- the fake Telegram


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_phones(settings)


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(settings, ledger, streams) as opened:
        yield opened


Drive = Callable[[str], Awaitable[Any]]


@asynccontextmanager
async def driver(aiogram: Path, world: World) -> AsyncIterator[Drive]:
    """One client that is told step by step what to do; its answer to each."""
    token = world.settings.telegram_token.get_secret_value()
    url = f"{world.settings.base_url}/simulator/telegram"
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        aiogram, CLIENT, "drive", url, token, ASH.address, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said, told = process.stdout, process.stdin

    async def drive(step: str) -> Any:
        told.write(f"{step}\n".encode())
        async with asyncio.timeout(STEP_SECONDS):
            line = await said.readline()
        return json.loads(line) if line else (await process.communicate())[1].decode()[-2000:]

    try:
        yield drive
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_aiogram_takes_our_fake_for_telegram(aiogram: Path, world: World) -> None:
    bot_id = int(world.settings.telegram_token.get_secret_value().split(":")[0])
    async with driver(aiogram, world) as drive:
        assert await drive("me") == [bot_id, True, "no_wrong_door_demo_bot"]
        assert await drive("menu") == [["start"], "Geiriau", "Gair", 0]
        assert await drive("talk") == ["These can help:", True, True, True, "TelegramBadRequest"]
        assert await drive("refusals") == [*["TelegramBadRequest"] * 4, "TelegramUnauthorizedError"]
        for status, problem in (
            (429, "TelegramRetryAfter 1"),
            (500, "TelegramServerError"),
            (409, "TelegramConflictError"),
        ):
            world.phones.misbehave["telegram"].status, world.phones.misbehave["telegram"].times = status, 1
            assert await drive("send") == problem
        assert await drive("updates") == ["TelegramConflictError", [], True, 0]
        await world.browser.post(f"{ASH.page}/messages", data={"text": "/start poster-library"})
        await world.browser.post(f"{ASH.page}/block")

        async def both_wait() -> bool:
            return len(await world.telegram.updates(None)) == 2

        await eventually(both_wait)
        assert await drive("updates") == ["", ["message", "my_chat_member"], True, 0]
        assert await drive("send") == "TelegramForbiddenError"
        assert await drive("webhook") == "https://help.example/hooks/telegram"
