"""What leads have made of the saved replies: each change is a row of its own, with who and when; the newest one counts.

The replies that come with the product are data (data/saved_replies.yml) and stay as the start: a row stands in the
place of the one with its id and language, or takes it away. Nothing in it is a person's, so it is kept as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Select, Table, Text, func, insert, select

from channels.errors import ChannelsError
from channels.ledger import audit
from channels.ledger.database import Database, Work
from channels.ledger.records import PeerRecord
from channels.ledger.tables import ID, WORD, Plain, UtcTime, metadata

table = Table(
    "saved_replies",
    metadata,
    # Counts up: of two changes in the same moment the later one counts.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("reply_id", Plain(64), nullable=False),
    Column("language", WORD, nullable=False),
    Column("title", Plain(80), nullable=False),
    Column("about", Plain(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("removed", Boolean, nullable=False),
    Column("by_id", ID, nullable=False),
    Column("by_name", Plain(80), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index("ix_saved_replies_reply_id_language", "reply_id", "language"),
)


class ChangedMeanwhile(ChannelsError):
    """Somebody else has changed it since the page was opened."""


@dataclass(frozen=True, kw_only=True)
class ReplyWords:
    """A saved reply in one language, as somebody wrote it."""

    reply_id: str
    language: str
    title: str
    about: str
    text: str
    removed: bool = False


@dataclass(frozen=True, kw_only=True)
class ReplyChange(ReplyWords):
    """With who made it so, and when. `number` names the change."""

    number: int
    by_name: str
    at: datetime


class SavedRepliesLedger:
    """One method, one transaction. Every method raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self) -> list[ReplyChange]:
        """The change that counts for each reply and language."""
        latest = select(func.max(table.c.number)).group_by(table.c.reply_id, table.c.language)
        async with self._database.reading() as work:
            return await _listed(work, select(table).where(table.c.number.in_(latest)).order_by(table.c.number))

    async def history(self, reply_id: str) -> list[ReplyChange]:
        """Every change of one reply, newest first."""
        async with self._database.reading() as work:
            wanted = select(table).where(table.c.reply_id == reply_id).order_by(table.c.number.desc())
            return await _listed(work, wanted)

    async def keep(self, words: ReplyWords, peer: PeerRecord, seen: int) -> None:
        """`seen`: the change that the page showed, 0 for none. Raises ChangedMeanwhile."""
        async with self._database.writing() as work:
            # The head of the audit is locked first: two changes at once take turns, and the second one is told.
            await audit.append(
                work, peer.id, "saved_reply_removed" if words.removed else "saved_reply_changed", words.reply_id,
                words.language,
            )  # fmt: skip
            same = table.c.reply_id == words.reply_id, table.c.language == words.language
            newest = (await work.run(select(func.max(table.c.number)).where(*same))).scalar_one() or 0
            if newest != seen:
                raise ChangedMeanwhile
            last = (await work.run(select(func.max(table.c.number)))).scalar_one() or 0
            row = {"number": last + 1, "reply_id": words.reply_id, "language": words.language, "title": words.title}
            row |= {"about": words.about, "body": words.text, "removed": words.removed}
            await work.run(insert(table).values(**row, by_id=peer.id, by_name=peer.name, at=work.now))


async def _listed(work: Work, wanted: Select[Any]) -> list[ReplyChange]:
    return [
        ReplyChange(
            number=row.number,
            reply_id=row.reply_id,
            language=row.language,
            title=row.title,
            about=row.about,
            text=row.body,
            removed=row.removed,
            by_name=row.by_name,
            at=row.at,
        )
        for row in await work.run(wanted)
    ]
