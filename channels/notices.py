"""What somebody in the queue is told, as messages. The words come from the wording data."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from channels.conversation import Choice, Sender
from channels.ledger.records import Draft, EscalationRecord


class Says(Protocol):
    """Where words for a person come from."""

    def say(self, key: str, /, **values: object) -> str: ...

    def place(self, number: int) -> str: ...

    def within(self, language: str | None) -> Says: ...


def lapse_notice(escalation: EscalationRecord, wording: Says) -> Draft:
    """Told so, with who is there now; and they can have a word when somebody is here."""
    later = Choice(title=wording.say("choice_later"), payload="later:yes")
    return replace(notice_for(escalation, wording.say("lapse")), choices=(later,))


def notice_for(escalation: EscalationRecord, words: str) -> Draft:
    return Draft(sender=Sender.NOTICE, text=words, urgent=bool(escalation.concerns))
