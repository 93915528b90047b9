"""A key for each person: forgetting reaches the copies too, nobody else is touched, and mistakes are named."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Column, create_engine, select

from channels import staff
from channels.conversation import Channel
from channels.ledger import Cipher, Ledger, account_tables, people, sealing, tables
from channels.ledger.database import Database
from channels.ledger.key_store import KeyStore
from channels.ledger.key_tables import doomed_keys
from channels.ledger.sweep import ENCRYPTED
from channels.ledger.talk_records import NoteKind, PlanKind
from channels.settings import Settings
from tests.integration.test_ledger_erasure import CANARY, a_whole_story, file_bytes
from tests.ledger_builders import (
    NUMBER,
    OTHER_NUMBER,
    TEST_KEY,
    TEST_PERSON_SECRET,
    in_a_minute,
    message_now,
    peer_named,
    says,
    text_from,
)

NOBODYS = {account_tables.peer_factors.c.secret}
"""Of peer workers, not of people who write to us."""


async def everything_about(ledger: Ledger) -> str:
    """`a_whole_story`, and all that peer workers write beside it; gives the person's id."""
    person_id = await a_whole_story(ledger)
    conversation_id = (await ledger.conversation_of(person_id)).id
    sam = await peer_named(ledger, "Sam")
    for kind in (NoteKind.NOTE, NoteKind.SAFEGUARDING, NoteKind.SUMMARY):
        await ledger.talk.add(conversation_id, kind, sam.id, {"text": CANARY})
    await ledger.talk.keep_draft(conversation_id, sam.id, CANARY)
    await ledger.planned.plan(conversation_id, sam, PlanKind.MESSAGE, in_a_minute(), CANARY)
    await ledger.rights.hold(sam.id, person_id, CANARY)
    return person_id


async def what_can_be_read(ledger: Ledger, person_id: str) -> str:
    """Everything the product's own code finds about somebody, in one string."""
    conversation = await ledger.conversation_of(person_id)
    sam = await ledger.peer_by_login("sam")
    assert sam is not None
    hold = await ledger.rights.hold_of(person_id)
    return repr([
        await ledger.person(person_id), conversation, await ledger.messages(conversation.id),
        await ledger.recent_escalations(), await ledger.lists.saved(conversation.id),
        await ledger.talk.notes(conversation.id), await ledger.talk.draft(conversation.id, sam.id),
        await ledger.planned.waiting(conversation.id), hold and hold.reason,
        await ledger.last_choices(conversation.id),
    ])  # fmt: skip


def tokens_in(url: str, column: Column[str]) -> list[str]:
    engine = create_engine(url.replace("sqlite+aiosqlite", "sqlite"))
    with engine.connect() as connection:
        found = list(connection.execute(select(column).where(column.is_not(None))).scalars())
    engine.dispose()
    return found


def all_tokens(url: str) -> list[str]:
    return [token for column in ENCRYPTED if column not in NOBODYS for token in tokens_in(url, column)]


def copy_of(settings: Settings, name: str) -> Path:
    """A backup as SQLite makes one, of the ledger alone."""
    copy = settings.data_dir.parent / name
    source, target = sqlite3.connect(settings.data_dir / "ledger.sqlite"), sqlite3.connect(copy)
    with target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def put_back(settings: Settings, copy: Path) -> None:
    for old in settings.data_dir.glob("ledger.sqlite*"):
        old.unlink()
    shutil.copy(copy, settings.data_dir / "ledger.sqlite")


def opened(settings: Settings, *service_keys: str) -> Ledger:
    cipher = Cipher(service_keys or [TEST_KEY], TEST_PERSON_SECRET)
    return Ledger.open(settings.ledger_url, cipher, shards=settings.shards)


async def test_all_that_is_about_a_person_is_under_their_key(any_ledger: Ledger, any_ledger_url: str) -> None:
    person_id = await everything_about(any_ledger)
    conversation_id = (await any_ledger.conversation_of(person_id)).id
    for column in ENCRYPTED:
        if column not in NOBODYS:
            found = tokens_in(any_ledger_url, column)
            assert found, f"the story leaves out {column}"
            assert {sealing.is_sealed(token) and sealing.key_id_of(token) for token in found} == {conversation_id}


async def test_a_copy_from_before_shows_nothing_of_somebody_forgotten(ledger: Ledger, settings: Settings) -> None:
    other = await ledger.store_inbound(text_from(OTHER_NUMBER, "SM2", "still here"))
    person_id = await everything_about(ledger)
    copy = copy_of(settings, "yesterday.sqlite")
    await ledger.forget(person_id)
    await ledger.close()

    put_back(settings, copy)
    restored = opened(settings)
    shown = await what_can_be_read(restored, person_id)
    for words in (CANARY, NUMBER, NUMBER[1:], "abuse"):
        assert words not in shown
        assert words.encode() not in copy.read_bytes()
    assert (await message_now(restored, other.message_id)).text == "still here"
    assert await restored.person_at(Channel.SMS, OTHER_NUMBER) is not None
    await restored.close()


async def test_the_same_copy_shows_everything_as_long_as_nobody_is_forgotten(
    ledger: Ledger, settings: Settings
) -> None:
    person_id = await everything_about(ledger)
    copy = copy_of(settings, "yesterday.sqlite")
    await ledger.close()
    put_back(settings, copy)
    restored = opened(settings)
    shown = await what_can_be_read(restored, person_id)
    assert shown.count(CANARY) >= 12
    assert NUMBER in shown
    await restored.close()


