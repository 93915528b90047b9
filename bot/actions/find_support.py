"""Somebody says what is going on; they get one to three services, and a person one choice away.

This is also what runs when nothing else was understood: unknown words are searched with, never refused.
"""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.asking import ask_for_reader, ask_warmly
from bot.actions.heard import Heard
from bot.actions.language import Reading
from bot.actions.listing import Offer, offer_matches, open_kindly, sort_needs
from bot.actions.placing import answer_place, is_only_place
from bot.actions.toolbox import Toolbox
from knowledge.search import Found

NEEDS_OF_CONCERNS = {
    "suicide": "suicidal_thoughts",
    "attempt": "suicidal_thoughts",
    "method_seeking": "suicidal_thoughts",
    "self_harm": "self_harm",
    "abuse": "domestic_abuse",
    "eating_disorder": "eating_disorder",
}
"""What the worker's concern check found counts as said, however the message was worded."""
ONLY_THESE = frozenset({"attempt", "method_seeking"})
"""With one of these nothing else is listed: tablets named in a message must not bring a drugs service."""
WIDER_LOOK = 9


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
    found = search(heard, tools, near=place.name if place else heard.place)
    if not sort_needs(found.needs, tools) and all(match.strength == "wider" for match in found.matches):
        return ask_warmly(heard, tools, key="ask_more")
    opening = open_kindly(heard, sort_needs(found.needs, tools), tools)
    return offer_matches(heard, tools, Offer(query=heard.text, found=found, opening=opening, ask_place=True))


def search(heard: Heard, tools: Toolbox, *, near: str | None) -> Found:
    """What fits the words, and the concern that was found in them."""
    needs = tuple(dict.fromkeys(NEEDS_OF_CONCERNS[c] for c in sorted(heard.concerns) if c in NEEDS_OF_CONCERNS))
    if not heard.concerns & ONLY_THESE:
        return tools.finder.find(heard.text, near=near, now=tools.now(), needs=needs)
    found = tools.finder.find(heard.text, near=near, now=tools.now(), needs=needs, limit=WIDER_LOOK)
    fitting = tuple(match for match in found.matches if set(match.service.needs) & set(needs))
    return replace(found, matches=fitting or found.matches)
