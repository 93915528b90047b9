"""What an import did, or would do: counts of everything, and names of the first few hundred."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from knowledge.catalogue import Service
from knowledge.exchange.merging import Merged
from knowledge.exchange.problems import Problem

MOST_NAMED = 500
MOST_PROBLEMS = 1_000


@dataclass
class Outcome:
    """`read` services were there; each is added, changed, unchanged or skipped."""

    source: str
    dry_run: bool = False
    complete: bool = False
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    carried: int = 0
    """Of pages that did not come again, because they had not changed or were done before an interruption."""
    gone: int = 0
    skipped: int = 0
    unidentified: int = 0
    """Of those left out, the ones nobody can say which listing they were: then nothing can be called gone."""
    drafts: int = 0
    too_many_gone: int = 0
    """Listings that were not there, but too many to be believed: none was marked."""
    errors: int = 0
    warnings: int = 0
    share: float | None = None
    """How much of the source has been read, between 0 and 1; None where nobody can say."""
    names: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in ("added", "changed", "kept", "gone", "drafts")}
    )
    problems: list[Problem] = field(default_factory=list)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.errors += problem.error
            self.warnings += not problem.error
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(problem)

    def add_new(self, service: Service, *, published: bool, reasons: Sequence[str]) -> None:
        self.added += 1
        self.drafts += not published
        self._name("added", service)
        if reasons:
            self._name("drafts", service, reasons=list(reasons))

    def add_change(self, service: Service, merged: Merged, *, published: bool, reasons: Sequence[str]) -> None:
        self.changed += 1
        self._name("changed", service, fields=list(merged.changed))
        self.keep(service, merged.kept)
        if reasons and not published:
            self.drafts += 1
            self._name("drafts", service, reasons=list(reasons))

    def keep(self, service: Service, fields: Sequence[str]) -> None:
        """Fields that were changed here and by the source: ours stay, and somebody should look."""
        if fields:
            self._name("kept", service, fields=list(fields))

    def add_gone(self, service: Service) -> None:
        self.gone += 1
        self._name("gone", service)

    def _name(self, kind: str, service: Service, **more: Any) -> None:
        if len(self.names[kind]) < MOST_NAMED:
            self.names[kind].append({"id": service.id, "name": service.name, **more})

    def counts(self) -> dict[str, Any]:
        """Without names and problems: how far an import is. For `read_back`."""
        numbers = {name: value for name, value in vars(self).items() if name not in {"names", "problems"}}
        return {**numbers, "names": {name: [] for name in self.names}, "problems": []}

    @classmethod
    def read_back(cls, kept: Mapping[str, Any]) -> Outcome:
        """The inverse of `dataclasses.asdict`."""
        return cls(**{**kept, "problems": [Problem(**problem) for problem in kept["problems"]]})

    def to_dict(self) -> dict[str, Any]:
        counts = ("read", "added", "changed", "unchanged", "carried", "gone", "skipped", "drafts", "errors", "warnings")
        return {
            "source": self.source,
            "dry_run": self.dry_run,
            "complete": self.complete,
            **{name: getattr(self, name) for name in counts},
            "listings": self.names,
            "problems": [problem.to_dict() for problem in self.problems],
        }

    def lines(self) -> Iterator[str]:
        """For people: counts first, then what to look at."""
        would, many = "would be " if self.dry_run else "", "" if self.read == 1 else "s"
        yield (
            f"{self.source}: {self.read} service{many} read: {would}{self.added} added, {self.changed} changed"
            f" ({self.drafts} of these are drafts), {self.unchanged + self.carried} unchanged, {self.gone} gone;"
            f" {self.skipped} left out. {self.errors} errors, {self.warnings} warnings."
        )
        if not self.complete:
            yield "The source was not read to its end, so nothing was marked as gone. Import again to go on."
        elif self.unidentified:
            yield "Some listings could not be read at all, so nothing was marked as gone."
        words = {"kept": "kept as edited here", "gone": "gone from the source", "drafts": "draft"}
        for kind, said in words.items():
            for each in self.names[kind][:20]:
                why = "; ".join(each.get("reasons", ())) or ", ".join(each.get("fields", ()))
                yield f"  {said}: {each['name']} ({each['id']})" + (f": {why}" if why else "")
            if len(self.names[kind]) > 20:
                yield f"  ... and more ({said}); --json has the list"
