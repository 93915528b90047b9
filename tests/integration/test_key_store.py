"""The keys of people as a whole: old words, new service keys, several processes, and what is wrong with a set-up."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import structlog
from cryptography.fernet import Fernet
from pydantic import SecretStr
from structlog.testing import capture_logs

from channels import doctor, staff
from channels.conversation import Channel, Inbound
from channels.doctor import Level
from channels.errors import SettingsError
from channels.ledger import Cipher, Ledger, sealing
from channels.ledger.database import Database
from channels.ledger.key_store import CACHED_SECONDS, KeyStore
from channels.ledger.ledger import RETENTION
from channels.settings import Settings
from channels.staff import EVERY, Progress
from tests.integration.test_person_keys import all_tokens, everything_about, what_can_be_read
from tests.ledger_builders import NUMBER, OTHER_NUMBER, TEST_KEY, TEST_PERSON_SECRET, message_now, text_from

NEW_KEY = Fernet.generate_key().decode()


def cipher(*keys: str) -> Cipher:
    return Cipher(keys or [TEST_KEY], TEST_PERSON_SECRET)


def before_there_were_keys(url: str) -> Ledger:
    """Everything under the service's key, as it was."""
    return Ledger(Database(url, cipher(), 4), RETENTION)


async def test_words_from_before_stay_readable_and_are_sealed(any_ledger_url: str) -> None:
    old = before_there_were_keys(any_ledger_url)
    person_id = await everything_about(old)
    shown = await what_can_be_read(old, person_id)
    await old.close()
    assert not any(map(sealing.is_sealed, all_tokens(any_ledger_url)))

    now = Ledger.open(any_ledger_url, cipher(), shards=4)
    assert await what_can_be_read(now, person_id) == shown
    assert await now.reencrypt() == len(all_tokens(any_ledger_url))
    assert all(map(sealing.is_sealed, all_tokens(any_ledger_url)))
    assert await what_can_be_read(now, person_id) == shown
    assert await now.reencrypt() == 0
    await now.close()


async def test_a_sealing_that_was_stopped_goes_on_where_it_was(any_ledger_url: str) -> None:
    old = before_there_were_keys(any_ledger_url)
    person_id = await everything_about(old)
    shown = await what_can_be_read(old, person_id)
    await old.close()
    told: list[int] = []

    def stop(count: int) -> None:
        told.append(count)
        if count >= 3:
            raise KeyboardInterrupt

    now = Ledger.open(any_ledger_url, cipher(), shards=4)
    with pytest.raises(KeyboardInterrupt):
        await now.reencrypt(stop)
    assert told == sorted(told)
    assert await what_can_be_read(now, person_id) == shown, "half of it sealed"
    left = len(all_tokens(any_ledger_url)) - told[-1]
    assert left > 0
    assert await now.reencrypt() == left
    assert all(map(sealing.is_sealed, all_tokens(any_ledger_url)))
    assert await what_can_be_read(now, person_id) == shown
    await now.close()


def test_a_long_sealing_says_how_far_it_is_every_few_seconds() -> None:
    clock = [0.0]
    progress = Progress(clock=lambda: clock[0])
    with structlog.testing.capture_logs() as said:
        for seconds, count in ((1.0, 10), (EVERY, 20), (EVERY + 1, 30), (2 * EVERY, 40)):
            clock[0] = seconds
            progress(count)
    assert [(line["event"], line["done"]) for line in said] == [
        ("sealing_older_words", 20), ("sealing_older_words", 40),
    ]  # fmt: skip


async def test_a_new_service_key_wraps_the_keys_and_the_old_one_can_go(
    any_ledger: Ledger, any_ledger_url: str, settings: Settings
) -> None:
    person_id = await everything_about(any_ledger)
    shown = await what_can_be_read(any_ledger, person_id)
    both = settings.model_copy(
        update={
            "encryption_keys": SecretStr(f"{NEW_KEY}, {TEST_KEY}"),
            "database_url": SecretStr(any_ledger_url),
        }
    )
    assert await staff.rewrap(both) == 1
    assert await staff.rewrap(both) == 0
    new_only = Ledger.open(any_ledger_url, cipher(NEW_KEY), shards=4)
    assert await what_can_be_read(new_only, person_id) == shown
    await new_only.close()
    old_only = Ledger.open(any_ledger_url, cipher(), shards=4)
    with pytest.raises(SettingsError, match="NWD_ENCRYPTION_KEYS"):
        await old_only.person(person_id)
    await old_only.close()


async def test_our_own_test_messages_leave_no_key_and_no_trace(any_ledger: Ledger) -> None:
    song = Inbound(channel=Channel.CANARY, address="canary-1", provider_id="canary-1", text="i need help with food")
    stored = await any_ledger.store_inbound(song)
    assert (await any_ledger.person_keys.state()).kept == 1
    await any_ledger.remove_canaries(stored.conversation_id, datetime.now(UTC))
    await any_ledger.expire(datetime.fromtimestamp(0, UTC))
    state = await any_ledger.person_keys.state()
    assert (state.kept, state.destroyed) == (0, 0)


def test_many_who_need_one_key_at_once_get_the_same(any_ledger_url: str) -> None:
    stores = [KeyStore(any_ledger_url, cipher()) for _ in range(8)]
    with ThreadPoolExecutor(len(stores)) as pool:
        keys = set(pool.map(lambda store: store.to_write("somebody"), stores))
    assert len(keys) == 1
    assert None not in keys
    for store in stores:
        store.close()


