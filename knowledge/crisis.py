"""Which lines come first when a message is about a crisis: locale data, not code (product rule 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from knowledge.catalogue import Area, Kind, Organisation, Phone, Service
from knowledge.errors import CatalogueFileError

KIND_OF_NEED: Mapping[str, str] = {
    "suicidal_thoughts": "suicide",
    "self_harm": "self_harm",
    "domestic_abuse": "abuse",
    "sexual_violence": "abuse",
    "eating_disorder": "eating_disorder",
}
"""Needs that are about a crisis, and the kind of line (in crisis_lines.yml) each asks for."""
LINES_FROM: Mapping[str, float] = {
    "suicidal_thoughts": 0.2,
    "self_harm": 0.2,
    "domestic_abuse": 0.25,
    "sexual_violence": 0.25,
    "eating_disorder": 0.4,
}
"""Probability of such a need from which its lines come first: for life and safety, better one too many."""


@dataclass(frozen=True, kw_only=True)
class CrisisLine:
    """A line of one country. `say` is the whole of what a text message says about it."""

    id: str
    name: str
    say: str
    phone: str
    kinds: tuple[str, ...]


def load_crisis_lines(path: Path, country: str) -> tuple[CrisisLine, ...]:
    """The lines of a country in the order to offer them. Raises CatalogueFileError."""
    try:
        body: Any = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        known = body[country]["lines"]
        return tuple(CrisisLine(**{**line, "kinds": tuple(line["kinds"])}) for line in known)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise CatalogueFileError(
            [
                f"{path.name}: {country}: cannot be used ({error}). Give the country 'lines', each with "
                "id, name, say, phone and kinds; or set NWD_COUNTRY to a country that is there."
            ]
        ) from None


def lines_as_services(lines: Iterable[CrisisLine], country: str) -> tuple[Service, ...]:
    """Listings for a country whose national lines are known only from crisis_lines.yml."""
    made = []
    for line in lines:
        needs = tuple(need for need, kind in KIND_OF_NEED.items() if kind in line.kinds)
        if "child_at_risk" in line.kinds:
            needs += ("young_people",)
        slug = f"line-{country.lower()}-{line.id}"
        made.append(
            Service(
                id=slug,
                organisation=Organisation(id=f"org-{slug}", name=line.name),
                name=line.name,
                summary=f"{line.say}.",
                needs=needs or ("suicidal_thoughts",),
                kind=Kind.LINE,
                phones=(Phone(number=line.phone, sms=line.say.startswith("Text")),),
                how_to=line.say,
                area=Area.NATIONAL,
                crisis=True,
            )
        )
    return tuple(made)


def may_come_first(service: Service) -> bool:
    """Whether `order_crisis_lines` has to look at it: the others change nothing there."""
    return service.kind is Kind.LINE and not KIND_OF_NEED.keys().isdisjoint(service.needs)


def order_crisis_lines(
    services: Iterable[Service], lines: Iterable[CrisisLine], needs: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """For each crisis need the listings to offer first: those that are made for it, in the country's order.

    A line is recognised by its number, so an editor may name it as people here know it.
    """
    listed = [
        (service, [_digits(phone.number) for phone in service.phones])
        for service in services
        if may_come_first(service)
    ]
    known = tuple(lines)
    order = {}
    for need in needs:
        kind = KIND_OF_NEED.get(need)
        if kind is None:
            continue
        wanted = {_digits(line.phone): place for place, line in reversed([*enumerate(known)]) if kind in line.kinds}
        ranked = []
        for service, numbers in listed:
            places = [wanted[number] for number in numbers if number in wanted]
            if need in service.needs and (places or service.crisis):
                first = 0 if service.needs[0] == need else 1
                ranked.append((not places, first, min(places, default=len(known)), service.id))
        if ranked:
            order[need] = tuple(service_id for *_rank, service_id in sorted(ranked))
    return order


def _digits(phone: str) -> str:
    return "".join(filter(str.isdecimal, phone))
