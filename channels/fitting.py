"""Make one channel-neutral reply fit what a channel can carry. Pure.

Text messages: at most two segments each (306 GSM-7 letters, or 134 when another script is needed), services as
numbered lines with their phone number, choices as numbers. What does not fit one is kept for whoever texts MORE.
Telegram: 4096 letters and a keyboard. Web: the page draws cards and buttons itself, so the words stay as they are.

    Thank you for telling me. These can help:
    1 Rent Rescue drop-in 01632 960112
    2 Wrenbridge Debt Line 0808 157 0011
    Reply 1 or 2 for more, or PERSON to talk to someone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from channels.conversation import Channel, Choice, Reply, ServiceCard
from channels.gsm7 import plain, segments

SMS_SEGMENTS = 2
MESSAGES_FOR_DETAILS = 2
MESSAGES_FOR_MORE = 3
"""Texts that one MORE brings: it was asked for, and is still no flood."""
TELEGRAM_LETTERS = 4096
LONGEST_LINK = 1500
SHORT_NAME = 30
"""Letters a service's name is cut to when a list would otherwise need a second message."""

PERSON = "person"
FOUND = "found"
"""What the assistant found, and a first answer to a concern left for later."""

Fits = Callable[[str], bool]


class Says(Protocol):
    """Where the words around a reply come from."""

    def say(self, key: str, /, **values: object) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """One message as the channel will show it. `choices` are in the order of their numbers.

    `rest` is what was left out of it, and comes when somebody asks for more.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    rest: str = ""


def fit(channel: Channel, reply: Reply, wording: Says, *, whole: bool = False) -> tuple[Fitted, ...]:
    """The messages this reply becomes. Choices belong to the last one; an empty reply becomes none.

    By text message it is one, and the rest is kept: unless it was asked for (details), or is wanted `whole`.
    """
    choices = order_choices(reply)
    if channel is Channel.SMS and not whole and not (reply.detail and reply.cards):
        return cut_short(_best_sms(reply, choices, wording), choices, wording)
    if channel is Channel.WEB:
        texts: Sequence[str] = (reply.text,) if reply.text or reply.cards or choices else ()
    elif channel is Channel.TELEGRAM:
        texts = split(_telegram_text(reply) or how_to_reply(reply, choices, wording), fits_telegram)
    else:
        texts = _fit_sms(reply, choices, wording)
    return tuple(
        Fitted(text=text, choices=choices if last else ()) for text, last in zip(texts, _mark_last(texts), strict=True)
    )


def order_choices(reply: Reply) -> tuple[Choice, ...]:
    """Numbers follow the cards, then come the other choices, and talking to a person is always last."""
    given = {choice.payload: choice for choice in reply.choices}
    cards = [] if reply.detail else [_details_of(card) for card in reply.cards]
    listed = [given.pop(choice.payload, choice) for choice in cards]
    person = given.pop(PERSON, None)
    return (*listed, *given.values(), *((person,) if person else ()))


def _details_of(card: ServiceCard) -> Choice:
    return Choice(title=card.name, payload=f"details:{card.service_id}")


def _mark_last(texts: Sequence[str]) -> list[bool]:
    return [number == len(texts) for number in range(1, len(texts) + 1)]


def fits_sms(text: str) -> bool:
    return segments(text) <= SMS_SEGMENTS


def fits_telegram(text: str) -> bool:
    """Telegram counts UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2 <= TELEGRAM_LETTERS


# -- text messages ---------------------------------------------------------------------------------------------


def _fit_sms(reply: Reply, choices: tuple[Choice, ...], wording: Says) -> Sequence[str]:
    if reply.detail and reply.cards:
        return _fit_details(reply, choices, wording)
    return split(_best_sms(reply, choices, wording), fits_sms)


def _best_sms(reply: Reply, choices: tuple[Choice, ...], wording: Says) -> str:
    attempts = [plain(text) for text in _sms_attempts(reply, choices, wording)]
    return next((text for text in attempts if fits_sms(text)), attempts[-1 if reply.cards else 0])


def cut_short(text: str, choices: tuple[Choice, ...], wording: Says, most: int = 1) -> tuple[Fitted, ...]:
    """At most so many texts; the last of them says how to have the rest, and carries the choices."""
    parts = split(text, fits_sms)
    if len(parts) <= most:
        return tuple(
            Fitted(text=part, choices=choices if last else ())
            for part, last in zip(parts, _mark_last(parts), strict=True)
        )
    hint = wording.say("reply_more")
    shorter = split(text, lambda part: fits_sms(f"{part}\n{hint}"))
    *whole, last_one = shorter[:most]
    rest = "\n".join(shorter[most:])
    last_text = f"{last_one}\n{hint}" if rest else last_one
    return (*(Fitted(text=part) for part in whole), Fitted(text=last_text, choices=choices, rest=rest))


