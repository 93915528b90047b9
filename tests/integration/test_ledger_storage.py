"""The ledger as files and processes: durable settings, migrations, a killed writer, a database that is away."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from channels.conversation import Channel
from channels.errors import LedgerUnavailable, SettingsError
from channels.ledger import Cipher, Ledger, MigrationState, migrate, migration_state, open_ledger
from channels.ledger.database import Database, Work
from channels.ledger.tables import metadata
from channels.settings import Settings
from tests.ledger_builders import OTHER_NUMBER, TEST_KEY, TEST_PERSON_SECRET, text_from

ROOT = Path(__file__).parents[2]


class TestMigrations:
    def test_give_the_tables_that_the_code_expects(self, any_ledger_url: str) -> None:
        engine = create_engine(any_ledger_url.replace("sqlite+aiosqlite", "sqlite"))
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
        engine.dispose()
        assert differences == []

    def test_run_again_change_nothing(self, any_ledger_url: str) -> None:
        migrate(any_ledger_url)
        migrate(any_ledger_url)

    def test_their_state_can_be_asked_without_changing_anything(self, any_ledger_url: str, tmp_path: Path) -> None:
        state = migration_state(any_ledger_url)
        assert state.up_to_date
        assert migration_state(f"sqlite+aiosqlite:///{tmp_path}/none.sqlite") == MigrationState(None, state.head)
        assert list(tmp_path.glob("none*")) == []
        sqlite3.connect(tmp_path / "empty.sqlite").close()
        assert not migration_state(f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite").up_to_date

    async def test_several_processes_may_start_at_once(self, tmp_path: Path) -> None:
        url = f"sqlite+aiosqlite:///{tmp_path}/new folder/ledger 100%.sqlite"
        await asyncio.gather(*(asyncio.to_thread(migrate, url) for _ in range(4)))
        ledger = Ledger.open(url, Cipher([TEST_KEY], TEST_PERSON_SECRET), shards=2)
        assert not (await ledger.store_inbound(text_from())).duplicate
        await ledger.close()

    def test_make_a_file_that_only_its_owner_can_read(self, tmp_path: Path) -> None:
        migrate(f"sqlite+aiosqlite:///{tmp_path}/ledger.sqlite")
        assert stat.S_IMODE((tmp_path / "ledger.sqlite").stat().st_mode) == 0o600

    def test_a_database_that_is_away_is_named_so(self) -> None:
        with pytest.raises(LedgerUnavailable):
            migrate("postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1")


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        pytest.param("journal_mode", "wal", id="write-ahead log"),
        pytest.param("synchronous", 2, id="every commit reaches the disk (FULL)"),
        pytest.param("foreign_keys", 1, id="foreign keys are kept"),
        pytest.param("busy_timeout", 5000, id="waits for other processes"),
        pytest.param("secure_delete", 1, id="erased bytes are overwritten"),
    ],
)
async def test_sqlite_is_set_for_keeping(
    ledger: Ledger, settings: Settings, cipher: Cipher, pragma: str, value: object
) -> None:
    database = Database(settings.ledger_url, cipher, shards=4)
    async with database.writing() as work:
        row = (await work.connection.exec_driver_sql(f"PRAGMA {pragma}")).one()
    await database.close()
    assert row[0] == value


WRITER = """
import asyncio, sys
from channels.ledger import Cipher, Ledger
from tests.ledger_builders import TEST_PERSON_SECRET, text_from

async def write(url, key, start):
    ledger = Ledger.open(url, Cipher([key], TEST_PERSON_SECRET), shards=4)
    for n in range(start, start + 100_000):
        await ledger.store_inbound(text_from(number=f"+4416329600{n % 7:02d}", provider_id=f"SM{n}", text=f"words {n}"))
        print(n, flush=True)

asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_a_killed_writer_loses_nothing_it_acknowledged(ledger: Ledger, settings: Settings) -> None:
    acknowledged: list[int] = []
    for round_number in range(2):
        acknowledged += await asyncio.to_thread(write_until_killed, settings.ledger_url, round_number * 100_000)
    stored = {}
    for n in range(7):
        person = await ledger.person_at(Channel.SMS, f"+4416329600{n:02d}")
        assert person is not None
        conversation = await ledger.conversation_of(person.id)
        messages = await ledger.messages(conversation.id, limit=10_000)
        assert [message.seq for message in messages] == list(range(1, conversation.last_seq + 1))
        stored.update({message.provider_id: message.text for message in messages})
    assert len(acknowledged) >= 60
    assert [n for n in acknowledged if stored.get(f"SM{n}") != f"words {n}"] == []
    with sqlite3.connect(settings.data_dir / "ledger.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def write_until_killed(url: str, start: int) -> list[int]:
    """Kill -9 a writing process after its thirtieth acknowledgement; gives all that it acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, TEST_KEY, str(start)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(30)]
    os.kill(writer.pid, signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    return [int(line) for line in lines if line.endswith("\n")]


class TestUnavailable:
    async def test_a_database_that_is_away(self, cipher: Cipher) -> None:
        ledger = Ledger.open("postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1", cipher, shards=4)
        with pytest.raises(LedgerUnavailable):
            await ledger.store_inbound(text_from())
        await ledger.close()

    async def test_tables_that_are_not_there(self, tmp_path: Path, cipher: Cipher) -> None:
        ledger = Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite", cipher, shards=4)
        with pytest.raises(LedgerUnavailable):
            await ledger.ping()
        await ledger.close()

    @pytest.mark.postgres
    async def test_tables_that_are_not_there_on_postgresql(self, postgres_server: str, cipher: Cipher) -> None:
        ledger = Ledger.open(postgres_server, cipher, shards=4)
        with pytest.raises(LedgerUnavailable, match="no_tables"):
            await ledger.ping()
        await ledger.close()

    async def test_a_full_disk_is_said_and_nothing_is_half_stored(self, ledger: Ledger, settings: Settings) -> None:
        stored = await ledger.store_inbound(text_from())
        small = Ledger.open(settings.ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET), shards=4)

        async def fill_up(work: Work) -> None:
            pages = (await work.run(text("PRAGMA page_count"))).scalar_one()
            await work.run(text(f"PRAGMA max_page_count={pages}"))

        await small._database.write(fill_up)
        with pytest.raises(LedgerUnavailable):
            await small.store_inbound(text_from(OTHER_NUMBER, "SM2", "x" * 100_000))
        await small.close()
        assert await ledger.person_at(Channel.SMS, OTHER_NUMBER) is None
        assert len(await ledger.messages(stored.conversation_id)) == 1

    async def test_the_error_holds_no_words(self, ledger: Ledger, settings: Settings) -> None:
        os.truncate(settings.data_dir / "ledger.sqlite", 100)
        with pytest.raises(LedgerUnavailable) as caught:
            await ledger.store_inbound(text_from(text="canary"))
        assert "canary" not in f"{caught.value!r} {caught.value.__cause__}"


class TestOpening:
    async def test_from_settings(self, ledger: Ledger, settings: Settings) -> None:
        stored = await ledger.store_inbound(text_from())
        opened = await open_ledger(settings)
        assert (await opened.messages(stored.conversation_id))[0].text == "cant pay my rent"
        await opened.close()

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            pytest.param("encryption_keys", " , ", "NWD_ENCRYPTION_KEYS", id="no encryption key"),
            pytest.param("person_key_secret", "", "NWD_PERSON_KEY_SECRET", id="no person secret"),
            pytest.param("shards", 0, "NWD_SHARDS", id="no shard"),
        ],
    )
    async def test_names_the_setting_that_is_missing(
        self, settings: Settings, field: str, value: object, named: str
    ) -> None:
        with pytest.raises(SettingsError, match=named):
            await open_ledger(Settings(**{**settings.model_dump(), field: value}))
