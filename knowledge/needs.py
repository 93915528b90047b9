"""What people ask for: the needs, the ways they are said, and how a message falls into parts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from knowledge.catalogue import Need
from knowledge.errors import CatalogueFileError

HEAD_VERSION = 1
OFFERS_VERSION = 1
MAX_CLAUSES = 12
MIN_CLAUSE_WORDS = 2
FIELDS = {"id", "label", "description", "urgency", "related", "phrasings", "offers"}

_SUBJECT = r"(?:i|im|i'm|ive|i've|we|weve|he|hes|she|shes|they|my|me|the)"
_CLAUSES = re.compile(
    rf"[.,;:!?\n]+|\b(?:and|but|because|cos|coz|cuz|then|also|plus|while|now|except)\b|\bso (?={_SUBJECT}\b)|\s[n&+-]\s"
)
_AFTERMATH = re.compile(r"^(?:since|when|after|if|as|although) .+?(?=\s(?:i|im|i'm|ive|i've|we)\s)")
"""Of "since my wife died i see nobody" the first part; the second begins with a new subject."""


@dataclass(frozen=True, kw_only=True)
class NeedGuess:
    """A need somebody may mean. `score` is a probability between 0 and 1, calibrated by cross-validation."""

    id: str
    label: str
    score: float


LEADS: Final = 0.7
"""Urgency puts a need in front of others if it is at least this share as likely as the likeliest."""


def weigh_urgency(urgency: int, chance: float, likeliest: float) -> int:
    """How far forward a need comes: "rent is due" hints at nowhere to stay, and is not answered as if it said so."""
    return urgency if chance >= LEADS * likeliest else 0


def load_needs(path: Path) -> tuple[Need, ...]:
    """Read needs.yml. Raises CatalogueFileError listing every item that is wrong."""
    try:
        items = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise CatalogueFileError([f"{path.name}: cannot be read as YAML. {error}"]) from None
    problems: list[str] = []
    needs = [_need(item, path.name, number, problems) for number, item in enumerate(items or [], start=1)]
    known = {need.id for need in needs if need}
    for need in filter(None, needs):
        for other in need.related:
            if other not in known:
                problems.append(
                    f"{path.name}: {need.id}: related: {other!r} is not a need. Use one of the ids in the file."
                )
    if len(known) != len(needs):
        problems.append(f"{path.name}: an id is missing or used twice. Give each need its own id.")
    if not known:
        problems.append(f"{path.name}: there are no needs in it.")
    if problems:
        raise CatalogueFileError(problems)
    return tuple(need for need in needs if need)


def _need(item: Any, file: str, number: int, problems: list[str]) -> Need | None:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        problems.append(f"{file}: item {number}: id: missing. Every need begins with '- id: some_name'.")
        return None
    for name in sorted(set(item) - FIELDS):
        problems.append(f"{file}: {item['id']}: {name}: not a field of a need. Remove it or correct its spelling.")
    for name in ("label", "phrasings"):
        if not item.get(name):
            problems.append(f"{file}: {item['id']}: {name}: missing. Write it: search depends on it.")
    if item.get("urgency", 1) not in {1, 2, 3}:
        problems.append(f"{file}: {item['id']}: urgency: must be 1, 2 or 3.")
    return Need(
        id=item["id"],
        label=str(item.get("label", "")),
        description=str(item.get("description", "")),
        urgency=int(item.get("urgency", 1)) if str(item.get("urgency", 1)).isdecimal() else 1,
        related=tuple(item.get("related") or ()),
        phrasings=tuple(str(phrasing) for phrasing in item.get("phrasings") or ()),
        offers=tuple(str(offer) for offer in item.get("offers") or ()),
    )


def needs_hash(needs: Sequence[Need]) -> str:
    """Changes whenever the trained head would."""
    return _hash([HEAD_VERSION, [[need.id, need.label, need.description, list(need.phrasings)] for need in needs]])


def offers_hash(needs: Sequence[Need]) -> str:
    """Changes whenever the head that reads listings would."""
    return _hash([OFFERS_VERSION, [[need.id, need.label, need.description, list(need.offers)] for need in needs]])


def _hash(body: list[Any]) -> str:
    return hashlib.sha256(json.dumps(body, ensure_ascii=True, sort_keys=True).encode()).hexdigest()


def label_text(need: Need) -> str:
    """The sentence whose vector stands for a need itself."""
    return f"{need.label}. {need.description}".strip()


def training_texts(needs: Sequence[Need]) -> tuple[list[str], list[int]]:
    """What the head learns from, and the position of the need each text belongs to."""
    texts, owners = [], []
    for position, need in enumerate(needs):
        for text in (*need.phrasings, need.label, need.description):
            if text:
                texts.append(text)
                owners.append(position)
    return texts, owners


def offer_texts(needs: Sequence[Need]) -> tuple[list[str], list[int]]:
    """The sentences of services, a need's own among them, and the position of the need each belongs to."""
    pairs = [(text, at) for at, need in enumerate(needs) for text in (*need.offers, label_text(need))]
    return [text for text, _at in pairs], [at for _text, at in pairs]


def split_clauses(text: str) -> list[str]:
    """Parts of a message that may each be about something else.

    "cant pay my rent and im so down" gives "cant pay my rent" and "im so down". Nothing when there is one part.
    A story with very many parts is not cut short: neighbours are joined.
    """
    parts = []
    for clause in _CLAUSES.split(text.lower()):
        words = clause.split()
        if len(words) < MIN_CLAUSE_WORDS:
            continue
        parts.append(" ".join(words))
        if before := _AFTERMATH.match(parts[-1]):
            parts += [before.group(), parts[-1][before.end() :].strip()]
    whole = " ".join(text.lower().split())
    return _few([part for part in dict.fromkeys(parts) if part != whole])


def _few(parts: list[str]) -> list[str]:
    """At most MAX_CLAUSES parts that still say everything: the shortest neighbours of a longer story are joined."""
    while len(parts) > MAX_CLAUSES:
        at = min(range(len(parts) - 1), key=lambda place: len(parts[place]) + len(parts[place + 1]))
        parts[at : at + 2] = [f"{parts[at]} {parts[at + 1]}"]
    return parts
