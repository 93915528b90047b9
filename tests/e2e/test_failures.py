"""Parts of the running product are stopped, hung and emptied; the person still gets an answer or a person, once."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.e2e.conftest import ROOT, Product, start_product, stop_product
from tests.e2e.people import PeerWorker, SimulatedPhone, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.chaos]


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A copy of its own, with short deadlines so that the tests need not wait long."""
    if not (ROOT / ".build" / "rasa" / "current.tar.gz").exists():
        pytest.skip("the assistant has not been trained: run `make setup`")
    running = start_product(
        tmp_path_factory.mktemp("fragile"), NWD_ASSISTANT_DEADLINE="3", NWD_SWEEP_SECONDS="1", NWD_LEASE_SECONDS="4"
    )
    try:
        running.wait_ready()
        yield running
    finally:
        stop_product(running)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The process neither runs nor goes away: what a hang looks like from outside."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def reach_valkey(product: Product) -> redis.Redis:
    """The embedded server, found by its process's command line."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if "valkey" in words and (found := re.search(r"unixsocket:?\s*(\S+\.sock)|(\S+\.sock)", words)):
            path = found[1] or found[2]
            if str(product.data_dir.resolve()) in words or str(product.data_dir.resolve()) in path:
                return redis.Redis(unix_socket_path=path)
    sockets = list(product.data_dir.rglob("*.sock"))
    assert sockets, "no socket of the embedded server"
    return redis.Redis(unix_socket_path=str(sockets[0]))


def leave_queue(product: Product) -> None:
    """Take and hand back everybody, so that the next test starts with an empty queue."""
    peer = PeerWorker(product.url)
    for conversation in peer.waiting():
        peer.act(conversation, "take")
        peer.act(conversation, "hand-back")


def test_assistant_hangs(fragile: Product) -> None:
    phone = SimulatedPhone(fragile.url, 1)
    with frozen(fragile.pid_of("rasa")):
        phone.write("my landlord wants us out by friday")
        told = phone.wait_for("person")
    assert "passed it on" in told or "asked a person" in told
    assert PeerWorker(fragile.url).waiting(), "they are in the queue"
    leave_queue(fragile)


def test_action_server_hangs(fragile: Product) -> None:
    phone = SimulatedPhone(fragile.url, 2)
    with frozen(fragile.pid_of("actions")):
        phone.write("where can i get some food for tonight")
        phone.wait_for("person")
    assert PeerWorker(fragile.url).waiting()
    leave_queue(fragile)


def test_crisis_words_need_no_assistant(fragile: Product) -> None:
    phone = SimulatedPhone(fragile.url, 3)
    with frozen(fragile.pid_of("rasa")):
        phone.write("i dont want to be alive any more")
        phone.wait_for("116 123")
    assert "ending" in PeerWorker(fragile.url).desk().lower() or PeerWorker(fragile.url).waiting()
    leave_queue(fragile)


def test_redis_is_emptied(fragile: Product) -> None:
    phone = SimulatedPhone(fragile.url, 4)
    server = reach_valkey(fragile)
    with frozen(fragile.pid_of("worker")):
        phone.write("is there a walking group near me")
        time.sleep(0.3)
        server.flushall()
    phone.wait_for("Reply 1")
    time.sleep(2.5)  # two sweeps: nothing may come twice
    assert phone.new_bubbles() == []


def test_worker_is_killed_in_the_middle(fragile: Product) -> None:
    phone = SimulatedPhone(fragile.url, 5)
    for round_number in range(3):
        phone.write(f"i need help with my gas bill {round_number}")
        time.sleep(0.02 * round_number)
        os.kill(fragile.pid_of("worker"), signal.SIGKILL)
        phone.wait_for("Reply 1")
        fragile.wait_ready()
    time.sleep(2.5)
    assert phone.new_bubbles() == [], "each message was answered once"


@pytest.mark.parametrize("name", ["rasa", "actions", "app", "worker", "editor"])
def test_a_process_that_dies_is_started_again(fragile: Product, name: str) -> None:
    before = fragile.pid_of(name)
    os.kill(before, signal.SIGKILL)

    def look() -> str | None:
        try:
            now = fragile.pid_of(name)
        except (LookupError, FileNotFoundError):
            return None
        return str(now) if now != before else None

    wait_for(look, f"a new {name}")
    fragile.wait_ready()


def test_a_peer_whose_page_is_gone_loses_nobody(fragile: Product) -> None:
    phone, peer = SimulatedPhone(fragile.url, 6), PeerWorker(fragile.url)
    phone.write("can i talk to someone")
    phone.wait_for("next")
    conversation = peer.wait_for_somebody()
    peer.act(conversation, "take")
    phone.wait_for("Sam")
    # nobody renews: the lease of four seconds runs out
    wait_for(
        lambda: conversation if conversation in PeerWorker(fragile.url, login="ana").waiting() else None,
        "them, waiting again",
    )
    phone.wait_for("next")
    leave_queue(fragile)


def test_a_taken_port_is_named(fragile: Product, tmp_path: Path) -> None:
    environment = {**os.environ, "NWD_PORT": str(fragile.port), "NWD_DATA_DIR": str(tmp_path)}
    tried = subprocess.run(
        [sys.executable, "-m", "channels", "run"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert tried.returncode == 1
    assert f"Port {fragile.port} (for app) is taken" in tried.stderr
    assert "NWD_PORT=" in tried.stderr


def test_interrupt_leaves_no_orphan(tmp_path: Path) -> None:
    running = start_product(tmp_path)
    try:
        running.wait_ready()
        children = Path(f"/proc/{running.supervisor.pid}/task/{running.supervisor.pid}/children").read_text().split()
        assert len(children) >= 5
    finally:
        code = stop_product(running)
    assert code == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    for offset in (0, 1, 2, 5, 6):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", running.port + offset))
