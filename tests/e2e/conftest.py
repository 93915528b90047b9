"""The whole product, started as a person would start it, on a spare port and an empty data folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
START_DEADLINE = 120.0


def spare_port() -> int:
    """A port whose companions (the next ten) are free as well."""
    for base in range(18000 + os.getpid() % 400 * 20, 32000, 20):
        try:
            for offset in range(10):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports between 18000 and 32000")


@dataclass(frozen=True)
class Product:
    """A running copy of the product."""

    port: int
    data_dir: Path
    supervisor: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pid_of(self, name: str) -> int:
        """The process id of one of the five processes, found as the supervisor's child by its command line."""
        marks = {"rasa": "rasa\0run", "actions": "bot.actions", "app": "channels\0app", "worker": "channels\0worker",
                 "editor": "knowledge\0editor"}  # fmt: skip
        children = Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children").read_text().split()
        for child in children:
            if marks[name] in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
        raise LookupError(f"{name} is not running")

    def wait_ready(self, deadline: float = START_DEADLINE) -> None:
        """Until every process answers on its ready address."""
        ready = {0: "/health", 1: "/health", 2: "/health", 5: "/webhooks/gateway/ready", 6: "/ready"}
        addresses = [f"http://127.0.0.1:{self.port + offset}{path}" for offset, path in ready.items()]
        began = time.monotonic()
        with httpx.Client(timeout=3, trust_env=False) as client:
            for address in addresses:
                while True:
                    if self.supervisor.poll() is not None:
                        raise AssertionError(f"the product ended while starting:\n{self.log.read_text()[-3000:]}")
                    if time.monotonic() - began > deadline:
                        raise AssertionError(f"{address} is not ready:\n{self.log.read_text()[-3000:]}")
                    try:
                        if client.get(address).status_code == httpx.codes.OK:
                            break
                    except httpx.HTTPError:
                        pass
                    time.sleep(0.1)


def start_product(folder: Path, **env: str) -> Product:
    port = spare_port()
    data_dir = folder / "data"
    data_dir.mkdir(exist_ok=True)
    log = folder / "product.log"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("NWD_") and name != "REDIS_URL"
    }
    environment.update(NWD_PORT=str(port), NWD_DATA_DIR=str(data_dir), **env)
    subprocess.run(
        [sys.executable, "-m", "knowledge", "index"], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    with log.open("wb") as out:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "channels", "run"], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    return Product(port=port, data_dir=data_dir, supervisor=supervisor, log=log)


def stop_product(product: Product) -> int:
    if product.supervisor.poll() is None:
        product.supervisor.send_signal(signal.SIGINT)
    return product.supervisor.wait(timeout=30)


def run_product(folder: Path) -> Iterator[Product]:
    """Start, give, stop."""
    if not (ROOT / ".build" / "rasa" / "current.tar.gz").exists():
        pytest.skip("the assistant has not been trained: run `make setup`")
    running = start_product(folder)
    try:
        running.wait_ready()
        yield running
    finally:
        stop_product(running)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    yield from run_product(tmp_path_factory.mktemp("product"))
