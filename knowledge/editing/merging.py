"""Two people changed one listing: which changes go together, and which somebody must choose between. Pure.

A field that only one of them changed (or both in the same way) is taken; a field that both changed is a conflict.
Nothing that somebody typed is left out of the result without being in `conflicts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from knowledge.editing.forms import FIELDS, Form

CHECKED: Final = ("assured_date", "assured_by")
"""Of two checks the later one counts: nobody has to choose."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """One field that both changed."""

    field: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True, kw_only=True)
class Merged:
    """`form` holds every change that goes together, and in the fields of `conflicts` what they wrote."""

    form: Form
    conflicts: tuple[Conflict, ...]


def merge(base: Form, mine: Form, theirs: Form) -> Merged:
    """Three-way, field by field."""
    form: Form = {}
    conflicts = []
    for field in FIELDS:
        before, ours, other = base[field], mine[field], theirs[field]
        if ours in (before, other):
            form[field] = other
        elif other == before:
            form[field] = ours
        else:
            form[field] = other
            conflicts.append(Conflict(field=field, base=before, mine=ours, theirs=other))
    checked = mine if mine["assured_date"] and mine["assured_date"] >= theirs["assured_date"] else theirs
    form |= {name: checked[name] for name in CHECKED}
    return Merged(form=form, conflicts=tuple(each for each in conflicts if each.field not in CHECKED))


def settle(merged: Merged, choices: Mapping[str, str]) -> Form | None:
    """The form after somebody chose "mine" or "theirs" for every conflict; None while one is open."""
    form = dict(merged.form)
    for conflict in merged.conflicts:
        choice = choices.get(conflict.field)
        if choice not in {"mine", "theirs"}:
            return None
        form[conflict.field] = conflict.mine if choice == "mine" else conflict.theirs
    return form


def changed_fields(before: Form, after: Form) -> tuple[str, ...]:
    """In the order of the form."""
    return tuple(field for field in FIELDS if before[field] != after[field])
