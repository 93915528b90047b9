"""Bringing a source into the catalogue: batch after batch, each whole or not at all, and again without harm.

A listing that is new, or that the source changed, becomes a revision; what was changed here stays; what the source does
not list any more is marked and not offered; what cannot be read is told and stops nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from sqlalchemy.engine import Connection

from knowledge.exchange.listings import Incoming, Item, Reader
from knowledge.exchange.merging import base_of, merge, reasons_against, with_needs
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.problems import Problem
from knowledge.exchange.recognising import Recogniser
from knowledge.exchange.register import Entry, Register
from knowledge.store import Draft, Listing, Store

TOGETHER = 200
READING = 4
"""Raise when a listing is read differently from the same words: then everything is read again."""
GONE_SHARE, GONE_FEW = 0.5, 5
"""A source that suddenly lacks more than this share of its listings is more likely broken than empty."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the operator chose. `publish`: whole new listings are offered at once instead of waiting as drafts."""

    source: str
    dry_run: bool = False
    publish: bool = False
    accept_gone: bool = False


@dataclass(frozen=True)
class _New:
    """A listing that is not known as it is now."""

    incoming: Incoming
    fingerprint: str
    suggested: tuple[str, ...] = ()


class Importer:
    """Give `run` the items of one source. `recogniser` is None when needs are left to people."""

    def __init__(
        self, store: Store, register: Register, reader: Reader, recogniser: Recogniser | None, choices: Choices
    ) -> None:
        self._store = store
        self._register = register
        self._reader = reader
        self._recogniser = recogniser
        self._choices = choices
        self._seen: set[str] = set()

    def run(self, items: Iterable[Item], complete: Callable[[], bool], tell: Callable[[Outcome], None]) -> Outcome:
        """`complete` is asked after the last item: only a source that was read to its end can have lost something."""
        outcome = Outcome(source=self._choices.source, dry_run=self._choices.dry_run)
        number = self._begin()
        for batch in _batches(items):
            self._take(batch, outcome, number)
            tell(outcome)
        outcome.complete = complete()
        if outcome.complete and not outcome.unidentified:
            self._mark_gone(outcome)
        if outcome.complete and not self._choices.dry_run:
            with self._store.transaction() as connection:
                self._register.finish(connection, self._choices.source)
        return outcome

    def _begin(self) -> int:
        source = self._choices.source
        return self._register.next_run(source) if self._choices.dry_run else self._register.begin(source)

    def _take(self, batch: Sequence[Item], outcome: Outcome, number: int) -> None:
        fresh = self._fresh(batch, outcome)
        if self._choices.dry_run:
            with self._store.transaction() as connection:
                self._merge_all(connection, fresh, outcome)
            return
        with self._store.transaction() as connection:
            self._register.touch(connection, self._choices.source)
            drafts, entries = self._merge_all(connection, fresh, outcome)
            self._store.put_many(connection, drafts, by=f"import: {self._choices.source}")
            self._register.put(connection, entries)
            for mark in (item.mark for item in batch if item.mark and not item.mark.carried):
                self._register.mark_page(connection, self._choices.source, number, mark)

    def _fresh(self, batch: Sequence[Item], outcome: Outcome) -> list[_New]:
        """What has to be looked at: all but what is known exactly so. Needs are suggested here, before any lock."""
        read = []
        for item in batch:
            if item.mark:
                self._seen.update(item.mark.ids)
                outcome.carried += len(item.mark.ids) if item.mark.carried else 0
                continue
            incoming = self._reader.read(item)
            outcome.add_problems(incoming.problems)
            if incoming.service is None:
                failed = any(problem.error for problem in incoming.problems)
                outcome.skipped += failed
                outcome.unidentified += failed
            elif self._is_first(incoming, outcome):
                read.append(incoming)
        known = self._register.fingerprints([each.service.id for each in read if each.service])
        fresh = [each for each in read if self._is_news(each, known, outcome)]
        return self._with_needs([_New(each, _fingerprint(each.item)) for each in fresh])

    def _is_first(self, incoming: Incoming, outcome: Outcome) -> bool:
        assert incoming.service
        identity = incoming.service.id
        if identity in self._seen:
            text = f"the id {identity} was already used in this source, so only the first one counts. Give it its own."
            outcome.add_problems([_problem(incoming.item, text)])
            outcome.skipped += 1
            return False
        self._seen.add(identity)
        outcome.read += 1
        return True

    def _is_news(self, incoming: Incoming, known: dict[str, tuple[str, str, bool]], outcome: Outcome) -> bool:
        assert incoming.service
        source, fingerprint, gone = known.get(incoming.service.id, (self._choices.source, "", False))
        if source != self._choices.source:
            text = f"this listing came from {source!r} first and is kept true from there. Use --source to name it so."
            outcome.add_problems([_problem(incoming.item, text)])
            outcome.skipped += 1
            return False
        if fingerprint == _fingerprint(incoming.item) and not gone:
            outcome.unchanged += 1
            return False
        return True

    def _with_needs(self, fresh: list[_New]) -> list[_New]:
        bare = [each for each in fresh if each.incoming.service and not each.incoming.service.needs]
        if not self._recogniser or not bare:
            return fresh
        guesses = self._recogniser.recognise([each.incoming.service for each in bare if each.incoming.service])
        found = {id(each): needs for each, needs in zip(bare, guesses, strict=True)}
        return [_guessed(each, found.get(id(each), ())) for each in fresh]

    def _merge_all(
        self, connection: Connection, fresh: Sequence[_New], outcome: Outcome
    ) -> tuple[list[Draft], list[Entry]]:
        ids = [each.incoming.service.id for each in fresh if each.incoming.service]
        listings = self._store.find_many(connection, ids)
        entries = self._register.find(connection, ids)
        drafts, written = [], []
        for each in fresh:
            assert each.incoming.service
            identity = each.incoming.service.id
            draft, entry = self._merge(each, listings.get(identity), entries.get(identity), outcome)
            if draft:
                drafts.append(draft)
            if entry:
                written.append(entry)
        return drafts, written

    def _merge(
        self, new: _New, here: Listing | None, before: Entry | None, outcome: Outcome
    ) -> tuple[Draft | None, Entry | None]:
        theirs = new.incoming.service
        assert theirs
        if here and before is None:
            text = f"the id {theirs.id} belongs to a listing that was written here, so it is left alone. Change one id."
            outcome.add_problems([_problem(new.incoming.item, text)])
            outcome.skipped += 1
            return None, None
        merged = merge(before.base, theirs, here.service) if here and before else None
        service = merged.service if merged else theirs
        reasons = reasons_against(service, new.incoming.claims, self._reader.country)
        published = self._offered(here, before, reasons)
        entry = Entry(
            service_id=theirs.id,
            source=self._choices.source,
            fingerprint=new.fingerprint,
            base=base_of(theirs),
            kept=new.incoming.item.body or {},
            suggested=new.suggested if service.needs == theirs.needs else (),
            reasons=reasons,
        )
        if here is None or merged is None:
            outcome.add_new(service, published=published, reasons=reasons)
        elif not merged.changed and published == here.published:
            outcome.unchanged += 1
            outcome.keep(service, merged.kept)
            return None, entry
        else:
            outcome.add_change(service, merged, published=published, reasons=reasons)
        return Draft(service=service, published=published), entry

    def _offered(self, here: Listing | None, before: Entry | None, reasons: tuple[str, ...]) -> bool:
        """New listings as the operator chose; what was offered stays so, and what comes back is offered again."""
        if here is None or before is None:
            return self._choices.publish and not reasons
        if before.gone:
            return before.was_published and not reasons
        return here.published or (self._choices.publish and bool(before.reasons) and not reasons)

    def _mark_gone(self, outcome: Outcome) -> None:
        source = self._choices.source
        gone = [identity for identity in self._register.present(source) if identity not in self._seen]
        share = len(gone) / (len(gone) + len(self._seen)) if gone else 0.0
        if len(gone) > GONE_FEW and share > GONE_SHARE and not self._choices.accept_gone:
            text = (
                f"{len(gone)} listings are not there any more, more than half of this source, so none was marked."
                " If it is so, import again with --accept-gone."
            )
            outcome.too_many_gone = len(gone)
            outcome.add_problems([Problem(where=source, pointer="", text=text)])
            return
        for batch in _batches(gone):
            with self._store.transaction() as connection:
                if not self._choices.dry_run:
                    self._register.touch(connection, source)
                self._retire(connection, batch, outcome)

    def _retire(self, connection: Connection, ids: Sequence[str], outcome: Outcome) -> None:
        listings, entries = self._store.find_many(connection, ids), self._register.find(connection, ids)
        for identity in ids:
            if identity in listings:
                outcome.add_gone(listings[identity].service)
        if self._choices.dry_run:
            return
        drafts = [Draft(service=each.service, published=False) for each in listings.values() if each.published]
        self._store.put_many(connection, drafts, by=f"import: {self._choices.source}")
        marked = [
            replace(
                entry,
                gone=True,
                was_published=identity in listings and listings[identity].published,
                reasons=("its source does not list it any more: ring them, then publish it again or leave it",),
            )
            for identity, entry in entries.items()
        ]
        self._register.put(connection, marked)


def _guessed(new: _New, needs: tuple[str, ...]) -> _New:
    service = new.incoming.service
    if not needs or service is None:
        return new
    return _New(replace(new.incoming, service=with_needs(service, needs)), new.fingerprint, needs)


def _fingerprint(item: Item) -> str:
    text = json.dumps([READING, item.body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _problem(item: Item, text: str) -> Problem:
    return Problem(where=item.where, pointer=item.pointer, text=text, error=False)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    """A few hundred at a time: what is in memory, and what is written together."""
    iterator = iter(items)
    while batch := list(islice(iterator, TOGETHER)):
        yield batch
