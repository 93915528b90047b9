"""Somebody says what is going on; they get one to three services, and a person one choice away.

This is also what runs when nothing else was understood: unknown words are searched with, never refused.
"""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.asking import ask_for_reader, ask_warmly
from bot.actions.heard import FORGOTTEN_SECONDS, Heard
from bot.actions.language import Reading
from bot.actions.listing import Offer, offer_matches, open_kindly, sort_needs
from bot.actions.long_messages import find_in_parts
from bot.actions.placing import answer_place, is_only_place, is_unknown_district
from bot.actions.preferring import Quest, add_wanted, read_wanted, search_preferred
from bot.actions.sayings import About
from bot.actions.supporters import add_supporter
from bot.actions.toolbox import Toolbox
from knowledge.preferences import Preference
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
    reading = tools.languages.read(heard.text, heard.language, worried=bool(heard.concerns))
    if reading is Reading.OTHER:
        return ask_for_reader(heard, tools)
    if reading is Reading.WORDLESS:
        return ask_warmly(heard, tools)
    place = tools.places.find(heard.text)
    if place is not None and is_only_place(heard.text, place):
        return answer_place(heard, tools, place)
    if place is None and heard.last_query and is_unknown_district(heard.text):
        return answer_place(heard, tools, None)
    said_about = tools.sayings.read_about(heard.text) or ""
    wanted = add_wanted(read_wanted(heard.preferences), read_said(heard, tools))
    asked = tools.sayings.without_framing(heard.text) if said_about == About.WORKER else heard.text
    heard = replace(heard, text=asked, about=said_about or heard.about, preferences=wanted)
    found, introduction = search(heard, tools, near=place.name if place else heard.place)
    needs = sort_needs(found.needs, tools)
    if not needs and not introduction and all(match.strength == "wider" for match in found.matches):
        return ask_warmly(heard, tools, key="ask_more")
    found, aside = add_supporter(heard, tools, found)
    offer = Offer(
        query=heard.text,
        found=found,
        opening=open_again(heard, tools, open_kindly(heard, needs, tools, said_about)),
        introduction=introduction,
        ask_place=True,
        first=True,
        aside=aside,
    )
    return offer_matches(heard, tools, offer)


def read_said(heard: Heard, tools: Toolbox) -> frozenset[Preference]:
    """How help should be, as this message says it."""
    if tools.sayings.says_only_preferences(heard.text):
        return tools.sayings.read_preferences(heard.text)
    return tools.sayings.read_asides(heard.text)


def open_again(heard: Heard, tools: Toolbox, opening: str) -> str:
    """Somebody who comes back after a while is greeted, once, and asked nothing again."""
    back = heard.silence >= FORGOTTEN_SECONDS and heard.shown and not heard.concerns
    return f"{tools.wording.say('heard_back')} {opening}" if back else opening


def search(heard: Heard, tools: Toolbox, *, near: str | None) -> tuple[Found, str]:
    """What fits the words, and the concern that was found in them; and how it is introduced, if in its own way."""
    needs = tuple(dict.fromkeys(NEEDS_OF_CONCERNS[c] for c in sorted(heard.concerns) if c in NEEDS_OF_CONCERNS))
    if not heard.concerns & ONLY_THESE:
        parts = tuple(need for need in heard.mentioned if need in tools.urgency) or find_in_parts(heard.text, tools)
        quest = Quest(query=heard.text, near=near, needs=(*needs, *parts), wanted=read_wanted(heard.preferences))
        return search_preferred(heard, tools, quest)
    found = tools.finder.find(heard.text, near=near, now=tools.now(), needs=needs, limit=WIDER_LOOK)
    fitting = tuple(match for match in found.matches if set(match.service.needs) & set(needs))
    return replace(found, matches=fitting or found.matches), ""
