"""The nouns of the catalogue, in Open Referral's words. Pure: no input or output happens here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of help it is."""

    SERVICE = "service"
    COMMUNITY = "community"
    """A choir, a barber who listens, a walking group: help that nobody calls a service."""
    LINE = "line"
    """Somebody at the end of a phone or a text."""


class Area(StrEnum):
    """How far a service reaches. A place never hides what reaches further."""

    TOWN = "town"
    COUNTY = "county"
    NATIONAL = "national"


class Status(StrEnum):
    """Open Referral's service status. Only active services are offered as open."""

    ACTIVE = "active"
    TEMPORARILY_CLOSED = "temporarily closed"
    INACTIVE = "inactive"
    DEFUNCT = "defunct"


ADULT = 18
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """Who runs services."""

    id: str
    name: str
    description: str = ""
    website: str = ""


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A number as people dial it. `sms` says that it can be texted."""

    number: str
    description: str = ""
    extension: str = ""
    sms: bool = False


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a service happens. Degrees, WGS 84; both are missing when only the address is known."""

    name: str = ""
    address: str = ""
    postcode: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accessibility: str = ""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The same hours on some days of every week, local time, 24-hour clock.

    `closes` may be 24:00. When it is not later than `opens` the service closes the next day;
    the same time twice is 24 hours.
    """

    days: tuple[str, ...]
    opens: str
    closes: str


@dataclass(frozen=True, kw_only=True)
class Need:
    """Something people ask for, with the ways they say it.

    `urgency` is 3 when it may be about safety or somewhere to sleep or eat today, 2 for soon,
    1 for when somebody is ready: it orders several needs in one message and never a person.
    """

    id: str
    label: str
    description: str = ""
    urgency: int = 1
    related: tuple[str, ...] = ()
    phrasings: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    """How services that help with it describe themselves: what finds listings that nobody tagged."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Somewhere a person named. Degrees, WGS 84."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, kw_only=True)
class Service:
    """One listing that an editor published. Every fact a person is given comes from here."""

    id: str
    organisation: Organisation
    name: str
    summary: str = ""
    description: str = ""
    needs: tuple[str, ...] = ()
    """Need ids, most fitting first."""
    kind: Kind = Kind.SERVICE
    phones: tuple[Phone, ...] = ()
    email: str = ""
    website: str = ""
    how_to: str = ""
    eligibility: str = ""
    """"Good to know" in words, never a refusal. Empty means everyone."""
    minimum_age: int | None = None
    maximum_age: int | None = None
    cost: str = ""
    area: Area = Area.TOWN
    drawn: str = field(default="", repr=False)
    """The area as its source drew it (`knowledge.territory`); empty when it is said in words only."""
    locations: tuple[Location, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    languages: tuple[str, ...] = ("en",)
    companion: bool = False
    """Somebody can come along the first time."""
    alert: str = ""
    status: Status = Status.ACTIVE
    crisis: bool = False
    """Somebody answers who is there for a crisis: such a line comes first when a message is about one."""
    assured_date: date | None = None
    assured_by: str = ""
    terms: tuple[str, ...] = field(default=(), repr=False)
    """Labels of another taxonomy, when the listing came from one (Open Referral's taxonomy terms)."""

    @property
    def restricted(self) -> bool:
        """Whether it is for some people only. Said in words beside it; it never hides the listing.

        "Over 18" alone does not count: nearly every listing for adults says so.
        """
        return bool(self.eligibility) or self.maximum_age is not None or (self.minimum_age or 0) > ADULT


def service_to_dict(service: Service) -> dict[str, Any]:
    """Plain values for JSON; the organisation is inside."""
    body = dict(vars(service))  # not `asdict`: that copies deeply, which costs seconds for a whole catalogue
    body["organisation"] = dict(vars(service.organisation))
    for name in ("phones", "locations", "schedules"):
        body[name] = tuple(dict(vars(row)) for row in body[name])
    body["assured_date"] = service.assured_date.isoformat() if service.assured_date else None
    return body


def service_from_dict(body: dict[str, Any]) -> Service:
    """The inverse of `service_to_dict`. Unknown keys are an error: a newer writer made them."""
    assured = body.get("assured_date")
    return Service(
        **{
            **body,
            "organisation": Organisation(**body["organisation"]),
            "needs": tuple(body.get("needs", ())),
            "kind": Kind(body.get("kind", Kind.SERVICE)),
            "phones": tuple(Phone(**phone) for phone in body.get("phones", ())),
            "area": Area(body.get("area", Area.TOWN)),
            "locations": tuple(Location(**location) for location in body.get("locations", ())),
            "schedules": tuple(
                Schedule(**{**schedule, "days": tuple(schedule["days"])}) for schedule in body.get("schedules", ())
            ),
            "languages": tuple(body.get("languages", ("en",))),
            "status": Status(body.get("status", Status.ACTIVE)),
            "assured_date": date.fromisoformat(assured) if assured else None,
            "terms": tuple(body.get("terms", ())),
        }
    )
