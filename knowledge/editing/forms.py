"""A listing as a form: what an editor typed, word for word, so that saving never loses anything. Pure.

A form is plain JSON: texts, choices, lists and rows. It may be incomplete or wrong; `write_service` says what is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Protocol, TypeAlias

from knowledge.catalogue import DAYS, Area, Kind, Location, Organisation, Phone, Schedule, Service, Status
from knowledge.editing.times import read_clock

Form: TypeAlias = dict[str, Any]

TEXTS: Final = ("name", "summary", "description", "email", "website", "how_to", "eligibility", "cost", "alert")
LONG_TEXTS: Final = frozenset({"description", "eligibility", "alert"})
AGES: Final = ("minimum_age", "maximum_age")
CHOICES: Final[Mapping[str, type[Kind] | type[Area] | type[Status]]] = {"kind": Kind, "area": Area, "status": Status}
FLAGS: Final = ("companion", "crisis")
ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    "phones": ("number", "description", "extension", "sms"),
    "locations": ("name", "address", "postcode", "latitude", "longitude", "accessibility"),
    "schedules": ("days", "opens", "closes"),
}
KEPT: Final = ("drawn", "assured_date", "assured_by", "terms")
"""Not typed: the area as its source drew it, who checked the listing when, and the labels it came with."""
FIELDS: Final = ("name", "organisation", "kind", "summary", "description", "needs", "phones", "email", "website",
                 "how_to", "eligibility", "minimum_age", "maximum_age", "cost", "area", "locations", "schedules",
                 "languages", "companion", "alert", "status", "crisis", *KEPT)  # fmt: skip
LONGEST: Final = 4000
MOST_ROWS: Final = 40
MOST_NEEDS: Final = 5
POSTCODE: Final = re.compile(r"([A-Z]{1,2}[0-9][0-9A-Z]?) *([0-9][A-Z]{2})")


class Posted(Protocol):
    """A form as a browser sends it."""

    def get(self, name: str, /) -> Any: ...

    def getlist(self, name: Any, /) -> list[Any]: ...


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something to put right (`error`: before it can go for review), or advice. `field` may be one cell of a row."""

    field: str
    text: str
    error: bool = True

    @property
    def top(self) -> str:
        """The field as a whole: "phones-1-number" belongs to "phones"."""
        return self.field.split("-", 1)[0]


def blank_form() -> Form:
    """A listing about which nothing is known yet."""
    return write_form(Service(id="", organisation=Organisation(id="", name=""), name=""))


def write_form(service: Service) -> Form:
    """The form of a listing."""
    form: Form = {name: getattr(service, name) for name in TEXTS}
    form |= {name: "" if getattr(service, name) is None else str(getattr(service, name)) for name in AGES}
    form |= {name: getattr(service, name).value for name in CHOICES}
    form |= {name: getattr(service, name) for name in FLAGS}
    form |= {
        "organisation": service.organisation.id,
        "needs": list(service.needs),
        "languages": list(service.languages),
    }
    form["phones"] = [asdict(phone) for phone in service.phones]
    form["locations"] = [
        {name: "" if value is None else str(value) for name, value in asdict(location).items()}
        for location in service.locations
    ]
    form["schedules"] = [
        {**asdict(schedule), "days": [day for day in DAYS if day in schedule.days]} for schedule in service.schedules
    ]
    form["assured_date"] = service.assured_date.isoformat() if service.assured_date else ""
    form |= {"assured_by": service.assured_by, "terms": list(service.terms), "drawn": service.drawn}
    return form


def fill_in(kept: Form) -> Form:
    """A form that was kept before a field was thought of."""
    return {"drawn": "", **kept}


def read_posted(posted: Posted, before: Form) -> Form:
    """What a browser sent, over the form it was shown (`before` keeps what is not typed)."""
    form: Form = {name: before[name] for name in KEPT}
    for name in (*TEXTS, *AGES, *CHOICES, "organisation"):
        form[name] = _text(posted.get(name), lines=name in LONG_TEXTS)
    if form["area"] != before["area"]:  # said in other words now: what was drawn is of the words before
        form["drawn"] = ""
    form |= {name: bool(posted.get(name)) for name in FLAGS}
    needs = [_text(posted.get(f"needs-{place}")) for place in range(MOST_NEEDS)]
    form["needs"] = list(dict.fromkeys(need for need in needs if need))
    ticked = [_text(code) for code in posted.getlist("languages")][:MOST_ROWS]
    known = [code for code in before["languages"] if code in ticked]  # boxes have no order; the listing's is kept
    form["languages"] = list(dict.fromkeys([*known, *ticked]))
    for name, cells in ROWS.items():
        rows = [_read_row(posted, f"{name}-{place}", cells) for place in range(MOST_ROWS)]
        form[name] = [row for row in rows if any(row.values())]
    return form


