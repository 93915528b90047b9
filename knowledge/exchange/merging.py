"""Three versions of a listing to one: what the source said last time, what it says now, and what is here. Pure.

A field that was changed here wins; every other field is the source's. When both changed one, ours stays and is told.
Of when it was checked, and by whom, the later one counts, if what they checked is what is here: once a word was changed
here, their check was of other words, and ours stays. An older check of theirs is no conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import phonenumbers

from knowledge.catalogue import Service, service_from_dict, service_to_dict

CHECKED = {"assured_date", "assured_by"}


@dataclass(frozen=True, kw_only=True)
class Merged:
    """`changed` differ from what was here; `kept` were changed by the source too, and stay as they are here."""

    service: Service
    changed: tuple[str, ...]
    kept: tuple[str, ...]


def merge(base: Mapping[str, Any] | None, theirs: Service, ours: Service) -> Merged:
    """`base` is None when this listing never came from a source: then everything here is ours."""
    new, here = _plain(theirs), _plain(ours)
    then = {**new, **base} if base is not None else {}
    edited = {name for name, value in here.items() if value != then.get(name, _MISSING)}
    if base is not None:  # a field that was not kept when the source was last read, and that nobody filled in since
        edited -= {name for name, value in here.items() if name not in base and not value}
    later = str(new["assured_date"] or "") > str(here["assured_date"] or "")
    if base is not None and later and edited <= CHECKED:
        edited = set()
    chosen = {name: value if name in edited else new[name] for name, value in here.items()}
    quiet = set() if later else CHECKED
    return Merged(
        service=service_from_dict(chosen),
        changed=tuple(name for name, value in here.items() if chosen[name] != value),
        kept=tuple(
            name
            for name, value in here.items()
            if name in edited - quiet and new[name] not in (then.get(name, _MISSING), value)
        ),
    )


def base_of(service: Service) -> dict[str, Any]:
    """What is remembered of a listing as a source gave it."""
    return _plain(service)


def reasons_against(service: Service, claims: tuple[str, ...] = (), country: str = "GB") -> tuple[str, ...]:
    """Why nobody may be offered this yet; empty when it is whole. A number in the text is pointed out, never used."""
    missing = []
    if not service.phones:
        texts = (f"{service.description} {service.eligibility}", country)
        numbers = dict.fromkeys(match.raw_string for match in phonenumbers.PhoneNumberMatcher(*texts))
        hint = f" (the text has {', '.join(numbers)}: is it theirs?)" if numbers else ""
        missing.append(f"no phone number: add one, people are given a number to ring{hint}")
    if not service.needs:
        missing.append("no needs: choose what it helps with")
    return (*missing, *claims)


def with_needs(service: Service, needs: tuple[str, ...]) -> Service:
    return replace(service, needs=needs)


_MISSING = object()


def _plain(service: Service) -> dict[str, Any]:
    """As JSON would give it back: lists, not tuples, and plain words."""
    body: dict[str, Any] = service_to_dict(service)
    return {name: _listed(value) for name, value in body.items()}


def _listed(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_listed(each) for each in value]
    if isinstance(value, dict):
        return {name: _listed(each) for name, each in value.items()}
    return value.value if hasattr(value, "value") else value
