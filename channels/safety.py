"""After the first words to a concern: one kind question at a time, for as long as somebody answers. Pure.

Thoughts of suicide are asked about outright: how, with what, when; each question says somewhere to turn, and whoever
says no, or would rather not, is thanked and still offered a person. Somebody for whom eating is hard hears what helps,
a line and a doctor, without a number or a name for it. Somebody being hurt is asked whether it is safe to write, and is
not texted first when it is not. Whoever worries about somebody else gets words of their own.

What was asked is read from what was said before, so nothing is kept, and anything that is no answer is left to the
assistant: no question stands between a person and what they came for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from channels.conversation import Concern, Sender
from channels.ledger.records import MessageRecord
from channels.safe_again import Safe

MOST_WORDS: Final = 8
"""A longer message tells more than yes or no, and the assistant should read it."""


ONE_QUESTION: Final = frozenset({Concern.SUICIDE, Concern.METHOD_SEEKING, Concern.SELF_HARM})
"""Who has been asked about one of these is not asked anew because the answer names another."""


UNSAFE: Final = frozenset({Concern.ABUSE, Concern.DANGER_NOW, Concern.CHILD_AT_RISK})
"""Somebody else may be holding the phone."""
SAFETY: Final = "safety"
"""Outcome of a message that answers a question which a concern made us ask."""


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    ENOUGH = "enough"
    """They would rather not be asked."""


@dataclass(frozen=True)
class Step:
    """What is said next, by its key in the wording; `quiet`: whether to text first from now on, if that changes."""

    key: str
    quiet: bool | None = None


PLAN, MEANS, TIME, HEARD, DENIED = map(
    Step, ("safety_plan", "safety_means", "safety_time", "safety_heard", "safety_no")
)
HIDDEN, AGAIN = Step("safety_hidden", quiet=True), Step("safety_again", quiet=False)
ASK_AGAIN, SAFE = Step("safety_again_ask"), Step("safety_safe")
RING = Step("safety_ring_now")
EATING = Step("safety_eating")
HERE = Step("safety_here")
SCRIPT: Final[Mapping[str, Mapping[Answer, Step]]] = {
    "concern_suicide": {Answer.YES: PLAN, Answer.NO: DENIED, Answer.ENOUGH: HEARD},
    "concern_method_seeking": {Answer.YES: PLAN, Answer.NO: DENIED, Answer.ENOUGH: HEARD},
    "safety_plan": {Answer.YES: MEANS, Answer.NO: HEARD, Answer.ENOUGH: HEARD},
    "safety_means": {Answer.YES: TIME, Answer.NO: TIME, Answer.ENOUGH: HEARD},
    "safety_time": {Answer.YES: Step("safety_soon"), Answer.NO: HEARD, Answer.ENOUGH: HEARD},
    "concern_self_harm": {Answer.YES: Step("safety_hurt"), Answer.NO: HEARD, Answer.ENOUGH: HEARD},
    "concern_attempt": {Answer.YES: RING, Answer.NO: RING, Answer.ENOUGH: RING},
    "concern_child_at_risk": {Answer.YES: Step("safety_child_now"), Answer.NO: HEARD, Answer.ENOUGH: HEARD},
    "concern_danger_now": {Answer.YES: SAFE, Answer.NO: HIDDEN},
    "concern_abuse": {Answer.YES: SAFE, Answer.NO: HIDDEN},
    "safety_again_ask": {Answer.YES: AGAIN, Answer.NO: HIDDEN, Answer.ENOUGH: HIDDEN},
    "concern_eating_disorder": {Answer.YES: EATING, Answer.NO: EATING, Answer.ENOUGH: HEARD},
    "safety_eating": {
        Answer.YES: Step("safety_eating_told"),
        Answer.NO: Step("safety_eating_alone"),
        Answer.ENOUGH: HEARD,
    },
    "concern_someone_else": {Answer.YES: Step("safety_other_now"), Answer.NO: Step("safety_other")},
}
"""By what was said last: what follows each answer."""

ALONE: Final = frozenset({"safety_ring_now", "safety_soon", "safety_hurt", "safety_child_now", "safety_other_now"})
"""Steps that tell them to ring or to act now: nothing else is said beside them."""

ASKS_IF_SAFE: Final = frozenset({"concern_abuse", "concern_danger_now", "safety_again_ask"})
"""Whether it is safe to write: telling of more that is done to them is no yes to that."""

TELLS: Final[Mapping[str, re.Pattern[str]]] = {
    "safety_plan": re.compile(
        r"\b(?:pills?|tablets?|tabs|meds|medication|paracetamol|ibuprofen|insulin|overdose|od|rope|belt|hang(?:ing)?|noose"
        r"|bridge|trains?|tracks?|railway|jump(?:ing)?|knife|blades?|razors?|cut(?:ting)?|wrists?|drown(?:ing)?|river|sea"
        r"|canal|gas|car|driv(?:e|ing)|lorry|roof|cliff|car park|gun|poison|bleach|drink|height|window)\b"
    ),
    "safety_time": re.compile(
        r"\b(?:tonite|2nite|2night|this (?:morning|afternoon|evening|week|weekend)|(?:next|in a) (?:week|month|few)"
        r"|later|mon(?:day)?|tues?(?:day)?|wed(?:nesday)?|thurs?(?:day)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?|weekend|christmas"
        r"|birthday|after|when|once|midnight|morning|evening|night|\d{1,2} ?(?:am|pm)|in an? \w+|yfory)\b"
    ),
    "concern_eating_disorder": re.compile(
        r"\b(?:since|years?|yrs?|months?|weeks?|days?|long|ages|a while|forever|always|on and off|not sure|dont know"
        r"|dunno|idk|all my life|when i was|started|last|ers|blynyddoedd|misoedd|blwyddyn|amser)\b"
    ),
}
"""What answers a question that asks for more than yes or no, by the question."""
NOTED = re.compile(
    r"(?:(?:ok|okay|k|kk|right|alright|thanks|thank you|thankyou|thx|ta|cheers|iawn|diolch|yeah|yes|cool|fine"
    r"|i will|will do|for that|so much|i see|got it|hm+|mm+|sure|bye|night|goodnight|nos da)(?: |$))+"
)
"""No more than that it was read: after such a talk nobody is asked cheerfully what is next."""
ENOUGH = re.compile(
    r"(?:rather|id prefer) not|dont (?:want|wanna) (?:to )?(?:say|talk|answer)|dont ask|no more|skip|enough"
)
NO = re.compile(
    r"(?:no|nope|nah|naw|n|not really|not now|never|im not|i am not|i dont|its not|it isnt|na|nac|naddo|nage) ?(?:\b|$)"
)
TAKEN_BACK = re.compile(
    r"(?:(?:lol|haha|sorry|no|nah|honestly|ok|just|only|i was|i am|im|was|its|it is|that was|really|please) )*"
    r"(?:joking|kidding|jk|messing(?: about)?|a joke|fine|ok|okay|not that bad|nothing|forget it|forget i said(?: \w+)?"
    r"|ignore (?:me|that|it)|never ?mind|dont worry(?: about (?:it|me))?)(?: (?:really|now|honest|honestly|lol|haha))*"
)
"""Said as the whole message: taken back, and neither believed nor argued with."""
YES = re.compile(
    r"(?:yes|yeah|yea|yep|ye|y|yh|yup|ya|aye|i am|im|i do|i have|ive|i think so|i guess|sometimes|maybe|kind of|kinda"
    r"|sort of|a bit|a lot|every day|all the time|always|tonight|today|tomorrow|soon|now|they are|he is|she is|it is"
    r"|si|oui|tak|haan|ydw|ydyn|ydy|ydi|ie|oes|heno|weithiau|efallai)\b"
)


def follow_up(text: str, before: Sequence[MessageRecord], openings: Mapping[str, str], *, worried: bool) -> Step | None:
    """What to say to this message, if it answers a question of ours. `worried`: it holds a concern itself.

    `before` are the messages up to it, oldest first; `openings` give the `opening` of each step's words.
    """
    asked = last_asked(before, openings)
    if asked is None:
        return HERE if is_noted(text) and not worried and ended_there(before) else None
    answer = read_answer(text, asked) or (Answer.YES if worried and asked not in ASKS_IF_SAFE else None)
    return SCRIPT[asked].get(answer) if answer else None


def safe_step(said: Safe | None, *, quiet: bool, asked: bool) -> Step | None:
    """They say, unasked, that it is safe to write to them again, or not any more. In doubt they are asked, once."""
    if said is Safe.UNSAFE:
        return HIDDEN
    if said is Safe.SAFE:
        return AGAIN if quiet else SAFE
    return ASK_AGAIN if said is Safe.PERHAPS and quiet and not asked else None


def is_noted(text: str) -> bool:
    return bool(NOTED.fullmatch(plain_words(text)))


def ended_there(before: Sequence[MessageRecord]) -> bool:
    """Whether our last words were a step of this, to the last thing they wrote, and offered nothing to say yes to."""
    theirs = next((message for message in reversed(before) if message.sender is Sender.PERSON), None)
    offered = bool(before) and bool(before[-1].choices)
    return theirs is not None and theirs.outcome == SAFETY and not offered


def opening(words: str) -> str:
    """A text up to its first question, from after what is filled in: what it is known by among what was said."""
    return words.split("?", maxsplit=1)[0].rsplit("}", maxsplit=1)[-1] + "?"


def last_asked(before: Sequence[MessageRecord], openings: Mapping[str, str]) -> str | None:
    """The question that our last turn held; None once the person has written something else since."""
    for message in reversed(before):
        if message.sender is Sender.PERSON:
            return None
        for key in SCRIPT:
            if openings[key] in message.text:
                return key
    return None


def plain_words(text: str) -> str:
    return " ".join(re.sub(r"[^\w ]", "", text.casefold()).split())


def read_answer(text: str, asked: str = "") -> Answer | None:
    """A short yes or no in whatever spelling, or what `asked` asks for; None for what may be more than that."""
    plain = plain_words(text)
    if not plain or len(plain.split()) > MOST_WORDS or "?" in text:
        return None
    if ENOUGH.search(plain):
        return Answer.ENOUGH
    if NO.match(plain) or TAKEN_BACK.fullmatch(plain):
        return Answer.NO
    told = asked in TELLS and TELLS[asked].search(plain)
    return Answer.YES if told or YES.match(plain) else None
