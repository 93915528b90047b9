"""Catalogue files (YAML) to nouns, with every mistake named: file, line, id, field, what is wrong, the fix."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from knowledge.catalogue import DAYS, Area, Kind, Location, Organisation, Phone, Schedule, Service, Status
from knowledge.errors import CatalogueFileError
from knowledge.hours import minutes_of

LINE = "__line__"
FIXES = {
    "missing": "Add it.",
    "extra_forbidden": "Remove it, or correct its spelling.",
    "enum": "Use one of the words listed.",
    "date_from_datetime_parsing": "Write it like 2026-11-01.",
    "date_type": "Write it like 2026-11-01.",
    "string_type": "Put it in quotation marks.",
    "string_too_short": "Write something there.",
    "string_pattern_mismatch": "Use small letters, digits and hyphens, at most 48.",
    "too_short": "Add at least one.",
}


def _known_day(day: str) -> str:
    if day not in DAYS:
        raise ValueError(f"{day!r} is not one of {', '.join(DAYS)}")
    return day


def _known_time(clock: str) -> str:
    minutes_of(clock)
    return clock


Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=48)]
Words = Annotated[str, Field(min_length=1)]
Day = Annotated[str, AfterValidator(_known_day)]
Clock = Annotated[str, AfterValidator(_known_time)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class _OrganisationEntry(_Entry):
    id: Slug
    name: Words
    description: str = ""
    website: str = ""


class _PhoneEntry(_Entry):
    number: Words
    description: str = ""
    extension: str = ""
    sms: bool = False


class _LocationEntry(_Entry):
    name: str = ""
    address: str = ""
    postcode: str = ""
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    accessibility: str = ""


class _ScheduleEntry(_Entry):
    days: Annotated[list[Day], Field(min_length=1)]
    opens: Clock
    closes: Clock


class _ServiceEntry(_Entry):
    id: Slug
    organisation: Slug
    name: Words
    summary: Words
    description: Words
    needs: Annotated[list[str], Field(min_length=1)]
    kind: Kind = Kind.SERVICE
    phones: Annotated[list[_PhoneEntry], Field(min_length=1)]
    email: str = ""
    website: str = ""
    how_to: str = ""
    eligibility: str = ""
    minimum_age: Annotated[int, Field(ge=0, le=120)] | None = None
    maximum_age: Annotated[int, Field(ge=0, le=120)] | None = None
    cost: str = ""
    area: Area = Area.TOWN
    locations: list[_LocationEntry] = []
    schedules: list[_ScheduleEntry] = []
    languages: list[str] = ["en"]
    companion: bool = False
    alert: str = ""
    status: Status = Status.ACTIVE
    crisis: bool = False
    assured_date: date
    assured_by: str = ""


@dataclass(frozen=True, kw_only=True)
class CatalogueFiles:
    """What a set of files says."""

    organisations: tuple[Organisation, ...]
    services: tuple[Service, ...]
    origins: dict[str, str]
    """Service id to "file:line", for later checks."""


def catalogue_paths(folder: Path, *, demo: bool) -> tuple[Path, ...]:
    """The files a catalogue is seeded from: the national lines, and in demo mode the fictional town."""
    towns = sorted((folder / "demo").glob("*.yml")) if demo else []
    return tuple(path for path in (*towns, folder / "national_lines.yml") if path.is_file())


def files_hash(paths: Sequence[Path]) -> str:
    """Changes when a file, or the set of files, changes. Nothing is parsed."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_catalogue_files(paths: Sequence[Path], known_needs: Collection[str]) -> CatalogueFiles:
    """Read and check all files together. Raises CatalogueFileError with every problem found."""
    problems: list[str] = []
    organisations: dict[str, Organisation] = {}
    entries: list[tuple[str, _ServiceEntry]] = []
    seen: dict[str, str] = {}
    for path in paths:
        for kind, where, item in _items(path, problems):
            model = _OrganisationEntry if kind == "organisations" else _ServiceEntry
            entry = _checked(model, where, item, problems)
            if entry is None:
                continue
            if entry.id in seen:
                problems.append(f"{where}: {entry.id}: id: already used at {seen[entry.id]}. Give it its own id.")
                continue
            seen[entry.id] = where
            if isinstance(entry, _OrganisationEntry):
                organisations[entry.id] = Organisation(**entry.model_dump())
            elif isinstance(entry, _ServiceEntry):
                entries.append((where, entry))
    services = [
        service for where, entry in entries if (service := _service(entry, where, organisations, known_needs, problems))
    ]
    if problems:
        raise CatalogueFileError(problems)
    return CatalogueFiles(
        organisations=tuple(organisations.values()),
        services=tuple(services),
        origins={entry.id: where for where, entry in entries},
    )


