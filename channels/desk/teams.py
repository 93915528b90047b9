"""Whom a conversation can be passed to: colleagues, teams of ours, and other organisations. Data in teams.yml.

A team of another organisation reads what the person agreed to and what comes after, never what was said before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from channels.errors import SettingsError
from channels.ledger.records import PeerRecord
from channels.ledger.talk_records import IntroductionRecord, IntroductionState
from channels.settings import Settings

DEMO: Final = Path(__file__).parent / "teams.yml"
LEADS: Final = frozenset({"lead", "coordinator", "admin"})


@dataclass(frozen=True, kw_only=True)
class Team:
    """`organisation` is empty for a team of our own; `members` are logins."""

    id: str
    name: str
    organisation: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Teams:
    """Every team there is."""

    teams: tuple[Team, ...] = ()

    @classmethod
    def load(cls, settings: Settings) -> Teams:
        """`teams.yml` in the data folder; without one the demo has made-up teams and everybody else none.

        Raises SettingsError naming what is wrong with the file.
        """
        own = settings.data_dir / "teams.yml"
        path = own if own.is_file() else DEMO if settings.demo else None
        if path is None:
            return cls()
        try:
            rows = yaml.safe_load(path.read_text(encoding="utf-8")) or []
            return cls(tuple(Team(**{**row, "members": tuple(row.get("members", ()))}) for row in rows))
        except (yaml.YAMLError, TypeError, AttributeError) as problem:
            raise SettingsError(f"{path.name}: a list of teams with id, name, organisation and members.") from problem

    def find(self, team_id: str) -> Team | None:
        return next((team for team in self.teams if team.id == team_id), None)

    def is_for(self, introduction: IntroductionRecord, peer: PeerRecord) -> bool:
        """Whether somebody is asked to come by an introduction that nobody has answered yet."""
        if introduction.state is not IntroductionState.OFFERED or peer.id == introduction.from_id:
            return False
        if introduction.to_kind == "person":
            return introduction.to_id == peer.id
        if introduction.to_kind == "lead":
            return peer.role in LEADS
        team = self.find(introduction.to_id)
        return team is not None and peer.login in team.members


def leads_of(peers: Sequence[PeerRecord]) -> list[PeerRecord]:
    return [peer for peer in peers if peer.role in LEADS]
