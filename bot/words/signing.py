"""Who with lived experience read a text and stands by it. It belongs to the words: changed words need a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from bot.words.texts import Text, WordsError


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """`who`: a person or a group, as they want to be named. `when`: the day they read it."""

    key: str
    hash: str
    who: str
    when: date


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:24]


@dataclass(frozen=True, kw_only=True)
class SignOffs:
    """Everything recorded, whether its text still stands or not."""

    recorded: tuple[SignOff, ...] = ()

    @classmethod
    def load(cls, path: Path) -> SignOffs:
        """Raises WordsError."""
        try:
            rows = (yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or {}).get("signed") or []
            signed = tuple(SignOff(**row) for row in rows)
        except (OSError, yaml.YAMLError, TypeError, AttributeError) as problem:
            raise WordsError(
                f"{path.name}: each entry under 'signed' needs key, hash, who and when ({problem})."
            ) from None
        if nameless := [one.key for one in signed if not str(one.who).strip() or not isinstance(one.when, date)]:
            raise WordsError(f"{path.name}: {nameless[0]}: say who read it, and when as YYYY-MM-DD.")
        return cls(recorded=signed)

    def of(self, text: Text) -> SignOff | None:
        """None when nobody has, or the words have changed since."""
        wanted = (text.key, text_hash(text.text))
        return next((one for one in reversed(self.recorded) if (one.key, one.hash) == wanted), None)

    def was_signed(self, text: Text) -> bool:
        """Whether somebody stood by earlier words."""
        return self.of(text) is None and any(one.key == text.key for one in self.recorded)

    def add(self, texts: Iterable[Text], who: str, when: date) -> SignOffs:
        """With these texts as they stand signed by `who`. Raises WordsError."""
        if not who.strip():
            raise WordsError("--who: name the person or group who read the texts, as they want to be named.")
        new = [SignOff(key=text.key, hash=text_hash(text.text), who=who.strip(), when=when) for text in texts]
        keys = {one.key for one in new}
        return SignOffs(recorded=(*(one for one in self.recorded if one.key not in keys), *new))

    def save(self, path: Path) -> None:
        """Keeps the comment that the file begins with."""
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        head = "".join(line for line in lines if line.startswith("#"))
        rows = [{"key": one.key, "hash": one.hash, "who": one.who, "when": one.when} for one in self.recorded]
        path.write_text(head + yaml.safe_dump({"signed": rows}, allow_unicode=True, sort_keys=False), encoding="utf-8")