def _read_row(posted: Posted, prefix: str, cells: tuple[str, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for cell in cells:
        value = posted.get(f"{prefix}-{cell}")
        if cell == "sms":
            row[cell] = bool(value)
        elif cell == "days":
            row[cell] = [day for day in DAYS if day in posted.getlist(f"{prefix}-{cell}")]
        elif cell in {"opens", "closes"}:
            row[cell] = _clock(_text(value))
            if cell == "opens" and row[cell] == "24:00":  # midnight begins a day as well as ends one
                row[cell] = "00:00"
        elif cell == "postcode":
            row[cell] = _postcode(_text(value))
        else:
            row[cell] = _text(value)
    return row


def _text(value: object, *, lines: bool = False) -> str:
    """What was typed, without what no encoding or no listing can carry."""
    plain = value.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST] if isinstance(value, str) else ""
    if lines:
        return "\n".join(" ".join(line.split()) for line in plain.splitlines()).strip()
    return " ".join(plain.split())


def _postcode(text: str) -> str:
    """A British postcode as it is written on a letter; anything else as it was typed."""
    found = POSTCODE.fullmatch(text.upper())
    return f"{found[1]} {found[2]}" if found else text


def _clock(text: str) -> str:
    try:
        return read_clock(text)
    except ValueError:
        return text


def write_service(
    form: Form, service_id: str, owners: Mapping[str, Organisation], known_needs: Mapping[str, str]
) -> tuple[Service, list[Problem]]:
    """The listing that a form describes, as far as it does, and each problem with its fix."""
    problems: list[Problem] = []

    def wrong(field: str, text: str) -> None:
        problems.append(Problem(field=field, text=text))

    for name in ("name", "summary", "description"):
        if not form[name]:
            wrong(name, "Write something here.")
    owner = owners.get(form["organisation"])
    if owner is None:
        wrong("organisation", "Choose who runs it, or add a new organisation.")
    if not form["needs"]:
        wrong("needs", "Choose at least one, or nobody will find it.")
    for need in form["needs"]:
        if need not in known_needs:
            wrong("needs", f"{need} is not one of the needs. Choose another.")
    if not (form["phones"] or form["website"] or form["email"]):
        wrong("phones", "Give a phone number, a website or an email, so that people can get in touch.")
    picked: dict[str, Any] = {name: _pick(name, kind, form, wrong) for name, kind in CHOICES.items()}
    service = Service(
        id=service_id,
        organisation=owner or Organisation(id="", name=""),
        **{name: form[name] for name in (*TEXTS, *FLAGS, "drawn", "assured_by")},
        **picked,
        needs=tuple(need for need in form["needs"] if need in known_needs),
        phones=tuple(_phones(form, wrong)),
        minimum_age=_age("minimum_age", form, wrong),
        maximum_age=_age("maximum_age", form, wrong),
        locations=tuple(_locations(form, wrong)),
        schedules=tuple(_schedules(form, wrong)),
        languages=tuple(form["languages"]) or ("en",),
        assured_date=date.fromisoformat(form["assured_date"]) if form["assured_date"] else None,
        terms=tuple(form["terms"]),
    )
    return service, problems


def _pick(name: str, kind: type[Kind] | type[Area] | type[Status], form: Form, wrong: Any) -> Any:
    try:
        return kind(form[name])
    except ValueError:
        wrong(name, "Choose one.")
        return next(iter(kind))


def _age(name: str, form: Form, wrong: Any) -> int | None:
    text = form[name]
    if not text:
        return None
    if text.isdecimal() and int(text) <= 120:
        return int(text)
    wrong(name, f"{text} is not an age. Write whole years, such as 16, or leave it empty.")
    return None


def _phones(form: Form, wrong: Any) -> list[Phone]:
    phones = []
    for place, row in enumerate(form["phones"]):
        if not row["number"]:
            wrong(f"phones-{place}-number", "Write the number, or empty the whole row.")
            continue
        phones.append(Phone(**row))
    return phones


def _locations(form: Form, wrong: Any) -> list[Location]:
    locations = []
    for place, row in enumerate(form["locations"]):
        degrees: dict[str, Any] = {}
        for cell, most in (("latitude", 90), ("longitude", 180)):
            try:
                degrees[cell] = float(row[cell]) if row[cell] else None
                if degrees[cell] is not None and not -most <= float(row[cell]) <= most:
                    raise ValueError(row[cell])
            except ValueError:
                degrees[cell] = None
                wrong(f"locations-{place}-{cell}", f"Write a number from -{most} to {most}, or leave it empty.")
        if (degrees["latitude"] is None) != (degrees["longitude"] is None):
            wrong(f"locations-{place}-latitude", "Give latitude and longitude both, or neither.")
            degrees = {"latitude": None, "longitude": None}
        words = {cell: row[cell] for cell in ("name", "address", "postcode", "accessibility")}
        locations.append(Location(**words, **degrees))
    return locations


def _schedules(form: Form, wrong: Any) -> list[Schedule]:
    schedules = []
    for place, row in enumerate(form["schedules"]):
        clocks = {}
        for cell in ("opens", "closes"):
            try:
                clocks[cell] = read_clock(row[cell])
            except ValueError:
                said = f"{row[cell]} could be several times. " if row[cell] else ""
                wrong(f"schedules-{place}-{cell}", f"{said}Write a time such as 9am, 2:30pm or 17:00.")
        if not row["days"]:
            wrong(f"schedules-{place}-days", "Tick at least one day, or empty the whole row.")
        if len(clocks) == 2 and row["days"]:
            schedules.append(Schedule(days=tuple(row["days"]), **clocks))
    return schedules
