"""How a listing looks in a text message, on Telegram and in the web chat: the catalogue's part of it. Pure.

The sentence before a list is the assistant's, and so is the line after it; they are left out or stand for the usual
ones. Everything between is put together here in the same order and with the same cuts as when it is sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from knowledge.catalogue import Phone, Service
from knowledge.checks import GSM_7
from knowledge.hours import day_in_words, hours_in_words, week_in_words

TWO_SEGMENTS: Final = 2
"""A text message of ours is at most this long; what is longer is sent as two messages."""
EXTENSION: Final = frozenset("^{}\\[~]|€")
"""GSM-7 letters that count twice."""
REPLY: Final = "Reply {numbers} for more, or PERSON to talk to someone."


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A text, and what it costs as a text message."""

    text: str
    segments: int

    @property
    def is_long(self) -> bool:
        return self.segments > TWO_SEGMENTS


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When it is read, and from when on hours are only a guess."""

    now: datetime
    zone: str
    stale_days: int


def render_list(services: Sequence[Service]) -> Shown:
    """The first reply as a text message: numbered lines with name and number."""
    lines = [f"{place} {each.name} {say_phone(each)}".rstrip() for place, each in enumerate(services, 1)]
    numbers = [str(place) for place in range(1, len(services) + 1)]
    said = " or ".join(part for part in (", ".join(numbers[:-1]), numbers[-1]) if part) if numbers else ""
    return measure("\n".join([*lines, REPLY.format(numbers=said)]) if lines else "")


def render_details(service: Service, moment: Moment) -> Shown:
    """Everything about one service, as a text message."""
    return measure("\n".join(_as_sentence(fact) for fact in _facts(service, moment, service.summary)))


def render_telegram(services: Sequence[Service]) -> str:
    """The first reply on Telegram: with the summary of each."""
    cards = [
        f"{place}. {', '.join(part for part in (each.name, say_phone(each)) if part)}\n{each.summary}"
        for place, each in enumerate(services, 1)
    ]
    return "\n\n".join(cards)


def web_facts(service: Service, moment: Moment) -> tuple[str, ...]:
    """What the card of the web chat shows below the name and the number."""
    return tuple(_facts(service, moment, service.description or service.summary))[1:]


def measure(text: str) -> Shown:
    """How many segments a text takes: 160 or 153 each in GSM-7, 70 or 67 in any other script."""
    if set(text) <= GSM_7:
        size, alone, each = len(text) + sum(letter in EXTENSION for letter in text), 160, 153
    else:
        size, alone, each = len(text.encode("utf-16-le")) // 2, 70, 67
    return Shown(text=text, segments=0 if not size else 1 if size <= alone else math.ceil(size / each))


def say_phone(service: Service) -> str:
    """ "01632 960112", "01632 960112 ext 4" or "text 85258"."""
    if not service.phones:
        return ""
    phone: Phone = service.phones[0]
    if phone.sms:
        return f"text {phone.number}"
    return f"{phone.number} ext {phone.extension}" if phone.extension else phone.number


def _facts(service: Service, moment: Moment, about: str) -> list[str]:
    week = week_in_words(service.schedules)
    now = hours_in_words(service, moment.now, zone=moment.zone, stale_days=moment.stale_days)
    where = service.locations[0] if service.locations else None
    facts = [
        f"{service.name} {say_phone(service)}".rstrip(),
        about,
        f"{now} ({week})" if week else now,
        ", ".join(part for part in (where.name, where.address, where.postcode) if part) if where else "",
        service.cost,
        _good_to_know(service, where.accessibility if where else ""),
        service.how_to,
        service.website or service.organisation.website,
        service.email,
        f"checked {day_in_words(service.assured_date)}" if service.assured_date else "",
    ]
    return [fact for fact in facts if fact]


def _good_to_know(service: Service, accessibility: str) -> str:
    company = "Someone can come with you the first time" if service.companion else ""
    parts = [service.alert, service.eligibility, company, accessibility]
    said = " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in parts if part)
    return f"Good to know: {said}" if said else ""


def _as_sentence(fact: str) -> str:
    return fact[0].upper() + fact[1:] if "@" not in fact and "/" not in fact else fact
