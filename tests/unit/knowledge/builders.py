"""A tiny catalogue, and an encoder that needs no model: texts with the same words have near vectors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from knowledge.catalogue import Area, Kind, Location, Need, Organisation, Phone, Place, Schedule, Service
from knowledge.embedding import DIMENSIONS
from knowledge.index import Index, Source, all_texts, build_index
from knowledge.need_head import Vectors, train_head
from knowledge.needs import offer_texts, training_texts
from knowledge.offer_head import Heads, train_offers
from knowledge.places import Places
from knowledge.search import Search
from knowledge.settings import Settings
from knowledge.spelling import Spelling

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EVERY_DAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ALWAYS = (Schedule(days=EVERY_DAY, opens="00:00", closes="24:00"),)
OFFICE = (Schedule(days=EVERY_DAY[:5], opens="09:00", closes="17:00"),)
MILLGATE = Place(name="Millgate", latitude=54.161, longitude=-0.912)
FAR_AWAY = Place(name="Penzance", latitude=50.119, longitude=-5.537)


class WordEncoder:
    """Bag of words: every word has its own fixed direction, a text is their sum."""

    id = "words-1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked.extend(texts)
        made = np.array([sum((_direction(word) for word in _words(text)), _direction("")) for text in texts])
        if not len(made):
            return np.zeros((0, DIMENSIONS), np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _direction(word: str) -> Any:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(DIMENSIONS) * (1.0 if word else 0.2)


def need(name: str, *phrasings: str, urgency: int = 1, related: Sequence[str] = ()) -> Need:
    return Need(
        id=name,
        label=name.replace("_", " ").capitalize(),
        description=" ".join(phrasings[:1]),
        urgency=urgency,
        related=tuple(related),
        phrasings=phrasings,
    )


NEEDS = (
    need("rent", "cannot pay my rent", "behind with rent", "rent arrears landlord money", "owe rent", related=["debt"]),
    need("debt", "owe money on cards", "bailiffs and debt", "loans and debt", "debt letters", related=["rent"]),
    need("low_mood", "feel so down", "feeling low and down", "no energy and sad", "so sad", related=["loneliness"]),
    need("loneliness", "no friends", "lonely and alone", "nobody to see", "so lonely", related=["low_mood"]),
    need("food", "nothing to eat", "hungry kids food", "need food", "food bank", urgency=3, related=["debt", "rent"]),
    need("lgbt", "came out as gay", "trans group", "gay and proud", "queer friends", related=["loneliness"]),
    need("suicidal_thoughts", "want to die", "do not want to live", "end my life", "better off dead", urgency=3,
         related=["low_mood"]),
)  # fmt: skip


def service(name: str, *needs: str, **fields: Any) -> Service:
    slug = name.lower().replace(" ", "-")
    made: dict[str, Any] = {
        "id": slug,
        "organisation": Organisation(id=f"org-{slug}", name=f"{name} Trust"),
        "name": name,
        "summary": f"Help from {name}.",
        "description": "",
        "needs": needs,
        "phones": (Phone(number="01632 960001"),),
        "cost": "Free",
        "assured_date": date(2026, 11, 1),
    }
    return Service(**{**made, **fields})


def line(name: str, *needs: str, **fields: Any) -> Service:
    return service(name, *needs, **{"kind": Kind.LINE, "area": Area.NATIONAL, "schedules": ALWAYS, **fields})


def at(place: Place) -> tuple[Location, ...]:
    return (Location(name=place.name, latitude=place.latitude, longitude=place.longitude),)


SERVICES = (
    service("Rent Rescue", "rent", "debt", summary="Help with rent arrears and your landlord.", schedules=OFFICE,
            locations=at(MILLGATE)),
    service("Roof Advice", "rent", summary="Advice on rent.", schedules=OFFICE),
    service("Clear Desk", "debt", "rent", summary="Help with debt letters and bailiffs.", schedules=OFFICE),
    service("Walk And Talk", "low_mood", "loneliness", summary="A walk for anybody who feels down.", schedules=OFFICE),
    service("Mens Evening", "low_mood", summary="A group for men who feel low.", eligibility="For men."),
    service("Rainbow Social", "lgbt", "loneliness", "low_mood", summary="A social for gay and trans people."),
    service("Kettle Club", "loneliness", summary="Tea and company when you are lonely.", kind=Kind.COMMUNITY),
    service("Food Share", "food", summary="Food to take home.", locations=at(FAR_AWAY)),
    service("Pantry", "food", "debt", summary="Cheap food each week.", locations=at(MILLGATE)),
    line("Samaritans", "suicidal_thoughts", "low_mood", crisis=True, summary="Talk at any hour."),
    line("Shout", "suicidal_thoughts", "loneliness", crisis=True, summary="Text at any hour."),
    line("Debtline", "debt", "rent", summary="Debt advice by phone."),
)  # fmt: skip
CRISIS = {"suicidal_thoughts": ("samaritans", "shout")}


def make_index(services: Sequence[Service] = SERVICES, needs: Sequence[Need] = NEEDS, version: str = "v1") -> Index:
    encoder = WordEncoder()
    texts, owners = training_texts(needs)
    offers, offer_owners = offer_texts(needs)
    heads = Heads(
        messages=train_head(encoder.encode(texts), owners),
        listings=train_offers(encoder.encode(offers), offer_owners),
    )
    source = Source(services=tuple(services), needs=tuple(needs), crisis=CRISIS, encoder=encoder.id)
    return build_index(source, encoder.encode(all_texts(source)), heads, version=version, now=MONDAY_NOON)


def make_search(index: Index, settings: Settings | None = None) -> Search:
    spelling = Spelling({"cant": "cannot", "2day": "today", "im": "I am"})
    places = Places({"WZ2": MILLGATE}, {"penzance": (FAR_AWAY,)}, {"millgate": MILLGATE})
    return Search(settings or Settings(), index, WordEncoder(), spelling, places)
