"""Somebody says where they are: "WZ2", "im in foxley". What they asked before is looked for again, near there."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.find_support import find_support
from bot.actions.heard import Heard
from bot.actions.listing import sort_needs
from bot.actions.placing import answer_place, is_only_place
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply


def give_place(heard: Heard, tools: Toolbox) -> Answer:
    """The message was understood as a place; typing errors are forgiven. What turns out to say more is searched with.

    A pressed button has no place in it yet, so it is asked for. A location that a phone sent is a place.
    """
    if not heard.text and heard.location is not None:
        return answer_place(heard, tools, tools.places.nearest(*heard.location))
    if not heard.text:
        choices = tools.wording.choices("more", "person")
        return Answer(replies=(Reply(text=tools.wording.say("ask_where", heard.turns), choices=choices),))
    place = tools.places.resolve(heard.text)
    if place is None and not says_a_need(heard, tools):
        return answer_place(heard, tools, None)
    if place is not None and is_only_place(heard.text, place):
        return answer_place(heard, tools, place)
    return find_support(heard, tools)


def says_a_need(heard: Heard, tools: Toolbox) -> bool:
    """ "im in trouble" is not a place."""
    return bool(sort_needs(tools.finder.find(heard.text, now=tools.now(), limit=1).needs, tools))
