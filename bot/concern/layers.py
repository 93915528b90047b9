"""The two layers as one answer. They only add: what either finds is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.concern.patterns import match
from channels.conversation import Concern

PATTERNS, CLASSIFIER, BOTH = "patterns", "classifier", "both"


@dataclass(frozen=True)
class Raised:
    """One kind of concern, which layer found it, and why in words a peer worker reads. Never the message itself."""

    concern: Concern
    layer: str
    reason: str


class Classifier(Protocol):
    """The layer that reads sentence vectors: per text, the kinds it is sure enough of with the reason of each."""

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]: ...


class NoClassifier:
    """Stands in where nothing is trained: the patterns speak alone."""

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        return [{} for _ in texts]


def read_layers(texts: Sequence[str], classifier: Classifier) -> list[tuple[Raised, ...]]:
    """For each text every kind that is raised, in the order of `Concern`."""
    return [add_up(match(text), read) for text, read in zip(texts, classifier.read_all(texts), strict=True)]


def add_up(matched: dict[Concern, str], read: dict[Concern, str]) -> tuple[Raised, ...]:
    """The reason of a pattern goes before that of the classifier: it says more."""
    raised = []
    for concern in Concern:
        layers = (PATTERNS if concern in matched else "", CLASSIFIER if concern in read else "")
        if any(layers):
            layer = BOTH if all(layers) else next(filter(None, layers))
            raised.append(Raised(concern, layer, matched.get(concern) or read[concern]))
    return tuple(raised)
