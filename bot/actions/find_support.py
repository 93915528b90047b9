"""Somebody says what is going on; they get one to three services, and a person one choice away.

This is also what runs when nothing else was understood: unknown words are searched with, never refused.
"""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.asking import ask_for_reader, ask_warmly
from bot.actions.heard import Heard
from bot.actions.language import Reading
from bot.actions.listing import Offer, offer_matches, open_kindly, sort_needs
from bot.actions.placing import answer_place, is_only_place
from bot.actions.toolbox import Toolbox


def find_support(heard: Heard, tools: Toolbox) -> Answer:
    """Read the words, then search with them; a place alone refines what was asked before."""
    reading = tools.languages.read(heard.text, heard.language)
    if reading is Reading.OTHER:
        return ask_for_reader(heard, tools)
    if reading is Reading.WORDLESS:
        return ask_warmly(heard, tools)
    place = tools.places.find(heard.text)
    if place is not None and is_only_place(heard.text, place):
        return answer_place(heard, tools, place)
    found = tools.finder.find(heard.text, near=place.name if place else heard.place, now=tools.now())
    if not sort_needs(found.needs, tools) and all(match.strength == "wider" for match in found.matches):
        return ask_warmly(heard, tools, key="ask_more")
    opening = open_kindly(heard, sort_needs(found.needs, tools), tools)
    return offer_matches(heard, tools, Offer(query=heard.text, found=found, opening=opening, ask_place=True))
