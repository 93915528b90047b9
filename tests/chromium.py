"""The real browser of the tests: the Chromium that this machine has, and what axe-core finds on a page in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Final

from playwright.async_api import Browser, Page, async_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""Tests marked `browser` are skipped where there is none: apt-get install chromium."""
OPTIONS: Final = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
"""As root, without a screen, and with nothing of its own to say to anybody outside."""


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield opened
        await opened.close()


async def violations(page: Page, state: str) -> list[str]:
    """What axe-core objects to, one line for each element. `state` says where in the tale the page is."""
    await page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{state}: {problem['id']}: {node['html'][:120]} {[one['message'] for one in node['any']][:2]}"
        for problem in found["violations"]
        for node in problem["nodes"]
    ]
