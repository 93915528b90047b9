"""Who deals with a message: the assistant, the peer worker who holds the conversation, or the service itself. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from channels.conversation import Channel, Choice, Concern, EscalationState, Holder, Media
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord

PERSON = "person"
PLACE = "place"
DETAILS = "details:"

OPT_OUT_WORDS = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out", "opt-out"}
)
"""Phone networks keep these for themselves when they are the whole message. "I want it to stop" is not one."""
OPT_OUT_ELSEWHERE = frozenset({"stop", "stopall", "stop all", "unsubscribe", "optout", "opt out", "opt-out"})
"""On channels where nobody intercepts "end" or "cancel", those are words like any other."""
OPT_IN_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})


@dataclass(frozen=True)
class ToBot:
    """The assistant answers; `payload` is a pressed button or what a typed number meant."""

    payload: str | None = None


@dataclass(frozen=True)
class ToPeer:
    """A peer worker has the turn: nothing is said for them, and Rasa is not called.

    `opted_out`: the message was STOP or its like, which is kept whoever has the turn.
    """

    opted_out: bool = False


@dataclass(frozen=True)
class OptOut:
    """Do not text first. Writing again is always possible."""


@dataclass(frozen=True)
class OptIn:
    """The person wants to hear from us again, or for the first time."""


@dataclass(frozen=True)
class AskHelp:
    """The whole message was HELP or INFO: a request for help, and not for small print."""


@dataclass(frozen=True)
class AskMove:
    """Wants to carry on over another channel: gets a code."""


@dataclass(frozen=True)
class NoWords:
    """Nothing to read: `kind` of media (picture, voice, ...), or empty when there was nothing at all."""

    kind: str = ""


@dataclass(frozen=True)
class AskPerson:
    """Asked for a person in so many words, so it works without the assistant. `again`: is waiting already."""

    again: bool = False


Route: TypeAlias = ToBot | ToPeer | OptOut | OptIn | AskHelp | AskMove | NoWords | AskPerson


def decide(
    conversation: ConversationRecord,
    message: MessageRecord,
    concerns: Collection[Concern],
    escalation: EscalationRecord | None,
    choices: Sequence[Choice] = (),
) -> Route:
    """Where a message goes. `choices` are those of the last reply that offered any.

    A message with a concern is never read as a number or a button's title: its words count.
    """
    if conversation.holder is Holder.PEER:
        return ToPeer(opted_out=is_opt_out(conversation.channel, message))
    waiting = escalation is not None and escalation.state is not EscalationState.CLOSED
    if message.payload:
        return AskPerson(again=waiting) if message.payload == PERSON else ToBot(message.payload)
    if not message.text.strip():
        return _read_things(message.media)
    return _read_words(conversation.channel, message, () if concerns else choices, waiting=waiting)


def _read_things(media: Sequence[Media]) -> Route:
    """Where they are is as good as the name of the place: the assistant finds what is near."""
    if any(thing.kind == "location" for thing in media):
        return ToBot(PLACE)
    return NoWords(media[0].kind if media else "")


def _read_words(channel: Channel, message: MessageRecord, choices: Sequence[Choice], *, waiting: bool) -> Route:
    if is_opt_out(channel, message):
        return OptOut()
    words = whole(message.text)
    choice = resolve_choice(message.text, choices, channel)
    if choice is not None:
        return AskPerson(again=waiting) if choice.payload == PERSON else ToBot(choice.payload)
    if words in OPT_IN_WORDS:
        return OptIn()
    if MOVING.fullmatch(" ".join(_words(message.text))):
        return AskMove()
    if asks_for_person(message.text) or (waiting and WAITING.fullmatch(" ".join(_words(message.text)))):
        return AskPerson(again=waiting)
    return AskHelp() if message.opt_out == "HELP" or words in HELP_WORDS else ToBot()


def is_opt_out(channel: Channel, message: MessageRecord) -> bool:
    """STOP or its like as the whole message, or the provider says that it took it as such."""
    taken = OPT_OUT_WORDS if channel is Channel.SMS else OPT_OUT_ELSEWHERE
    return message.opt_out == "STOP" or (not message.payload and whole(message.text) in taken)


def whole(text: str) -> str:
    """A message as one word or few, whatever stands around it: " Stop. " is stop."""
    return " ".join(text.casefold().split()).removeprefix("/").strip(" .!\"'\u2018\u2019\u201c\u201d")


MOVING = re.compile(
    r"move|(?:(?:can|could|may|i|we|would|want|like|to|please|lets|id|rather) )*"
    r"(?:carry on|continue|switch|move|change|go on|swap|talk)"
    r"(?: (?:this|it|here|over|the chat|our chat))*(?: (?:on|to|by|in|with|via|over|through|from))+"
    r"(?: (?:the|my|a|your))?"
    r" (?:telegram|web ?chat|web ?site|web|web ?page|online|internet|text|texts|text messages?|sms|other phone)"
    r"(?: (?:please|pls|instead|now))*"
)
"""Asking to carry on over another channel, in so many words."""


# -- asking for the rest of a text message -------------------------------------------------------------------------

THE_REST = frozenset(
    {
        "more", "more please", "more pls", "the rest", "rest", "rest please", "go on", "go on then", "carry on",
        "continue", "keep going", "read more", "see more", "and then", "send more", "send the rest",
        "the rest please", "yes more", "ok more",
    }
)  # fmt: skip


def asks_for_rest(message: MessageRecord) -> bool:
    """MORE and its like, as the whole message: the rest of what we have just said comes before more of anything."""
    return not message.payload and whole(message.text).replace(",", "") in THE_REST


# -- asking for a person -----------------------------------------------------------------------------------------

ASKING = re.compile(
    r"(?:(?:hi|hello|please|pls|plz|can|could|may|i|we|would|id|want|need|like|to|just|rather|get|me|have|and) )*"
    r"(?:(?:talk|speak|chat|talking|speaking) (?:to|with) )?"
    r"(?:an? |the |some |any )?(?:real |actual |live |human )*"
    r"(?P<who>person|human|human being|peer|peer worker|someone|somebody|anyone)"
    r"(?: (?:real|please|pls|plz|now|here|instead|ta|thanks))*"
)


def asks_for_person(text: str) -> bool:
    """PERSON and the plainest ways to say it; everything else is for the assistant to understand."""
    words = " ".join(_words(text))
    found = ASKING.fullmatch(words)
    if found is None:
        return False
    return found["who"] in {"person", "human", "human being", "peer", "peer worker"} or bool(
        re.search(r"\b(?:talk|speak|chat|talking|speaking) (?:to|with)\b", words)
    )


WAITING = re.compile(
    r"(?:(?:hi|hello|hey|um|so|ok|and|but|just|well|sorry|please|pls|excuse me) )*(?:"
    r"how long(?: (?:now|more|left|is it|is this|is the (?:wait|queue|line)|til+|until|till now"
    r"|(?:will|do|does|must) (?:it|i|they|this) (?:be|take|have to wait|wait)|left to wait|to wait))*"
    r"|how much longer(?: .{1,20})?"
    r"|(?:are|r) (?:they|you|u) (?:coming|there|still there|here|on (?:their|the|your) way)(?: (?:yet|now|soon|still))?"
    r"|(?:is|has) (?:any ?(?:one|body)|some ?(?:one|body)|a person|there any ?(?:one|body))"
    r"(?: (?:coming|there|here|come|out there|around|on (?:their|the) way|reading this|free))?(?: (?:yet|now|soon))?"
    r"|any ?(?:one|body)(?: (?:there|here|coming|yet|out there))+"
    r"|(?:when|what time) (?:are|will|is|do) (?:they|you|someone|somebody|a person|anyone)"
    r"(?: (?:be|come|coming|here|there|free|back|get here|join|joining))*"
    r"|where (?:are|r) (?:they|you|u)|where is (?:everyone|everybody|the person|my person)"
    r"|(?:i ?m|im|i am) (?:still )?(?:waiting|here)(?: still)?|still waiting"
    r"|(?:what|whats|what is) (?:my place|the wait)"
    r"|who(?:s| is) (?:coming|there)|am i (?:still )?(?:in (?:the )?(?:line|queue)|next)"
    r")(?: (?:please|pls|then|x))*"
)
"""Asking how it goes with the person they were promised."""


# -- what a typed number means -----------------------------------------------------------------------------------

NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            ("one", "first", "1st"),
            ("two", "second", "2nd"),
            ("three", "third", "3rd"),
            ("four", "fourth", "4th"),
            ("five", "fifth", "5th"),
            ("six", "sixth", "6th"),
            ("seven", "seventh", "7th"),
            ("eight", "eighth", "8th"),
            ("nine", "ninth", "9th"),
        ),
        start=1,
    )
    for word in words
}
AROUND_A_NUMBER = frozenset(
    re.findall(
        r"\w+",
        "a about and can choice choose could details do for get give go going hello have hey hi i id ill im info is"
        " know like me my no nr num number ok okay on one option pick please pls plz reply see select send show ta take"
        " tell text thank thanks that the then think this thx to try um want what whats with would yea yeah yes yh you",
    )
)
"""Words that may stand around a number that is a choice: "no 2 pls", "i think the second one thanks"."""
LONGEST_CHOICE = 60
AGREE = frozenset({"yes", "yes please", "yeah", "yep", "yh", "yup", "y", "ok yes", "sure", "yes do it"})
DECLINE = frozenset({"no", "nope", "nah", "no thanks", "no thank you", "n", "dont", "no dont"})


def resolve_choice(text: str, choices: Sequence[Choice], channel: Channel) -> Choice | None:
    """The choice that a typed answer means: "2", "2.", "the second one", "no 2 pls", its title, yes or no.

    None when the message says anything more than that, or a number that stood beside nothing: it is then read as words.
    """
    words = _words(text)
    if not choices or not words or len(text) > LONGEST_CHOICE:
        return None
    said = " ".join(words)
    meant = " ".join(word for word in words if word not in AROUND_A_NUMBER)
    for choice in choices:
        if said == " ".join(_words(choice.title)) or choice.payload.replace("_", " ") in (said, meant):
            return choice
        if said in {"yes": AGREE, "no": DECLINE}.get(choice.payload.partition(":")[2], ()):
            return choice
    services = sum(choice.payload.startswith(DETAILS) for choice in choices)
    # By text message everything has a number but the word PERSON; where there are buttons, only services in a list.
    count = sum(choice.payload != PERSON for choice in choices) if channel is Channel.SMS else services
    number = _number(words, services or count)
    return choices[number - 1] if number is not None and 1 <= number <= count else None


def _number(words: Sequence[str], last: int) -> int | None:
    """The one number in an answer that is about nothing else: "can i have 2" is, "i have 2" may be about children.

    `last` is the number of the last one, which is a service where there are any.
    """
    digits = [int(word) for word in words if word.isdecimal() and word.isascii()]
    named = [NUMBERS[word] for word in words if word in NUMBERS]
    if "last" in words and not digits:
        named = [last]
    if len(named) > 1 and "one" in words:
        # In "the second one" the last word counts nothing.
        named.remove(1)
    found = digits or named
    rest = [word for word in words if not word.isdecimal() and word not in NUMBERS and word != "last"]
    if len(found) != 1 or any(word not in AROUND_A_NUMBER for word in rest):
        return None
    if "have" in rest and not {"can", "could", "may"} & set(rest):
        return None
    return found[0]


def _words(text: str) -> list[str]:
    """Lower case without apostrophes, marks or emoji parts: "No. 2, pls!" -> no 2 pls; a keycap two is 2."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"['\u2018\u2019\ufe0f\u20e3]", "", plain)
    return re.findall(r"[^\W_]+", plain)
