"""What somebody would rather have: free, open now, without a phone call. Pure.

A preference is looked up in what the listing says and is never guessed. It orders suggestions and is said aloud
where nothing meets it; it hides nothing, because a preference is no condition (product rule 2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

from knowledge.catalogue import Area, Kind, Schedule, Service
from knowledge.hours import Opening, minutes_of

EVENING = 18 * 60
"""Minutes after midnight from which an opening counts as one in the evening."""
WEEKEND = frozenset({"SA", "SU"})
WHENEVER = 24 * 60


class Preference(StrEnum):
    """A wish about how help is, beside what it is about."""

    FREE = "free"
    OPEN_NOW = "open_now"
    REMOTE = "remote"
    """From home: by phone or online."""
    ONLINE = "online"
    WRITTEN = "written"
    """Without a phone call: a text, an email, or turning up."""
    IN_PERSON = "in_person"
    WOMEN = "women"
    """By or for women."""
    CHILDREN = "children"
    """Children can come, or it is for families."""
    EVENINGS = "evenings"
    WEEKENDS = "weekends"
    ALONE = "alone"
    """Not in a group."""
    NEAR = "near"
    """The nearest first. An order, and not something that one listing has and another has not."""


_ONLINE = re.compile(r"\b(?:on ?line|video|zoom|web ?chat|whatsapp|an app|website chat|email)\b", re.IGNORECASE)
_REMOTE = re.compile(
    r"\b(?:on ?line|video|zoom|web ?chat|(?:by|over the|on the) phone|helpline|from home)\b", re.IGNORECASE
)
_WRITTEN = re.compile(
    r"\b(?:text|email|e-mail|web ?chat|write|turn(?:ing)? up|walk(?:ing)? in|drop(?:ping)? in|come (?:in|along|to))\b",
    re.IGNORECASE,
)
_WOMEN = re.compile(r"\b(?:women|womens|woman|girls|mums?|mothers?)\b", re.IGNORECASE)
_CHILDREN = re.compile(
    r"\b(?:kids|child(?:ren)?s?|famil(?:y|ies)|parents?|toddlers?|bab(?:y|ies)|creche|under 5s|dads|mums)\b",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r"\b(?:groups?|clubs?|choirs?|class(?:es)?|teams?|circles?|cafés?|cafes?|meet-?ups?|together|meet (?:others|people)"
    r"|sing|walks?|workshops?|sessions?|social)\b",
    re.IGNORECASE,
)
_COSTS = re.compile(r"\b(?:from|fee|pay by|loan)\b|\d", re.IGNORECASE)
_FREE_WHEN_SHORT = re.compile(r"free if|free for|what you like|no charge", re.IGNORECASE)


def met(service: Service, opening: Opening, wanted: Collection[Preference]) -> frozenset[Preference]:
    """Those of the preferences that the listing says it meets. Nobody lacks nearness: it is an order."""
    words = " ".join((service.name, service.summary, service.description, service.eligibility, service.how_to))
    return frozenset(each for each in wanted if _MEETS[each](service, opening, words))


def _is_online(service: Service, _opening: Opening, words: str) -> bool:
    return bool(_ONLINE.search(words) or service.email or (service.area is Area.NATIONAL and service.website))


def _is_written(service: Service, _opening: Opening, _words: str) -> bool:
    reached = bool(service.email) or any(phone.sms for phone in service.phones)
    return reached or bool(_WRITTEN.search(service.how_to))


def _is_alone(service: Service, _opening: Opening, _words: str) -> bool:
    """By its name and summary: what else it runs besides is no reason against it."""
    return service.kind is not Kind.COMMUNITY and not _GROUP.search(f"{service.name} {service.summary}")


def _is_free(cost: str) -> bool:
    """ "Free", "Free to join", "4 pounds, or free if that is hard"; not "Free first time, then 4 pounds"."""
    if _FREE_WHEN_SHORT.search(cost):
        return True
    return "free" in cost.lower() and not _COSTS.search(cost)


def _is_open_late(schedule: Schedule) -> bool:
    """Open for at least half an hour of the evening, or over midnight."""
    opens, closes = minutes_of(schedule.opens), minutes_of(schedule.closes)
    return closes <= opens or min(closes, WHENEVER) - max(opens, EVENING) >= 30


_MEETS: Mapping[Preference, Callable[[Service, Opening, str], bool]] = {
    Preference.FREE: lambda service, _opening, _words: _is_free(service.cost),
    Preference.OPEN_NOW: lambda _service, opening, _words: opening.is_open is True,
    Preference.REMOTE: lambda service, _opening, words: (
        service.kind is Kind.LINE or not service.locations or bool(_REMOTE.search(words))
    ),
    Preference.ONLINE: _is_online,
    Preference.WRITTEN: _is_written,
    Preference.IN_PERSON: lambda service, _opening, _words: bool(service.locations),
    Preference.WOMEN: lambda _service, _opening, words: bool(_WOMEN.search(words)),
    Preference.CHILDREN: lambda _service, _opening, words: bool(_CHILDREN.search(words)),
    Preference.EVENINGS: lambda service, _opening, _words: any(_is_open_late(each) for each in service.schedules),
    Preference.WEEKENDS: lambda service, _opening, _words: any(WEEKEND & {*each.days} for each in service.schedules),
    Preference.ALONE: _is_alone,
    Preference.NEAR: lambda _service, _opening, _words: True,
}
