"""The door to the patterns of `channels.concern`: the one module of `bot` that may import them.

They live there because the worker must have them when everything else is down. They are pure; whoever shows, measures
or trains both layers has to run the very same ones.
"""

from __future__ import annotations

import hashlib

from channels.concern import DATA, find_concerns, in_plain_words
from channels.conversation import Concern


def match(text: str) -> dict[Concern, str]:
    """Each kind that a pattern finds, with its reason."""
    return {one.concern: one.reason for one in find_concerns(text)}


def spell_plainly(text: str) -> str:
    """The message in the form that both layers read: " i dont want to be here . im tired "."""
    return in_plain_words(text).strip()


def hash_patterns() -> str:
    """Changes with the patterns: the classifier has learnt beside them."""
    return hashlib.sha256(DATA.read_bytes()).hexdigest()
