"""A short list of services with the words around it: heard, offered, and a person always one choice away. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.actions.answer import Answer
from bot.actions.basket import ask_next, keep_rest
from bot.actions.heard import Heard
from bot.actions.replies import details_choice, miles_to, nearest_location
from bot.actions.toolbox import Toolbox
from channels.conversation import Channel, HandOver, Note, Reply
from knowledge.catalogue import Area, Place, Service
from knowledge.needs import NeedGuess, weigh_urgency
from knowledge.search import SURE, Found, Match

MOST_CARDS = 3
STRENGTHS = ("good", "maybe", "wider")
"""From surest to least sure."""

CONCERNING = frozenset({"suicidal_thoughts", "self_harm", "domestic_abuse", "sexual_violence"})
"""Needs that ask for a person at once, when the recogniser is sure. This adds to the worker's concern check."""
CONCERN_INTENTS = frozenset({"need_crisis", "need_safety_abuse"})
CONCERN_SCORE = 0.6
CONCERN_SCORE_AGREED = 0.35
"""Enough when Rasa's own reading of the message says the same."""
NEAR_MILES = 10.0
NOTED_ABOUT = {"me": "for_themselves", "someone": "for_someone_else", "worker": "asked_by_a_worker"}
"""How it is noted for the peer worker that the writer asks for another person."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A list about to be made: what was searched with, what was found, and how it begins."""

    query: str
    found: Found
    opening: str = ""
    """The first sentence, before the one that introduces the list."""
    introduction: str = ""
    """Said instead of naming what was understood."""
    ask_place: bool = False
    first: bool = False
    """Answers what somebody has just said, rather than going on with it."""
    aside: str = ""
    """A sentence after the introduction."""


def offer_matches(heard: Heard, tools: Toolbox, offer: Offer) -> Answer:
    """One to three cards with their choices, a note of what was understood, and what to remember.

    With nothing to show, a person is asked for: an answer always holds a contact or a request for one.
    """
    needs = sort_needs(offer.found.needs, tools)
    matches = offer.found.matches[:MOST_CARDS]
    place = offer.found.place.name if offer.found.place else heard.place
    if not matches:
        count_answer(offer, needs, matches, tools)
        return offer_person(heard, tools)
    near = offer.found.place
    basket = keep_rest(heard, needs, tools)
    introduction = offer.introduction or introduce(matches, needs, near, tools)
    asked, question = ask_after_list(heard, tools, offer, basket)
    if question or offer.aside:
        introduction = f"{introduction[:-1]}." if introduction.endswith(":") else introduction
    reply = make_list(
        " ".join(part for part in (offer.opening, introduction, offer.aside, question) if part), matches, near, tools
    )
    ids = tuple(match.service.id for match in matches)
    count_answer(offer, needs, matches, tools)
    note = Note(needs=tuple(guess.id for guess in needs), place=place, intent=NOTED_ABOUT.get(heard.about, ""))
    return Answer(
        replies=(add_choice(reply, "next", tools) if basket else reply,),
        requests=(note, *ask_if_concerning(heard, needs)),
        slots={
            "need": needs[0].id if needs else matches[0].need,
            "place": place,
            "shown": ids,
            "offered": ids,
            "last_query": offer.query,
            "basket": basket,
            "about": heard.about or None,
            "preferences": heard.preferences,
            "asked": asked or None,
            "place_asked": heard.place_asked or asked == "place",
        },
    )


def ask_after_list(heard: Heard, tools: Toolbox, offer: Offer, basket: Sequence[str]) -> tuple[str, str]:
    """One question at most, and its name: where they are, or whether to go on to what they also mentioned.

    What was named in the introduction is not asked about in the same breath; a yes still goes on to it. A text message
    that names several needs has no room for the question beside three services: it comes with the next list.
    """
    needs = sort_needs(offer.found.needs, tools)
    matches = offer.found.matches[:MOST_CARDS]
    place = offer.found.place or heard.place
    in_danger = is_in_danger(heard, needs)
    said = not offer.introduction and len(name_needs(matches, needs, tools)) > 1
    crowded = said and heard.channel == Channel.SMS
    if offer.ask_place and place is None and not in_danger and not crowded and wants_place(heard, matches):
        return "place", tools.wording.say("ask_place")
    if not basket or in_danger:
        return "", ""
    new = {guess.id for guess in needs}
    return "next", "" if said and new >= set(basket[:2]) else ask_next(basket, tools)


def add_choice(reply: Reply, payload: str, tools: Toolbox) -> Reply:
    """One more choice, before those that every list ends with."""
    (choice,) = tools.wording.choices(payload)
    at = next((at for at, each in enumerate(reply.choices) if each.payload == "more"), len(reply.choices))
    return replace(reply, choices=(*reply.choices[:at], choice, *reply.choices[at:]))


def count_answer(offer: Offer, needs: Sequence[NeedGuess], matches: Sequence[Match], tools: Toolbox) -> None:
    """What was asked for, near which place of our own tables, and whether a good answer was there.

    A list with an introduction of its own goes on with something that was counted before: only its services count.
    """
    asked = None if offer.introduction and not offer.first else [guess.id for guess in needs]
    well = any(match.strength == "good" for match in matches)
    place = offer.found.place.name if offer.found.place else None
    tools.counts.note(asked, place, well, [match.service.id for match in matches])


