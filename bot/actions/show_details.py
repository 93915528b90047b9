"""Everything about one service, chosen by a button, a number in a sentence, or nearly its name."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.find_support import find_support
from bot.actions.heard import Heard
from bot.actions.listing import Offer, offer_matches
from bot.actions.picking import pick_offered
from bot.actions.replies import details_choice
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply
from knowledge.catalogue import Service

MOST_AT_ONCE = 2
"""Whole cards in one answer."""


def show_details(heard: Heard, tools: Toolbox) -> Answer:
    """One whole card. A service that has gone since it was offered leads to a new list, never to an error."""
    if heard.value is not None:
        service = tools.finder.service(heard.value)
        return tell(heard, tools, service) if service else offer_again(heard, tools)
    listed = [tools.finder.service(each) for each in heard.offered]
    picked = 0 if len(listed) == 1 else pick_offered(heard.text, [each.name if each else "" for each in listed])
    if picked is not None:
        meant = listed[picked]
        return tell(heard, tools, meant) if meant else offer_again(heard, tools)
    offered = [each for each in listed if each]
    return ask_which(heard, tools, offered) if offered else offer_again(heard, tools)


def tell(heard: Heard, tools: Toolbox, *services: Service, key: str = "details") -> Answer:
    near = tools.places.resolve(heard.place) if heard.place else None
    maker = tools.make_cards(near, heard.channel)
    onward = ("next",) if heard.basket else ()
    reply = Reply(
        text=tools.wording.say(key, heard.turns),
        cards=tuple(maker.make_card(service, detail=True) for service in services),
        choices=tools.wording.choices("more", *onward, "person", "new_topic"),
        detail=True,
    )
    return Answer(replies=(reply,), slots={"value": None, "asked": None})


def tell_all(heard: Heard, tools: Toolbox) -> Answer:
    """ "Both": the first two of the last list, whole."""
    listed = [service for each in heard.offered if (service := tools.finder.service(each)) is not None]
    return tell(heard, tools, *listed[:MOST_AT_ONCE]) if listed else offer_again(heard, tools)


def ask_which(heard: Heard, tools: Toolbox, offered: list[Service]) -> Answer:
    """The last list once more, when several were offered and it is not clear which one is meant."""
    return list_again(heard, tools, offered, key="which_one")


def list_again(heard: Heard, tools: Toolbox, offered: list[Service], *, key: str) -> Answer:
    """The last list once more, with other words around it."""
    near = tools.places.resolve(heard.place) if heard.place else None
    maker = tools.make_cards(near, heard.channel)
    reply = Reply(
        text=tools.wording.say(key, heard.turns),
        cards=tuple(maker.make_card(service) for service in offered),
        choices=(*(details_choice(service) for service in offered), *tools.wording.choices("more", "person")),
    )
    return Answer(replies=(reply,), slots={"asked": "which"})


def offer_again(heard: Heard, tools: Toolbox) -> Answer:
    """Search again with what was asked before; without that, with these words."""
    if not heard.last_query:
        return find_support(replace(heard, value=None), tools)
    found = tools.finder.find(heard.last_query, near=heard.place, now=tools.now())
    introduction = tools.wording.say("these_now", heard.turns)
    return offer_matches(heard, tools, Offer(query=heard.last_query, found=found, introduction=introduction))