def _sms_attempts(reply: Reply, choices: tuple[Choice, ...], wording: Says) -> Iterable[str]:
    """The reply from its most generous form to its shortest; the first that fits one message is sent."""
    for name_letters in (None, SHORT_NAME):
        for short in (False, True):
            lines = [*_card_lines(reply.cards, name_letters), *_choice_lines(choices, len(reply.cards))]
            yield _join(reply.text, *lines, how_to_reply(reply, choices, wording, short=short))
    if reply.cards:
        # The services and a person are what counts: the other choices still answer to their numbers and words.
        shown = tuple(choice for choice in choices if choice.payload == PERSON or choice in choices[: len(reply.cards)])
        how = how_to_reply(reply, shown, wording, short=True)
        cards = _card_lines(reply.cards, SHORT_NAME)
        yield _join(reply.text, *cards, how)
        # Whatever is kept for MORE, it is never the services.
        before, after = _around_cards(reply.text, cards, wording.say("reply_more"))
        yield _join(before, *cards, after, how)


def _around_cards(text: str, cards: Sequence[str], hint: str) -> tuple[str, str]:
    """As many of its sentences as one message holds beside the services, and those that follow them."""
    sentences = SENTENCE_END.split(text)
    counts = range(len(sentences), 1, -1)
    count = next((n for n in counts if fits_sms(plain(_join(" ".join(sentences[:n]), *cards, hint)))), 1)
    return " ".join(sentences[:count]), " ".join(sentences[count:])


def _card_lines(cards: Sequence[ServiceCard], name_letters: int | None) -> list[str]:
    return [
        f"{number} {cut(card.name, name_letters) if name_letters else card.name} {card.phone}".rstrip()
        for number, card in enumerate(cards, 1)
    ]


def _choice_lines(choices: Sequence[Choice], cards: int) -> list[str]:
    """Lines for the choices that are not cards; asking for a person is a word, not a number."""
    return [
        f"{number} {choice.title}"
        for number, choice in enumerate(choices, 1)
        if number > cards and choice.payload != PERSON
    ]


def how_to_reply(reply: Reply, choices: Sequence[Choice], wording: Says, *, short: bool = False) -> str:
    """'Reply 1, 2 or 3 for more, or PERSON to talk to someone.'"""
    numbered = sum(choice.payload != PERSON for choice in choices)
    if not choices:
        return ""
    if not numbered:
        return wording.say("reply_person")
    only_cards = numbered == len(reply.cards) and not reply.detail
    person = "_or_person" if len(choices) > numbered else ""
    size = "_short" if short else "_for_more" if only_cards else ""
    return wording.say(f"reply_numbers{person}{size}", numbers=_count_in_words(numbered))


def _count_in_words(count: int) -> str:
    numbers = [str(number) for number in range(1, count + 1)]
    return numbers[0] if count == 1 else f"{', '.join(numbers[:-1])} or {numbers[-1]}"


# -- one service in full ---------------------------------------------------------------------------------------


DETAIL_ATTEMPTS = ((None, 0), (None, 1), (None, 2), (100, 2), (80, 2), (60, 2), (40, 3), (40, 4), (40, 6), (20, 7))
"""From everything to the bare minimum: letters a long fact may keep, and how many facts are left out."""
LEAST_USEFUL_FIRST = ("email", "website", "summary", "how_to", "cost", "place", "good_to_know")


def _fit_details(reply: Reply, choices: tuple[Choice, ...], wording: Says) -> Sequence[str]:
    """Everything about one service in two messages at most. Name and phone number are never cut."""
    texts: Sequence[str] = ()
    most = MESSAGES_FOR_DETAILS * len(reply.cards)
    for letters, dropped in DETAIL_ATTEMPTS:
        facts = [line for card in reply.cards for line in _detail_lines(card, letters=letters, dropped=dropped)]
        tail = [*_choice_lines(choices, 0), how_to_reply(reply, choices, wording, short=dropped > 0)]
        lines = [plain(line) for line in (reply.text, *facts, *tail) if line]
        texts = pack([piece for line in lines for piece in _pieces(line, fits_sms)], fits_sms)
        if len(texts) <= most:
            return texts
    return texts


