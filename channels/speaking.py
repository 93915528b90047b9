"""From words to the messages of one channel, ready to be committed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from channels.conversation import Channel, Choice, Reply, Sender
from channels.fitting import MESSAGES_FOR_MORE, PERSON, cut_short, fit
from channels.ledger.records import Draft
from channels.wording import Wording


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Speaks on one channel. A reply may need several messages; the last one carries its choices."""

    wording: Wording
    channel: Channel

    def say_replies(self, replies: Iterable[Reply], *, urgent: bool = False) -> tuple[Draft, ...]:
        """The assistant's own words."""
        return tuple(
            draft for reply in replies for draft in self._drafts(reply, sender=Sender.ASSISTANT, urgent=urgent)
        )

    def say_rest(self, rest: str, choices: tuple[Choice, ...]) -> tuple[Draft, ...]:
        """What did not fit a text message, now that it was asked for. Numbers mean what they meant before it."""
        fitted = cut_short(rest, choices, self.wording, MESSAGES_FOR_MORE)
        return tuple(
            Draft(sender=Sender.ASSISTANT, text=message.text, choices=message.choices, rest=message.rest)
            for message in fitted
        )

    def say_concern(self, words: str) -> tuple[Draft, ...]:
        return self._drafts(Reply(text=words), sender=Sender.ASSISTANT, urgent=True)

    def say_notice(self, words: str, *, choices: tuple[Choice, ...] = (), urgent: bool = False) -> tuple[Draft, ...]:
        """The service itself speaking."""
        return self._drafts(Reply(text=words, choices=choices), sender=Sender.NOTICE, urgent=urgent)

    @property
    def person_choice(self) -> tuple[Choice, ...]:
        """The offer of a person as a button; a text message says PERSON in its words already."""
        if self.channel is Channel.SMS:
            return ()
        return (Choice(title=self.wording.say("choice_person"), payload=PERSON),)

    def _drafts(self, reply: Reply, *, sender: Sender, urgent: bool) -> tuple[Draft, ...]:
        fitted = fit(self.channel, reply, self.wording)
        return tuple(
            Draft(
                sender=sender,
                text=message.text,
                reply=reply if message is fitted[-1] else None,
                choices=message.choices,
                urgent=urgent,
                rest=message.rest,
            )
            for message in fitted
        )
