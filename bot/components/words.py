"""What is done to a person's words before the language model sees them. Pure; Python 3.10."""

from __future__ import annotations

import unicodedata

LONGEST_TEXT = 2000
"""Characters that go on. The whole message stays in the ledger; the model reads about 600 of them."""
TAIL = 600
"""Of which this many from the end: people often finish a long message with what they ask for."""
GAP = " ... "
LONGEST_ENCODED = 1000
"""Characters given to the tokenizer: always more than its 128 tokens, so cutting here changes no vector."""
WORDLESS = "?"


def read_text(text: str) -> str:
    """Typed words as they may enter Rasa.

    - Rasa runs a text that begins with "/" as a command. What a person types is never a command, so leading
      slashes are dropped; a text of nothing else becomes "?", which is answered like any message without words.
    - A very long text keeps its beginning and its end.
    """
    plain = text.strip().lstrip("/ \t\r\n") if text.strip().startswith("/") else text.strip()
    return shorten(plain or WORDLESS)


def shorten(text: str, longest: int = LONGEST_TEXT) -> str:
    if len(text) <= longest:
        return text
    return text[: longest - TAIL - len(GAP)].rstrip() + GAP + text[-TAIL:].lstrip()


def has_readable_words(text: str) -> bool:
    """Whether an English model can say anything about this text.

    It maps an emoji, "???" or another script to a vector all the same, and a classifier then names the nearest
    intent with some confidence: an emoji alone has been answered with thanks. So at least half of the letters
    must be Latin; a number alone counts ("2" picks from a list).
    """
    letters = [letter for letter in text if letter.isalpha()]
    if not letters:
        return any(letter.isascii() and letter.isdigit() for letter in text)
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters[:LONGEST_ENCODED])
    return latin * 2 >= len(letters[:LONGEST_ENCODED])
