"""Whether somebody has said that something is fine with them. Pure.

Only plain agreement counts; everything else is for whoever reads it. "ok but not him" is no agreement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from channels.conversation import Sender
from channels.ledger.records import MessageRecord

AGREES: Final = re.compile(
    r"(?:(?:yes|yeah|yep|yea|yh|ye|y|ok|okay|k|kk|sure|fine|alright|all right|aye|good|great|thanks|thank you|ta|"
    r"please|pls|cool|go ahead|of course|no problem|right|correct|exactly|true|thats right|thats fine|thats ok|"
    r"thats okay|that is right|that is fine|that is ok|its fine|its ok|it is ok|it is fine|fine by me|fine with me|"
    r"ok with me|sounds good|i dont mind|do it|that works|perfect|lovely)\b ?)+",
    re.IGNORECASE,
)
DOUBTS: Final = re.compile(r"\b(?:no|not|dont want|but|rather|instead|wait|later|never|why)\b", re.IGNORECASE)
LONGEST: Final = 60


def says_ok(text: str) -> bool:
    """A whole message that agrees and nothing else."""
    words = re.sub(r"['\u2019]", "", text.casefold())
    plain = " ".join(re.findall(r"[^\W_]+", words))
    if not plain or len(text) > LONGEST or DOUBTS.search(plain.replace("no problem", "")):
        return False
    return AGREES.fullmatch(plain) is not None


def answers_after(messages: Sequence[MessageRecord], seq: int) -> list[MessageRecord]:
    """What they have said since a message of ours."""
    return [message for message in messages if message.sender is Sender.PERSON and message.seq > seq]


def agreed_after(messages: Sequence[MessageRecord], seq: int) -> bool:
    """Their newest words since then say that it is fine."""
    answers = answers_after(messages, seq)
    return bool(answers) and says_ok(answers[-1].text)
