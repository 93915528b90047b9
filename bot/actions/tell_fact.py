"""A question about what was just shown: the fact is quoted from the listing, or it is said who knows it.

"do i need a referral" -> "Rent Rescue drop-in: Just turn up. 01632 960100"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.picking import pick_by_number
from bot.actions.replies import CardMaker, end_sentence, nearest_location
from bot.actions.sayings import Topic
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply
from knowledge.catalogue import Service

NOW: Final = re.compile(r"\b(?:now|today|tonight|still|tomorrow|tmrw|currently)\b", re.IGNORECASE)
POINTS: Final = re.compile(r"\b(?:first|second|third|last|1st|2nd|3rd|[123])\b", re.IGNORECASE)
INTRODUCTIONS: Final = {Topic.COST: "fact_cost", Topic.HOURS: "fact_hours", Topic.CONTACT: "fact_contact"}
SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


def tell_fact(heard: Heard, tools: Toolbox) -> Answer:
    """Nothing is searched for again, and nothing is said that no listing says."""
    topic = tools.sayings.read_question(heard.text) or Topic.CONTACT
    maker = tools.make_cards(tools.places.resolve(heard.place) if heard.place else None, heard.channel)
    services = asked_about(heard, tools)
    facts = [write_fact(topic, service, heard, maker, tools) for service in services]
    key = INTRODUCTIONS.get(topic, "fact_other") if any(facts) else "fact_ask"
    lines = [write_line(service, fact, maker, tools) for service, fact in zip(services, facts, strict=True)]
    if len(services) == 1 and facts[0] and (checked := maker.write_checked(services[0])):
        lines.append(end_sentence(checked[:1].upper() + checked[1:]))
    text = "\n".join([tools.wording.say(key, heard.turns), *lines])
    return Answer(replies=(Reply(text=text, choices=tools.wording.choices("more", "person")),))


def asked_about(heard: Heard, tools: Toolbox) -> list[Service]:
    """The one that is named by its number, else the one shown last, else the last list."""
    listed = [service for each in heard.offered if (service := tools.finder.service(each)) is not None]
    picked = pick_by_number(heard.text, len(listed)) if POINTS.search(heard.text) else None
    if picked is not None:
        return [listed[picked]]
    last = [service for each in heard.last_cards if (service := tools.finder.service(each)) is not None]
    return last or listed


def write_fact(topic: Topic, service: Service, heard: Heard, maker: CardMaker, tools: Toolbox) -> str:
    """As the listing has it; empty where it says nothing of that."""
    hours = maker.write_hours(service, detail=False) if NOW.search(heard.text) else maker.write_usual_hours(service)
    known = {
        Topic.COST: service.cost,
        Topic.HOURS: hours if service.schedules else "",
        Topic.CONTACT: service.how_to,
        Topic.WHERE: maker.write_place(service, detail=True),
        Topic.LANGUAGES: maker.write_languages(service.languages),
        Topic.COMPANY: maker.wording.about_service("companion") if service.companion else "",
    }
    said = known.get(topic, "")
    sought = tools.sayings.found.get(topic)
    return find_sentence(sought, service, maker) if sought and not said else said


def find_sentence(found: re.Pattern[str], service: Service, maker: CardMaker) -> str:
    location = nearest_location(service.locations, maker.near)
    parts: Sequence[str] = (
        location.accessibility if location else "", service.how_to, service.eligibility, service.summary,
        service.description,
    )  # fmt: skip
    sentences = (sentence for part in parts for sentence in SENTENCE.split(part.strip()))
    return next((sentence for sentence in sentences if found.search(sentence)), "")


def write_line(service: Service, fact: str, maker: CardMaker, tools: Toolbox) -> str:
    """With the number, so that whatever is still open can be asked there."""
    card = maker.make_card(service)
    reach = card.phone or card.website or card.email
    if not fact:
        return f"{service.name}: {tools.wording.about_service('ask_them', number=reach)}" if reach else service.name
    fact = fact[:1].upper() + fact[1:]
    return f"{service.name}: {end_sentence(fact)} {'' if reach in fact else reach}".rstrip()