def facts_of(card: ServiceCard) -> list[str]:
    """All that is known of a service, a line for each fact, in the order a person needs them."""
    return _detail_lines(card, letters=None, dropped=0)


def _detail_lines(card: ServiceCard, *, letters: int | None, dropped: int) -> list[str]:
    """The facts in the order a person needs them. `dropped` leaves out that many, least useful first."""
    facts = {
        "name": f"{card.name} {card.phone}".rstrip(),
        "summary": _shorten(card.summary, letters),
        "hours": card.hours if letters is None else cut(card.hours, max(letters, 40)),
        "place": card.place,
        "cost": card.cost,
        "good_to_know": f"Good to know: {_shorten(card.good_to_know, letters)}" if card.good_to_know else "",
        "how_to": _shorten(card.how_to, letters),
        "website": card.website,
        "email": card.email,
        "checked": card.checked,
    }
    for name in LEAST_USEFUL_FIRST[:dropped]:
        facts.pop(name)
    return [_as_sentence(line) for line in facts.values() if line]


def _as_sentence(line: str) -> str:
    """Facts start with a capital so that lines of a message read as separate facts."""
    return line[0].upper() + line[1:] if line[0].islower() and "@" not in line and "/" not in line else line


def _shorten(text: str, letters: int | None) -> str:
    return text if letters is None else cut(text, letters)


def cut(text: str, letters: int) -> str:
    """The first words of a text, with dots when some are missing."""
    if len(text) <= letters:
        return text
    words = text[: max(letters - 2, 0)].rsplit(" ", 1)[0].rstrip(" ,;:.-")
    return f"{words}..." if words else ""


# -- Telegram --------------------------------------------------------------------------------------------------


def _telegram_text(reply: Reply) -> str:
    if reply.detail:
        cards = ["\n".join(_detail_lines(card, letters=None, dropped=0)) for card in reply.cards]
    else:
        cards = [
            _join(f"{number}. {card.name}, {card.phone}".rstrip(", "), card.summary)
            for number, card in enumerate(reply.cards, 1)
        ]
    return "\n\n".join(part for part in (reply.text, *cards) if part)


# -- splitting -------------------------------------------------------------------------------------------------

LINK = re.compile(r"(?:https?://|www\.)\S+")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
GAP_IN_NUMBER = re.compile(r"(?<=[\d)]) (?=[\d(])")
"""A space inside a phone number such as '116 123' or '(01632) 960112': never a place to divide a message."""

KEPT_GAP = "\ue000"


def split(text: str, fits: Fits) -> tuple[str, ...]:
    """Divide a text into messages: at sentences, else between words, never inside a number or a link."""
    text = text.strip()
    if not text:
        return ()
    if fits(text):
        return (text,)
    return pack([part for line in text.split("\n") for part in _pieces(line, fits)], fits)


def _pieces(line: str, fits: Fits) -> list[str]:
    """Pieces of a line that each fit; all but the first carry the marker that joins them by a space."""
    found: list[str] = []
    for sentence in SENTENCE_END.split(line):
        found.extend([sentence] if fits(sentence) else _words(sentence, fits))
    return [piece if number == 0 else f" {piece}" for number, piece in enumerate(found)] or [""]


def _words(sentence: str, fits: Fits) -> list[str]:
    kept = GAP_IN_NUMBER.sub(KEPT_GAP, sentence)
    words = [word.replace(KEPT_GAP, " ") for word in kept.split()]
    return [part for word in words for part in _divide_word(word, fits)]


def _divide_word(word: str, fits: Fits) -> list[str]:
    """A single word longer than a message. A link stays whole; it then travels in a message of its own."""
    if fits(word) or (LINK.search(word) and len(word) <= LONGEST_LINK):
        return [word]
    parts, start = [], 0
    while start < len(word):
        length = len(word) - start
        while length > 1 and not fits(word[start : start + length]):
            length = max(1, length * 3 // 4)
        parts.append(word[start : start + length])
        start += length
    return parts


def pack(pieces: Iterable[str], fits: Fits) -> tuple[str, ...]:
    """Fill messages in order. A piece that begins with a space continues the line before it."""
    messages: list[str] = []
    current = ""
    for piece in pieces:
        longer = f"{current}{piece}" if piece.startswith(" ") else f"{current}\n{piece}"
        longer = longer.strip()
        if current and not fits(longer):
            messages.append(current)
            longer = piece.strip()
        current = longer
    if current:
        messages.append(current)
    return tuple(messages)


def _join(*lines: str) -> str:
    return "\n".join(line for line in lines if line)
