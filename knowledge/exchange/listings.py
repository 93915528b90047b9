"""One service of the standard to a listing of ours, with everything that is wrong with it.

Nothing is lost: what we have no field for stays in `item`, which is kept beside the listing for the next export.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from knowledge.catalogue import Organisation, Service, Status
from knowledge.exchange.areas import read_shapes
from knowledge.exchange.extension import read_extension
from knowledge.exchange.identity import NEEDS_TAXONOMY, as_id, need_uuid
from knowledge.exchange.openings import read_schedules
from knowledge.exchange.problems import Findings, Problem, shown
from knowledge.exchange.prose import first_sentence, one_line, plain_text
from knowledge.exchange.reach import read_area, read_locations, read_phones
from knowledge.exchange.shapes import SERVICE, check_thing
from knowledge.exchange.speech import read_cost, read_languages
from knowledge.territory import write_territory

OLDEST = 120
LONGEST_NAME = 200
MOST_TERMS = 50


@dataclass(frozen=True, kw_only=True)
class PageMark:
    """The end of a page of a feed: what to remember of it once everything before it is stored."""

    address: str
    etag: str = ""
    modified: str = ""
    ids: tuple[str, ...] = ()
    last: bool = False
    carried: bool = False
    """Nothing of it was read again: it had not changed, or an interrupted run had done it."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something read from a source: a service of the standard, not checked yet; or only a problem."""

    where: str
    pointer: str = ""
    body: Mapping[str, Any] | None = None
    columns: Mapping[str, str] | None = None
    """Of a table: fields to columns, so that problems name what the editor sees."""
    problems: tuple[Problem, ...] = ()
    mark: PageMark | None = None


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A listing that was read. `service` is None when it cannot be one: the problems say why."""

    item: Item
    service: Service | None
    problems: tuple[Problem, ...] = ()
    claims: tuple[str, ...] = field(default=())
    """What a person must look at before anybody is offered this, whatever else is right."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What reading depends on besides the item."""

    needs: Collection[str]
    today: date
    country: str = "GB"

    def read(self, item: Item) -> Incoming:
        """Every value checked; what is wrong is left out and said."""
        if item.body is None:
            return Incoming(item=item, service=None, problems=item.problems)
        findings = Findings(item.where, item.pointer, item.columns)
        findings.problems.extend(item.problems)
        clean = check_thing(item.body, SERVICE, findings)
        service = self._service(clean, item.body, findings) if _has_identity(clean, findings) else None
        claims = ("it says that it is for a crisis",) if service and service.crisis else ()
        return Incoming(item=item, service=service, problems=tuple(findings.problems), claims=claims)

    def _service(self, clean: Mapping[str, Any], item: Mapping[str, Any], findings: Findings) -> Service:
        ours = read_extension(clean, findings)
        name = one_line(clean["name"])[:LONGEST_NAME]
        description = plain_text(clean.get("description"))
        needs, terms = self._terms(clean.get("attributes", ()))
        locations = read_locations(clean, findings)
        assured = clean.get("assured_date")
        made: dict[str, Any] = {
            "id": as_id(clean["id"]),
            "organisation": _organisation(clean, ours, findings),
            "name": name,
            "summary": first_sentence(description) or name,
            "description": description,
            "needs": needs,
            "phones": read_phones(clean, findings, self.country),
            "email": clean.get("email", ""),
            "website": clean.get("url", ""),
            "how_to": plain_text(clean.get("application_process")),
            "eligibility": plain_text(clean.get("eligibility_description")),
            "minimum_age": _age(clean, "minimum_age", findings),
            "maximum_age": _age(clean, "maximum_age", findings),
            "cost": read_cost(clean),
            "area": read_area(clean, locations),
            "drawn": write_territory(read_shapes(item)),
            "locations": locations,
            "schedules": tuple(self._schedules(clean, findings)),
            "languages": read_languages(clean, findings),
            "alert": plain_text(clean.get("alert")),
            "status": Status(clean.get("status", Status.ACTIVE)),
            "assured_date": date.fromisoformat(str(assured)[:10]) if assured else None,
            "assured_by": clean.get("assurer_email", ""),
            "terms": terms,
        }
        made.update({name: value for name, value in ours.items() if name != "organisation_id"})
        return Service(**made)

    def _terms(self, attributes: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Needs of ours, and the names of every other taxonomy term."""
        ids = {need_uuid(need): need for need in self.needs}
        needs, terms = [], []
        for attribute in attributes:
            term = attribute.get("taxonomy_term", {})
            if term.get("taxonomy") == NEEDS_TAXONOMY and (need := ids.get(str(term.get("id")))):
                needs.append(need)
            elif name := one_line(term.get("name") or term.get("term") or attribute.get("label")):
                terms.append(name)
        return tuple(dict.fromkeys(needs)), tuple(dict.fromkeys(terms))[:MOST_TERMS]

    def _schedules(self, clean: Mapping[str, Any], findings: Findings) -> list[Any]:
        found = read_schedules(clean.get("schedules", ()), findings, "schedules", self.today)
        for number, place in enumerate(clean.get("service_at_locations", ())):
            here = f"service_at_locations[{number}].schedules"
            found += read_schedules(place.get("schedules", ()), findings, here, self.today)
        return list(dict.fromkeys(found))


def _has_identity(clean: Mapping[str, Any], findings: Findings) -> bool:
    """Whether it can be a listing at all."""
    for name in ("id", "name"):
        if not str(clean.get(name, "")).strip():
            findings.error(name, "is missing. Without it this cannot be a listing; the others go on.")
    if "status" not in clean:
        findings.warn("status", "is missing, so it is read as active. Write one of the standard's words.")
    return all(str(clean.get(name, "")).strip() for name in ("id", "name"))


def _organisation(clean: Mapping[str, Any], ours: Mapping[str, Any], findings: Findings) -> Organisation:
    owner = clean.get("organization", {})
    given = owner.get("id") or clean.get("organization_id")
    name = one_line(owner.get("name"))[:LONGEST_NAME]
    if not name:
        findings.warn("organization", "has no name, so the service's own is shown. Add who runs it.")
        name = one_line(clean["name"])[:LONGEST_NAME]
    return Organisation(
        id=ours.get("organisation_id") or as_id(given or f"organization-of:{clean['id']}"),
        name=name,
        description=plain_text(owner.get("description")),
        website=owner.get("website", ""),
    )


def _age(clean: Mapping[str, Any], name: str, findings: Findings) -> int | None:
    value = clean.get(name)
    if value is None:
        return None
    if not 0 <= value <= OLDEST:
        findings.warn(name, f"{shown(value)} is not an age between 0 and {OLDEST}, so it is not shown. Correct it.")
        return None
    return int(value)
