"""What every test may ask for: settings, a real Valkey, a real ledger. No network but this machine.

`ledger` is a fresh SQLite file at `settings.ledger_url`; `any_ledger` runs the test on SQLite and again on PostgreSQL;
`valkey_url` is one server for the whole run, emptied before each test that uses it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import hypothesis
import pytest
import redis
from playwright.async_api import Browser, expect
from pytest_socket import socket_allow_hosts
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from channels.ledger import Cipher, Ledger, migrate
from channels.settings import Settings, read_settings
from channels.streams import Streams
from channels.valkey import Valkey
from tests import patience
from tests.chromium import CHROMIUM, open_chromium
from tests.ledger_builders import TEST_KEY, TEST_PERSON_SECRET, TEST_PREFIX, empty_postgres

TESTS: Final = Path(__file__).parent
WITH_SERVERS: Final = ("integration", "e2e", "chaos")

# A busy machine is no failure of the code, and the same code gives the same result. NWD_TEST_SEARCH=1 looks further.
hypothesis.settings.register_profile("tests", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("search" if os.environ.get("NWD_TEST_SEARCH") == "1" else "tests")


def pytest_configure() -> None:
    expect.set_options(timeout=patience.MILLISECONDS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What talks to real servers and browsers gets a second try on a busy machine, and the report says RERUN.

    A fault fails twice. What runs in one process, all of the unit tests, gets one try.
    """
    no_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in WITH_SERVERS:
            item.add_marker(pytest.mark.flaky(reruns=1))
        if item.get_closest_marker("browser"):
            item.add_marker(no_browser)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Whatever a test talks to is on this machine."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Demo settings on an empty data folder, whatever the environment of whoever runs the tests says."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NWD_{name.upper()}", raising=False)
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    return read_settings(
        demo=True, data_dir=data_dir, encryption_keys=TEST_KEY, person_key_secret=TEST_PERSON_SECRET, shards=4
    )


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with open_chromium() as opened:
        yield opened


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([TEST_KEY], TEST_PERSON_SECRET)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with tables and no rows, copied for each test that needs one."""
    path = tmp_path_factory.mktemp("migrated") / "ledger.sqlite"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
async def ledger(settings: Settings, cipher: Cipher, migrated_sqlite: Path) -> AsyncIterator[Ledger]:
    shutil.copy(migrated_sqlite, settings.data_dir / "ledger.sqlite")
    opened = Ledger.open(settings.ledger_url, cipher, shards=settings.shards)
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_ledger_url(request: pytest.FixtureRequest, settings: Settings, migrated_sqlite: Path) -> str:
    """An empty ledger with tables on each database that the product supports."""
    if request.param == "sqlite":
        shutil.copy(migrated_sqlite, settings.data_dir / "ledger.sqlite")
        return settings.ledger_url
    url: str = request.getfixturevalue("migrated_postgres")
    empty_postgres(url)
    return url


@pytest.fixture
async def any_ledger(any_ledger_url: str, cipher: Cipher, settings: Settings) -> AsyncIterator[Ledger]:
    opened = Ledger.open(any_ledger_url, cipher, shards=settings.shards)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """A database of our own on the server, gone afterwards."""
    name = f"nwd_test_{secrets.token_hex(6)}"
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    migrate(url)
    yield url
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """NWD_TEST_POSTGRES_URL, or a server of our own if PostgreSQL is installed here."""
    if url := os.environ.get("NWD_TEST_POSTGRES_URL"):
        yield "postgresql+psycopg://" + url.split("://", 1)[1]
        return
    binaries = find_postgres()
    if binaries is None:
        pytest.skip("no PostgreSQL: install it (apt-get install postgresql) or set NWD_TEST_POSTGRES_URL")
    with tempfile.TemporaryDirectory(prefix="nwd-postgres-") as name:
        yield from run_postgres(binaries, Path(name))


def find_postgres() -> Path | None:
    """The folder of its programs; Debian does not put them on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def run_postgres(binaries: Path, folder: Path, *, durable: bool = False) -> Iterator[str]:
    """PostgreSQL refuses to run as root; then it runs as the user that its package made. `durable`: as in life."""
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    make = [binaries / "initdb", "-D", data, "-U", "tests", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]
    subprocess.run(make, user=user, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    options = ["-c", "listen_addresses=", "-c", f"fsync={'on' if durable else 'off'}", "-k", folder]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([binaries / "postgres", "-D", data, *options], user=user, stderr=log, cwd=folder)
    try:
        url = f"postgresql+psycopg://tests@/postgres?host={folder}"
        wait_for_postgres(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for_postgres(url: str, server: subprocess.Popen[bytes]) -> None:
    engine = create_engine(url)
    for _ in range(300):
        try:
            with engine.connect():
                break
        except OperationalError:
            assert server.poll() is None, "PostgreSQL ended at once"
            time.sleep(0.1)
    engine.dispose()


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    # Not pytest's own folder: the path of a unix socket must be short.
    with tempfile.TemporaryDirectory(prefix="nwd-tests-") as folder:
        server = Valkey(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def valkey_url(valkey_server: Valkey) -> str:
    if not valkey_server.alive():
        valkey_server.start()
    with contextlib.closing(redis.Redis.from_url(valkey_server.url)) as client:
        client.flushall()
    return valkey_server.url


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A server that a test may kill."""
    with tempfile.TemporaryDirectory(prefix="nwd-own-") as folder:
        server = Valkey(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
async def streams(valkey_url: str, settings: Settings) -> AsyncIterator[Streams]:
    opened = Streams.connect(valkey_url, TEST_PREFIX, settings.shards)
    yield opened
    await opened.close()
