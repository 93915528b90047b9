"""Codes with which a person goes on with their web chat on another device: short, used once, soon over.

The code itself is nowhere but on the person's screen. What it opens, the number in their cookie, is encrypted, and
gone with the code.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, select

from channels.codes import new_code
from channels.conversation import Channel
from channels.errors import SettingsError
from channels.ledger import audit, tables
from channels.ledger.database import Work

LIFE: Final = timedelta(minutes=15)


def tidy(code: str) -> str:
    """As typed: with a space or a dash, in small letters."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


async def make(work: Work, person_id: str, visit: str) -> str:
    """A new code; the person's older one stops working."""
    code = new_code()
    await keep(work, person_id, code, visit)
    await audit.append(work, "person", "return_code_made", person_id)
    return code


async def keep(work: Work, person_id: str, code: str, visit: str = "") -> None:
    """A code that opens `visit` or, without one, only carries the conversation on. Clears out codes that have ended."""
    codes = tables.return_codes
    await work.run(delete(codes).where((codes.c.expires_at <= work.now) | (codes.c.person_id == person_id)))
    row = {"code_hash": _hash(work, code), "person_id": person_id, "visit": work.cipher.encrypt(visit)}
    await work.run(insert(codes).values(**row, expires_at=work.now + LIFE))


async def owner(work: Work, code: str) -> str | None:
    """Whose code it is, while it works."""
    codes = tables.return_codes.c
    wanted = select(codes.person_id).where(codes.code_hash == _hash(work, tidy(code)), codes.expires_at > work.now)
    return (await work.run(wanted)).scalar_one_or_none()


async def spend(work: Work, code: str) -> bool:
    """False when somebody was quicker."""
    codes = tables.return_codes
    change = delete(codes).where(codes.c.code_hash == _hash(work, tidy(code)), codes.c.expires_at > work.now)
    return await work.changed(change) == 1


async def use(work: Work, code: str) -> str | None:
    """What the code opens, once; None for a code that is wrong, used or over.

    Empty for one from another channel, which is not used up: it is typed into the chat, as a message.
    """
    codes = tables.return_codes
    await work.run(delete(codes).where(codes.c.expires_at <= work.now))
    whose = await owner(work, code)
    people = tables.people.c
    if whose and (await work.run(select(people.channel).where(people.id == whose))).scalar_one() != Channel.WEB:
        return ""
    found = await work.run(
        delete(codes).where(codes.c.code_hash == _hash(work, tidy(code))).returning(codes.c.person_id, codes.c.visit)
    )
    row = found.first()
    if row is None:
        return None
    await audit.append(work, "person", "return_code_used", row.person_id)
    try:
        return work.cipher.decrypt(row.visit)
    except SettingsError:  # Its key was taken away within these minutes: then it is simply over.
        return None


async def drop(work: Work, person_id: str) -> None:
    await work.run(delete(tables.return_codes).where(tables.return_codes.c.person_id == person_id))


def _hash(work: Work, code: str) -> str:
    return work.cipher.keyed_hash("return_code", code)
