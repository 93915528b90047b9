"""`python -m bot evaluate-concern FOLDER`: both layers, alone and together, beside a plain list of words.

FOLDER holds `positives.jsonl`, `negatives.jsonl` and `third_party.jsonl` with `text`, `stratum` and,
for negatives, `hard`.
Only totals are printed: what people wrote is never shown, and nothing is fitted to it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.concern.layers import Classifier
from bot.concern.matters import KINDS_OF, Matter
from bot.concern.patterns import match
from channels.conversation import Concern

FILES = ("positives", "negatives", "third_party")
WORD_LIST = re.compile(
    r"\b(?:suicid\w*|kill(?:ing)? myself|kms|end (?:it all|my life)|want(?:ed)? to die|wanna die|self[ -]?harm\w*"
    r"|overdos\w*|cut(?:ting)? myself|hang myself|hurt myself|better off dead|rape[sd]?|abus\w+|hits? me|beats? me"
    r"|domestic violence"
    r"|dead|die|dying|kill|death|murder\w*)\b",
    re.IGNORECASE,
)
"""What a service without either layer might look for; for comparison only."""
OWN_LIFE = frozenset(KINDS_OF[Matter.OWN_LIFE])
BEING_HURT = frozenset(KINDS_OF[Matter.BEING_HURT])
WANTED: dict[str, frozenset[Concern]] = {
    "abuse": BEING_HURT,
    "danger": frozenset({Concern.DANGER_NOW}),
    "other": frozenset({Concern.SOMEONE_ELSE}),
}
"""By how the name of a stratum begins; the others are about the writer's own life."""
Z = 1.96


@dataclass(frozen=True)
class Row:
    text: str
    stratum: str
    file: str
    hard: bool


@dataclass(frozen=True)
class Verdicts:
    """Whether each way of looking raised what it should (positives, third party), or anything at all (negatives)."""

    words: bool
    patterns: bool
    classifier: bool

    @property
    def together(self) -> bool:
        return self.patterns or self.classifier


LAYERS: tuple[tuple[str, Callable[[Verdicts], bool]], ...] = (
    ("words", lambda one: one.words),
    ("patterns", lambda one: one.patterns),
    ("classifier", lambda one: one.classifier),
    ("together", lambda one: one.together),
)


def read_rows(folder: Path) -> list[Row]:
    """Raises OSError or ValueError when the folder is not as described."""
    rows = []
    for name in FILES:
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            body = json.loads(line)
            rows.append(Row(body["text"], body["stratum"], name, bool(body.get("hard"))))
    return rows


def judge(rows: Sequence[Row], classifier: Classifier) -> list[Verdicts]:
    found = classifier.read_all([row.text for row in rows])
    return [
        Verdicts(
            bool(WORD_LIST.search(row.text)), counts(row, frozenset(match(row.text))), counts(row, frozenset(read))
        )
        for row, read in zip(rows, found, strict=True)
    ]


def counts(row: Row, raised: frozenset[Concern]) -> bool:
    """A negative counts whatever was raised; anything else only for a kind that fits."""
    if row.file == "negatives":
        return bool(raised)
    return bool(raised & WANTED.get(row.stratum.split("_", 1)[0], OWN_LIFE))


def evaluate(folder: Path, classifier: Classifier, out: TextIO, *, as_json: bool = False) -> None:
    """Shares with 95 % intervals, groups first, then every stratum: a table, or one JSON object a line."""
    rows = read_rows(folder)
    verdicts = judge(rows, classifier)
    if not as_json:
        out.write(f"{'':38}{'n':>5}" + "".join(f"{name:>24}" for name, _ in LAYERS) + "\n")
    for name, belongs in group(rows):
        some = [verdict for row, verdict in zip(rows, verdicts, strict=True) if belongs(row)]
        hits = {layer: sum(raised(one) for one in some) for layer, raised in LAYERS}
        out.write((write_json if as_json else write_line)(name, len(some), hits) + "\n")


def group(rows: Sequence[Row]) -> list[tuple[str, Callable[[Row], bool]]]:
    groups: list[tuple[str, Callable[[Row], bool]]] = [
        ("FOUND suicide and self-harm", lambda row: row.file == "positives" and is_own_life(row)),
        ("FOUND abuse now", lambda row: row.stratum == "abuse_current"),
        ("FOUND somebody else", lambda row: row.file == "third_party"),
        ("FALSE everyday and distressed", lambda row: row.file == "negatives" and not row.hard),
        ("FALSE alarming words, no risk", lambda row: row.file == "negatives" and row.hard),
    ]
    strata = dict.fromkeys((row.file, row.hard, row.stratum) for row in rows)
    for file, hard, stratum in strata:
        name = f"{'false' if file == 'negatives' else 'found'} {stratum}{' (hard)' if hard else ''}"
        groups.append((name, lambda row, key=(file, hard, stratum): (row.file, row.hard, row.stratum) == key))  # type: ignore[misc]  # a default keeps the key of this turn
    return groups


def write_line(name: str, count: int, hits: dict[str, int]) -> str:
    return f"{name:38}{count:5}" + "".join(f"{show_share(some, count):>24}" for some in hits.values())


def write_json(name: str, count: int, hits: dict[str, int]) -> str:
    """`low` and `high` are the ends of the interval; a group without rows has no shares."""
    body: dict[str, object] = {"group": name, "n": count}
    for layer, some in hits.items():
        low, high = interval(some, count) if count else (0.0, 1.0)
        share = round(some / count, 4) if count else None
        body[layer] = {"raised": some, "share": share, "low": round(low, 4), "high": round(high, 4)}
    return json.dumps(body)


def is_own_life(row: Row) -> bool:
    return row.stratum.split("_", 1)[0] not in WANTED


def show_share(hits: int, count: int) -> str:
    if not count:
        return "-"
    low, high = interval(hits, count)
    return f"{hits} {hits / count:.3f} [{low:.2f}, {high:.2f}]"


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval: sensible with few rows too."""
    share, square = hits / count, Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)
