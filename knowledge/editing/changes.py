"""What changed between two versions of a listing, in words a person reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from knowledge.catalogue import Organisation
from knowledge.editing.forms import CHOICES, FLAGS, Form
from knowledge.editing.merging import changed_fields
from knowledge.editing.times import say_times
from knowledge.editing.words import Words
from knowledge.hours import day_in_words

NOTHING = "(nothing)"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field, before and after, in words: a line for each row."""

    field: str
    label: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Teller:
    """Says the values of a form. `needs` and `owners` give names to ids."""

    words: Words
    needs: Mapping[str, str]
    owners: Mapping[str, Organisation]

    def changes(self, before: Form, after: Form) -> tuple[Change, ...]:
        return tuple(
            Change(
                field=field,
                label=self.words.labels[field],
                before=self.say(field, before[field]),
                after=self.say(field, after[field]),
            )
            for field in changed_fields(before, after)
        )

    def say(self, field: str, value: Any) -> tuple[str, ...]:
        """A field's value, one line for each part of it."""
        if field in FLAGS:
            return ("yes" if value else "no",)
        if not value:
            return (NOTHING,)
        if isinstance(value, str):
            return (self._say_text(field, value),)
        return tuple(self._say_part(field, part) for part in value)

    def _say_text(self, field: str, value: str) -> str:
        if field in CHOICES:
            return self.words.choices[field].get(value, value)
        if field == "drawn":
            return "an outline on a map"
        if field == "organisation":
            return self.owners[value].name if value in self.owners else value
        return day_in_words(date.fromisoformat(value)) if field == "assured_date" else value

    def _say_part(self, field: str, part: Any) -> str:
        if field == "needs":
            return self.needs.get(part, part)
        if field == "languages":
            return self.words.languages.get(part, part)
        if field == "schedules":
            return say_times(part["days"], part["opens"], part["closes"], dict(self.words.days))
        if field == "phones":
            extension = f"extension {part['extension']}" if part["extension"] else ""
            texted = "can be texted" if part["sms"] else ""
            return ", ".join(each for each in (part["number"], extension, part["description"], texted) if each)
        if field == "locations":
            return ", ".join(each for each in part.values() if each)
        return str(part)
