"""The classifier as a part of the product: heads that are there, or are trained once, and a reader that uses them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from bot.concern.examples import FOLDER, Example, hash_examples, load_examples
from bot.concern.features import Features, describe, describe_again, encode_again, split_windows
from bot.concern.heads import Array, Heads, Judgement, summarise
from bot.concern.matters import Matter
from bot.concern.patterns import hash_patterns
from bot.concern.training import train_heads
from channels.conversation import Concern
from knowledge.embedding import DIMENSIONS, Encoder, Vectors, open_encoder
from knowledge.embedding.strong import DIMENSIONS as STRONG_DIMENSIONS
from knowledge.embedding.strong import STRONG_ID, open_strong_encoder
from knowledge.embedding.vectors import VectorCache, cache_folder, encode_cached
from knowledge.errors import ModelNotTrusted
from knowledge.settings import Settings

VERSION = 7
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
class Judged:
    """One message: a chance per matter, and the score of every kind's line."""

    chances: Array
    named: Array


@dataclass(frozen=True)
class Reader:
    """Sure enough of a matter when its chance reaches the threshold chosen in training. Pure."""

    encoder: Encoder
    heads: Heads
    strong: Encoder | None = None
    """The larger model; without it, or without heads for it, the first one judges alone."""

    def read_all(self, texts: Sequence[str]) -> list[dict[Concern, str]]:
        return [{kind: REASONS[kind] for kind in self._raised(one)} for one in self.judge(texts)]

    def judge(self, texts: Sequence[str]) -> list[Judged]:
        windows = [split_windows(text) for text in texts]
        rows = describe([*texts, *(window for some in windows for window in some)], self.encoder)
        scores = np.array([self.heads.lines.scores(one.dense, one.grams) for one in rows], np.float32)
        second, judgement = self._read_again(texts, rows), self._judgement()
        judged, at = [], len(texts)
        for row, some in enumerate(windows):
            again = None if second is None else second[row]
            columns = summarise(scores[row], scores[at : at + len(some)], again)
            named = self.heads.naming.scores(rows[row].dense, rows[row].grams)
            judged.append(Judged(judgement.chances(columns), named))
            at += len(some)
        return judged

    def _judgement(self) -> Judgement:
        both = self.heads.together if self.strong else None
        return both or self.heads.alone

    def _read_again(self, texts: Sequence[str], rows: Sequence[Features]) -> Array | None:
        if self.strong is None or self.heads.memory is None or not texts:
            return None
        dense = np.stack([row.dense for row in rows[: len(texts)]])
        return self.heads.memory.scores(describe_again(encode_again(texts, self.strong), dense))

    def _raised(self, one: Judged) -> list[Concern]:
        """What is surely about somebody else is not taken for the writer's own, unless that is as sure."""
        thresholds = self._judgement().thresholds
        sure = dict(zip(self.heads.matters, one.chances, strict=True))
        raised = [matter for matter, least in zip(self.heads.matters, thresholds, strict=True) if sure[matter] >= least]
        if Matter.SOMEBODY_ELSE in raised:
            others = sure[Matter.SOMEBODY_ELSE]
            raised = [matter for matter in raised if sure[matter] >= others]
        found = {kind for matter in raised for kind in self.heads.kinds_of(matter, one.named)}
        return [kind for kind in Concern if kind in found]


@dataclass(frozen=True)
class Cached:
    """An encoder that keeps the vectors of the examples: an edited file costs the new sentences only.

    The cache is opened for each use, because two models read at the same time in threads of their own.
    """

    encoder: Encoder
    open_cache: Callable[[], VectorCache]
    dimensions: int

    @property
    def id(self) -> str:
        return self.encoder.id

    def encode(self, texts: Sequence[str]) -> Vectors:
        with closing(self.open_cache()) as cache:
            return encode_cached(self.encoder, cache, texts, self.dimensions)


def open_reader(settings: Settings, encoder: Encoder | None = None, folder: Path = FOLDER) -> Reader:
    """The reader, trained first where that has not been done for these examples and these encoders.

    Raises ExamplesError, KnowledgeError (no encoder, no weights) and OSError (nowhere to keep the heads).
    """
    encoder, strong = encoder or open_encoder(settings), open_strong(settings)
    return Reader(encoder, open_heads(settings, encoder, strong, folder), strong)


def load_reader(settings: Settings, folder: Path = FOLDER) -> Reader:
    """The reader, if it is trained: a server that is starting does not train. Raises as `open_reader`; NotTrained.

    Where the larger model has gone since, heads that were trained with it judge without it.
    """
    encoder, strong = open_encoder(settings), open_strong(settings)
    examples = load_examples(folder)
    for with_strong in (True, False):
        kept = place_of_heads(settings, encoder, examples, with_strong=with_strong)
        if kept.is_file():
            return Reader(encoder, Heads.load(kept), strong)
    raise NotTrained("The concern classifier is not trained. Run: python -m bot train-concern")


def open_strong(settings: Settings) -> Encoder | None:
    """The larger model, the one that search reads with too; None where it is switched off or its files are away."""
    if not settings.second_reader:
        return None
    try:
        return open_strong_encoder(settings.strong_encoder_dir)
    except ModelNotTrusted as problem:
        structlog.get_logger().warning("concern_second_reader_missing", fix=str(problem))
        return None


def open_heads(settings: Settings, encoder: Encoder, strong: Encoder | None, folder: Path = FOLDER) -> Heads:
    """Heads from the build folder, named after everything they depend on."""
    examples = load_examples(folder)
    kept = place_of_heads(settings, encoder, examples, with_strong=strong is not None)
    if kept.is_file():
        try:
            return Heads.load(kept)
        except (OSError, ValueError):
            kept.unlink()

    def open_cache() -> VectorCache:
        return VectorCache.open(settings)

    heads = train_heads(
        examples,
        Cached(encoder, open_cache, DIMENSIONS),
        Cached(strong, open_cache, STRONG_DIMENSIONS) if strong else None,
    )
    heads.save(kept)
    return heads


def place_of_heads(settings: Settings, encoder: Encoder, examples: Sequence[Example], *, with_strong: bool) -> Path:
    """One file for each state of the examples, the encoders, the patterns and the way of training."""
    read_by = f"{encoder.id} {STRONG_ID if with_strong else 'alone'}"
    made_of = f"{hash_examples(examples)} {hash_patterns()} {read_by} {VERSION}"
    return cache_folder(settings) / f"concern-heads-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}.npz"
