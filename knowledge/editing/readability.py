"""How old somebody has to be to read a text with ease. Pure.

Flesch-Kincaid grade (Kincaid and others, 1975) plus 5: 0.39 words a sentence + 11.8 syllables a word - 15.59.
Syllables are groups of vowels, without a silent final e or ed; that is right for about 9 words in 10, and errors
cancel over a text. Names and numbers read themselves: capitals inside a sentence count as one syllable.
NHS service manual: write for a reading age of 9 to 11.
"""

from __future__ import annotations

import re
from typing import Final

READING_AGE: Final = 11
"""Years: above this a text is too hard for many people, and for anybody on a bad day."""
FEWEST_WORDS: Final = 5
"""Of fewer words the formula says nothing."""

_SENTENCE_END = re.compile(r"[.!?:;\n]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z']*")


def reading_age(text: str) -> float | None:
    """In years; None when there are too few words to say."""
    sentences = [words for part in _SENTENCE_END.split(text) if (words := _WORD.findall(part))]
    words = [word for sentence in sentences for word in sentence]
    if len(words) < FEWEST_WORDS:
        return None
    beats = sum(_syllables(word, inside=place > 0) for sentence in sentences for place, word in enumerate(sentence))
    grade = 0.39 * len(words) / len(sentences) + 11.8 * beats / len(words) - 15.59
    return round(max(grade, 0.0) + 5, 1)


def _syllables(word: str, *, inside: bool) -> int:
    if inside and word[0].isupper():
        return 1
    plain = re.sub(r"(?<![aeiouyl])e$|(?<=[^aeiouydt])ed$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", plain)))
