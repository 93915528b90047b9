"""Names of languages that UK catalogues write, as the short codes (ISO 639) that the catalogue keeps."""

from __future__ import annotations

NAMES = {
    "albanian": "sq", "amharic": "am", "arabic": "ar", "bengali": "bn", "british sign language": "bfi", "bsl": "bfi",
    "bulgarian": "bg", "cantonese": "yue", "chinese": "zh", "czech": "cs", "dari": "prs", "dutch": "nl",
    "english": "en", "farsi": "fa", "french": "fr", "gaelic": "gd", "german": "de", "greek": "el", "gujarati": "gu",
    "hebrew": "he", "hindi": "hi", "hungarian": "hu", "irish": "ga", "italian": "it", "japanese": "ja",
    "korean": "ko", "kurdish": "ku", "latvian": "lv", "lithuanian": "lt", "mandarin": "zh", "nepali": "ne",
    "pashto": "ps", "persian": "fa", "polish": "pl", "portuguese": "pt", "punjabi": "pa", "romani": "rom",
    "romanian": "ro", "russian": "ru", "slovak": "sk", "somali": "so", "spanish": "es", "swahili": "sw",
    "sylheti": "syl", "tagalog": "tl", "tamil": "ta", "tigrinya": "ti", "turkish": "tr", "ukrainian": "uk",
    "urdu": "ur", "vietnamese": "vi", "welsh": "cy", "yoruba": "yo",
}  # fmt: skip
CODES = {code: name.capitalize() for name, code in reversed(NAMES.items())} | {"bfi": "British Sign Language"}


def code_of(text: str) -> str | None:
    """ "Polish", "pl" and "pl-PL" are pl; None when it is not known."""
    plain = text.strip()
    if plain.lower() in NAMES:
        return NAMES[plain.lower()]
    code = plain.split("-")[0].lower()
    return code if code in CODES or (len(code) == 2 and code.isalpha() and code.isascii()) else None


def name_of(code: str) -> str:
    return CODES.get(code, code)
