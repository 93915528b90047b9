"""`python -m channels run`: the whole product on one machine, started, watched and stopped together.

Order: checks that name the fix, Valkey, migrations, then the five processes at once. A process that dies
is started again within two seconds. Ctrl-C stops everything; if the supervisor itself is killed, Linux
tells the children (PR_SET_PDEATHSIG), so no orphan is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from channels.demo import demo_secrets
from channels.errors import ChannelsError, SettingsError
from channels.processes import PORT_OFFSETS, ProcessSpec, process_table, shared_environment
from channels.settings import Settings
from channels.valkey import Valkey

RESTART_PAUSE = 0.5
"""Seconds between a death and the next start; with the start-up check this stays below two seconds."""
FAILED_PAUSE = 2.0
"""Seconds before trying again what could not even be started."""
READY_DEADLINE = 120.0
STOP_DEADLINE = 8.0
FREE_BYTES_NEEDED = 200 * 1024**2
PR_SET_PDEATHSIG = 1


def say(text: str) -> None:
    print(f"run: {text}", flush=True)


def die_with_parent() -> None:
    """Runs in the child before exec: ask Linux for SIGTERM when the supervisor is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One supervised process."""

    def __init__(self, spec: ProcessSpec, environment: dict[str, str]) -> None:
        self.spec = spec
        self.environment = environment
        self.process: asyncio.subprocess.Process | None = None
        self.stopping = False

    async def supervise(self) -> None:
        """Start it, hand its lines on with its name in front, start it again whenever it ends."""
        while not self.stopping:
            try:
                self.process = await self.start()
            except OSError as problem:
                say(f"{self.spec.name} could not be started ({type(problem).__name__}); trying again")
                await asyncio.sleep(FAILED_PAUSE)
                continue
            await self.forward_lines(self.process)
            code = await self.process.wait()
            if not self.stopping:
                say(f"{self.spec.name} ended with code {code}; starting it again")
                await asyncio.sleep(RESTART_PAUSE)

    async def start(self) -> asyncio.subprocess.Process:
        """Raises OSError: no such program, or no memory for one more process."""
        return await asyncio.create_subprocess_exec(
            *self.spec.command,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
            limit=1024 * 1024,
        )

    async def forward_lines(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line longer than the limit: drop it, keep the process
                continue
            if not line:
                return
            print(f"{self.spec.name:>7} | {line.decode(errors='replace').rstrip()}", flush=True)

    async def ready(self, client: httpx.AsyncClient) -> float:
        """Wait for its ready address. Returns the seconds it took; raises ChannelsError after the deadline."""
        began = time.monotonic()
        while time.monotonic() - began < READY_DEADLINE:
            with contextlib.suppress(httpx.HTTPError):
                response = await client.get(self.spec.ready_url, timeout=2.0)
                if response.status_code == httpx.codes.OK:
                    return time.monotonic() - began
            await asyncio.sleep(0.1)
        raise ChannelsError(
            f"{self.spec.name} was not ready after {READY_DEADLINE:.0f} s. Its own lines above say why; "
            "`python -m channels doctor` checks the rest."
        )

    async def stop(self) -> None:
        self.stopping = True
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_DEADLINE)
        except TimeoutError:
            say(f"{self.spec.name} did not stop by itself; ending it")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


def check_ports(settings: Settings) -> None:
    """Raises SettingsError naming the first port that something else holds."""
    for name, offset in PORT_OFFSETS.items():
        port = settings.port + offset
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise SettingsError(
                    f"Port {port} (for {name}) is taken, perhaps by another copy. Stop that one, or choose other "
                    f"ports and another folder:  NWD_PORT={settings.port + 100} NWD_DATA_DIR=.data-2 make run"
                ) from None


def check_machine(settings: Settings) -> None:
    """What must be there before anything is started; each complaint says what to type."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    if free < FREE_BYTES_NEEDED:
        raise SettingsError(
            f"Only {free // 1024**2} MB are free for {settings.data_dir}. Free some space (200 MB at least), "
            "or choose a folder on another disk with NWD_DATA_DIR."
        )
    if not Path(settings.rasa_python).exists():
        raise SettingsError(f"{settings.rasa_python} is missing: run `make setup`, or set NWD_RASA_PYTHON.")
    if not (settings.build_dir / "rasa" / "current.tar.gz").exists():
        raise SettingsError("The assistant has not been trained: run `make setup`.")


