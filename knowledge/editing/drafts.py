"""Drafts: what editors are working on. Every save is kept as a version; nobody's work is written over.

    no draft --save--> draft --send for review--> review --publish--> published
                         ^                          |
                         +-- sent back, or saved ---+        (either may be discarded)

A save says what it was based on. What others saved since is merged in, field by field; when both changed a field,
the save is set aside (kept, and shown) until somebody chooses. At most one draft of a listing is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from knowledge.editing.forms import Form, blank_form, fill_in, write_form
from knowledge.editing.merging import Merged, merge, settle
from knowledge.editing.tables import drafts, in_utc, make_tables, versions
from knowledge.errors import KnowledgeError
from knowledge.store import Store, services

TRIES: Final = 5
"""Saves at the same moment: each one that comes second looks again."""
LISTING: Final = ""
"""Who saved a version that came from the listing itself."""
BASED_ON: Final = re.compile(r"(?:(?P<draft>\d{1,9})v(?P<version>\d{1,9})|r(?P<revision>\d{1,9}))")


class Gone(KnowledgeError):
    """There is no such draft any more, or it is not in the state that this needs. The text says what to do."""


class State(StrEnum):
    DRAFT = "draft"
    REVIEW = "review"
    PUBLISHED = "published"
    DISCARDED = "discarded"


OPEN: Final = (State.DRAFT.value, State.REVIEW.value)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Work on one listing. `base_revision` is the revision of the listing that it changes; 0 for a new one."""

    id: int
    service_id: str
    base_revision: int
    version: int
    state: State
    opened_at: datetime
    opened_by: str
    moved_at: datetime
    moved_by: str
    note: str
    form: Form

    @property
    def based_on(self) -> str:
        """What a page that shows this draft sends back with its form."""
        return f"{self.id}v{self.version}"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One save. `aside` until somebody chose between it and what others saved."""

    version: int
    form: Form
    base: Form
    saved_at: datetime
    saved_by: str
    aside: bool


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What became of a save: `aside` is the version to choose about; `taken` says that others' work was merged in."""

    draft: Draft | None
    aside: int | None = None
    taken: bool = False


