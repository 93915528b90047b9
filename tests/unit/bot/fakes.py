"""A small catalogue, a search that answers from it, and the toolbox around them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.language import load_languages
from bot.actions.toolbox import Finder, Toolbox
from bot.actions.wording import load_wording
from channels.conversation import Note, Request
from knowledge.catalogue import Area, Kind, Location, Organisation, Phone, Place, Schedule, Service
from knowledge.hours import opening
from knowledge.needs import NeedGuess
from knowledge.search import Found, Match

NOW = datetime(2026, 11, 16, 10, 30, tzinfo=ZoneInfo("Europe/London"))
"""A Monday morning."""

FOXLEY = Place(name="Foxley", latitude=54.17, longitude=-0.88)
MILLGATE = Place(name="Millgate", latitude=54.161, longitude=-0.912)
PLACES = {"foxley": FOXLEY, "foxly": FOXLEY, "wz4": FOXLEY, "millgate": MILLGATE, "wz2": MILLGATE}

RENT = NeedGuess(id="rent_arrears", label="Rent and mortgage worries", score=0.8)
LOW = NeedGuess(id="low_mood", label="Feeling low", score=0.7)
FOOD = NeedGuess(id="food", label="Food for today", score=0.6)
CHOIR = NeedGuess(id="creative_arts", label="Art, music and making", score=0.9)
SUICIDE = NeedGuess(id="suicidal_thoughts", label="Thoughts of suicide", score=0.9)


def make_service(service_id: str, name: str, **values: object) -> Service:
    """A listing with everything in it; `values` replace fields."""
    body: dict[str, object] = {
        "organisation": Organisation(id=f"org-{service_id}", name=f"{name} Trust"),
        "summary": f"{name} will sit down with you.",
        "description": f"{name} will sit down with you. You can bring a friend.",
        "needs": ("rent_arrears",),
        "phones": (Phone(number="01632 960112"),),
        "how_to": "Just turn up.",
        "cost": "Free",
        "locations": (
            Location(
                name="Advice Shop", address="12 Bell Street", postcode="WZ1 2AB", latitude=54.1502, longitude=-0.9003
            ),
        ),
        "schedules": (Schedule(days=("MO", "TU"), opens="09:30", closes="16:30"),),
        "assured_date": date(2026, 10, 14),
    }
    return Service(id=service_id, name=name, **{**body, **values})  # type: ignore[arg-type]


RENT_RESCUE = make_service("svc-rent-help", "Rent Rescue drop-in")
DEBT_LINE = make_service("svc-debt", "Wrenbridge Debt Advice")
CAFE = make_service("svc-cafe", "Harbour Cafe", needs=("low_mood",))
HOUSING = make_service("svc-housing", "Housing Rights Desk")
LISTENERS = make_service(
    "nat-listeners",
    "The Listeners",
    kind=Kind.LINE,
    area=Area.NATIONAL,
    locations=(),
    schedules=(Schedule(days=("MO", "TU", "WE", "TH", "FR", "SA", "SU"), opens="00:00", closes="24:00"),),
    phones=(Phone(number="85258", description="Text the word LISTEN", sms=True),),
)


@dataclass
class FakeSearch:
    """Offers `services` in order, then the national line; strength is "good" for them and "wider" for the line."""

    services: tuple[Service, ...] = (RENT_RESCUE, DEBT_LINE, CAFE, HOUSING)
    needs: tuple[NeedGuess, ...] = (RENT,)
    strength: str = "good"
    line: Service | None = LISTENERS
    asked: list[tuple[str, str | None, frozenset[str]]] = field(default_factory=list)

    def find(
        self,
        text: str,
        *,
        near: str | None = None,
        now: datetime | None = None,
        limit: int = 3,
        needs: Sequence[str] = (),
        exclude: Collection[str] = (),
    ) -> Found:
        self.asked.append((text, near, frozenset(exclude)))
        listed = [(service, self.strength) for service in self.services]
        listed += [(self.line, "wider")] if self.line else []
        fresh = [each for each in listed if each[0].id not in exclude] or listed[-1:]
        matches = [
            Match(
                service=service,
                score=1.0,
                strength=strength,
                reason="because",
                need="rent_arrears",
                opening=opening(service, NOW),
            )
            for service, strength in fresh
        ]
        return Found(matches=tuple(matches[:limit]), needs=self.needs, place=PLACES.get((near or "").lower()))

    def service(self, service_id: str) -> Service | None:
        return next((each for each in (*self.services, LISTENERS) if each.id == service_id), None)


class FakePlaces:
    """Knows two neighbourhoods by name and postcode district."""

    def find(self, text: str) -> Place | None:
        return next((place for name, place in PLACES.items() if name in text.lower()), None)

    resolve = find

    def nearest(self, latitude: float, longitude: float) -> Place | None:
        here = (round(latitude, 2), round(longitude, 2))
        return next((place for place in PLACES.values() if (place.latitude, place.longitude) == here), None)


load_words = cache(load_wording)
load_word_lists = cache(load_languages)


def make_tools(finder: Finder | None = None) -> Toolbox:
    return Toolbox(
        finder=finder or FakeSearch(),
        wording=load_words(),
        languages=load_word_lists(),
        places=FakePlaces(),
        urgency={"rent_arrears": 2, "low_mood": 2, "food": 3, "creative_arts": 1, "suicidal_thoughts": 3},
        now=lambda: NOW,
    )


def hear(text: str = "", **values: object) -> Heard:
    return Heard(text=text, **values)  # type: ignore[arg-type]


def payloads(answer: Answer) -> list[str]:
    return [choice.payload for reply in answer.replies for choice in reply.choices]


def card_ids(answer: Answer) -> list[str]:
    return [card.service_id for reply in answer.replies for card in reply.cards]


def text_of(answer: Answer) -> str:
    return " ".join(reply.text for reply in answer.replies)


def requests_but_notes(answer: Answer) -> list[Request]:
    return [request for request in answer.requests if not isinstance(request, Note)]
