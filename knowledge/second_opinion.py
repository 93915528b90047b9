"""What a message as a whole asks for, by a larger model: it is heard beside the first, which reads the parts too.

Two recognisers of the same phrasings. On phrasings held back from both (four folds), the larger names the right need
first in 66 of 100, the smaller in 56; for the first three it is 84 and 77. Without its files search does with the
first alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import structlog

from knowledge.catalogue import Need
from knowledge.embedding import Encoder, cache_folder
from knowledge.embedding.strong import STRONG_ID, open_strong_encoder
from knowledge.errors import ModelNotTrusted
from knowledge.need_head import Array, NeedHead, train_head
from knowledge.needs import needs_hash, training_texts
from knowledge.settings import Settings


class SecondOpinion:
    """One probability per need for a whole message. Open with `open_opinion`."""

    def __init__(self, encoder: Encoder, head: NeedHead) -> None:
        self._encoder = encoder
        self._head = head

    def chances(self, text: str) -> Array:
        chances: Array = self._head.probabilities(self._encoder.encode([text]))[0]
        return chances


def open_opinion(settings: Settings, needs: Sequence[Need]) -> SecondOpinion | None:
    """What set-up made for these needs; None when it made nothing, or it is switched off."""
    if not settings.second_reader:
        return None
    try:
        head = NeedHead.load(_path(settings, needs))
        return SecondOpinion(open_strong_encoder(settings.strong_encoder_dir), head)
    except FileNotFoundError:
        return None
    except (ModelNotTrusted, OSError, ValueError, KeyError, BadZipFile) as problem:
        structlog.get_logger().warning("second_reader_missing", fix=str(problem))
        return None


def prepare_opinion(settings: Settings, needs: Sequence[Need]) -> bool:
    """Train and keep the second recogniser; False when it is there, or there is no second encoder. About a minute."""
    path = _path(settings, needs)
    if path.is_file() or not settings.second_reader:
        return False
    try:
        encoder = open_strong_encoder(settings.strong_encoder_dir)
    except ModelNotTrusted as refusal:
        structlog.get_logger().warning("second_reader_missing", fix=str(refusal))
        return False
    texts, owners = training_texts(needs)
    head = train_head(encoder.encode(texts), owners)
    begun = path.with_suffix(".begun.npz")
    head.save(begun)
    begun.replace(path)
    return True


def _path(settings: Settings, needs: Sequence[Need]) -> Path:
    return cache_folder(settings) / f"second-head-{needs_hash(needs)[:16]}-{STRONG_ID}.npz"
