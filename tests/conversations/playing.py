"""Plays conversations against the running product: each text is stored and announced as the gateway does it, worker,
Rasa and actions answer, and the ledger says what came of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

from channels.conversation import Channel, Inbound, Sender
from channels.demo import demo_environment
from channels.ledger import Ledger, open_ledger
from channels.ledger.records import MessageRecord
from channels.settings import read_settings
from channels.streams import Streams
from channels.valkey import Valkey
from tests.conversations.judging import Answer, Played, Script

PATIENCE = 60.0


async def play_all(data_dir: Path, scripts: Sequence[Script]) -> list[Played]:
    """One after the other, each from a phone of its own."""
    demo = read_settings(data_dir=data_dir, demo=True)
    settings = read_settings(data_dir=data_dir, demo=True, **demo_environment(demo))
    ledger = await open_ledger(settings)
    streams = Streams.connect(Valkey(data_dir).url, settings.redis_prefix, settings.shards)
    try:
        return [await play(ledger, streams, script, number) for number, script in enumerate(scripts, start=1)]
    finally:
        await streams.close()
        await ledger.close()


async def play(ledger: Ledger, streams: Streams, script: Script, number: int) -> Played:
    answers: list[Answer] = []
    seen, conversation_id = 0, ""
    for text in script.say:
        inbound = Inbound(
            channel=Channel.SMS, address=f"+4416329{number:05}", provider_id=secrets.token_hex(16), text=text
        )
        stored = await ledger.store_inbound(inbound)
        conversation_id = stored.conversation_id
        await streams.announce_inbound(stored.shard, conversation_id)
        messages = await until_answered(ledger, conversation_id, stored.message_id)
        ours = [message for message in messages[seen:] if message.sender is not Sender.PERSON]
        queued = await ledger.escalation_of(conversation_id) is not None
        cards = [card for message in ours if message.reply for card in message.reply.cards]
        phones = tuple(card.phone for card in cards if card.phone)
        theirs = next(message for message in messages if message.id == stored.message_id)
        texts = tuple(message.text for message in ours)
        answers.append(Answer(texts=texts, queued=queued, phones=phones, outcome=theirs.outcome))
        seen = len(messages)
    conversation = await ledger.conversation(conversation_id)
    return Played(
        script=script,
        answers=tuple(answers),
        concerns=frozenset(str(concern) for concern in conversation.concerns),
        queued=await ledger.escalation_of(conversation_id) is not None,
    )


async def until_answered(ledger: Ledger, conversation_id: str, message_id: str) -> list[MessageRecord]:
    async with asyncio.timeout(PATIENCE):
        while True:
            message = await ledger.message(message_id)
            if message is not None and message.answered:
                return await ledger.messages(conversation_id)
            await asyncio.sleep(0.02)
