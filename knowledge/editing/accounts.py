"""Who may edit, and who may publish: accounts with argon2id passwords, and sessions that the server keeps."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Engine

from knowledge.editing.tables import editors, in_utc, make_tables, sessions
from knowledge.errors import KnowledgeError

SHORTEST_PASSWORD: Final = 15
"""Letters. Length instead of composition rules (OWASP ASVS 5.0 6.2.1)."""
IDLE: Final = timedelta(hours=12)
LONGEST: Final = timedelta(hours=24)
NOTED_EVERY: Final = timedelta(minutes=5)
"""A use of a session is written down at most this often."""
LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")

DEMO_EDITORS: Final = (("Robin", "robin"), ("Ana", "ana"))
DEMO_PASSWORD: Final = "wrenbridge-demo"  # noqa: S105 - shown on the sign-in page of the demo
NO_PASSWORD: Final = "none"  # noqa: S105 - what no password fits
NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$eWdNJQYI/fABk2nTk5cp3A$GMak+RlVy7usmpSrihwaP3LvZwKO6BRe+OYsPE4tV0E"
"""Looked at when nobody has a login, so that the answer takes as long."""


class AccountRefused(KnowledgeError):
    """An account cannot be made like this; the text says how it can."""


class Role(StrEnum):
    """An editor writes and sends for review; a publisher also puts what others wrote in front of people; a reader, who
    answers people at the desk, looks listings up, says what is wrong with them and tries messages.
    """

    READER = "reader"
    EDITOR = "editor"
    PUBLISHER = "publisher"


@dataclass(frozen=True, kw_only=True)
class Editor:
    """Somebody who keeps the catalogue true."""

    login: str
    name: str
    role: Role

    @property
    def may_edit(self) -> bool:
        return self.role is not Role.READER

    @property
    def may_publish(self) -> bool:
        return self.role is Role.PUBLISHER


class Accounts:
    """Accounts and sessions in the catalogue's database."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        make_tables(engine)

    def add(self, *, name: str, login: str, password: str, role: Role = Role.EDITOR) -> Editor:
        """Make an account, or give an existing one a new name, password and role (its sessions end).

        Raises AccountRefused.
        """
        name, login = " ".join(name.split()), login.strip().lower()
        if not name:
            raise AccountRefused("Name: write the name that colleagues know.")
        if not LOGIN.fullmatch(login):
            raise AccountRefused("Login: use small letters, digits, dots and hyphens, at most 32.")
        if len(password) < SHORTEST_PASSWORD:
            raise AccountRefused(f"Password: use at least {SHORTEST_PASSWORD} letters, such as four unrelated words.")
        row = {"name": name, "role": role.value, "password_hash": PasswordHasher().hash(password)}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.login == login))
            changed = connection.execute(sa.update(editors).where(editors.c.login == login).values(**row))
            if not changed.rowcount:
                connection.execute(sa.insert(editors).values(login=login, added_at=self._clock(), **row))
        return Editor(login=login, name=name, role=role)

    def know(self, *, login: str, name: str, role: Role) -> Editor:
        """Somebody whom the desk has signed in: listed here, so that what they did keeps their name. No password."""
        editor = Editor(login=login, name=name, role=role)
        if self.find(login) == editor:
            return editor
        row = {"name": name, "role": role.value}
        with self._engine.begin() as connection:
            changed = connection.execute(sa.update(editors).where(editors.c.login == login).values(**row))
            if not changed.rowcount:
                row |= {"login": login, "password_hash": NO_PASSWORD}
                connection.execute(sa.insert(editors).values(added_at=self._clock(), **row))
        return editor

    def add_demo(self) -> None:
        """The two made-up editors of the demo, if they are not there."""
        for name, login in DEMO_EDITORS:
            if self.find(login) is None:
                self.add(name=name, login=login, password=DEMO_PASSWORD, role=Role.PUBLISHER)

    def find(self, login: str) -> Editor | None:
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(editors).where(editors.c.login == login)).first()
        return Editor(login=row.login, name=row.name, role=Role(row.role)) if row else None

    def check(self, login: str, password: str) -> Editor | None:
        """The editor, if login and password go together. Takes as long when they do not."""
        with self._engine.begin() as connection:
            row = connection.execute(sa.select(editors).where(editors.c.login == login)).first()
        right: bool
        try:
            right = PasswordHasher().verify(row.password_hash if row else NOBODY, password)
        except (VerificationError, InvalidHashError):
            right = False
        return Editor(login=row.login, name=row.name, role=Role(row.role)) if row and right else None

    def open_session(self, login: str) -> str:
        """A new session's token. Only its hash is kept."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.opened_at < now - LONGEST))
            connection.execute(
                sa.insert(sessions).values(token_hash=token_hash(token), login=login, opened_at=now, used_at=now)
            )
        return token

    def session(self, token: str) -> Editor | None:
        """Whose session it is; None once it is 24 hours old or was not used for 12."""
        kept, now = token_hash(token), self._clock()
        query = sa.select(editors, sessions.c.opened_at, sessions.c.used_at).join(sessions)
        with self._engine.begin() as connection:
            row = connection.execute(query.where(sessions.c.token_hash == kept)).first()
            if row is None or now - in_utc(row.opened_at) >= LONGEST or now - in_utc(row.used_at) >= IDLE:
                return None
            if now - in_utc(row.used_at) >= NOTED_EVERY:
                connection.execute(sa.update(sessions).where(sessions.c.token_hash == kept).values(used_at=now))
        return Editor(login=row.login, name=row.name, role=Role(row.role))

    def close_session(self, token: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.token_hash == token_hash(token)))


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
