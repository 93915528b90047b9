"""Sentences to vectors: the trusted weights, the query encoder, and what was encoded before."""

from __future__ import annotations

from knowledge.embedding.encoder import Encoder, OnnxEncoder, SentenceEncoder, open_encoder, open_publisher
from knowledge.embedding.vectors import VectorCache, encode_cached

__all__ = [
    "Encoder",
    "OnnxEncoder",
    "SentenceEncoder",
    "VectorCache",
    "encode_cached",
    "open_encoder",
    "open_publisher",
]
