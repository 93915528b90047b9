"""What a saved reply has to be before it is kept: the rules for everything that is sent by ourselves. Pure.

Each problem is a key of the words that say it, with what fills them in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from channels.desk.replies import VARIABLES, SavedReply, fill
from channels.gsm7 import plain, segments
from channels.never_no import NeverNo
from channels.reserved_words import words_asked_for

MOST_SEGMENTS: Final = 2
LEFT_OVER: Final = re.compile(r"\[[^\]]*\]|\bxxx+|\bTODO\b|\bINSERT\b|\bTBC\b", re.IGNORECASE)
BRACES: Final = re.compile(r"\{([^{}]*)\}")

Problem = tuple[str, Mapping[str, object]]


def problems(reply: SavedReply, rules: NeverNo, samples: Mapping[str, str]) -> Iterator[Problem]:
    """Everything that is wrong with it. `samples`: a long value for each variable, to count text messages with."""
    if not reply.title or not reply.text:
        yield "reply_empty", {}
        return
    for rule in rules.broken(f"{reply.title}. {reply.text}"):
        yield "reply_never_no", {"rule": rule.replace("_", " ")}
    for word in dict.fromkeys(words_asked_for(reply.text)):
        yield "reply_reserved", {"word": word.upper()}
    unknown = [name for name in BRACES.findall(reply.text) if name not in VARIABLES]
    if unknown or re.search(r"[{}]", BRACES.sub("", reply.text)):
        yield "reply_variable", {"names": ", ".join(f"{{{name}}}" for name in sorted(VARIABLES))}
    if LEFT_OVER.search(reply.text):
        yield "reply_left_over", {}
    if (count := segments(plain(fill(reply, samples).text))) > MOST_SEGMENTS:
        yield "reply_long", {"count": count, "most": MOST_SEGMENTS}