def make_list(text: str, matches: Sequence[Match], near: Place | None, tools: Toolbox) -> Reply:
    """Cards in order, then `details` for each, then more and a person."""
    maker = tools.make_cards(near)
    return Reply(
        text=text,
        cards=tuple(maker.make_card(match.service, why=match.reason) for match in matches),
        choices=(
            *(details_choice(match.service) for match in matches),
            *tools.wording.choices("more", "person"),
        ),
    )


def offer_person(heard: Heard, tools: Toolbox) -> Answer:
    """Nothing to list: only a person can answer this one."""
    reply = Reply(text=tools.wording.say("nothing_yet", heard.turns), choices=tools.wording.choices("new_topic"))
    return Answer(replies=(reply,), requests=(HandOver(reason="nothing_found", need=heard.need),))


def sort_needs(needs: Sequence[NeedGuess], tools: Toolbox) -> tuple[NeedGuess, ...]:
    """What was plainly said, the most urgent first. A mere guess is neither repeated to the person nor noted."""
    sure = [guess for guess in needs if guess.score >= SURE]
    likeliest = max((guess.score for guess in sure), default=0.0)

    def forward(guess: NeedGuess) -> int:
        return weigh_urgency(tools.urgency.get(guess.id, 1), guess.score, likeliest)

    return tuple(sorted(sure, key=lambda guess: (-forward(guess), -guess.score)))


def introduce(matches: Sequence[Match], needs: Sequence[NeedGuess], near: Place | None, tools: Toolbox) -> str:
    """The sentence before the list: names what was understood, and claims no more than was found."""
    count = "one" if len(matches) == 1 else "many"
    strength = min((match.strength for match in matches), key=STRENGTHS.index)
    if strength != "good":
        return tools.wording.say(f"{strength}_{count}")
    names = name_needs(matches, needs, tools)
    if not names:
        return tools.wording.say(f"unnamed_{count}")
    if len(names) > 1:
        start = tools.wording.say("several", first=names[0], others=tools.wording.join(names[1:3]))
        return f"{start} {tools.wording.say(f'unnamed_{count}')}"
    is_near = near is not None and all(is_close(match.service, near) for match in matches)
    return tools.wording.say(f"{'near' if is_near else 'help'}_{count}", needs=tools.wording.join(names))


def is_close(service: Service, near: Place) -> bool:
    """Whether "near you" is true: it has a place, and that place is a bus ride away at most."""
    location = nearest_location(service.locations, near)
    miles = miles_to(location, near) if location else None
    return miles is not None and miles <= NEAR_MILES


def name_needs(matches: Sequence[Match], needs: Sequence[NeedGuess], tools: Toolbox) -> list[str]:
    """How the understood needs are said. Nothing at all when one of them is better not said aloud."""
    if any(guess.id in tools.wording.needs_not_named for guess in needs):
        return []
    return list(dict.fromkeys(tools.wording.name_need(guess.id, guess.label) for guess in needs))


def wants_place(heard: Heard, matches: Sequence[Match]) -> bool:
    """Asked once, and only when it would change the answer."""
    return not heard.place_asked and any(match.service.area is not Area.NATIONAL for match in matches)


def is_in_danger(heard: Heard, needs: Sequence[NeedGuess]) -> bool:
    """Then nothing is asked that can wait."""
    return bool(heard.concerns) or any(guess.id in CONCERNING for guess in needs)


def ask_if_concerning(heard: Heard, needs: Sequence[NeedGuess]) -> tuple[HandOver, ...]:
    """A person as well as the list. The worker's own check needs no model; this catches what it has no words for."""
    enough = CONCERN_SCORE_AGREED if heard.intent in CONCERN_INTENTS else CONCERN_SCORE
    sure = [guess.id for guess in needs if guess.id in CONCERNING and guess.score >= enough]
    return () if heard.concerns or not sure else (HandOver(reason="concern", need=sure[0]),)


def open_kindly(heard: Heard, needs: Sequence[NeedGuess], tools: Toolbox, said_about: str = "") -> str:
    """First words that fit what was said: a trouble, a plain wish, or something we cannot be sure about.

    `said_about` is who help is for, when this message says so.
    """
    ids = {guess.id for guess in needs}
    if said_about in {"someone", "worker"}:
        tone = f"heard_{said_about}"
    elif heard.concerns or ids & CONCERNING:
        tone = "heard_concern"
    elif not ids:
        tone = "heard_unsure"
    elif ids <= tools.wording.needs_plain:
        tone = "heard_plain"
    elif ids <= tools.wording.needs_plain | tools.wording.needs_either:
        tone = "heard_unsure"
    else:
        tone = tools.wording.pick_opening(ids - {heard.need, *heard.basket}) or "heard_hard"
    return tools.wording.say(tone, heard.turns)


def remember_shown(answer: Answer, shown: Sequence[str]) -> Answer:
    """The same answer, with what was shown before still counted as shown."""
    now = answer.slots.get("shown") or ()
    return replace(answer, slots={**answer.slots, "shown": tuple(dict.fromkeys((*shown, *now)))})
