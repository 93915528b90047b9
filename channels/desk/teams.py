"""Whom a conversation can be passed to: colleagues, teams of ours, and other organisations (`channels.teams`). Pure.

A team of another organisation reads what the person agreed to and what comes after, never what was said before.
"""

from __future__ import annotations

from channels.ledger.records import PeerRecord
from channels.ledger.talk_records import IntroductionRecord, IntroductionState
from channels.roles import Permission, may
from channels.teams import Sight


def is_asked(introduction: IntroductionRecord, peer: PeerRecord, sight: Sight) -> bool:
    """Whether somebody is asked to come by an introduction that nobody has answered yet."""
    if introduction.state is not IntroductionState.OFFERED or peer.id == introduction.from_id:
        return False
    if introduction.to_kind == "person":
        return introduction.to_id == peer.id
    if introduction.to_kind == "lead":
        return is_lead(peer) and sight.home
    return any(team.id == introduction.to_id for team in sight.teams)


def is_lead(peer: PeerRecord) -> bool:
    """Whoever may read along may be asked to come, and is told what worries us."""
    return not peer.ended and may(peer.role, Permission.WATCH)


def answers(peer: PeerRecord) -> bool:
    """Whether they can be with a person at all."""
    return not peer.ended and may(peer.role, Permission.ANSWER)
