"""A program that cannot be started now is tried again: a machine short of memory must not lose a process for good."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from channels.processes import ProcessSpec
from channels.supervisor import Child


async def test_a_program_that_cannot_be_started_is_said_and_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "program"
    child = Child(ProcessSpec(name="worker", command=(str(program),), ready_url=""), {})
    supervising = asyncio.create_task(child.supervise())
    said = ""
    async with asyncio.timeout(30):
        while "started" not in said:
            await asyncio.sleep(0.05)
            said += capfd.readouterr().out
        assert "worker could not be started (FileNotFoundError)" in said
        program.write_text("#!/bin/sh\necho here now\nexec /bin/sleep 60\n")
        program.chmod(0o700)
        while "worker | here now" not in said:
            await asyncio.sleep(0.05)
            said += capfd.readouterr().out
        await child.stop()
        await supervising
