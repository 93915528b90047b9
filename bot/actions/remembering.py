"""What outlives an episode: Rasa forgets once a person was asked for, or after a night; nobody is asked twice. Pure.

The worker keeps it with the conversation, encrypted, and sends it along with the next message. It holds ids and no
words of the person: what they asked is kept as the name of the need.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Remember

MOST_REMEMBERED = 30
"""Services of one topic; somebody who has seen more has seen them all."""


def remember(heard: Heard, answer: Answer, tools: Toolbox) -> Remember:
    """What is known after this answer."""
    slots: Mapping[str, Any] = answer.slots
    need = slots.get("need", heard.need) or ""
    asked = slots.get("last_query", heard.last_query)
    return Remember(
        need=need,
        query=tools.labels.get(need, need.replace("_", " ")) if asked else "",
        shown=tuple(slots.get("shown", heard.shown) or ())[-MOST_REMEMBERED:],
        offered=tuple(slots.get("offered", heard.offered) or ()),
        basket=tuple(slots.get("basket", heard.basket) or ()),
        about=slots.get("about", heard.about) or "",
        preferences=tuple(slots.get("preferences", heard.preferences) or ()),
        place_asked=bool(slots.get("place_asked", heard.place_asked)),
    )
