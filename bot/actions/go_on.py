"""Yes, next, "the rent thing": on to what was also mentioned, or whatever our last message asked."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.basket import pick_kept
from bot.actions.heard import Heard
from bot.actions.listing import Offer, offer_matches
from bot.actions.preferring import Quest, read_wanted, search_preferred
from bot.actions.show_details import offer_again
from bot.actions.show_more import show_more
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply


def go_on(heard: Heard, tools: Toolbox) -> Answer:
    """A yes answers the last question; with no question it goes on to the next need that is kept."""
    if heard.asked == "place" and heard.value is None and heard.intent != "next":
        return Answer(
            replies=(Reply(text=tools.wording.say("ask_where"), choices=tools.wording.choices("more", "person")),)
        )
    if heard.asked == "topic" and heard.last_query:
        return offer_again(heard, tools)
    if heard.asked == "more" and heard.intent != "next":
        return show_more(heard, tools)
    named = pick_kept(heard.text, (*([heard.need] if heard.need else ()), *heard.basket, *tools.urgency), tools)
    need = heard.value if heard.value in tools.urgency else named
    need = need or next(iter(heard.basket), None)
    if need is None:
        return Answer(response="utter_affirm", slots={"asked": None})
    return look_at(heard, tools, need)


def look_at(heard: Heard, tools: Toolbox, need: str) -> Answer:
    """A list for one need that is known by its name; the words it was said with are no longer kept."""
    query = tools.labels.get(need, need.replace("_", " "))
    wanted = read_wanted(heard.preferences)
    quest = Quest(query=query, near=heard.place, needs=(need,), wanted=wanted)
    found, introduction = search_preferred(heard, tools, quest)
    found = replace(found, needs=tuple(guess for guess in found.needs if guess.id == need))
    rest = tuple(each for each in heard.basket if each != need)
    offer = Offer(
        query=query,
        found=found,
        opening=tools.wording.say("next_need"),
        introduction=introduction,
        ask_place=True,
        first=True,
    )
    return offer_matches(replace(heard, basket=rest, need=need), tools, offer)