@contextlib.contextmanager
def hold_data_folder(folder: Path) -> Iterator[None]:
    """One copy a data folder. Raises SettingsError if another supervisor holds it."""
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"Another copy runs on {folder}. Stop it, or start this one with another folder and port:  "
                "NWD_PORT=8100 NWD_DATA_DIR=.data-2 make run"
            ) from None
        yield


async def watch_valkey(valkey: Valkey) -> None:
    """Start the embedded server again when it dies (it ends by itself when the disk is full)."""
    while True:
        await asyncio.sleep(0.5)
        if not await asyncio.to_thread(valkey.alive):
            say("valkey ended; starting it again")
            with contextlib.suppress(OSError, ChannelsError):
                await asyncio.to_thread(valkey.start)


async def start_and_watch(settings: Settings, environment: dict[str, str], valkey: Valkey | None) -> None:
    """Start the processes, report each as it becomes ready, then stay until a signal comes."""
    began = time.monotonic()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stopped.set)
    children = [Child(spec, environment) for spec in process_table(settings)]
    tasks = [asyncio.create_task(child.supervise()) for child in children]
    if valkey is not None:
        tasks.append(asyncio.create_task(watch_valkey(valkey)))
    announcing = asyncio.create_task(announce_ready(settings, children, began))
    announcing.add_done_callback(lambda task: stopped.set() if not task.cancelled() and task.exception() else None)
    await stopped.wait()
    say("stopping ...")
    announcing.cancel()
    await asyncio.gather(*(child.stop() for child in reversed(children)))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    problem = announcing.exception() if announcing.done() and not announcing.cancelled() else None
    if problem:
        raise problem


async def announce_ready(settings: Settings, children: list[Child], began: float) -> None:
    async def report(child: Child, client: httpx.AsyncClient) -> None:
        seconds = await child.ready(client)
        say(f"{child.spec.name:<8} ready after {seconds:.1f} s")

    async with httpx.AsyncClient(trust_env=False) as client:
        await asyncio.gather(*(report(child, client) for child in children))
    say(f"everything is ready after {time.monotonic() - began:.1f} s.  Open  http://{settings.host}:{settings.port}/")
    say("Ctrl-C stops it.")


def run(settings: Settings) -> int:
    """The composition root of `make run`. Returns the exit code."""
    try:
        check_machine(settings)
        with hold_data_folder(settings.data_dir):
            check_ports(settings)
            return run_held(settings)
    except (ChannelsError, OSError) as problem:
        print(f"run: {problem}", file=sys.stderr)
        return 1


def run_held(settings: Settings) -> int:
    secrets = demo_secrets(settings) if settings.demo else {}
    redis_url = settings.redis_url.get_secret_value()
    valkey = None
    if not redis_url:
        valkey = Valkey(settings.data_dir)
        redis_url = valkey.start()
        say("valkey   ready")
    try:
        environment = shared_environment(settings, secrets, redis_url)
        prepare_ledger(environment)
        asyncio.run(start_and_watch(settings, environment, valkey))
    finally:
        if valkey is not None:
            valkey.stop()
    say("stopped.")
    return 0


def prepare_ledger(environment: dict[str, str]) -> None:
    """Migrations (and in demo mode the people who can sign in), in a child so that it sees the same settings."""
    import subprocess

    done = subprocess.run([sys.executable, "-m", "channels", "migrate"], env=environment, check=False)
    if done.returncode != 0:
        raise ChannelsError("The ledger could not be prepared; the lines above say why.")
    say("ledger   ready")
