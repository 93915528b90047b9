"""Codes with which somebody carries their conversation to another channel or device. Pure.

6 letters and digits, without look-alikes, with at least one of each, and never in the shape of a postcode: so that a
message that is a code can be told from a word, a number or an answer to "where are you?".
"""

from __future__ import annotations

import re
import secrets
from typing import Final

LETTERS: Final = "ACDEFGHJKLMNPQRTUVWXY34679"
"""Without look-alikes: no B or 8, I or 1, O or 0, S or 5, Z or 2."""
LENGTH: Final = 6
POSTCODE: Final = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")
AROUND: Final = re.compile(r"(?:(?:hi|hello|my|the|code|is|its|here|use|from|web|chat)\b[\s:,.-]*)*", re.IGNORECASE)


def new_code() -> str:
    """One of about 200 million."""
    while True:
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        if is_code(code):
            return code


def shown(code: str) -> str:
    """In two groups, easier to copy: 'K7D 4QX'."""
    return f"{code[:3]} {code[3:]}"


def read_code(text: str) -> str | None:
    """The code that is the whole of a message ("k7d 4qx", "my code is K7D-4QX"); None when it is anything else."""
    if len(text) > 60:
        return None
    rest = AROUND.sub("", text.strip(), count=1).strip(" .!\"'")
    if not re.fullmatch(r"[A-Za-z0-9]{3}[ \-]?[A-Za-z0-9]{3}", rest):
        return None
    code = "".join(letter for letter in rest.upper() if letter.isalnum())
    return code if is_code(code) else None


def is_code(code: str) -> bool:
    plain = len(code) == LENGTH and all(letter in LETTERS for letter in code)
    return (
        plain
        and any(letter.isdigit() for letter in code)
        and any(letter.isalpha() for letter in code)
        and not POSTCODE.fullmatch(code)
    )
