"""Short ways to say what the ledger's tests need. Plain functions, real records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from channels.conversation import Channel, Choice, Concern, Delivery, Holder, Inbound, Receipt, Sender
from channels.ledger import Ledger
from channels.ledger.records import Committed, Draft, MessageRecord, OpenEscalation, Outcome, PeerRecord, Stored
from channels.ledger.tables import metadata

TEST_KEY = Fernet.generate_key().decode()
TEST_PREFIX = "test"
TEST_PERSON_SECRET = "the secret of the tests"
NUMBER = "+441632960001"
OTHER_NUMBER = "+441632960002"


def text_from(number: str = NUMBER, provider_id: str = "SM1", text: str = "cant pay my rent", **more: Any) -> Inbound:
    return Inbound(channel=Channel.SMS, address=number, provider_id=provider_id, text=text, **more)


def says(text: str, **more: Any) -> Draft:
    return Draft(sender=Sender.ASSISTANT, text=text, **more)


def notice(text: str = "Sam has joined") -> Draft:
    return Draft(sender=Sender.NOTICE, text=text)


def in_a_minute() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def a_minute_ago() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


async def answer(ledger: Ledger, stored: Stored, *drafts: Draft, **more: Any) -> Committed:
    """Commit an answer by the assistant, which must be accepted."""
    committed = await ledger.commit(
        Outcome(message_id=stored.message_id, expected_holder=Holder.BOT, kind="bot", drafts=drafts, **more)
    )
    assert committed is not None
    return committed


async def ask_for_a_person(ledger: Ledger, number: str = NUMBER, concerns: Iterable[Concern] = ()) -> str:
    """A new message that leads to an escalation; gives the escalation's id."""
    stored = await ledger.store_inbound(text_from(number, provider_id=f"ask-{number}"))
    escalation = OpenEscalation(reason="asked", need="housing")
    committed = await answer(ledger, stored, says("ok"), escalation=escalation, concerns=frozenset(concerns))
    assert committed.escalation_id is not None
    return committed.escalation_id


async def peer_named(ledger: Ledger, name: str) -> PeerRecord:
    return await ledger.add_peer(name=name, login=name.lower(), role="peer", password_hash="not checked here")


async def sent_message(ledger: Ledger, provider_id: str = "SM-out") -> MessageRecord:
    """An outbound message that its provider has taken."""
    stored = await ledger.store_inbound(text_from())
    await answer(ledger, stored, says("here you are", choices=(Choice(title="More", payload="more"),)))
    message = await ledger.next_unsent(stored.conversation_id)
    assert message is not None
    assert await ledger.mark_sending(message.id)
    await ledger.mark_sent(message.id, provider_id)
    return message


def receipt(state: Delivery, code: str = "", provider_id: str = "SM-out") -> Receipt:
    return Receipt(channel=Channel.SMS, provider_id=provider_id, state=state, error_code=code)


async def message_now(ledger: Ledger, message_id: str) -> MessageRecord:
    message = await ledger.message(message_id)
    assert message is not None
    return message


def empty_postgres(url: str) -> None:
    """Every table of a ledger, and the keys. Deleting is much quicker than TRUNCATE while there is little in them."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(text("DROP SCHEMA IF EXISTS nwd_keys CASCADE"))
    engine.dispose()
