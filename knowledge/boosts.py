"""Gentle pushes on a score: open now, near, checked lately, for this age. Pure.

They reorder what fits about equally well; none of them hides anything. Units are those of the score, where
a clear difference in fit is about 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from knowledge.catalogue import Area, Place, Service
from knowledge.hours import Opening, is_stale
from knowledge.places import miles_between
from knowledge.territory import covers

OPEN, OPEN_URGENT = 0.15, 0.4
NEAR, NEAR_MILES = 0.5, 3.0
REACH = {Area.TOWN: 15.0, Area.COUNTY: 40.0}
"""Miles from which on help for a town or a county is too far to be of use; national help never is."""
FAR = 1.5
SERVED = 0.2
"""For a place inside the area that a source drew: as much as being about 3 miles away."""
OUTSIDE = 0.75
"""Lost by help for a town when the place is outside of that area, at least. Help for a county loses nothing by it."""
STALE = 0.6
OLD = 0.2
"""Lost by a listing last checked a year ago; in proportion before that."""
AGE_FITS, AGE_MISSES = 0.3, 1.0
RESTRICTED = 0.4
"""For some people only, and nothing says that this person is one of them."""
STRANGE, HEARD = 0.6, 0.15
"""Lost when what a service is mainly for was not spoken of at all (a gambling group, for low mood); nothing is
lost from the second probability on."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """When and where somebody is, and how old, as far as they said."""

    now: datetime
    zone: str
    stale_days: int
    place: Place | None = None
    from_home: float | None = None
    """Miles from there to the middle of the catalogue."""
    age: int | None = None
    urgent: bool = False
    said: Mapping[str, float] = field(default_factory=dict)
    """Need id to the probability that the message is about it."""
    close: frozenset[str] = frozenset()
    """Needs next to those somebody asked for."""


def boost(service: Service, state: Opening, miles: float | None, circumstances: Circumstances) -> float:
    """What to add to a score."""
    total = 0.0
    if state.is_open:
        total += OPEN_URGENT if circumstances.urgent else OPEN
    total += (
        _nearness(service, miles, is_served(service, circumstances.place))
        + _for_whom(service, circumstances)
        - _strangeness(service, circumstances)
    )
    return total - _staleness(service, circumstances.now.date(), circumstances.stale_days)


def miles_to(service: Service, place: Place | None) -> float | None:
    """To the nearest of its locations; None when either end is unknown."""
    if place is None:
        return None
    away = [
        miles_between(place, each.latitude, each.longitude)
        for each in service.locations
        if each.latitude is not None and each.longitude is not None
    ]
    return min(away, default=None)


def is_served(service: Service, place: Place | None) -> bool | None:
    """Whether somebody there is in the area that the source drew; None when it drew none, or nobody gave a place.

    A country is not drawn against anybody: national help is for everyone (None when the place is outside).
    """
    if place is None or not service.drawn:
        return None
    inside = covers(service.drawn, place.latitude, place.longitude)
    return inside if inside or service.area is not Area.NATIONAL else None


def is_too_far(service: Service, miles: float | None, served: bool | None = None) -> bool:
    """Whether help for a town or a county is out of reach of somebody; national help never is. What was drawn counts
    before miles."""
    if served is not None:
        return not served
    return miles is not None and miles > REACH.get(service.area, math.inf)


def _nearness(service: Service, miles: float | None, served: bool | None) -> float:
    near = 0.0 if miles is None else NEAR * math.exp(-miles / NEAR_MILES)
    if served:
        return max(near, SERVED)
    reach = REACH.get(service.area, math.inf)
    lost = FAR * min(1.0, (miles - reach) / reach) if miles is not None and miles > reach else 0.0
    if served is None:
        return near - lost
    return -max(lost, OUTSIDE if service.area is Area.TOWN else 0.0)


def suits_age(service: Service, age: int | None) -> bool | None:
    """Whether it is made for that age; None when the listing has no limits or nobody gave an age."""
    youngest, oldest = service.minimum_age, service.maximum_age
    if age is None or (youngest is None and oldest is None):
        return None
    return (youngest or 0) <= age <= (oldest if oldest is not None else age)


def _for_whom(service: Service, circumstances: Circumstances) -> float:
    suits = suits_age(service, circumstances.age)
    if suits is not None:
        return AGE_FITS if suits else -AGE_MISSES
    return -RESTRICTED if service.restricted else 0.0


def _strangeness(service: Service, circumstances: Circumstances) -> float:
    if not service.needs or not circumstances.said:
        return 0.0
    main = service.needs[0]
    heard = min(1.0, circumstances.said.get(main, 0.0) / HEARD)
    return STRANGE * (1.0 - heard) * (0.5 if main in circumstances.close else 1.0)


def _staleness(service: Service, today: date, stale_days: int) -> float:
    if service.assured_date is None:
        return 0.0
    if is_stale(service, today, stale_days):
        return STALE
    return OLD * max(0, (today - service.assured_date).days) / 365
