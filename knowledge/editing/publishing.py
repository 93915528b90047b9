"""From a reviewed draft to people, and back: a revision of the listing, then a new index, switched over whole.

The revision is written first. If the process dies or the index cannot be built, the old index serves on, the
publication is "not live yet", and `go_live` finishes it: at the next publish, the next start, or when asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from knowledge.catalogue import Service
from knowledge.editing.accounts import Editor
from knowledge.editing.drafts import Draft, Drafts, Gone, State
from knowledge.editing.forms import Form, Problem
from knowledge.editing.tables import in_utc, publications
from knowledge.embedding import Encoder
from knowledge.errors import KnowledgeError
from knowledge.publish import publish
from knowledge.settings import Settings
from knowledge.store import Store

MOST_SHOWN: Final = 50


class NotYet(KnowledgeError):
    """It cannot be done like this; the text says what has to happen first."""


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One listing that was put in front of people. `snapshot` is the index that first had it; None: not live yet."""

    id: int
    service_id: str
    from_revision: int
    """0 when the listing was new."""
    to_revision: int
    written_by: tuple[str, ...]
    published_by: str
    published_at: datetime
    snapshot: str | None
    rolled_back_by: str | None
    rolled_back_at: datetime | None


class Publisher:
    """Puts drafts in front of people. `check` says what a form amounts to and what is wrong with it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        drafts: Drafts,
        check: Callable[[Form, str], tuple[Service, tuple[Problem, ...]]],
        encoder: Encoder | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._drafts = drafts
        self._check = check
        self._encoder = encoder

    def send_for_review(self, draft: Draft, by: Editor) -> None:
        """Raises NotYet while something must be put right, and Gone."""
        draft = self._drafts.catch_up(draft)
        self._ready(draft)
        self._drafts.move(draft, State.REVIEW, by=by.login)

    def may_publish(self, draft: Draft, by: Editor) -> str:
        """Empty when this editor may publish this draft; else why not, and who may.

        Every word has been in front of somebody else. Where both publishers of a small house wrote in one draft, that
        somebody is the writer who sent the whole of it for review.
        """
        if draft.state is not State.REVIEW:
            return "Send it for review first."
        if not by.may_publish:
            return "A publisher has to look at it and publish it."
        writers = self._drafts.writers(draft.id)
        if self._settings.second_person and by.login in writers and draft.moved_by not in writers - {by.login}:
            return "You wrote some of it, so another publisher has to look at it and publish it."
        return ""

    def publish_draft(self, draft: Draft, by: Editor) -> Publication:
        """The draft becomes the listing, and the index follows. Raises NotYet and Gone; nothing is changed then."""
        seen = draft.version
        draft = self._drafts.catch_up(draft)
        if draft.version != seen:
            raise NotYet("The listing itself changed meanwhile. Look at the draft again.")
        if refusal := self.may_publish(draft, by):
            raise NotYet(refusal)
        service = self._ready(draft)
        with self._store.engine.begin() as connection:
            self._drafts.move_in(connection, draft, State.PUBLISHED, by=by.login)
            revision = self._store.save_in(connection, service, by=by.login, after=draft.base_revision)
            number = self._note(connection, draft, revision, by)
        self.go_live()
        return self.publication(number)

    def still_right(self, service_id: str, by: Editor, today: date) -> None:
        """Somebody checked every fact of a listing today. Not live until `go_live`. Raises Gone."""
        listing = self._store.listing(service_id)
        if listing is None:
            raise Gone("There is no listing with that name.")
        checked = replace(listing.service, assured_date=today, assured_by=by.name)
        if checked != listing.service:
            self._store.save(checked, by=by.login, published=listing.published)

    def roll_back(self, number: int, by: Editor) -> Publication:
        """The listing is again what it was before a publication. Raises NotYet and Gone."""
        made = self.publication(number)
        if made.rolled_back_by is not None:
            raise Gone("This was rolled back already.")
        if not by.may_publish:
            raise NotYet("A publisher has to do this.")
        listing = self._store.listing(made.service_id)
        if listing is None or listing.revision != made.to_revision:
            raise NotYet("The listing has changed since. Restore the version you want from its history.")
        before = {each.revision: each for each in self._store.revisions(made.service_id)}.get(made.from_revision)
        with self._store.engine.begin() as connection:
            claimed = connection.execute(
                sa.update(publications)
                .where(publications.c.id == number, publications.c.rolled_back_at.is_(None))
                .values(rolled_back_by=by.login, rolled_back_at=datetime.now(UTC))
            )
            if not claimed.rowcount:
                raise Gone("This was rolled back already.")
            service = before.service if before else listing.service
            shown = before.published if before else False
            self._store.save_in(connection, service, by=by.login, published=shown, after=made.to_revision)
        self.go_live()
        return self.publication(number)

    def go_live(self) -> str:
        """Build and switch the index if anything changed; the version that serves. Raises KnowledgeError."""
        with self._store.engine.begin() as connection:
            waiting = connection.execute(
                sa.select(publications.c.id).where(publications.c.snapshot.is_(None))
            ).scalars().all()  # fmt: skip
        version = publish(self._settings, encoder=self._encoder).version
        if waiting:
            with self._store.engine.begin() as connection:
                connection.execute(
                    sa.update(publications).where(publications.c.id.in_(waiting)).values(snapshot=version)
                )
        return version

    def publication(self, number: int) -> Publication:
        """Raises Gone."""
        with self._store.engine.begin() as connection:
            row = connection.execute(sa.select(publications).where(publications.c.id == number)).first()
        if row is None:
            raise Gone("There is no such publication.")
        return _publication(row)

    def publications(self) -> tuple[Publication, ...]:
        """The newest first."""
        query = sa.select(publications).order_by(publications.c.id.desc()).limit(MOST_SHOWN)
        with self._store.engine.begin() as connection:
            return tuple(map(_publication, connection.execute(query)))

    def waiting(self) -> bool:
        """Whether something that was published is not live yet."""
        query = sa.select(publications.c.id).where(publications.c.snapshot.is_(None)).limit(1)
        with self._store.engine.begin() as connection:
            return connection.execute(query).first() is not None

    def _ready(self, draft: Draft) -> Service:
        if self._drafts.asides(draft.id):
            raise NotYet("Two people changed the same part. Choose between their versions first.")
        service, problems = self._check(draft.form, draft.service_id)
        errors = sum(problem.error for problem in problems)
        if errors:
            raise NotYet(f"{errors} thing{'s' if errors > 1 else ''} must be put right first. The form says which.")
        return service

    def _note(self, connection: Connection, draft: Draft, revision: int, by: Editor) -> int:
        row = {
            "service_id": draft.service_id,
            "from_revision": draft.base_revision,
            "to_revision": revision,
            "written_by": " ".join(sorted(self._drafts.writers(draft.id))),
            "published_by": by.login,
            "published_at": datetime.now(UTC),
        }
        made = connection.execute(sa.insert(publications).values(**row))
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])


def _publication(row: Any) -> Publication:
    return Publication(
        id=row.id,
        service_id=row.service_id,
        from_revision=row.from_revision,
        to_revision=row.to_revision,
        written_by=tuple(row.written_by.split()),
        published_by=row.published_by,
        published_at=in_utc(row.published_at),
        snapshot=row.snapshot,
        rolled_back_by=row.rolled_back_by,
        rolled_back_at=in_utc(row.rolled_back_at) if row.rolled_back_at else None,
    )
