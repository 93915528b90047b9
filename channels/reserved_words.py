"""Words that phone networks keep for themselves, and whether a text of ours asks somebody for one. Pure.

Whoever texts STOP because we asked for it is cut off from us by their network, and never knows.
"""

from __future__ import annotations

import re
from typing import Final

from channels.routing import HELP_WORDS, OPT_IN_WORDS, OPT_OUT_WORDS

RESERVED: Final = frozenset({*OPT_OUT_WORDS, *OPT_IN_WORDS, *HELP_WORDS, "yes", "arret"})
OURS: Final = frozenset({"MY INFO", "FORGET ME", "TAKE INFO"})
SENT: Final = ("text", "write", "reply", "reply with", "send", "say the word", "type", "answer", "text back")
ASKED: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(SENT, key=len, reverse=True))})(?: us| me| the word)? [\"']?"
    rf"(?P<word>{'|'.join(sorted(map(re.escape, RESERVED), key=len, reverse=True))})[\"']?(?=[.,;:!?)]|$| to\b| for\b)",
    re.IGNORECASE,
)
SHOUTED: Final = re.compile(rf"\b(?:{'|'.join(word.upper() for word in sorted(RESERVED))})\b")


def words_asked_for(text: str) -> list[str]:
    """Reserved words that a text asks for: named after a verb of sending, or written in capitals as a keyword is."""
    for ours in OURS:
        text = text.replace(ours, "")
    return [match["word"] for match in ASKED.finditer(text)] + SHOUTED.findall(text)
