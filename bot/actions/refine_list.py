"""Closer, open now, free, online, with kids: the same question, with how it should be. Undone by "anything"."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.asking import ask_warmly
from bot.actions.heard import Heard
from bot.actions.listing import Offer, offer_matches
from bot.actions.preferring import Quest, add_wanted, read_wanted, search_preferred
from bot.actions.sayings import Act
from bot.actions.show_more import show_more
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply
from knowledge.preferences import Preference


def refine_list(heard: Heard, tools: Toolbox) -> Answer:
    """What was said before still counts: "free" and then "open now" means both."""
    said = tools.sayings.read_preferences(heard.text)
    if tools.sayings.read_act(heard.text) is Act.NEAREST:
        said |= {Preference.NEAR}
    if not said:
        return show_more(heard, tools)
    heard = replace(heard, preferences=add_wanted(read_wanted(heard.preferences), said))
    if not heard.last_query:
        answer = ask_warmly(heard, tools, key="ask_what_for")
        return replace(answer, slots={**answer.slots, "preferences": heard.preferences})
    if Preference.NEAR in said and heard.place is None:
        if not heard.place_asked:
            return ask_where_near(heard, tools)
        heard = replace(heard, preferences=go_remote(heard))
    return list_preferred(heard, tools)


def ask_where_near(heard: Heard, tools: Toolbox) -> Answer:
    """ "Nearest" to what? Asked with its reason, and only here and in a first list."""
    reply = Reply(text=tools.wording.say("ask_where_near"), choices=tools.wording.choices("more", "person"))
    slots = {"asked": "place", "place_asked": True, "preferences": heard.preferences}
    return Answer(replies=(reply,), slots=slots)


def go_remote(heard: Heard) -> tuple[Preference, ...]:
    """Who would rather not say where they are is nearest to what can be reached from anywhere."""
    kept = [each for each in read_wanted(heard.preferences) if each is not Preference.NEAR]
    return add_wanted(kept, {Preference.REMOTE})


def list_preferred(heard: Heard, tools: Toolbox, opening: str = "next_need") -> Answer:
    """The last question again, as it should be."""
    needs = (heard.need,) if heard.need else ()
    quest = Quest(query=heard.last_query, near=heard.place, needs=needs, wanted=read_wanted(heard.preferences))
    found, introduction = search_preferred(heard, tools, quest)
    said = tools.wording.say(opening)
    offer = Offer(query=heard.last_query, found=found, opening=said, introduction=introduction)
    if not introduction:
        offer = replace(offer, opening="", introduction=said)
    return offer_matches(heard, tools, offer)


def undo_preferences(heard: Heard, tools: Toolbox) -> Answer:
    """Anything will do: everything again."""
    return list_preferred(replace(heard, preferences=()), tools, opening="all_again")
