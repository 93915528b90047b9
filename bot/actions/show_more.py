"""The next services for the same question, without those shown; others like one of them; something different."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.answer import Answer
from bot.actions.asking import ask_warmly
from bot.actions.basket import ask_next
from bot.actions.heard import Heard
from bot.actions.listing import Offer, add_choice, make_list, offer_matches, offer_person, remember_shown
from bot.actions.picking import pick_offered
from bot.actions.preferring import Quest, read_wanted, search_preferred
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply
from knowledge.catalogue import Area
from knowledge.search import Found

LINE_POOL = 12
"""How far down the list of everything a national line is looked for."""


def show_more(heard: Heard, tools: Toolbox, key: str = "more") -> Answer:
    """Up to three more. When the near ones have run out, a line that helps everywhere, and a person."""
    if not heard.last_query:
        return ask_warmly(heard, tools)
    wanted = read_wanted(heard.preferences)
    quest = Quest(query=heard.last_query, near=heard.place, exclude=heard.shown, wanted=wanted)
    found, introduction = search_preferred(heard, tools, quest)
    fresh = tuple(match for match in found.matches if match.service.id not in heard.shown)
    close = tuple(match for match in fresh if match.strength != "wider")
    if not close:
        return offer_line(heard, tools, replace(found, matches=fresh))
    introduction = introduction or tools.wording.say(key, heard.turns)
    offer = Offer(query=heard.last_query, found=replace(found, matches=close), introduction=introduction)
    return remember_shown(offer_matches(heard, tools, offer), heard.shown)


def show_different(heard: Heard, tools: Toolbox) -> Answer:
    """Something else for the same trouble. Another trouble is one choice away."""
    answer = show_more(heard, tools, key="different")
    return replace(answer, replies=tuple(offer_new_topic(reply, tools) for reply in answer.replies))


def offer_new_topic(reply: Reply, tools: Toolbox) -> Reply:
    offered = {choice.payload for choice in reply.choices}
    return reply if "new_topic" in offered else add_choice(reply, "new_topic", tools)


def show_alike(heard: Heard, tools: Toolbox) -> Answer:
    """More like the one they point at, or like the first."""
    listed = [service for each in heard.offered if (service := tools.finder.service(each)) is not None]
    if not listed:
        return show_more(heard, tools)
    picked = pick_offered(heard.text, [service.name for service in listed])
    model = listed[picked or 0]
    given = tuple(dict.fromkeys((*heard.shown, *heard.offered)))
    quest = Quest(
        query=f"{model.name}. {model.summary}",
        near=heard.place,
        needs=model.needs[:1],
        exclude=given,
        wanted=read_wanted(heard.preferences),
    )
    found, introduction = search_preferred(heard, tools, quest)
    fresh = tuple(each for each in found.matches if each.service.id not in given and each.strength != "wider")
    if not fresh:
        return show_more(heard, tools)
    own = tuple(guess for guess in found.needs if guess.id in model.needs)
    offer = Offer(
        query=heard.last_query,
        found=replace(found, matches=fresh, needs=own[:1]),
        introduction=introduction or tools.wording.say("alike"),
    )
    return remember_shown(offer_matches(heard, tools, offer), given)


def offer_line(heard: Heard, tools: Toolbox, found: Found) -> Answer:
    """Nothing close is left: one national line, even if it was shown before, a person, and what was also mentioned."""
    again = tools.finder.find(heard.last_query, near=heard.place, now=tools.now(), limit=LINE_POOL)
    pool = (*found.matches, *again.matches)
    line = next((match for match in pool if match.service.area is Area.NATIONAL), None)
    if line is None:
        return offer_person(heard, tools)
    text = tools.wording.say("more_wider", heard.turns)
    if heard.basket:
        text = f"{text[:-1]}. {ask_next(heard.basket, tools)}"
    reply = make_list(text, (line,), found.place, tools)
    onward = ("next", "person", "new_topic") if heard.basket else ("person", "new_topic")
    choices = (reply.choices[0], *tools.wording.choices(*onward))
    answer = Answer(
        replies=(replace(reply, choices=choices),),
        slots={
            "offered": (line.service.id,),
            "shown": (line.service.id,),
            "asked": "next" if heard.basket else None,
        },
    )
    return remember_shown(answer, heard.shown)