class _LineLoader(yaml.CSafeLoader):
    """Remembers the line of every mapping and refuses a key given twice (YAML would keep the last in silence)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _value in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"{', '.join(map(str, twice))} is given twice in one item", node.start_mark
            )
        made = super().construct_mapping(node, deep=deep)
        made[LINE] = node.start_mark.line + 1
        return made


def _construct(loader: _LineLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


_LineLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct)


def _items(path: Path, problems: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """(kind, "file:line", item) for each item of a file."""
    try:
        body = yaml.load(path.read_text(encoding="utf-8"), _LineLoader)  # noqa: S506  # a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problems.append(f"{path.name}: cannot be read as YAML. {' '.join(str(error).split())}")
        return []
    if not isinstance(body, dict):
        problems.append(f"{path.name}: must have 'organisations:' and 'services:'.")
        return []
    items = []
    for kind in sorted(set(body) - {LINE}):
        if kind not in {"organisations", "services"}:
            problems.append(f"{path.name}: {kind}: not expected. Use 'organisations:' and 'services:'.")
            continue
        for number, item in enumerate(body[kind] or [], start=1):
            if isinstance(item, dict):
                items.append((kind, f"{path.name}:{item[LINE]}", _without_lines(item)))
            else:
                problems.append(f"{path.name}: {kind}: item {number}: must begin with '- id:'.")
    return items


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lines(each) for key, each in value.items() if key != LINE}
    if isinstance(value, list):
        return [_without_lines(each) for each in value]
    return value


def _checked(model: type[_Entry], where: str, item: dict[str, Any], problems: list[str]) -> Any:
    try:
        return model.model_validate(item)
    except ValidationError as error:
        for problem in error.errors():
            field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
            fix = FIXES.get(problem["type"], "")
            problems.append(f"{where}: {item.get('id', 'no id')}: {field}: {problem['msg']}. {fix}".rstrip())
        return None


def _service(
    entry: _ServiceEntry,
    where: str,
    organisations: dict[str, Organisation],
    known_needs: Collection[str],
    problems: list[str],
) -> Service | None:
    organisation = organisations.get(entry.organisation)
    if organisation is None:
        problems.append(
            f"{where}: {entry.id}: organisation: {entry.organisation!r} is in no file. Add it, or correct it."
        )
    for need in entry.needs:
        if need not in known_needs:
            problems.append(f"{where}: {entry.id}: needs: {need!r} is not a need. Use an id from needs.yml.")
    if organisation is None:
        return None
    plain = entry.model_dump(exclude={"organisation", "needs", "phones", "locations", "schedules", "languages"})
    return Service(
        organisation=organisation,
        needs=tuple(entry.needs),
        phones=tuple(Phone(**phone.model_dump()) for phone in entry.phones),
        locations=tuple(Location(**location.model_dump()) for location in entry.locations),
        schedules=tuple(
            Schedule(days=tuple(schedule.days), opens=schedule.opens, closes=schedule.closes)
            for schedule in entry.schedules
        ),
        languages=tuple(entry.languages),
        **plain,
    )