async def test_no_byte_of_the_key_stays(ledger: Ledger, settings: Settings) -> None:
    person_id = await everything_about(ledger)
    conversation_id = (await ledger.conversation_of(person_id)).id

    def on_disk() -> bytes:
        return b"".join(path.read_bytes() for path in settings.data_dir.glob("keys.db*"))

    connection = sqlite3.connect(settings.data_dir / "keys.db")
    query = "SELECT wrapped FROM person_keys WHERE id = ?"
    (wrapped,) = connection.execute(query, (conversation_id,)).fetchone()
    connection.close()
    assert wrapped.encode() in on_disk()
    assert wrapped.encode() not in file_bytes(settings)
    await ledger.forget(person_id)
    assert wrapped.encode() not in on_disk()
    assert tokens_in(settings.ledger_url, doomed_keys.c.key_id) == []


async def test_whom_a_copy_brings_back_is_forgotten_at_the_next_start(ledger: Ledger, settings: Settings) -> None:
    other = await ledger.store_inbound(text_from(OTHER_NUMBER, "SM2", "still here"))
    person_id = await everything_about(ledger)
    await ledger.append((await ledger.conversation_of(person_id)).id, [says(CANARY)])
    copy = copy_of(settings, "yesterday.sqlite")
    await ledger.forget(person_id)
    await ledger.close()

    put_back(settings, copy)
    await staff.look_after_keys(settings)
    restored = opened(settings)
    conversation_id = (await restored.conversation_of(person_id)).id
    assert await restored.person_at(Channel.SMS, NUMBER) is None
    assert await restored.waiting() == []
    assert await restored.next_unsent(conversation_id) is None, "words that nobody can read are not sent"
    assert (await message_now(restored, other.message_id)).text == "still here"
    entry = (await restored.audit_log(1))[0]
    assert (entry.actor, entry.action, entry.subject) == ("restore", "person_forgotten", person_id)
    assert await restored.person_keys.forget_again() == 0
    await restored.close()


class TestTheFarewell:
    async def test_their_key_goes_at_once_and_the_farewell_is_still_sent(
        self, any_ledger: Ledger, any_ledger_url: str
    ) -> None:
        person_id = await everything_about(any_ledger)
        conversation_id = (await any_ledger.conversation_of(person_id)).id
        await any_ledger.append(conversation_id, [says("All gone.")])
        before = set(all_tokens(any_ledger_url))
        await any_ledger.forget(person_id)
        after = all_tokens(any_ledger_url)
        assert len(after) == 2, "the farewell, and where to"
        assert not before.intersection(after)
        assert conversation_id not in {sealing.key_id_of(token) for token in after}
        farewell = await any_ledger.next_unsent(conversation_id)
        assert farewell is not None
        assert farewell.text == "All gone."
        assert (await any_ledger.person(person_id)).address == NUMBER
        await any_ledger.mark_sending(farewell.id)
        await any_ledger.mark_sent(farewell.id, "SM-out")
        assert all_tokens(any_ledger_url) == []
        state = await any_ledger.person_keys.state()
        assert (state.kept, state.destroyed) == (0, 2)

    async def test_a_copy_made_while_it_waited_shows_nothing_once_it_is_sent(
        self, ledger: Ledger, settings: Settings
    ) -> None:
        person_id = await everything_about(ledger)
        conversation_id = (await ledger.conversation_of(person_id)).id
        await ledger.append(conversation_id, [says(f"Goodbye {CANARY}")])
        await ledger.forget(person_id)
        copy = copy_of(settings, "in-between.sqlite")
        farewell = await ledger.next_unsent(conversation_id)
        assert farewell is not None
        await ledger.mark_sending(farewell.id)
        await ledger.mark_sent(farewell.id, "SM-out")
        await ledger.close()
        put_back(settings, copy)
        restored = opened(settings)
        shown = await what_can_be_read(restored, person_id)
        assert CANARY not in shown
        assert NUMBER not in shown
        await restored.close()


async def test_both_channels_of_one_person(any_ledger: Ledger, any_ledger_url: str) -> None:
    """What was said before somebody carried on elsewhere is under the key of then: that one goes too."""
    first = await any_ledger.store_inbound(text_from(text=CANARY))
    owner = (await any_ledger.conversation(first.conversation_id)).person_id
    code = await any_ledger.make_return_code(owner, "visit")
    second = await any_ledger.store_inbound(text_from(OTHER_NUMBER, "SM2", f"{CANARY} too"))
    typed = await any_ledger.store_inbound(text_from(OTHER_NUMBER, "SM3", code))
    assert await any_ledger.redeem(typed.message_id, code, says("there you are")) is not None
    keys = {sealing.key_id_of(token) for token in tokens_in(any_ledger_url, tables.messages.c.body)}
    assert keys == {first.conversation_id, second.conversation_id}
    await any_ledger.forget(owner)
    store = KeyStore(any_ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET))
    assert [store.to_read(key_id) for key_id in sorted(keys)] == [None, None]
    store.close()


async def test_a_key_outlives_no_crash(ledger: Ledger, settings: Settings) -> None:
    """The process died after the erasure was committed and before the key was gone: the next look ends it."""
    person_id = await everything_about(ledger)
    conversation_id = (await ledger.conversation_of(person_id)).id
    database = Database(settings.ledger_url, Cipher([TEST_KEY], TEST_PERSON_SECRET), shards=settings.shards)
    keys = KeyStore(settings.ledger_url, database.cipher)
    database.cipher = database.cipher.with_people(keys)
    async with database.writing() as work:
        await people.forget(work, person_id, "person")
    assert keys.to_read(conversation_id) is not None
    await database.close()
    await ledger.expire(datetime.now(UTC) - timedelta(days=1))
    assert KeyStore(settings.ledger_url, database.cipher).to_read(conversation_id) is None
