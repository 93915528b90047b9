""" "No not that", "i meant my mum", "not drinking, gambling": what we took it for is let go, and the rest is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.basket import name_kept
from bot.actions.find_support import find_support
from bot.actions.heard import Heard
from bot.actions.listing import Offer, offer_matches, sort_needs
from bot.actions.preferring import Quest, read_wanted, search_preferred
from bot.actions.supporters import add_supporter
from bot.actions.toolbox import Toolbox
from channels.conversation import Choice, Reply
from knowledge.needs import NeedGuess

MOST_GUESSES = 3
ONLY_WHO = 4
"""Words of a correction that can be about nobody but who it is for: "my mum", "for my little sister"."""


def put_right(heard: Heard, tools: Toolbox) -> Answer:
    """With what they meant, an answer to that; without, other things it may have been."""
    meant = tools.sayings.read_meant(heard.text)
    about = tools.sayings.read_about(heard.text)
    if meant is None and about is None:
        return ask_what(heard, tools) if heard.last_query or heard.need else Answer(response="utter_deny")
    rest = meant.rest if meant else heard.text
    if about is not None and heard.last_query and len(rest.split()) <= ONLY_WHO and not says_need(rest, tools):
        return answer_for(replace(heard, about=str(about)), tools)
    fresh = replace(heard, text=rest, need=None, about=str(about or heard.about))
    answer = find_support(fresh, tools)
    return open_with(answer, tools.wording.say("put_right"))


def says_need(text: str, tools: Toolbox) -> bool:
    return bool(sort_needs(tools.finder.find(text, now=tools.now(), limit=1).needs, tools))


def answer_for(heard: Heard, tools: Toolbox) -> Answer:
    """The same question for another person."""
    quest = Quest(query=heard.last_query, near=heard.place, wanted=read_wanted(heard.preferences))
    found, introduction = search_preferred(heard, tools, quest)
    found, aside = add_supporter(heard, tools, found)
    opening = tools.wording.say("put_right")
    offer = Offer(query=heard.last_query, found=found, opening=opening, introduction=introduction, aside=aside)
    return offer_matches(heard, tools, offer)


def ask_what(heard: Heard, tools: Toolbox) -> Answer:
    """Not that: the next likeliest needs to choose from, and any words."""
    guesses: Sequence[NeedGuess] = ()
    if heard.last_query:
        guesses = tools.finder.find(heard.last_query, near=heard.place, now=tools.now(), limit=1).needs
    ids = dict.fromkeys((*heard.basket, *(guess.id for guess in guesses)))
    others = [need for need in ids if need != heard.need and name_kept(need, tools)][:MOST_GUESSES]
    choices = tuple(Choice(title=title_of(name_kept(need, tools)), payload=f"next:{need}") for need in others)
    reply = Reply(text=tools.wording.say("put_right_ask"), choices=(*choices, *tools.wording.choices("person")))
    basket = tuple(need for need in heard.basket if need != heard.need)
    slots = {"need": None, "last_query": None, "offered": None, "asked": None, "basket": basket}
    return Answer(replies=(reply,), slots=slots)


def title_of(name: str) -> str:
    return name[:1].upper() + name[1:]


def open_with(answer: Answer, words: str) -> Answer:
    """The same answer behind a few words of thanks."""
    first, *others = answer.replies or (Reply(),)
    return replace(answer, replies=(replace(first, text=f"{words} {first.text}".strip()), *others))
