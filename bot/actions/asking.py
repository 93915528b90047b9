"""What is said when there is nothing to search with: a warm question, or a person who reads the language. Pure."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.listing import offer_person
from bot.actions.replies import CardMaker, details_choice
from bot.actions.toolbox import Toolbox
from channels.conversation import HandOver, Note, Reply

LISTENING = "i need someone to talk to"
"""What we search for on behalf of somebody who could not find words: a person who listens."""


def ask_warmly(heard: Heard, tools: Toolbox, key: str = "ask_warmly") -> Answer:
    """One open question, and beside it somebody who listens now: the question is never all there is."""
    found = tools.finder.find(LISTENING, near=heard.place, now=tools.now(), limit=1)
    if not found.matches:
        return offer_person(heard, tools)
    service = found.matches[0].service
    maker = CardMaker(wording=tools.wording, now=tools.now(), zone=tools.zone, near=found.place)
    reply = Reply(
        text=tools.wording.say(key, heard.turns),
        cards=(maker.make_card(service, why=found.matches[0].reason),),
        choices=(details_choice(service), *tools.wording.choices("person")),
    )
    return Answer(replies=(reply,), requests=(Note(place=heard.place),), slots={"offered": (service.id,)})


def ask_for_reader(heard: Heard, tools: Toolbox) -> Answer:
    """Another language: a few kind words, and a request for a person. We never guess at what it says."""
    reply = Reply(
        text=tools.wording.say("other_language", heard.turns), choices=tools.wording.choices("person", "privacy")
    )
    return Answer(replies=(reply,), requests=(HandOver(reason="language", need=heard.need),))
