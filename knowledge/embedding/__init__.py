"""Sentences to vectors: the trusted weights, the query encoder, and what was encoded before."""

from __future__ import annotations

from knowledge.embedding.encoder import (
    DIMENSIONS,
    Encoder,
    OnnxEncoder,
    SentenceEncoder,
    Vectors,
    open_encoder,
    open_publisher,
)
from knowledge.embedding.vectors import VectorCache, cache_folder, encode_cached

__all__ = [
    "DIMENSIONS",
    "Encoder",
    "OnnxEncoder",
    "SentenceEncoder",
    "VectorCache",
    "Vectors",
    "cache_folder",
    "encode_cached",
    "open_encoder",
    "open_publisher",
]
