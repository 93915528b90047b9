"""What a text message can carry: GSM 03.38 letters, and how many segments a text costs. Pure.

A message of only GSM-7 letters holds 160 of them, or 153 a segment when it takes several.
One letter outside that alphabet turns the whole message into UCS-2: 70, or 67 a segment.
"""

from __future__ import annotations

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")

SINGLE_GSM7, PART_GSM7 = 160, 153
SINGLE_UCS2, PART_UCS2 = 70, 67

WELSH = frozenset("âêîôûŵŷÂÊÎÔÛŴŶ")
"""Kept although GSM-7 lacks them: in Welsh the circumflex changes the word."""

PLAIN = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    "…": "...", "•": "-", "·": "-", "‹": "<", "›": ">", "×": "x", "÷": "/", "½": "1/2", "¼": "1/4", "¾": "3/4",
    "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D",
    "™": "", "®": "", "©": "", "№": "No", "\t": " ",
    "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2007": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ",
    "\u00ad": "", "\u200b": "", "\u200e": "", "\u200f": "", "\u2060": "", "\ufeff": "",
}  # fmt: skip


def is_gsm7(text: str) -> bool:
    return all(letter in BASIC or letter in EXTENSION for letter in text)


def plain(text: str) -> str:
    """The same words in GSM-7 letters where that loses nothing a reader needs.

    - typographic quotes, dashes, dots and spaces become their keyboard forms
    - accents and strokes that GSM-7 lacks are dropped from Latin letters (á -> a, ł -> l), except Welsh circumflexes
    - anything else (another script, an emoji) is left alone: the message then goes as UCS-2
    """
    return "".join(_plain_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _plain_letter(letter: str) -> str:
    if letter in BASIC or letter in EXTENSION or letter in WELSH:
        return letter
    if letter in PLAIN:
        return PLAIN[letter]
    base = unicodedata.normalize("NFKD", letter)[0]
    return base if base.isascii() and base.isalnum() else letter


def segments(text: str) -> int:
    """How many message segments the text costs, counted as the networks do.

    An extension letter takes two places and is never divided over two segments; nor is a
    character that needs two UTF-16 units.
    """
    if is_gsm7(text):
        return _parts([2 if letter in EXTENSION else 1 for letter in text], SINGLE_GSM7, PART_GSM7)
    return _parts([2 if ord(letter) > 0xFFFF else 1 for letter in text], SINGLE_UCS2, PART_UCS2)


def _parts(sizes: list[int], single: int, part: int) -> int:
    if not sizes:
        return 0
    if sum(sizes) <= single:
        return 1
    count, used = 1, 0
    for size in sizes:
        if used + size > part:
            count, used = count + 1, 0
        used += size
    return count
