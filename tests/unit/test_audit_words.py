"""The audit is read by people: every act has words, and an id stands where a name does not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import channels
from channels.desk.audit_page import DETAILS, line_of
from channels.desk.words import Words
from channels.ledger.duties import DutyState
from channels.ledger.escalations import GIVEN_BACK
from channels.ledger.records import AuditRecord
from channels.ledger.talk_records import NoteKind, PlanKind

WORDS = Words.load()
WRITTEN = re.compile(r'audit(?:\.append)?\(\s*(?:work,\s*)?+(?:"\w+"|[\w.]+),\s*"([a-z_]+)"')
OTHER_ACTS = frozenset(
    {
        *GIVEN_BACK.values(),
        *(f"duty_{one}" for one in DutyState),
        *(f"{one}_written" for one in NoteKind),
        *(f"{one}_planned" for one in PlanKind),
        *(f"pinged_{one}" for one in ("buddy", "mention", "safeguarding")),
        "asked_not_to_be_texted_first", "may_be_texted_first", "rest_began", "rest_ended", "wants_follow_up",
        "wants_no_follow_up", "invited", "saved_reply_changed", "saved_reply_removed",
    }
)  # fmt: skip


def acts() -> set[str]:
    sources = Path(channels.__file__).parent.rglob("*.py")
    return {found for source in sources for found in WRITTEN.findall(source.read_text(encoding="utf-8"))} | OTHER_ACTS


def test_every_act_has_words_and_no_words_are_of_no_act() -> None:
    assert len(acts()) > 70
    assert acts() == set(WORDS.groups["audit"])


def row(actor: str, action: str, subject: str, detail: str = "") -> AuditRecord:
    moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    return AuditRecord(id=1, at=moment, actor=actor, action=action, subject=subject, detail=detail, chain="")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(row("a1", "escalation_claimed", "e9"), ("Ana", "took somebody from the queue", ""), id="a talk"),
        pytest.param(row("a1", "role_changed", "b2", "lead"), ("Ana", "changed the role of", "Ben, lead"), id="a role"),
        pytest.param(row("b2", "signed_in", "b2"), ("Ben", "signed in", ""), id="oneself"),
        pytest.param(
            row("system", "escalation_opened", "e9", "concern"),
            ("the service itself", "put somebody in the queue", "said something that worries us"),
            id="a reason",
        ),
        pytest.param(row("c3", "a_new_act", "e9"), ("c3", "a new act", ""), id="somebody and something not known"),
    ],
)
def test_who_and_what_is_said_in_words_and_names(found: AuditRecord, said: tuple[str, str, str]) -> None:
    line = line_of(WORDS, {"a1": "Ana", "b2": "Ben"}, found)
    assert (line.who, line.what, line.about) == said
    assert line.record == found.subject
    assert found.action in line.code


def test_details_are_said_in_words_that_are_there() -> None:
    assert set(DETAILS.values()) <= WORDS.groups.keys()
