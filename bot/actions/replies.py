"""From a catalogue listing to the card a person sees. Pure: the words are the editors', put together in plain form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.actions.wording import Wording
from channels.conversation import Choice, ServiceCard
from knowledge.catalogue import Location, Phone, Place, Service, Status
from knowledge.hours import day_in_words, hours_in_words, opening, week_in_words
from knowledge.places import miles_between

PAYLOAD_BYTES = 64
SHORT_MILES = 0.45
"""Below this a number says less than words do."""


@dataclass(frozen=True, kw_only=True)
class CardMaker:
    """Makes cards for one moment and one place; `near` is None when we do not know where the person is."""

    wording: Wording
    now: datetime
    zone: str = "Europe/London"
    near: Place | None = None
    short: bool = False
    """A text message has room for the summary only, whole; a page or a chat gets the description."""

    def make_card(self, service: Service, *, why: str = "", detail: bool = False) -> ServiceCard:
        """A line of a list, or with `detail` everything a person needs to go there or ring."""
        return ServiceCard(
            service_id=service.id,
            name=service.name,
            phone=self.write_phone(service.phones[0]) if service.phones else "",
            summary=service.summary if self.short or not detail else service.description or service.summary,
            hours=self.write_hours(service, detail=detail),
            place=self.write_place(service, detail=detail),
            cost=service.cost,
            good_to_know=self.write_good_to_know(service, detail=detail),
            how_to=service.how_to,
            checked=self.write_checked(service),
            website=service.website or service.organisation.website,
            email=service.email,
            why=why,
            call=write_call(service.phones[0]) if service.phones else "",
            usual_hours=self.write_usual_hours(service),
        )

    def write_phone(self, phone: Phone) -> str:
        """ "01632 960112", "01632 960112 ext 4", "text 85258", or with a word to send "text SHOUT to 85258"."""
        if phone.sms:
            word = word_to_send(phone)
            number = f"{word} to {phone.number}" if word else phone.number
            return self.wording.about_service("text_line", number=number)
        if phone.extension:
            return self.wording.about_service("extension", number=phone.number, extension=phone.extension)
        return phone.number

    def write_hours(self, service: Service, *, detail: bool) -> str:
        words = hours_in_words(service, self.now, zone=self.zone)
        week = week_in_words(service.schedules) if detail else ""
        return self.wording.tell_time(f"{words} ({week})" if week else words)

    def write_usual_hours(self, service: Service) -> str:
        """The week; or, where nobody knows it or the service is closed for now, the words that say so."""
        found = opening(service, self.now, zone=self.zone)
        known = service.status is Status.ACTIVE and found.is_open is not None
        return self.wording.tell_time(week_in_words(service.schedules) if known else found.words)

    def write_place(self, service: Service, *, detail: bool) -> str:
        """ "Bell Street, WZ1; 0.4 miles", or in detail "Advice Shop, 12 Bell Street, WZ1 2AB; 0.4 miles"."""
        location = nearest_location(service.locations, self.near)
        if location is None:
            return ""
        where = write_address(location) if detail else write_street(location)
        away = self.write_distance(location)
        return "; ".join(part for part in (where, away) if part)

    def write_distance(self, location: Location) -> str:
        miles = miles_to(location, self.near)
        if miles is None:
            return ""
        if miles < SHORT_MILES:
            return self.wording.about_service("distance_short")
        return self.wording.about_service("distance", miles=f"{miles:.1f}" if miles < 10 else f"{miles:.0f}")

    def write_good_to_know(self, service: Service, *, detail: bool) -> str:
        """Eligibility in words: it informs, it never turns anyone away."""
        parts = [service.alert, service.eligibility, self.write_ages(service)]
        if service.companion:
            parts.append(self.wording.about_service("companion"))
        if detail:
            parts.append(self.write_languages(service.languages))
            location = nearest_location(service.locations, self.near)
            parts.append(location.accessibility if location else "")
        return " ".join(end_sentence(part) for part in parts if part.strip())

    def write_ages(self, service: Service) -> str:
        low, high = service.minimum_age, service.maximum_age
        if mentions_age(service.eligibility) or (low is None and high is None):
            return ""
        if low is not None and high is not None:
            return self.wording.about_service("ages_between", low=str(low), high=str(high))
        key = "ages_to" if low is None else "ages_from"
        return self.wording.about_service(key, low=str(low), high=str(high))

    def write_languages(self, codes: Iterable[str]) -> str:
        """Nothing for English alone; a code without a name is left out rather than shown."""
        codes = tuple(codes)
        names = [self.wording.language_names[code] for code in codes if code in self.wording.language_names]
        return "" if set(codes) <= {"en"} else self.wording.about_service("languages", names=self.wording.join(names))

    def write_checked(self, service: Service) -> str:
        if service.assured_date is None:
            return ""
        return self.wording.about_service("checked", date=self.wording.tell_time(day_in_words(service.assured_date)))


def write_call(phone: Phone) -> str:
    """ "tel:01632960112", or for texts "sms:85258?&body=SHOUT", which both iOS and Android read.

    An extension is left to be asked for: not every phone waits before it dials one.
    """
    number = re.sub(r"[^\d+]", "", phone.number)
    if not number:
        return ""
    word = word_to_send(phone) if phone.sms else ""
    return f"{'sms' if phone.sms else 'tel'}:{number}{f'?&body={word}' if word else ''}"


def word_to_send(phone: Phone) -> str:
    """The word in capitals that a text line asks for: "SHOUT"."""
    word = re.search(r"\b[A-Z]{3,}\b", phone.description)
    return word.group() if word else ""


def details_choice(service: Service) -> Choice:
    """The choice that opens a service. Raises ValueError for an id that would not fit a Telegram button."""
    payload = f"details:{service.id}"
    if len(payload.encode()) > PAYLOAD_BYTES:
        raise ValueError("a service id is longer than a payload can carry")
    return Choice(title=service.name, payload=payload)


def nearest_location(locations: Iterable[Location], near: Place | None) -> Location | None:
    """The nearest one, or the first when the person's place or the coordinates are unknown."""
    locations = tuple(locations)
    far = float("inf")

    def distance(location: Location) -> float:
        miles = miles_to(location, near)
        return far if miles is None else miles

    return min(locations, key=distance) if locations else None


def miles_to(location: Location, near: Place | None) -> float | None:
    """Miles as the crow flies; None when either end is unknown."""
    if near is None or location.latitude is None or location.longitude is None:
        return None
    return miles_between(near, location.latitude, location.longitude)


def write_street(location: Location) -> str:
    """ "12 Bell Street", "WZ1 2AB" -> "Bell Street, WZ1"."""
    street = re.sub(r"^\d+[A-Za-z]?(?:-\d+)?,?\s+", "", location.address) or location.name
    district = location.postcode.split(" ", 1)[0]
    return ", ".join(part for part in (street, district) if part)


def write_address(location: Location) -> str:
    return ", ".join(part for part in (location.name, location.address, location.postcode) if part)


def mentions_age(eligibility: str) -> bool:
    """Whether the editor's words already say the age, so that it is not said twice."""
    return bool(re.search(r"\b\d{1,2}\b|\bage", eligibility))


def end_sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
