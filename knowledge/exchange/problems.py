"""What is wrong with something that was brought in: where, what, and how to put it right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`error`: the value breaks the standard and was not used. Otherwise it was used, or is only for us of no use."""

    where: str
    """File and line, or address: "feed.json:120"."""
    pointer: str
    """The field: "services[3].schedules[0].opens_at"; of a table the column. Empty for the whole."""
    text: str
    error: bool = True

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.where, self.pointer) if part)
        return f"{'error' if self.error else 'warning'}: {place}: {self.text}"

    def to_dict(self) -> dict[str, object]:
        severity = "error" if self.error else "warning"
        return {"severity": severity, "where": self.where, "field": self.pointer, "problem": self.text}


class Findings:
    """Collects the problems of one listing. `columns` turns fields back into the columns of a table."""

    def __init__(self, where: str, root: str = "", columns: Mapping[str, str] | None = None) -> None:
        self.where = where
        self.root = root
        self.columns = columns
        self.problems: list[Problem] = []

    def error(self, pointer: str, text: str) -> None:
        self._add(pointer, text, error=True)

    def warn(self, pointer: str, text: str) -> None:
        self._add(pointer, text, error=False)

    def _add(self, pointer: str, text: str, *, error: bool) -> None:
        if self.columns is not None:
            pointer = self._column(pointer)
        elif self.root:
            pointer = f"{self.root}.{pointer}" if pointer else self.root
        self.problems.append(Problem(where=self.where, pointer=pointer, text=text, error=error))

    def _column(self, pointer: str) -> str:
        """The column whose field is the longest beginning of the pointer; else the pointer itself.

        A field that is a row of another table keeps the rest: "schedules[0].byday" is "schedules.csv:7: byday".
        """
        assert self.columns is not None
        fitting = [field for field in self.columns if pointer.startswith(field)]
        if not fitting:
            return pointer
        field = max(fitting, key=len)
        column, rest = self.columns[field], pointer.removeprefix(field)
        return f"{column}: {rest[1:]}" if rest.startswith(".") and ":" in column else column


def shown(value: object) -> str:
    """A value in a message, cut when it is long."""
    text = " ".join(str(value).split())
    return repr(text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "...")
