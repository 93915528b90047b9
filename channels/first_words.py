"""The second and last text of a first answer to a concern. Pure.

Whoever may be in danger reads two texts and no more: first the words to what they said, with lines that answer now;
then this one, with what happens next, who we are, and how to have whatever else the assistant has found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from channels.concern_checks import CHECK_OK
from channels.conversation import Channel, Choice, Reply, Sender
from channels.fitting import FOUND, fits_sms, order_choices
from channels.ledger.records import Draft
from channels.speaking import Speaker


@dataclass(frozen=True, kw_only=True)
class Second:
    """What the text is made of. `first`: nobody has told them yet who we are; `reopens`: they had written STOP."""

    queue: str = ""
    first: bool = False
    reopens: bool = False
    held: tuple[Reply, ...] = ()
    offers_check: bool = False
    """Ask whether we may write later to ask how they are, if there is room for it."""

    @property
    def found(self) -> bool:
        """Whether what is held back is worth asking for."""
        return any(reply.cards for reply in self.held)


def say_second(speaker: Speaker, second: Second) -> tuple[Draft, ...]:
    """One message, or none when there is nothing to say. What the assistant found is kept with it."""
    text = write_second(speaker, second)
    if not text:
        return ()
    check = Choice(title=speaker.wording.say("choice_check"), payload=CHECK_OK)
    offered = (check,) if speaker.wording.say("check_short") in text else ()
    choices: tuple[Choice, ...] = offered
    if speaker.channel is not Channel.SMS:
        found = Choice(title=speaker.wording.say("choice_found"), payload=FOUND)
        choices = (
            *((found,) if second.found else ()),
            *((check,) if second.offers_check else ()),
            *speaker.person_choice,
        )
    reply = Reply(text=text, choices=choices)
    draft = Draft(
        sender=Sender.NOTICE, text=text, reply=reply, choices=order_choices(reply), urgent=True, held=second.held
    )
    return (draft,)


def say_first_contact(speaker: Speaker, held: tuple[Reply, ...]) -> tuple[Draft, ...]:
    """The second text to somebody who writes in another language: the assistant's first words in it, if it has some.

    They say who this is, and that a person reads it; where somebody is in the queue would be English, and is left out.
    """
    words = [reply for reply in held if not reply.cards][:1]
    rest = tuple(reply for reply in held if reply not in words)
    said = speaker.say_replies(words, urgent=True)
    return (*said[:-1], *(replace(draft, held=rest) for draft in said[-1:]))


def write_second(speaker: Speaker, second: Second) -> str:
    """The fullest of these that fits one text message: what matters least is left out first."""
    wording = speaker.wording
    who = wording.say("first_short") if second.first else ""
    rights = wording.say("first_rights") if second.first else ""
    again = wording.say("reopened_short") if second.reopens else ""
    typed = speaker.channel is Channel.SMS
    more = wording.say("found_more") if second.found and typed else ""
    check = wording.say("check_short") if second.offers_check and typed else ""
    attempts = (
        (second.queue, who, rights, again, more, check),
        (second.queue, who, again, more, check),
        (second.queue, who, rights, again, more),
        (second.queue, who, again, more),
        (second.queue, who, more),
        (second.queue, who),
    )
    return first_fitting(attempts)


def first_fitting(attempts: Iterable[Sequence[str]]) -> str:
    text = ""
    for parts in attempts:
        text = " ".join(part for part in parts if part)
        if fits_sms(text):
            break
    return text
