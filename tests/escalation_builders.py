"""Short ways to fill the queue in tests, and to see what became of somebody in it."""

from __future__ import annotations

from collections.abc import Iterable

from channels.conversation import Concern
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.records import EscalationRecord, MessageRecord
from tests.ledger_builders import ask_for_a_person


async def ask(escalations: Escalations, ledger: Ledger, end: int, concerns: Iterable[Concern] = ()) -> str:
    """Somebody with a number ending in `end` asks for a person."""
    escalation_id = await ask_for_a_person(ledger, f"+441632960{end:03}", concerns)
    await escalations.announce(escalation_id)
    return escalation_id


async def now_of(ledger: Ledger, escalation_id: str) -> EscalationRecord:
    escalation = await ledger.escalation(escalation_id)
    assert escalation is not None
    return escalation


async def said(ledger: Ledger, escalation_id: str) -> list[MessageRecord]:
    return await ledger.messages((await now_of(ledger, escalation_id)).conversation_id)


async def last_words(ledger: Ledger, escalation_id: str) -> str:
    return (await said(ledger, escalation_id))[-1].text
