"""The texts of domain.yml in the country's other languages, put in their place as they leave Rasa. Pure once loaded.

Rasa picks a response without knowing what language a conversation is in, and one domain holds one language. What an
action says comes in its language already and is left as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import yaml

DOMAIN = Path(__file__).resolve().parents[2] / "domain.yml"

Translations = Mapping[str, Mapping[str, str]]
"""By language (ISO 639-1): what each English text or title is there."""


def load_translations(domain: Path = DOMAIN) -> Translations:
    """From domain.yml and the files beside it (domain.cy.yml). Raises OSError, yaml.YAMLError, KeyError."""
    english = dict(walk(read_responses(domain)))
    found: Dict[str, Dict[str, str]] = {}
    for file in sorted(domain.parent.glob(f"{domain.stem}.*{domain.suffix}")):
        theirs = dict(walk(read_responses(file)))
        language = file.suffixes[0].lstrip(".")
        found[language] = {text: theirs[place] for place, text in english.items() if place in theirs}
    return found


def translate(messages: List[Dict[str, Any]], language: object, translations: Translations) -> List[Dict[str, Any]]:
    """The same messages, in the language of the conversation ("cy", "cy-GB") where there is one for it."""
    words = translations.get(str(language or "").lower().split("-")[0])
    return messages if words is None else [translate_one(message, words) for message in messages]


def translate_one(message: Dict[str, Any], words: Mapping[str, str]) -> Dict[str, Any]:
    translated = dict(message)
    if isinstance(message.get("text"), str):
        translated["text"] = words.get(message["text"], message["text"])
    if message.get("buttons"):
        titles = [{**button, "title": words.get(button["title"], button["title"])} for button in message["buttons"]]
        translated["buttons"] = titles
    return translated


def read_responses(path: Path) -> Mapping[str, Any]:
    responses: Mapping[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["responses"]
    return responses


def walk(responses: Mapping[str, Any]) -> Iterator[Tuple[Tuple[str, int, str], str]]:
    """Each text and title with its place: response, number, and what a button sends."""
    for name, variants in responses.items():
        for number, variant in enumerate(variants):
            yield (name, number, ""), variant["text"]
            for button in variant.get("buttons") or ():
                yield (name, number, button["payload"]), button["title"]
