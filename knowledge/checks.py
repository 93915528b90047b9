"""Whether the content can be given to people: what the loaders refuse, and the rules for words and numbers.

An error is something a person would be harmed or confused by; a warning is something to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from knowledge.catalogue import Need, Service
from knowledge.catalogue_files import CatalogueFiles
from knowledge.crisis import load_crisis_lines
from knowledge.errors import CatalogueFileError
from knowledge.hours import is_stale
from knowledge.places import load_places
from knowledge.publish import read_content
from knowledge.settings import Settings
from knowledge.spelling import Spelling

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
LONGEST = {"name": 40, "summary": 110, "how_to": 100}
LONGEST_SAY = 110
MOST_NEEDS = 5
FEWEST_PHRASINGS = 25
FEWEST_RELATED = 2
DEMO_FILE = re.compile(r"^(?!national_lines)")
DRAMA = re.compile(r"01632960\d{3}|07700900\d{3}|08081570\d{3}|03069990\d{3}")
"""Numbers Ofcom keeps for fiction: nobody is rung by mistake."""
WEBSITE = re.compile(r"https://[^\s/.?#]+(?:\.[^\s/.?#]+)+(?:[/?#]\S*)?")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NUMBER = re.compile(r"\+?\d{3,15}")
REFUSAL = re.compile(
    r"\b(?:not eligible|cannot help|can't help|do not accept|don't accept|no access|turned away|excluded?)\b",
    re.IGNORECASE,
)

SENDS_AWAY = "sends people away"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to put right (`error`) or to look at."""

    error: bool
    text: str

    def __str__(self) -> str:
        return f"{'error' if self.error else 'warning'}: {self.text}"


def check_content(settings: Settings, today: date) -> list[Finding]:
    """Every finding, errors first."""
    found: list[Finding] = []
    try:
        needs, files = read_content(settings)
    except CatalogueFileError as refusal:
        found += _errors(refusal.problems)
    else:
        found += check_needs(needs, files.services)
        found += check_services(files, settings, today)
    found += _check_tables(settings)
    return sorted(found, key=lambda finding: not finding.error)


def check_needs(needs: Iterable[Need], services: Iterable[Service]) -> Iterator[Finding]:
    served = {need for service in services for need in service.needs}
    said: dict[str, str] = {}
    for need in needs:
        where = f"needs.yml: {need.id}"
        if need.id not in served:
            yield Finding(error=True, text=f"{where}: no service carries it. Add one, or the need to a service.")
        if len(need.related) < FEWEST_RELATED:
            yield Finding(error=True, text=f"{where}: related: give at least {FEWEST_RELATED}: they are the next best.")
        if len(need.phrasings) < FEWEST_PHRASINGS:
            count = len(need.phrasings)
            yield Finding(error=True, text=f"{where}: phrasings: {count}, at least {FEWEST_PHRASINGS} are needed.")
        for phrasing in need.phrasings:
            key = " ".join(phrasing.lower().split())
            if key in said:
                yield Finding(error=False, text=f"{where}: phrasings: {phrasing!r} is also under {said[key]}.")
            said[key] = need.id


def check_services(files: CatalogueFiles, settings: Settings, today: date) -> Iterator[Finding]:
    for service in files.services:
        where = f"{files.origins[service.id]}: {service.id}"
        demo = DEMO_FILE.match(where) is not None
        for text in (*_wording(service), *_numbers(service, demo=demo), *_links(service, demo=demo)):
            yield Finding(error=True, text=f"{where}: {text}")
        if service.assured_date and service.assured_date > today:
            yield Finding(error=True, text=f"{where}: assured_date: is in the future. Write the day it was checked.")
        if is_stale(service, today, settings.stale_days):
            yield Finding(
                error=False,
                text=f"{where}: assured_date: overdue. Check the listing; until then it is never called open.",
            )
        if not service.schedules and service.locations:
            yield Finding(error=False, text=f"{where}: schedules: none, so people read 'ask for hours'.")


def check_service(service: Service) -> Iterator[str]:
    """What a person would be harmed or confused by in one listing: "field: what is wrong, the fix"."""
    yield from _wording(service)
    yield from _numbers(service, demo=False)
    yield from _links(service, demo=False)


def _wording(service: Service) -> Iterator[str]:
    for name, longest in LONGEST.items():
        text = getattr(service, name)
        if len(text) > longest:
            yield f"{name}: {len(text)} characters, at most {longest}. Shorten it: it goes into a text message."
        strange = sorted(set(text) - GSM_7)
        if strange:
            yield f"{name}: {' '.join(strange)} cannot be sent in a plain text message. Use plain letters."
    for name in ("summary", "description", "eligibility", "how_to"):
        refusal = REFUSAL.search(getattr(service, name))
        if refusal:
            yield f"{name}: {refusal.group()!r} {SENDS_AWAY}. Say who it is for and who else can help."
    if len(service.needs) > MOST_NEEDS or len(set(service.needs)) < len(service.needs):
        yield f"needs: give 1 to {MOST_NEEDS}, each once, most fitting first."
    if None not in (service.minimum_age, service.maximum_age) and service.minimum_age > service.maximum_age:  # type: ignore[operator]  # neither is None here
        yield "minimum_age: is above maximum_age. Swap them."


def _numbers(service: Service, *, demo: bool) -> Iterator[str]:
    for phone in service.phones:
        digits = re.sub(r"[\s()-]", "", phone.number)
        if not NUMBER.fullmatch(digits):
            yield f"phones: {phone.number!r} is not a number. Write digits and spaces."
        elif demo and not DRAMA.fullmatch(digits):
            yield (
                f"phones: {phone.number!r} could be somebody's. In the fictional town use 01632 960xxx, 07700 900xxx,"
                "0808 157 0xxx or 03069 990xxx."
            )


def _links(service: Service, *, demo: bool) -> Iterator[str]:
    for name in ("website", "email"):
        text = getattr(service, name)
        if not text:
            continue
        good = (WEBSITE if name == "website" else EMAIL).fullmatch(text)
        if not good:
            yield f"{name}: {text!r} is not one. Begin with https://, or write name@place.example."
        elif demo and not re.search(r"\.example(?:/|$)", text):
            yield f"{name}: {text!r} could be somebody's. In the fictional town end it with .example."
    for location in service.locations:
        if demo and not re.fullmatch(r"WZ[1-6] \d[A-Z]{2}", location.postcode):
            yield f"locations: postcode {location.postcode!r}: in the fictional town use WZ1 to WZ6, like 'WZ2 4AB'."
        if location.latitude is None or location.longitude is None:
            yield f"locations: {location.name or location.address}: add latitude and longitude, so that it can be near."


def _check_tables(settings: Settings) -> Iterator[Finding]:
    try:
        for line in load_crisis_lines(settings.content_dir / "crisis_lines.yml", settings.country):
            if len(line.say) > LONGEST_SAY or set(line.say) - GSM_7:
                yield Finding(
                    error=True, text=f"crisis_lines.yml: {line.id}: say: at most {LONGEST_SAY} plain letters."
                )
            if not NUMBER.fullmatch(re.sub(r"\s", "", line.phone)):
                yield Finding(error=True, text=f"crisis_lines.yml: {line.id}: phone: write digits and spaces.")
        Spelling.load(settings.content_dir / "sms_spelling.yml")
        load_places(settings.content_dir / "places", demo=settings.demo)
    except CatalogueFileError as refusal:
        yield from _errors(refusal.problems)


def _errors(problems: Iterable[str]) -> list[Finding]:
    return [Finding(error=True, text=problem) for problem in problems]
