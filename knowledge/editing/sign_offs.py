"""Who with lived experience read a text and stands by it. It belongs to the words: changed words need a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from knowledge.editing.forms import Form
from knowledge.editing.rules import READ
from knowledge.editing.tables import in_utc, make_tables, sign_offs


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """`who` read it: a person or a group, as they want to be named."""

    who: str
    recorded_by: str
    recorded_at: datetime


class SignOffs:
    """The newest sign-off of each text."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        make_tables(engine)

    def record(self, service_id: str, form: Form, *, who: str, by: str) -> int:
        """For every text of a form as it stands; how many there are."""
        texts = {field: form[field] for field in READ if form[field]}
        said = {"who": " ".join(who.split())[:120], "recorded_by": by, "recorded_at": self._clock()}
        with self._engine.begin() as connection:
            for field, text in texts.items():
                keys = {"service_id": service_id, "field": field, "text_hash": text_hash(text)}
                same = [sign_offs.c[name] == value for name, value in keys.items()]
                connection.execute(sa.delete(sign_offs).where(*same))
                connection.execute(sa.insert(sign_offs).values(**keys, **said))
        return len(texts)

    def of(self, service_id: str, form: Form) -> dict[str, SignOff]:
        """Field to its sign-off, for the texts as they stand."""
        query = sa.select(sign_offs).where(sign_offs.c.service_id == service_id)
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return {
            row.field: SignOff(who=row.who, recorded_by=row.recorded_by, recorded_at=in_utc(row.recorded_at))
            for row in rows
            if row.field in form and row.text_hash == text_hash(form[row.field])
        }


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
