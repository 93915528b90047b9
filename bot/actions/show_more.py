"""The next services for the same question, without those already shown."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.asking import ask_warmly
from bot.actions.heard import Heard
from bot.actions.listing import Offer, make_list, offer_matches, offer_person, remember_shown
from bot.actions.toolbox import Toolbox
from knowledge.catalogue import Area
from knowledge.search import Found

LINE_POOL = 12
"""How far down the list of everything a national line is looked for."""


def show_more(heard: Heard, tools: Toolbox) -> Answer:
    """Up to three more. When the near ones have run out, a line that helps everywhere, and a person."""
    if not heard.last_query:
        return ask_warmly(heard, tools)
    found = tools.finder.find(heard.last_query, near=heard.place, now=tools.now(), exclude=heard.shown)
    fresh = tuple(match for match in found.matches if match.service.id not in heard.shown)
    close = tuple(match for match in fresh if match.strength != "wider")
    if not close:
        return offer_line(heard, tools, replace(found, matches=fresh))
    introduction = tools.wording.say("more", heard.turns)
    offer = Offer(query=heard.last_query, found=replace(found, matches=close), introduction=introduction)
    return remember_shown(offer_matches(heard, tools, offer), heard.shown)


def offer_line(heard: Heard, tools: Toolbox, found: Found) -> Answer:
    """Nothing close is left: one national line, even if it was shown before, and a person."""
    again = tools.finder.find(heard.last_query, near=heard.place, now=tools.now(), limit=LINE_POOL)
    pool = (*found.matches, *again.matches)
    line = next((match for match in pool if match.service.area is Area.NATIONAL), None)
    if line is None:
        return offer_person(heard, tools)
    reply = make_list(tools.wording.say("more_wider", heard.turns), (line,), found.place, tools)
    choices = (reply.choices[0], *tools.wording.choices("person", "new_topic"))
    answer = Answer(
        replies=(replace(reply, choices=choices),),
        slots={"offered": (line.service.id,), "shown": (line.service.id,)},
    )
    return remember_shown(answer, heard.shown)
