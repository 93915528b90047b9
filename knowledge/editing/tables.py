"""What is kept beside the listings, in the same database. All times are UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from knowledge.errors import StoreError

tables = sa.MetaData()
Moment = sa.DateTime(timezone=True)

editors = sa.Table(
    "editor_accounts",
    tables,
    sa.Column("login", sa.String(64), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
)
sessions = sa.Table(
    "editor_sessions",
    tables,
    sa.Column("token_hash", sa.String(64), primary_key=True),
    sa.Column("login", sa.ForeignKey("editor_accounts.login"), nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=False),
)
drafts = sa.Table(
    "editor_drafts",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("service_id", sa.String(64), nullable=False),
    sa.Column("base_revision", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("opened_by", sa.String(64), nullable=False),
    sa.Column("moved_at", Moment, nullable=False),
    sa.Column("moved_by", sa.String(64), nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
)
sa.Index(
    "editor_drafts_one_open",
    drafts.c.service_id,
    unique=True,
    sqlite_where=drafts.c.state.in_(("draft", "review")),
    postgresql_where=drafts.c.state.in_(("draft", "review")),
)
versions = sa.Table(
    "editor_draft_versions",
    tables,
    sa.Column("draft_id", sa.ForeignKey("editor_drafts.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("base", sa.JSON, nullable=False),
    sa.Column("saved_at", Moment, nullable=False),
    sa.Column("saved_by", sa.String(64), nullable=False),
)
publications = sa.Table(
    "editor_publications",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("service_id", sa.String(64), nullable=False),
    sa.Column("from_revision", sa.Integer, nullable=False),
    sa.Column("to_revision", sa.Integer, nullable=False),
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("published_by", sa.Text, nullable=False),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("snapshot", sa.String(64)),
    sa.Column("rolled_back_by", sa.Text),
    sa.Column("rolled_back_at", Moment),
)
sign_offs = sa.Table(
    "editor_sign_offs",
    tables,
    sa.Column("service_id", sa.String(64), primary_key=True),
    sa.Column("field", sa.String(32), primary_key=True),
    sa.Column("text_hash", sa.String(64), primary_key=True),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
)
reports = sa.Table(
    "editor_reports",
    tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("service_id", sa.String(64), nullable=False),
    sa.Column("wrong", sa.String(32), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("reported_at", Moment, nullable=False),
    sa.Column("settled_by", sa.Text),
    sa.Column("settled_at", Moment),
)

import_jobs = sa.Table(
    "editor_imports",
    tables,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("given", sa.Text, nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("suggest_needs", sa.Boolean, nullable=False),
    sa.Column("begun", Moment, nullable=False),
    sa.Column("moved", Moment, nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("asked", sa.JSON, nullable=False),
    sa.Column("was_at", sa.String(16)),
    sa.Column("worker", sa.String(16), nullable=False),
    sa.Column("stop", sa.Boolean, nullable=False),
    sa.Column("columns", sa.JSON(none_as_null=True)),
    sa.Column("outcome", sa.JSON(none_as_null=True)),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
)


def make_tables(engine: Engine) -> None:
    """Make what is not there yet. A second process that makes the same at the same moment does no harm.

    Raises StoreError.
    """
    for attempt in (1, 2):
        try:
            tables.create_all(engine)
            return
        except sa.exc.SQLAlchemyError as error:
            if attempt == 2:
                raise StoreError(
                    f"The editor's tables cannot be made ({type(error).__name__}). Check NWD_CATALOGUE_URL."
                ) from None


def in_utc(moment: datetime) -> datetime:
    """SQLite forgets the zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
