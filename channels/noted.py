"""A bare "ok" or a thumb up from somebody who has just heard that they wait for a person: it is met as what it is."""

from __future__ import annotations

from typing import Final

from channels.composing import Composer, Moment, Plan
from channels.conversation import Sender
from channels.fitting import PERSON
from channels.safety import is_noted
from channels.speaking import Speaker

SIGNS: Final = frozenset("\U0001f44d\U0001f44c\U0001f64f\u2764")
"""Thumb up, the sign for OK, folded hands, a heart."""
TONES: Final = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff\ufe0f "


async def hear_noted(moment: Moment, speaker: Speaker, composer: Composer, payload: str | None) -> Plan | None:
    """None for any other message, and where our last words offered something that "ok" could agree to."""
    message = moment.message
    sign = set(message.text.strip()) - set(TONES)
    noted = is_noted(message.text) or (bool(sign) and sign <= SIGNS)
    if payload or not noted or not moment.waiting or moment.concerns:
        return None
    last = await composer.ledger.messages(message.conversation_id, max(0, message.seq - 2), 1)
    if not last or last[0].sender is not Sender.NOTICE or any(each.payload != PERSON for each in last[0].choices):
        return None
    line = speaker.wording.lines(moment.escalation.concerns if moment.escalation else (), limit=1)
    return Plan(said=speaker.say_notice(speaker.wording.say("waiting_noted", line=line)))
