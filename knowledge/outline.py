"""The catalogue at a glance: which services may be offered, and a key each that changes whenever the row does.

Reading it takes a hundredth of what reading the listings takes. A row that is changed by other means than this
package (an SQL console) keeps its key: `python -m knowledge index --force` reads everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from knowledge.catalogue import Service, Status
from knowledge.store import Listing, Store, organisations, services
from knowledge.trail import KEY_BYTES

OFFERED: Final = (Status.ACTIVE, Status.TEMPORARILY_CLOSED)
TOGETHER: Final = 500
"""Listings of one query: SQLite allows 999 values in its oldest versions."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """In the order of the index."""

    ids: tuple[str, ...]
    keys: NDArray[np.uint8]


def read_outline(store: Store) -> Outline:
    offered = (services.c.published, services.c.status.in_([status.value for status in OFFERED]))
    listed = (
        sa.select(services.c.id, services.c.revision, services.c.updated_at, services.c.organisation_id)
        .where(*offered)
        .order_by(services.c.id)
    )
    owned = sa.select(organisations.c.id, sa.cast(organisations.c.body, sa.Text))
    with store.transaction() as connection:
        rows = connection.execute(listed).all()
        owners = {owner: body for owner, body in connection.execute(owned)}  # noqa: C416  # rows are not pairs to mypy
    keys = b"".join(
        hashlib.blake2b(
            f"{row[0]}\0{row[1]}\0{row[2]}\0{row[3]}\0{owners.get(row[3])}".encode(), digest_size=KEY_BYTES
        ).digest()
        for row in rows
    )
    return Outline(ids=tuple(row[0] for row in rows), keys=np.frombuffer(keys, dtype=np.uint8).reshape(-1, KEY_BYTES))


def read_offered(store: Store, ids: Sequence[str]) -> dict[str, Service]:
    """Those of these services that may be offered now."""
    found: dict[str, Listing] = {}
    with store.transaction() as connection:
        for at in range(0, len(ids), TOGETHER):
            found.update(store.find_many(connection, ids[at : at + TOGETHER], hold=False))
    return {key: each.service for key, each in found.items() if each.published and each.service.status in OFFERED}
