"""What somebody said, in short and in their own words: sentences picked from their messages. Pure.

A sentence counts for what raises a concern, for what happened and what is needed, and for coming first; greetings,
numbers typed as a choice and asking for a person say nothing. The order is the one they were said in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from channels.concern import find_concerns
from channels.conversation import Sender
from channels.ledger.records import MessageRecord
from channels.routing import asks_for_person

LONGEST: Final = 240
"""Letters. Short enough to be read back to them in one or two text messages."""
MOST_SENTENCES: Final = 4
ENDS: Final = re.compile(r"(?<=[.!?])\s+|\n+")
WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
TELLING: Final = re.compile(
    r"\b(?:need|needs|want|lost|lose|losing|cant|can[\u2019']?t|cannot|no one|nobody|nowhere|owe|owed|debt|"
    r"rent|evict\w*|bills?|money|food|eat|homeless|sleep\w*|job|work|benefits?|landlord|house|flat|kids?|children|"
    r"baby|pregnant|partner|husband|wife|mum|dad|son|daughter|school|doctor|hospital|ill|pain|tired|alone|lonely|"
    r"scared|afraid|worried|anxious|depress\w*|down|drink\w*|drugs?|hit\w*|hurt\w*|left|died|since|because|tomorrow|today|tonight|"
    r"week|month|friday|monday|by)\b",
    re.IGNORECASE,
)
SMALL_TALK: Final = re.compile(
    r"(?:hi+|hey+|hello|hiya|good (?:morning|afternoon|evening)|thanks?|thank you|thx|ta|ok(?:ay)?|yes|no|yeah|yep|"
    r"sure|please|pls|bye|more|my info|forget me|person|help|info|start|\d+|are you there)"
    r"(?: (?:there|you|please|pls|so much|a lot|then|everyone))*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Picked:
    """A sentence: which message of theirs it is from, its place in it, and how much it tells."""

    message: int
    place: int
    text: str
    weight: int


def summarise(messages: Sequence[MessageRecord], longest: int = LONGEST) -> str:
    """The sentences of theirs that tell most, joined. Empty when they have said nothing yet."""
    sentences = [
        sentence
        for number, message in enumerate(theirs(messages))
        for place, text in enumerate(sentences_of(message.text))
        if (sentence := Picked(number, place, text, weight_of(text, number))).weight > 0
    ]
    chosen: list[Picked] = []
    for sentence in sorted(sentences, key=lambda one: (-one.weight, one.message, one.place)):
        length = sum(len(one.text) + 1 for one in (*chosen, sentence))
        if len(chosen) < MOST_SENTENCES and length <= longest and not said_already(sentence, chosen):
            chosen.append(sentence)
    if not chosen and sentences:
        chosen = [max(sentences, key=lambda one: one.weight)]
    text = " ".join(closed(one.text) for one in sorted(chosen, key=lambda one: (one.message, one.place)))
    return text if len(text) <= longest else text[:longest].rsplit(" ", 1)[0] + " ..."


def theirs(messages: Sequence[MessageRecord]) -> list[MessageRecord]:
    """What they said in words; a pressed button is what we said."""
    return [message for message in messages if message.sender is Sender.PERSON and message.text and not message.payload]


def sentences_of(text: str) -> list[str]:
    return [" ".join(part.split()) for part in ENDS.split(text) if part.strip()]


def weight_of(sentence: str, message: int) -> int:
    """0 for what tells nothing."""
    words = WORD.findall(sentence)
    bare = " ".join(words)
    if len(words) < 2 or SMALL_TALK.fullmatch(bare) or asks_for_person(sentence) or is_rest(bare):
        return 0
    telling = len({found.casefold() for found in TELLING.findall(sentence)})
    first = 2 if message == 0 else 0
    return 1 + 6 * bool(find_concerns(sentence)) + min(telling, 4) + first + (4 <= len(words) <= 30)


def is_rest(words: str) -> bool:
    """MORE and its like, said again here so that no message is needed."""
    return words.casefold() in {"more please", "the rest", "go on", "carry on", "keep going", "send more"}


def said_already(sentence: Picked, chosen: Sequence[Picked]) -> bool:
    """Most of its words stand there already."""
    words = bag(sentence.text)
    return any(len(words & bag(one.text)) >= 0.8 * len(words) for one in chosen)


def bag(text: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(text)}


def closed(sentence: str) -> str:
    return sentence if sentence[-1] in ".!?" else f"{sentence}."
