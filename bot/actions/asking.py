"""What is said when there is nothing to search with: a warm question, or a person who reads the language. Pure."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.listing import offer_person
from bot.actions.replies import details_choice
from bot.actions.toolbox import Toolbox
from channels.conversation import HandOver, Note, Reply
from knowledge.catalogue import Kind
from knowledge.search import Match

LISTENING, LISTENING_NEEDS = "someone to listen to me", ("low_mood",)
"""What we search for on behalf of somebody who could not find words."""
LISTENER_POOL = 10


def ask_warmly(heard: Heard, tools: Toolbox, key: str = "ask_warmly") -> Answer:
    """One open question, and beside it somebody who listens now: the question is never all there is."""
    listener = find_listener(heard, tools)
    if listener is None:
        return offer_person(heard, tools)
    service = listener.service
    reply = Reply(
        text=tools.wording.say(key, heard.turns),
        cards=(tools.make_cards(None).make_card(service, why=listener.reason),),
        choices=(details_choice(service), *tools.wording.choices("person")),
    )
    return Answer(replies=(reply,), requests=(Note(place=heard.place),), slots={"offered": (service.id,)})


def find_listener(heard: Heard, tools: Toolbox) -> Match | None:
    """A line for everyone that is open now, else any line, else whatever there is."""
    found = tools.finder.find(LISTENING, near=heard.place, now=tools.now(), limit=LISTENER_POOL, needs=LISTENING_NEEDS)
    lines = [match for match in found.matches if match.service.kind is Kind.LINE]
    answered = [match for match in lines if match.opening.is_open and not match.service.restricted]
    return next(iter((*answered, *lines, *found.matches)), None)


def ask_for_reader(heard: Heard, tools: Toolbox) -> Answer:
    """Another language: a few kind words, and a request for a person. We never guess at what it says."""
    reply = Reply(
        text=tools.wording.say("other_language", heard.turns), choices=tools.wording.choices("person", "privacy")
    )
    return Answer(replies=(reply,), requests=(HandOver(reason="language", need=heard.need),))
