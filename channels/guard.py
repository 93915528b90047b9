"""The last look at what is said for us: nobody is refused, and every answer holds somebody to reach.

    the assistant's words -> mend_reply -> fitted to the channel -> connect -> ledger
    a text of ours        -> mend_text  -> filled in, said

What an editor wrote about a service is quoted as it stands. What a peer worker writes is theirs. Each time the guard
had to do something it counts which rule it was, and logs the id of the message that was being answered: never words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from channels.composing import Moment
from channels.conversation import Channel, Holder, Reply, Sender
from channels.fitting import PERSON, fits_sms, fits_telegram
from channels.ledger.records import Draft, MessageRecord, Outcome
from channels.never_no import NeverNo
from channels.wording import Wording

NO_CONNECTION: Final = "no_connection"
NO_WORDS: Final = "no_words"
SPOKEN: Final = frozenset({"bot", "fallback", "more", "repeated"})
"""Outcomes that answer somebody. STOP is answered by the network; several messages at once by the last."""


@dataclass(frozen=True, kw_only=True)
class Guard:
    """`on_mended` is told the id of each rule that a message broke."""

    rules: NeverNo
    wording: Wording
    on_mended: Callable[[str], None] = field(default=lambda rule: None)

    def mend_reply(self, reply: Reply, message_id: str = "") -> Reply:
        """The assistant's own words; the facts on its cards are quoted and stay."""
        mended = self.rules.mend(reply.text, self.wording.language)
        self._record(mended.broken, message_id)
        return replace(reply, text=mended.text) if mended.broken else reply

    def mend_text(self, text: str) -> str:
        """A text of the service itself, filled in."""
        mended = self.rules.mend(text, self.wording.language)
        self._record(mended.broken, "")
        return mended.text

    def connect(self, moment: Moment, outcome: Outcome) -> Outcome:
        """Somebody to reach in the answer, unless a person has been asked to come, or is there."""
        if outcome.kind not in SPOKEN or outcome.expected_holder is Holder.PEER:
            return outcome
        if not outcome.drafts:
            self._record((NO_WORDS,), moment.message.id)
            lines = self.wording.lines(outcome.concerns, limit=1)
            draft = Draft(sender=Sender.NOTICE, text=self.wording.say("still_here", line=lines), urgent=True)
            return replace(outcome, drafts=(replace(draft, reply=Reply(text=draft.text)),))
        asked = moment.waiting or outcome.escalation is not None or bool(outcome.concerns)
        channel = moment.conversation.channel
        if asked or any(self.connects(draft, channel) for draft in outcome.drafts):
            return outcome
        self._record((NO_CONNECTION,), moment.message.id)
        return replace(outcome, drafts=self._add_person(outcome.drafts, channel))

    def connects(self, draft: Draft | MessageRecord, channel: Channel) -> bool:
        """By a number or a word for a person; where there are buttons and cards, by those."""
        cards = draft.reply.cards if draft.reply is not None else ()
        if channel is not Channel.SMS and any(choice.payload == PERSON for choice in draft.choices):
            return True
        if channel is Channel.WEB and any(card.phone for card in cards):
            return True
        phones = [*(line.phone for line in self.wording.crisis.lines), *(card.phone for card in cards if card.phone)]
        return any(phone in draft.text for phone in phones) or self.rules.connects(draft.text)

    def _add_person(self, drafts: tuple[Draft, ...], channel: Channel) -> tuple[Draft, ...]:
        """As words, not as a button: the numbers of an earlier list keep their meaning."""
        offer = self.wording.say("reply_person")
        *before, last = drafts
        longer = f"{last.text}\n{offer}".strip()
        if not (fits_sms(longer) if channel is Channel.SMS else fits_telegram(longer)):
            return (*drafts, Draft(sender=last.sender, text=offer, reply=Reply(text=offer), urgent=last.urgent))
        reply = replace(last.reply, text=f"{last.reply.text}\n{offer}".strip()) if last.reply else None
        return (*before, replace(last, text=longer, reply=reply))

    def _record(self, rules: tuple[str, ...], message_id: str) -> None:
        for rule in rules:
            self.on_mended(rule)
            structlog.get_logger().warning("message_mended", rule=rule, message_id=message_id)
