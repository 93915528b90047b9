"""The next index from the one that serves: what did not change is taken over, not computed again.

It is the index that a whole build would make, byte for byte but for one thing: what an untagged listing is for is
arithmetic whose last digit depends on how many listings are read together (about 1e-7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Service
from knowledge.embedding import Vectors
from knowledge.index import (
    Index,
    Source,
    all_texts,
    carry_needs,
    kinds_of,
    lexical_texts,
    spreads_of,
    stamp_of,
)
from knowledge.nearest import build_nearest
from knowledge.offer_head import Heads
from knowledge.roll import Roll, SplicedListings
from knowledge.splicing import Splice
from knowledge.trail import Trail


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of the services of an index."""

    ids: Sequence[str]
    """Of all services there are to be, in order."""
    fresh: Mapping[str, Service]
    """Those of them that the old index does not have, or has otherwise."""
    keys: NDArray[np.uint8]
    """`Trail.keys` of all."""


class Patch:
    """A change, worked out so far that its stamp is known. Needs, encoder and code are those of the old index."""

    def __init__(
        self,
        index: Index,
        change: Change,
        encoder: str,
        crisis: Callable[[Iterable[Service]], Mapping[str, tuple[str, ...]]],
    ) -> None:
        """`crisis` puts the lines among the services it is given in order (`Source.crisis`)."""
        self.before = index
        self._change = change
        old = {service_id: row for row, service_id in enumerate(index.roll.ids)}
        listed = [service_id for service_id in change.ids if service_id in change.fresh]
        place = {service_id: len(old) + at for at, service_id in enumerate(listed)}
        self._splice = Splice.of(len(old), [place.get(each, old.get(each, -1)) for each in change.ids])
        self._fresh = Source(
            services=tuple(change.fresh[each] for each in listed),
            needs=index.needs,
            crisis={},
            encoder=encoder,
            made_with=index.made_with,
        )
        self._services = SplicedListings(self._splice, index.services, self._fresh.services)
        self._crisis = crisis(self._services[int(row)] for row in np.flatnonzero(self._trail.first))

    def __len__(self) -> int:
        return len(self._services)

    def stamp(self) -> str:
        """That of a whole build."""
        return self._stamp

    @cached_property
    def _stamp(self) -> str:
        whole = Source(
            services=(), needs=self.before.needs, crisis=self._crisis, encoder=self._fresh.encoder,
            made_with=self.before.made_with,
        )  # fmt: skip
        return stamp_of(whole, self._trail.marks)

    def build(self, encode: Callable[[list[str]], Vectors], *, version: str, now: datetime) -> Index:
        index, splice, fresh = self.before, self._splice, self._fresh
        vectors = encode(all_texts(fresh))
        owners, fields = kinds_of(fresh)
        counts = np.bincount(index.owners, minlength=splice.old), np.bincount(owners, minlength=len(fresh.services))
        all_fields = splice.several((index.fields, counts[0]), (fields, counts[1]))
        all_vectors = self._vectors(vectors, *counts)
        carried = carry_needs(fresh, vectors, owners, fields, Heads(messages=index.head, listings=index.offers))
        middle = self._trail.middle()
        return Index(
            version=version,
            built_at=now,
            stamp=self.stamp(),
            made_with=index.made_with,
            services=self._services,
            roll=index.roll.spliced(splice, Roll.of(fresh.services, None), middle),
            needs=index.needs,
            crisis=self._crisis,
            vectors=build_nearest(all_vectors),
            owners=np.repeat(np.arange(len(self), dtype=np.int32), splice.rows(*counts)),
            fields=all_fields,
            carried=splice.rows(index.carried, carried),
            spreads=spreads_of(all_vectors, all_fields),
            head=index.head,
            offers=index.offers,
            lexical=index.lexical.patched(splice, lexical_texts(fresh)),
            trail=self._trail,
        )

    @cached_property
    def _trail(self) -> Trail:
        fresh = Trail.of(self._fresh.services, self._fresh.marks)
        return self.before.trail.spliced(self._splice, fresh, self._change.keys)

    def _vectors(self, fresh: Vectors, old_counts: NDArray[np.int64], fresh_counts: NDArray[np.int64]) -> Vectors:
        """Copied once, straight from the old index."""
        runs = self._splice.bounds(old_counts, fresh_counts)
        made = np.empty((sum(run.stop - run.start for run in runs), fresh.shape[1]), dtype=np.float32)
        at = 0
        for run in runs:
            size = run.stop - run.start
            if run.fresh:
                made[at : at + size] = fresh[run.start : run.stop]
            elif size:
                self.before.vectors.reconstruct_n(run.start, size, made[at : at + size])
            at += size
        return made
