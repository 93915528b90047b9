"""A message that is only a place: telling it from a question, and looking again near there."""

from __future__ import annotations

import re
from dataclasses import replace

from rapidfuzz import fuzz

from bot.actions.answer import Answer
from bot.actions.asking import ask_warmly
from bot.actions.heard import Heard
from bot.actions.listing import Offer, offer_matches
from bot.actions.preferring import Quest, read_wanted, search_preferred
from bot.actions.toolbox import Toolbox
from channels.conversation import Note
from knowledge.catalogue import Place

POSTCODE = re.compile(r"\b[a-z]{1,2}[0-9][0-9a-z]?(?:\s*[0-9][a-z]{2})?\b", re.IGNORECASE)
SAID_AROUND_A_PLACE = """
a actually address am and area around at based by close code from hi hello here i id im ive in is its just
live living me my near nearby now of ok okay or outside over please pls post postcode round sorry staying the there
thats to village we were yeah yes
"""
AROUND_A_PLACE = frozenset(SAID_AROUND_A_PLACE.split())
"""Words that come with a place and ask for nothing."""
LEADS = re.compile(r"\b(?:near|nearby|in|around|at|from|by|live|living|staying|postcode)\b", re.IGNORECASE)
"""Before a district: "P45" alone is none."""
NAME_SCORE = 70
"""Of 100: "city centre" is the Town Centre, "foxly" is Foxley; another word beside it is a question."""
PLACE_WORDS = 5
"""A longer message is about more than a place."""


def answer_place(heard: Heard, tools: Toolbox, place: Place | None) -> Answer:
    """Search again with the last words, near the place. A place we do not know loses nothing: the list is made without.

    With nothing asked before, the place is remembered and the question is what is going on.
    """
    name = place.name if place else heard.place
    if not heard.last_query:
        answer = ask_warmly(replace(heard, place=name), tools, key="ask_after_place")
        requests = tuple(replace(each, place=name) if isinstance(each, Note) else each for each in answer.requests)
        return replace(answer, requests=requests, slots={**answer.slots, "place": name, "place_asked": True})
    quest = Quest(query=heard.last_query, near=name, wanted=read_wanted(heard.preferences))
    found, introduction = search_preferred(heard, tools, quest)
    opening = tools.wording.say("place_thanks", heard.turns)
    offer = Offer(query=heard.last_query, found=found, opening=opening, introduction=introduction)
    return offer_matches(replace(heard, place_asked=True), tools, offer)


def is_unknown_district(text: str) -> bool:
    """ "near WB1", which is nowhere that we know, and nothing else: no words to search with."""
    rest = POSTCODE.sub(" ", text.lower().replace("'", ""), count=1)
    words = re.findall(r"[a-z0-9]+", rest)
    return len(rest) < len(text) and bool(LEADS.search(rest)) and all(word in AROUND_A_PLACE for word in words)


def is_only_place(text: str, place: Place) -> bool:
    """Whether nothing is left to search for once the place and the words around it are taken away."""
    rest = POSTCODE.sub(" ", text.lower().replace("'", ""))
    words = [word for word in re.findall(r"[a-z]+", rest) if word not in AROUND_A_PLACE]
    if not words:
        return True
    if len(words) > PLACE_WORDS:
        return False
    said, name = (
        " ".join(words),
        " ".join(w for w in re.findall(r"[a-z]+", place.name.lower()) if w not in AROUND_A_PLACE),
    )
    return fuzz.ratio(said, name) >= NAME_SCORE or said in place.name.lower()
