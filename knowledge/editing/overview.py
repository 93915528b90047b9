"""The catalogue as its pages show it: one page of listings, chosen and counted by the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from knowledge.asked import Asked
from knowledge.catalogue import Status
from knowledge.editing.drafts import OPEN, State
from knowledge.editing.tables import drafts, reports
from knowledge.store import Listing, Store, organisations, services

MOST_WORDS: Final = 50
"""Words of a search that count: a longer one would be a longer question than SQLite reads."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody looks for; everything that is empty lets everything through."""

    show: str = ""
    """One of the keys of `overview.shows`."""
    need: str = ""
    text: str = ""
    """Words that are all in its name, its organisation's, its summary or its description, or parts of words there."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """`listings` of one page, by name, out of `found` that fit and `count` there are."""

    listings: tuple[Listing, ...]
    found: int
    count: int


def read_page(store: Store, wanted: Wanted, test: sa.ColumnElement[bool] | None, page: int, size: int) -> Shown:
    """Page 1 is the first; `test` is one of `shows`."""
    fits = [*([] if test is None else [test]), *_fits(wanted)]
    whole = sa.select(services.c.id).join(organisations).where(*fits)
    chosen = whole.order_by(services.c.name, services.c.id).limit(size).offset((page - 1) * size)
    with store.transaction() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(services)).scalar_one()
        found = connection.execute(sa.select(sa.func.count()).select_from(whole.subquery())).scalar_one()
        ids = connection.execute(chosen).scalars().all()
        read = store.find_many(connection, ids, hold=False)
    return Shown(listings=tuple(read[each] for each in ids if each in read), found=found, count=count)


def shows(asked: Asked, today: date, stale_days: int) -> dict[str, sa.ColumnElement[bool]]:
    """Tests that a listing may be chosen by."""
    mine, published = services.c.id, services.c.published
    suggested = mine.in_(asked.suggested_lately())
    assured = services.c.assured_date
    return {
        "overdue": published & (assured.is_(None) | (assured < today - timedelta(days=stale_days))),
        "unpublished": published.is_(False),
        "drafts": mine.in_(sa.select(drafts.c.service_id).where(drafts.c.state.in_(OPEN))),
        "review": mine.in_(sa.select(drafts.c.service_id).where(drafts.c.state == State.REVIEW)),
        "problems": mine.in_(sa.select(reports.c.service_id).where(reports.c.settled_at.is_(None))),
        "never": published & ~suggested,
        "closed": suggested & (~published | (services.c.status != Status.ACTIVE.value)),
        "published": published.is_(True),
    }


def names_of(store: Store, ids: Collection[str]) -> dict[str, str]:
    """The names of listings by their ids."""
    query = sa.select(services.c.id, services.c.name).where(services.c.id.in_(set(ids)))
    with store.transaction() as connection:
        return {row.id: row.name for row in connection.execute(query)}


def _fits(wanted: Wanted) -> Sequence[sa.ColumnElement[bool]]:
    body: Any = services.c.body
    tests: list[sa.ColumnElement[bool]] = []
    if wanted.need:
        tests.append(sa.cast(body["needs"], sa.Text).contains(f'"{wanted.need}"', autoescape=True))
    parts: list[sa.ColumnElement[Any]] = [services.c.name, organisations.c.body["name"].as_string()]
    parts += [body[name].as_string() for name in ("summary", "description")]
    said: sa.ColumnElement[Any] = sa.literal("")
    for part in parts:
        said = said + sa.func.coalesce(part, "") + " "
    said = sa.func.lower(said)
    words = list(dict.fromkeys(wanted.text.lower().split()))[:MOST_WORDS]
    return [*tests, *(said.contains(word, autoescape=True) for word in words)]
