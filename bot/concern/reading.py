"""The classifier as a part of the product: heads that are there, or are trained once, and a reader that uses them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.concern.examples import FOLDER, Example, hash_examples, load_examples
from bot.concern.features import describe, split_windows
from bot.concern.heads import Heads
from bot.concern.patterns import hash_patterns
from bot.concern.training import train_heads
from channels.conversation import Concern
from knowledge.embedding import Encoder, Vectors, open_encoder
from knowledge.embedding.vectors import VectorCache, cache_folder, encode_cached
from knowledge.settings import Settings

VERSION = 4
"""Raise it when features or training change: heads kept from before are then trained again."""


class NotTrained(Exception):
    """Set-up has not trained the classifier for the examples as they are. The text says what to type."""


REASONS = {
    Concern.SUICIDE: "reads like thoughts of suicide",
    Concern.SELF_HARM: "reads like hurting themselves",
    Concern.METHOD_SEEKING: "reads like asking for a way to die",
    Concern.ATTEMPT: "reads like having harmed themselves just now",
    Concern.ABUSE: "reads like being hurt or controlled by somebody",
    Concern.CHILD_AT_RISK: "reads like a child being at risk",
    Concern.DANGER_NOW: "reads like danger now",
    Concern.EATING_DISORDER: "reads like an eating disorder",
    Concern.SOMEONE_ELSE: "reads like worry about somebody else",
}


@dataclass(frozen=True)
class Reader:
    """Sure enough of a kind when its chance reaches the threshold chosen in training. Pure."""

    encoder: Encoder
    heads: Heads

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        found = []
        for chances in self.chances(texts):
            raised = dict.fromkeys(self.heads.raised(chances), "")
            if Concern.SOMEONE_ELSE in raised:
                raised = self._for_whom(raised, chances)
            found.append({kind: REASONS[kind] for kind in raised})
        return found

    def chances(self, texts: Sequence[str]) -> Vectors:
        """One row per text, one column per kind."""
        windows = [split_windows(text) for text in texts]
        rows = describe([*texts, *(window for some in windows for window in some)], self.encoder)
        scores = np.array([self.heads.score(one.dense, one.grams) for one in rows], np.float32)
        scores = scores.reshape(len(rows), len(self.heads.kinds), 2)
        made, at = [], len(texts)
        for whole, some in zip(scores, windows, strict=False):
            made.append(self.heads.chances(whole, scores[at : at + len(some)]))
            at += len(some)
        return np.array(made, np.float32).reshape(len(texts), len(self.heads.kinds))

    def _for_whom(self, raised: dict[Concern, str], chances: Vectors) -> dict[Concern, str]:
        """What is surely about somebody else is not taken for the writer's own, unless that is as sure."""
        sure = dict(zip(self.heads.kinds, chances, strict=True))
        others = sure[Concern.SOMEONE_ELSE]
        return {kind: "" for kind in raised if kind is Concern.SOMEONE_ELSE or sure[kind] >= others}


@dataclass(frozen=True)
class Cached:
    """An encoder that keeps the vectors of the examples: an edited file costs the new sentences only."""

    encoder: Encoder
    cache: VectorCache

    @property
    def id(self) -> str:
        return self.encoder.id

    def encode(self, texts: Sequence[str]) -> Vectors:
        return encode_cached(self.encoder, self.cache, texts)


def open_reader(settings: Settings, encoder: Encoder | None = None, folder: Path = FOLDER) -> Reader:
    """The reader, trained first where that has not been done for these examples and this encoder.

    Raises ExamplesError, KnowledgeError (no encoder, no weights) and OSError (nowhere to keep the heads).
    """
    encoder = encoder or open_encoder(settings)
    return Reader(encoder, open_heads(settings, encoder, folder))


def load_reader(settings: Settings, folder: Path = FOLDER) -> Reader:
    """The reader, if it is trained: a server that is starting does not train. Raises as `open_reader`; NotTrained."""
    encoder = open_encoder(settings)
    kept = place_of_heads(settings, encoder, load_examples(folder))
    if not kept.is_file():
        raise NotTrained("The concern classifier is not trained. Run: python -m bot train-concern")
    return Reader(encoder, Heads.load(kept))


def open_heads(settings: Settings, encoder: Encoder, folder: Path = FOLDER) -> Heads:
    """Heads from the build folder, named after everything they depend on."""
    examples = load_examples(folder)
    kept = place_of_heads(settings, encoder, examples)
    if kept.is_file():
        try:
            return Heads.load(kept)
        except (OSError, ValueError):
            kept.unlink()
    cache = VectorCache.open(settings)
    try:
        heads = train_heads(examples, Cached(encoder, cache))
    finally:
        cache.close()
    heads.save(kept)
    return heads


def place_of_heads(settings: Settings, encoder: Encoder, examples: Sequence[Example]) -> Path:
    """One file for each state of the examples, the encoder, the patterns and the way of training."""
    made_of = hashlib.sha256(f"{hash_examples(examples)} {hash_patterns()} {VERSION}".encode()).hexdigest()[:16]
    return cache_folder(settings) / f"concern-heads-{made_of}-{encoder.id}.npz"
