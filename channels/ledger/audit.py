"""Who did what to which record: append only, each row holding a keyed hash over itself and the row before it.

Changing, removing or adding a row breaks the chain from there on; cutting off its end breaks the seal. Without the
person secret neither can be forged. Subjects and details are ids and words of ours, never a person's.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from channels.ledger import tables
from channels.ledger.cipher import Cipher
from channels.ledger.database import Work
from channels.ledger.records import AuditRecord

HEAD = 1
ANCHOR = 2
"""Where the chain begins once its oldest rows are over: how many went, and the link of the last one, sealed."""
BATCH = 1000
# Built once: every change of anything passes here.
THE_HEAD = select(tables.audit_head).where(tables.audit_head.c.id == HEAD).with_for_update()
ADD = insert(tables.audit)
MOVE_HEAD = (
    update(tables.audit_head)
    .where(tables.audit_head.c.id == HEAD)
    .values(rows=bindparam("now_rows"), chain=bindparam("now_chain"), seal=bindparam("now_seal"))
)


def link(cipher: Cipher, before: str, row: dict[str, Any]) -> str:
    moment: datetime = row["at"]
    words = [row["id"], moment.astimezone(UTC).isoformat(), row["actor"], row["action"], row["subject"], row["detail"]]
    return cipher.keyed_hash("audit", before, json.dumps(words))


def seal(cipher: Cipher, rows: int, chain: str) -> str:
    return cipher.keyed_hash("audit_head", str(rows), chain)


async def append(work: Work, actor: str, action: str, subject: str, detail: str = "") -> None:
    """Locks the head of the chain, so it comes last in a transaction."""
    head = await lock_head(work)
    row: dict[str, Any] = {
        "id": head.rows + 1,
        "at": work.now,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    chain = link(work.cipher, head.chain, row)
    await work.run(ADD, **row, chain=chain)
    sealed = seal(work.cipher, row["id"], chain)
    await work.run(MOVE_HEAD, now_rows=row["id"], now_chain=chain, now_seal=sealed)


async def lock_head(work: Work) -> Row[Any]:
    head = (await work.run(THE_HEAD)).first()
    if head is None:
        empty = {"id": HEAD, "rows": 0, "chain": "", "seal": seal(work.cipher, 0, "")}
        await work.insert_new(tables.audit_head, **empty)
        head = (await work.run(THE_HEAD)).one()
    return head


def anchor_seal(cipher: Cipher, rows: int, chain: str) -> str:
    return cipher.keyed_hash("audit_anchor", str(rows), chain)


async def expire(work: Work, before: datetime) -> int:
    """Let go of the rows from before a moment; what is left still shows any tampering. Says how many went."""
    await lock_head(work)
    table, heads = tables.audit, tables.audit_head
    wanted = select(table.c.id, table.c.chain).where(table.c.at < before).order_by(table.c.id.desc()).limit(1)
    last = (await work.run(wanted)).first()
    if last is None:
        return 0
    gone = await work.changed(delete(table).where(table.c.id <= last.id))
    row = {"rows": last.id, "chain": last.chain, "seal": anchor_seal(work.cipher, last.id, last.chain)}
    if not await work.changed(update(heads).where(heads.c.id == ANCHOR).values(**row)):
        await work.run(insert(heads).values(id=ANCHOR, **row))
    await append(work, "retention", "audit_expired", "", str(gone))
    return gone


async def latest(work: Work, limit: int, before: int | None = None) -> list[AuditRecord]:
    """Newest first; only those before row `before`, if given."""
    wanted = select(tables.audit).order_by(tables.audit.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(tables.audit.c.id < before)
    return [AuditRecord(**row._mapping) for row in await work.run(wanted)]


async def verify(work: Work) -> bool:
    """Whether every row is as it was written and none is missing. Where there are peers there is a chain."""
    head = (await work.run(select(tables.audit_head).where(tables.audit_head.c.id == HEAD))).first()
    anchor = (await work.run(select(tables.audit_head).where(tables.audit_head.c.id == ANCHOR))).first()
    count, chain = (anchor.rows, anchor.chain) if anchor else (0, "")
    if anchor and anchor.seal != anchor_seal(work.cipher, count, chain):
        return False
    while True:
        wanted = select(tables.audit).where(tables.audit.c.id > count).order_by(tables.audit.c.id).limit(BATCH)
        batch = (await work.run(wanted)).all()
        if not batch:
            break
        for row in batch:
            count += 1
            if row.id != count or row.chain != link(work.cipher, chain, dict(row._mapping)):
                return False
            chain = row.chain
    if head is None:
        return (await work.run(select(tables.peers.c.id).limit(1))).first() is None and count == 0
    return bool(head.rows == count and head.chain == chain and head.seal == seal(work.cipher, count, chain))
