"""A message as numbers: what it means (sentence vector), how it is worded (n-grams), who it is about (cues), patterns.

Everything is read in plain spelling, so that "dnt want 2 b here" and "don't want to be here" are the same to the
encoder.
The blocks are scaled: a block with smaller numbers is trusted less, because the examples are not how everybody
writes.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.concern.patterns import match, spell_plainly
from channels.conversation import Concern
from knowledge.embedding import DIMENSIONS, Encoder, Vectors

LONGEST = 4000
"""Characters that are read."""
LONG_CLAUSE, MOST_WINDOWS = 14, 24
"""Words from which on a sentence is taken apart; windows read of one message, the last ones and the first."""
SLOTS = 1 << 15
"""Places that n-grams are hashed to, for words and for letters each."""
WORD_GRAMS, LETTER_GRAMS = (1, 2, 3), (2, 3, 4, 5)
GRAM_SCALE, CUE_SCALE, MATCH_SCALE = 0.7, 0.5, 0.4

KINDS: tuple[Concern, ...] = tuple(Concern)
SPOKEN = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:i|im|ive|id|ill|me|my|myself|mine)\b",
        r"\b(?:you|your|youre|youve|yourself|op)\b",
        r"\b(?:he|she|they|him|her|them|hes|shes|theyre|his|their)\b",
        r"\b(?:we|us|our)\b",
    )
)
"""Who is spoken of: the writer, somebody spoken to, others, a group."""
PLAIN_SIGNS = (re.compile(r"\blol\b"), re.compile(r"^(?:what|how|when|who|where|why|is|are|do|does|can|will)\b"))
RAW_SIGNS = tuple(re.compile(sign) for sign in (r"#\w", r"@\w|http", '["“”]', r"\?", r"!", r"\n"))
CUES = len(SPOKEN) + len(PLAIN_SIGNS) + len(RAW_SIGNS) + 2

JOINTS = re.compile(r" (?=(?:and|but|because|so|then|cause|if|when|i|im|ive|id) )")

Grams = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Places and weights of one text's n-grams."""


@dataclass(frozen=True)
class Features:
    """One text as numbers: a dense row and its n-grams."""

    dense: NDArray[np.float32]
    grams: Grams


DENSE = DIMENSIONS + CUES + len(KINDS)
GRAMS = 2 * SLOTS


def describe(texts: Sequence[str], encoder: Encoder) -> list[Features]:
    """The numbers of each text; the texts are encoded together."""
    cut = [text[:LONGEST] for text in texts]
    plain = [spell_plainly(text) for text in cut]
    return [join(text, words, vector) for text, words, vector in zip(cut, plain, encode(plain, encoder), strict=True)]


def encode_again(texts: Sequence[str], strong: Encoder) -> Vectors:
    """One row per text, as the larger model reads the whole of it."""
    return strong.encode([spell_plainly(text[:LONGEST]) or "." for text in texts])


def describe_again(vectors: Vectors, dense: NDArray[np.float32]) -> NDArray[np.float32]:
    """The larger model's vectors beside the same cues and patterns as the first one's in the rows of `dense`."""
    return np.concatenate([vectors, dense[:, DIMENSIONS:]], axis=1).astype(np.float32)


def split_windows(text: str) -> list[str]:
    """The clauses of a message, one by one and in pairs; nothing when it is one clause.

    One clause of danger in a long story about rent must be heard, and so must what only two clauses say together.
    """
    plain = spell_plainly(text[:LONGEST])
    clauses = [
        clause
        for sentence in plain.split(" . ")
        for clause in split_sentence(sentence.strip(" ."))
        if len(clause.split()) > 1
    ]
    windows = [*clauses, *(f"{first} . {second}" for first, second in pairwise(clauses))]
    found = [window for window in dict.fromkeys(windows) if window != plain.strip(" .")]
    return found if len(found) <= MOST_WINDOWS else found[: MOST_WINDOWS // 2] + found[-MOST_WINDOWS // 2 :]


def split_sentence(sentence: str) -> list[str]:
    """A sentence, or its clauses of up to about twelve words when it is long."""
    if len(sentence.split()) <= LONG_CLAUSE:
        return [sentence]
    clauses = [""]
    for part in JOINTS.split(sentence):
        longer = f"{clauses[-1]} {part}".strip()
        if clauses[-1] and len(longer.split()) > LONG_CLAUSE - 2:
            clauses.append(part)
        else:
            clauses[-1] = longer
    return clauses


def encode(plain: Sequence[str], encoder: Encoder) -> Vectors:
    """By length, because a batch costs as much as its longest text times their number."""
    order = sorted(range(len(plain)), key=lambda at: len(plain[at]))
    vectors = np.zeros((len(plain), DIMENSIONS), np.float32)
    if order:
        vectors[order] = encoder.encode([plain[at] or "." for at in order])
    return vectors


def join(text: str, plain: str, vector: Vectors) -> Features:
    found = match(text)
    matched = np.array([kind in found for kind in KINDS], np.float32)
    dense = np.concatenate([vector, CUE_SCALE * read_cues(text, plain), MATCH_SCALE * matched]).astype(np.float32)
    return Features(dense, read_grams(plain))


def read_cues(text: str, plain: str) -> NDArray[np.float32]:
    """Cheap signs of who is spoken of and of what kind of text it is, each between 0 and 1."""
    words = max(4, len(plain.split()))
    shares = [min(1.0, 3 * len(person.findall(plain)) / words) for person in SPOKEN]
    signs = [float(bool(sign.search(plain))) for sign in PLAIN_SIGNS]
    signs += [float(bool(sign.search(text))) for sign in RAW_SIGNS]
    return np.array([*shares, *signs, min(1.0, math.log1p(words) / 5), float(not shares[0])], np.float32)


def read_grams(plain: str) -> Grams:
    """Runs of words and of letters within a word, hashed; each block has length GRAM_SCALE."""
    words = plain.split()
    runs = [f"w {' '.join(words[at : at + size])}" for size in WORD_GRAMS for at in range(len(words) - size + 1)]
    letters = [
        f"c {word[at : at + size]}"
        for word in (f" {word} " for word in words)
        for size in LETTER_GRAMS
        for at in range(max(1, len(word) - size + 1))
    ]
    places, weights = zip(count(runs, 0), count(letters, SLOTS), strict=True)
    return np.concatenate(places), np.concatenate(weights)


def count(pieces: Sequence[str], offset: int) -> Grams:
    hashed = np.array([zlib.crc32(piece.encode("utf-8", "replace")) % SLOTS for piece in pieces], np.int64)
    places, counts = np.unique(hashed, return_counts=True)
    weights = counts.astype(np.float32)
    length = float(np.linalg.norm(weights)) or 1.0
    return (places + offset).astype(np.int32), (GRAM_SCALE * weights / length).astype(np.float32)