def test_what_one_process_destroyed_the_others_do_not_make_anew(any_ledger_url: str) -> None:
    here, there = KeyStore(any_ledger_url, cipher()), KeyStore(any_ledger_url, cipher())
    assert here.to_write("somebody") is not None
    assert here.destroy(["somebody"], leave_trace=True)
    assert here.to_write("somebody") is None
    assert there.to_write("somebody") is None
    assert there.to_read("somebody") is None
    here.close()
    there.close()


def test_a_key_is_not_kept_in_memory_for_long(any_ledger_url: str) -> None:
    class Later(KeyStore):
        """As time passes in a test."""

        now = 0.0

        def clock(self) -> float:
            return self.now

    here, there = KeyStore(any_ledger_url, cipher()), Later(any_ledger_url, cipher())
    key = there.to_write("somebody")
    here.destroy(["somebody"], leave_trace=True)
    assert there.to_read("somebody") == key
    there.now = CACHED_SECONDS
    assert there.to_read("somebody") is None
    here.close()
    there.close()


async def test_the_file_is_for_its_owner_only(ledger: Ledger, settings: Settings) -> None:
    await ledger.store_inbound(text_from())
    assert stat.S_IMODE((settings.data_dir / "keys.db").stat().st_mode) == 0o600


async def test_lost_keys_are_an_error_and_nobody_is_taken_for_forgotten(ledger: Ledger, settings: Settings) -> None:
    stored = await ledger.store_inbound(text_from())
    await ledger.close()
    for file in settings.data_dir.glob("keys.db*"):
        file.rename(file.with_name(f"kept-{file.name}"))
    without = Ledger.open(settings.ledger_url, cipher(), shards=settings.shards)
    with pytest.raises(SettingsError, match="add the newest copy of the keys to those here"):
        await without.message(stored.message_id)
    assert await without.person_keys.forget_again() == 0
    newcomer = await without.store_inbound(text_from(OTHER_NUMBER, "SM2", "somebody new"))
    await without.close()
    add_keys(settings)
    again = Ledger.open(settings.ledger_url, cipher(), shards=settings.shards)
    assert (await message_now(again, stored.message_id)).text == text_from().text
    assert (await message_now(again, newcomer.message_id)).text == "somebody new"
    assert await again.person_at(Channel.SMS, NUMBER) is not None
    await again.close()


async def test_an_old_copy_of_the_keys_brings_nobody_back(ledger: Ledger, settings: Settings) -> None:
    person_id = await everything_about(ledger)
    conversation_id = (await ledger.conversation_of(person_id)).id
    source = sqlite3.connect(settings.data_dir / "keys.db")
    source.execute("VACUUM INTO ?", (str(settings.data_dir / "kept-keys.db"),))
    source.close()
    await ledger.forget(person_id)
    add_keys(settings)
    store = KeyStore(settings.ledger_url, cipher())
    assert store.to_read(conversation_id) is None
    store.close()


def add_keys(settings: Settings) -> None:
    """As the README says."""
    connection = sqlite3.connect(settings.data_dir / "keys.db")
    connection.execute("ATTACH ? AS copy", (str(settings.data_dir / "kept-keys.db"),))
    connection.execute("INSERT OR IGNORE INTO person_keys SELECT * FROM copy.person_keys")
    connection.commit()
    connection.close()


async def test_a_missing_service_key_keeps_nothing_from_starting(ledger: Ledger, settings: Settings) -> None:
    await ledger.store_inbound(text_from())
    with capture_logs() as lines:
        await staff.look_after_keys(settings.model_copy(update={"encryption_keys": SecretStr(NEW_KEY)}))
    assert "keys_not_looked_after" in [line["event"] for line in lines]
    wrong = Ledger.open(settings.ledger_url, cipher(NEW_KEY), shards=settings.shards)
    newcomer = await wrong.store_inbound(text_from(OTHER_NUMBER, "SM2", "somebody new"))
    assert (await message_now(wrong, newcomer.message_id)).text == "somebody new"
    await wrong.close()


class TestTheDoctor:
    async def test_says_that_all_is_well(self, ledger: Ledger, settings: Settings) -> None:
        await ledger.store_inbound(text_from())
        assert await self.level(settings) is Level.OK

    async def test_names_a_service_key_that_is_missing(self, ledger: Ledger, settings: Settings) -> None:
        await ledger.store_inbound(text_from())
        wrong = settings.model_copy(update={"encryption_keys": SecretStr(NEW_KEY)})
        assert await self.level(wrong) is Level.FAILED

    async def test_reminds_of_rewrapping(self, ledger: Ledger, settings: Settings) -> None:
        await ledger.store_inbound(text_from())
        both = settings.model_copy(update={"encryption_keys": SecretStr(f"{NEW_KEY},{TEST_KEY}")})
        assert await self.level(both) is Level.WARNING

    async def test_names_keys_that_are_not_those_of_this_ledger(self, ledger: Ledger, settings: Settings) -> None:
        await ledger.store_inbound(text_from())
        await ledger.close()
        connection = sqlite3.connect(settings.data_dir / "keys.db")
        connection.execute("DELETE FROM person_keys")
        connection.commit()
        connection.close()
        assert await self.level(settings) is Level.FAILED

    async def level(self, settings: Settings) -> Level:
        (finding,) = [found for found in await doctor.check_ledger(settings) if found.what == "keys of people"]
        assert finding.fix or finding.level is Level.OK
        return finding.level
