"""The menu of commands and the words under the bot's name, in the country's languages. Data in data/telegram.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from channels.wording import CrisisLines

FILE: Final = Path(__file__).parent.parent / "data" / "telegram.yml"

COMMANDS: Final[Mapping[str, str]] = {
    "start": "hello",
    "help": "help",
    "person": "person",
    "privacy": "privacy",
    "forget": "forget me",
    "language": "talk to a person in another language",
}
"""What each command of the menu stands for in plain words: it and the same words typed are answered alike."""


@dataclass(frozen=True, kw_only=True)
class Menu:
    """What a person sees of the bot in one language. `code` is empty for everybody whose language has no menu."""

    code: str
    commands: Mapping[str, str]
    description: str
    """In an empty chat; at most 512 letters."""
    about: str
    """On the bot's profile; at most 120 letters."""


def load_menus(country: str, path: Path = FILE) -> tuple[Menu, ...]:
    """The country's first language for everybody, then each of its languages. Without a profile, English."""
    held: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    codes = held["countries"].get(country, ["en"])
    emergency = CrisisLines.load(country).emergency
    return tuple(
        _menu(code, held["languages"][language], emergency)
        for code, language in (("", codes[0]), *((code, code) for code in codes))
    )


def _menu(code: str, held: Mapping[str, Any], emergency: str) -> Menu:
    return Menu(
        code=code,
        commands={name: held["commands"][name] for name in COMMANDS},
        description=held["description"].format(emergency=emergency),
        about=held["about"],
    )
