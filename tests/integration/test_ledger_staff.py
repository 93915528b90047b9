"""Who can sign in, what they did, and that nobody can rewrite it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from channels.conversation import Channel
from channels.errors import ChannelsError
from channels.ledger import Cipher, Ledger
from tests.ledger_builders import TEST_KEY, peer_named

HOUR = timedelta(hours=1)


def rewrite(url: str, *statements: str) -> list[tuple[object, ...]]:
    """What somebody with the database's password could do; gives the rows of the last statement, if it has any."""
    engine = create_engine(url.replace("sqlite+aiosqlite", "sqlite"))
    with engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        rows = [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    engine.dispose()
    return rows


class TestPeers:
    async def test_are_found_by_id_and_by_login(self, any_ledger: Ledger) -> None:
        sam = await any_ledger.add_peer(name="Sam", login="sam", role="coordinator", password_hash="$argon2id$x")
        assert await any_ledger.peer(sam.id) == sam
        assert await any_ledger.peer_by_login("sam") == sam
        assert (sam.role, sam.password_hash) == ("coordinator", "$argon2id$x")

    async def test_are_listed_by_name(self, any_ledger: Ledger) -> None:
        await peer_named(any_ledger, "Sam")
        await peer_named(any_ledger, "Ana")
        assert [peer.name for peer in await any_ledger.peers()] == ["Ana", "Sam"]

    async def test_a_login_belongs_to_one(self, any_ledger: Ledger) -> None:
        await peer_named(any_ledger, "Sam")
        with pytest.raises(ChannelsError, match="login"):
            await peer_named(any_ledger, "Sam")
        assert len(await any_ledger.peers()) == 1

    async def test_a_role_is_one_of_ours(self, any_ledger: Ledger) -> None:
        with pytest.raises(ChannelsError, match="role"):
            await any_ledger.add_peer(name="Sam", login="sam", role="superuser", password_hash="x")

    @pytest.mark.parametrize(
        "login",
        [
            pytest.param("sam\x00", id="a NUL"),
            pytest.param("\ud83d", id="half a surrogate pair"),
            pytest.param("x" * 5000, id="much too long"),
            pytest.param("' OR 1=1 --", id="SQL"),
        ],
    )
    async def test_strange_logins_are_nobodys(self, any_ledger: Ledger, login: str) -> None:
        await any_ledger.add_peer(name="Ana", login="ana", role="peer", password_hash="x")
        assert await any_ledger.peer_by_login(login) is None


class TestSessions:
    async def test_last_until_closed(self, any_ledger: Ledger) -> None:
        sam = await peer_named(any_ledger, "Sam")
        token = await any_ledger.open_session(sam.id, HOUR)
        assert await any_ledger.session(token) == sam
        await any_ledger.close_session(token)
        assert await any_ledger.session(token) is None
        await any_ledger.close_session(token)

    async def test_end_by_themselves(self, any_ledger: Ledger) -> None:
        sam = await peer_named(any_ledger, "Sam")
        token = await any_ledger.open_session(sam.id, timedelta(0))
        assert await any_ledger.session(token) is None

    async def test_are_independent_of_each_other(self, any_ledger: Ledger) -> None:
        sam = await peer_named(any_ledger, "Sam")
        first, second = await any_ledger.open_session(sam.id, HOUR), await any_ledger.open_session(sam.id, HOUR)
        await any_ledger.close_session(first)
        assert await any_ledger.session(second) == sam

    async def test_end_when_the_password_changes(self, any_ledger: Ledger) -> None:
        sam, ana = await peer_named(any_ledger, "Sam"), await peer_named(any_ledger, "Ana")
        sams, anas = await any_ledger.open_session(sam.id, HOUR), await any_ledger.open_session(ana.id, HOUR)
        await any_ledger.change_password(sam.id, "$argon2id$new")
        assert await any_ledger.session(sams) is None
        assert await any_ledger.session(anas) == ana
        changed = await any_ledger.peer(sam.id)
        assert changed is not None
        assert changed.password_hash == "$argon2id$new"

    async def test_the_database_holds_no_token(self, any_ledger: Ledger, any_ledger_url: str) -> None:
        token = await any_ledger.open_session((await peer_named(any_ledger, "Sam")).id, HOUR)
        rows = rewrite(any_ledger_url, "SELECT token_hash FROM sessions")
        assert len(rows) == 1
        assert rows[0][0] != token
        assert await any_ledger.session(str(rows[0][0])) is None


class TestAudit:
    async def test_newest_first_with_everything_said(self, any_ledger: Ledger) -> None:
        await any_ledger.audit("peer-1", "opened", "conversation-1", "read")
        await any_ledger.audit("peer-2", "opened", "conversation-2")
        entries = await any_ledger.audit_log(10)
        assert [(e.id, e.actor, e.action, e.subject, e.detail) for e in entries] == [
            (2, "peer-2", "opened", "conversation-2", ""),
            (1, "peer-1", "opened", "conversation-1", "read"),
        ]
        assert len(await any_ledger.audit_log(1)) == 1

    async def test_an_empty_one_is_sound(self, any_ledger: Ledger) -> None:
        assert await any_ledger.verify_audit()

    async def test_many_at_once_are_one_chain(self, any_ledger: Ledger) -> None:
        await asyncio.gather(*(any_ledger.audit("a", "b", str(n)) for n in range(20)))
        assert [entry.id for entry in reversed(await any_ledger.audit_log(50))] == list(range(1, 21))
        assert await any_ledger.verify_audit()

    async def test_it_can_be_checked_while_it_grows(self, any_ledger: Ledger) -> None:
        results = await asyncio.gather(
            *(any_ledger.audit("a", "b", str(n)) for n in range(15)), *(any_ledger.verify_audit() for _ in range(15))
        )
        assert all(results[15:])

    @pytest.mark.parametrize(
        "statements",
        [
            pytest.param(["UPDATE audit SET detail = 'harmless' WHERE id = 2"], id="a detail is changed"),
            pytest.param(["UPDATE audit SET actor = 'ana' WHERE id = 3"], id="the last actor is changed"),
            pytest.param(["UPDATE audit SET at = '2020-01-01 00:00:00+00:00' WHERE id = 1"], id="a time is changed"),
            pytest.param(["DELETE FROM audit WHERE id = 1"], id="the first row is taken away"),
            pytest.param(["DELETE FROM audit WHERE id = 2"], id="a row in the middle is taken away"),
            pytest.param(["DELETE FROM audit WHERE id = 3"], id="the end is cut off"),
            pytest.param(
                [
                    "DELETE FROM audit WHERE id = 3",
                    "UPDATE audit_head SET rows = 2, chain = (SELECT chain FROM audit WHERE id = 2)",
                ],
                id="the end is cut off and the head moved back",
            ),
            pytest.param(["DELETE FROM audit", "DELETE FROM audit_head"], id="all of it is taken away"),
        ],
    )
    async def test_tampering_shows(self, any_ledger: Ledger, any_ledger_url: str, statements: list[str]) -> None:
        await peer_named(any_ledger, "Sam")
        for n in range(2):
            await any_ledger.audit("sam", "opened", f"conversation-{n}", "read")
        assert await any_ledger.verify_audit()
        rewrite(any_ledger_url, *statements)
        assert not await any_ledger.verify_audit()

    async def test_it_cannot_be_forged_without_the_secret(self, any_ledger: Ledger, any_ledger_url: str) -> None:
        forger = Ledger.open(any_ledger_url, Cipher([TEST_KEY], "a guess"), shards=4)
        await forger.audit("sam", "never", "happened")
        assert await forger.verify_audit()
        await forger.close()
        assert not await any_ledger.verify_audit()


async def test_quarantine_keeps_ids_only(any_ledger: Ledger, any_ledger_url: str) -> None:
    await any_ledger.quarantine(Channel.SMS, "bad_signature", {"MessageSid": "SM1", "AccountSid": "AC1"})
    rows = rewrite(any_ledger_url, "SELECT channel, reason, ids FROM quarantine")
    assert [(row[0], row[1], json.loads(str(row[2]))) for row in rows] == [
        ("sms", "bad_signature", {"MessageSid": "SM1", "AccountSid": "AC1"})
    ]