class Drafts:
    """All drafts, in the catalogue's database."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        make_tables(store.engine)

    # -- reading -----------------------------------------------------------------------------------------------

    def open(self, service_id: str) -> Draft | None:
        """The open draft of a listing."""
        with self._store.engine.begin() as connection:
            row = connection.execute(
                _select().where(drafts.c.service_id == service_id, drafts.c.state.in_(OPEN))
            ).first()
        return _draft(row) if row else None

    def open_of(self, service_ids: Collection[str]) -> dict[str, Draft]:
        """By listing, for those of these listings that have one."""
        query = _select().where(drafts.c.state.in_(OPEN), drafts.c.service_id.in_(service_ids))
        with self._store.engine.begin() as connection:
            return {row.service_id: _draft(row) for row in connection.execute(query)}

    def open_new(self, states: Collection[str]) -> tuple[Draft, ...]:
        """Of what is no listing yet, the longest waiting first."""
        unknown = drafts.c.service_id.not_in(sa.select(services.c.id))
        query = _select().where(drafts.c.state.in_(states), unknown).order_by(drafts.c.moved_at)
        with self._store.engine.begin() as connection:
            return tuple(map(_draft, connection.execute(query)))

    def versions(self, draft_id: int) -> tuple[Version, ...]:
        """Every save, newest first."""
        query = sa.select(versions).where(versions.c.draft_id == draft_id).order_by(versions.c.version.desc())
        with self._store.engine.begin() as connection:
            return tuple(map(_version, connection.execute(query)))

    def asides(self, draft_id: int) -> tuple[Version, ...]:
        """Saves that wait for somebody to choose."""
        return tuple(version for version in self.versions(draft_id) if version.aside)

    def writers(self, draft_id: int) -> frozenset[str]:
        """Everybody whose words may be in it."""
        return frozenset(version.saved_by for version in self.versions(draft_id)) - {LISTING}

    def live_form(self, service_id: str) -> tuple[int, Form]:
        """The listing as it is: its revision (0 when there is none) and its form."""
        listing = self._store.listing(service_id)
        return (listing.revision, write_form(listing.service)) if listing else (0, blank_form())

    def form_at(self, service_id: str, based_on: str) -> Form:
        """The form that a page showed. Raises Gone for what no page of ours says."""
        found = BASED_ON.fullmatch(based_on)
        if found and found["draft"]:
            query = sa.select(versions.c.body).where(
                versions.c.draft_id == int(found["draft"]), versions.c.version == int(found["version"])
            )
            with self._store.engine.begin() as connection:
                body: Form | None = connection.execute(query).scalar_one_or_none()
            if body is not None:
                return fill_in(body)
        elif found and int(found["revision"]) == 0:
            return blank_form()
        elif found:
            for listing in self._store.revisions(service_id):
                if listing.revision == int(found["revision"]):
                    return write_form(listing.service)
        raise Gone("That version is not there. Open the listing again.")

    # -- writing -----------------------------------------------------------------------------------------------

    def save(self, service_id: str, form: Form, *, based_on: str, by: str, begin: bool = False) -> Saved:
        """Keep what somebody typed. Raises Gone when `based_on` is nothing we ever showed.

        `begin`: a draft begins although nothing was changed, so that a listing nobody is offered yet can be.
        """
        base = self.form_at(service_id, based_on)
        for _ in range(TRIES):
            draft = self.open(service_id)
            revision, live = self.live_form(service_id)
            now = draft.form if draft else live
            merged = merge(base, form, now)
            if merged.form == now and not merged.conflicts and not (begin and draft is None):
                return Saved(draft=draft)
            try:
                with self._store.engine.begin() as connection:
                    if draft is None:
                        number, at = self._begin(connection, service_id, revision, by), 0
                        if merged.conflicts:  # the draft begins as what is live; the save waits beside it
                            at = self._keep(connection, number, at, live, live, LISTING)
                    else:
                        number, at = draft.id, draft.version
                    aside = self._write(connection, number, at, merged, form, base, by)
            except (_Overtaken, sa.exc.IntegrityError):
                continue
            return Saved(draft=self.open(service_id), aside=aside, taken=now != base)
        raise Gone("Several people are saving this listing at this moment. Save again.")

    def choose(self, draft: Draft, version: int, choices: Mapping[str, str], *, by: str) -> bool:
        """Settle a save that was set aside. False while a field has no choice. Raises Gone."""
        aside = next((each for each in self.asides(draft.id) if each.version == version), None)
        if aside is None:
            raise Gone("Somebody has chosen already. Open the listing again.")
        form = settle(merge(aside.base, aside.form, draft.form), choices)
        if form is None:
            return False
        try:
            with self._store.engine.begin() as connection:
                self._keep(connection, draft.id, draft.version, form, draft.form, by)
                connection.execute(
                    sa.update(versions)
                    .where(versions.c.draft_id == draft.id, versions.c.version == version)
                    .values(state="settled")
                )
        except (_Overtaken, sa.exc.IntegrityError):
            raise Gone("Somebody saved at the same moment. Look at the two versions again.") from None
        return True

    def catch_up(self, draft: Draft) -> Draft:
        """Merge in what became of the listing itself since the draft began; what clashes is set aside to choose."""
        revision, live = self.live_form(draft.service_id)
        if revision == draft.base_revision:
            return draft
        base = self.form_at(draft.service_id, f"r{draft.base_revision}")
        merged = merge(base, live, draft.form)  # "mine" is the listing: it waits beside the draft
        try:
            with self._store.engine.begin() as connection:
                connection.execute(sa.update(drafts).where(drafts.c.id == draft.id).values(base_revision=revision))
                if merged.conflicts:
                    self._write(connection, draft.id, draft.version, merged, live, base, LISTING)
                elif merged.form != draft.form:  # what goes together needs no second look: it stays in review
                    made = self._add(connection, draft.id, "kept", merged.form, base, LISTING)
                    self._touch(connection, draft.id, draft.version, made, draft.moved_by, draft.state)
        except (_Overtaken, sa.exc.IntegrityError):
            raise Gone("Somebody saved at the same moment. Try again.") from None
        return self.open(draft.service_id) or draft

    def move(self, draft: Draft, state: State, *, by: str, note: str = "") -> None:
        """To another state, if the draft is still the one that was looked at. Raises Gone."""
        with self._store.engine.begin() as connection:
            self.move_in(connection, draft, state, by=by, note=note)

    def move_in(self, connection: Connection, draft: Draft, state: State, *, by: str, note: str = "") -> None:
        """`move`, as part of something larger."""
        moved = connection.execute(
            sa.update(drafts)
            .where(drafts.c.id == draft.id, drafts.c.version == draft.version, drafts.c.state == draft.state.value)
            .values(state=state.value, moved_at=self._clock(), moved_by=by, note=note)
        )
        if not moved.rowcount:
            raise Gone("Somebody changed this draft meanwhile. Look at it again.")

    def _begin(self, connection: Connection, service_id: str, revision: int, by: str) -> int:
        now = self._clock()
        self._store.mark_edited(connection)
        made = connection.execute(
            sa.insert(drafts).values(
                service_id=service_id, base_revision=revision, version=0, state=State.DRAFT.value,
                opened_at=now, opened_by=by, moved_at=now, moved_by=by, note="",
            )
        )  # fmt: skip
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])

    def _write(
        self, connection: Connection, number: int, at: int, merged: Merged, form: Form, base: Form, by: str
    ) -> int | None:
        """The merged form as the next version, or, when somebody must choose, the form as it was typed, aside."""
        if not merged.conflicts:
            self._keep(connection, number, at, merged.form, base, by)
            return None
        self._touch(connection, number, at, at, by)
        return self._add(connection, number, "aside", form, base, by)

    def _keep(self, connection: Connection, number: int, at: int, form: Form, base: Form, by: str) -> int:
        made = self._add(connection, number, "kept", form, base, by)
        self._touch(connection, number, at, made, by)
        return made

    def _touch(
        self, connection: Connection, number: int, at: int, to: int, by: str, state: State = State.DRAFT
    ) -> None:
        moved = connection.execute(
            sa.update(drafts)
            .where(drafts.c.id == number, drafts.c.version == at, drafts.c.state.in_(OPEN))
            .values(version=to, state=state.value, moved_at=self._clock(), moved_by=by)
        )
        if not moved.rowcount:
            raise _Overtaken

    def _add(self, connection: Connection, number: int, state: str, form: Form, base: Form, by: str) -> int:
        newest = sa.select(sa.func.max(versions.c.version)).where(versions.c.draft_id == number)
        version = int(connection.execute(newest).scalar_one() or 0) + 1
        connection.execute(
            sa.insert(versions).values(
                draft_id=number, version=version, state=state, body=form, base=base,
                saved_at=self._clock(), saved_by=by,
            )
        )  # fmt: skip
        return version


class _Overtaken(Exception):
    """Somebody else saved between looking and writing."""


def _select() -> sa.Select[Any]:
    joined = sa.and_(versions.c.draft_id == drafts.c.id, versions.c.version == drafts.c.version)
    return sa.select(drafts, versions.c.body).join(versions, joined)


def _draft(row: Any) -> Draft:
    return Draft(
        id=row.id,
        service_id=row.service_id,
        base_revision=row.base_revision,
        version=row.version,
        state=State(row.state),
        opened_at=in_utc(row.opened_at),
        opened_by=row.opened_by,
        moved_at=in_utc(row.moved_at),
        moved_by=row.moved_by,
        note=row.note,
        form=fill_in(row.body),
    )


def _version(row: Any) -> Version:
    return Version(
        version=row.version,
        form=fill_in(row.body),
        base=fill_in(row.base),
        saved_at=in_utc(row.saved_at),
        saved_by=row.saved_by,
        aside=row.state == "aside",
    )
