"""Teams and organisations that share the queue, from one file of data (`NWD_TEAMS_FILE`). Pure once loaded.

    teams:
      - {id: peers, name: Peer workers, organisation: wrenbridge, organisation_name: Wrenbridge Together, home: true}
      - {id: debt, name: Debt advice, organisation: clearwater, organisation_name: Clearwater Debt Advice,
         topics: [debt, rent_arrears], hours: "Mo-Fr 09:00-17:00"}

Teams of the home organisation run the service and see everybody who asks for a person. A team of another organisation
sees somebody only once that person has said yes to that organisation, and then only on the team's topics (none: all)
or when they were passed on to it. Without a file there is one team, at home, and everybody is in it; the demo has two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from channels.errors import SettingsError
from channels.ledger.records import EscalationRecord
from channels.settings import Settings

DEMO: Final = Path(__file__).parent / "data" / "demo_teams.yml"
ID_FORM: Final = re.compile(r"[\w-]{1,32}")
"""Ids are kept side by side, with a space between them: one with a space would be two."""
FIELDS = {"id", "name", "organisation", "organisation_name", "home", "topics", "hours"}


@dataclass(frozen=True, kw_only=True)
class Team:
    """People of one organisation who answer together. `hours` is empty for the service's own."""

    id: str
    name: str
    organisation: str
    organisation_name: str
    home: bool = False
    topics: frozenset[str] = frozenset()
    hours: str = ""

    def is_for(self, escalation: EscalationRecord) -> bool:
        if escalation.team is not None:
            return escalation.team == self.id
        return not self.topics or not self.topics.isdisjoint(escalation.needs)


@dataclass(frozen=True)
class Teams:
    """Every team there is; empty when nothing was set up."""

    all: tuple[Team, ...] = ()
    otherwise: str = ""
    """The team at home of whoever is in none (`otherwise: peers` in the file). Empty: they see nobody."""

    @classmethod
    def of(cls, settings: Settings) -> Teams:
        """Those of the file, or the demo's. Raises SettingsError."""
        named = str(settings.teams_file) not in ("", ".")
        return cls.load(settings.teams_file if named or not settings.demo else DEMO)

    @classmethod
    def load(cls, path: Path | None) -> Teams:
        """Raises SettingsError."""
        if path is None or str(path) in ("", "."):
            return cls()
        try:
            body = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
            teams = cls(tuple(_team(entry) for entry in body["teams"]), str(body.get("otherwise", "")))
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as problem:
            raise SettingsError(f"NWD_TEAMS_FILE: {path} is not a list of teams ({problem}).") from None
        if teams.all and not any(team.home for team in teams.all):
            raise SettingsError("NWD_TEAMS_FILE: one team at least needs `home: true`, or nobody sees who asks.")
        if len({team.id for team in teams.all}) < len(teams.all):
            raise SettingsError("NWD_TEAMS_FILE: two teams have the same id.")
        if teams.otherwise and not any(team.home for team in teams.named([teams.otherwise])):
            raise SettingsError("NWD_TEAMS_FILE: `otherwise` must be the id of a team with `home: true`.")
        return teams

    def named(self, ids: Collection[str]) -> tuple[Team, ...]:
        """An id that is none is nobody's team."""
        return tuple(team for team in self.all if team.id in ids)

    def get(self, team_id: str) -> Team | None:
        return next(iter(self.named([team_id])), None)

    def partner(self, organisation: str) -> Team | None:
        """A team of an organisation that has to ask."""
        return next((team for team in self.all if team.organisation == organisation and not team.home), None)


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Whom somebody may see. Whatever is not known for certain counts as no."""

    home: bool
    teams: tuple[Team, ...] = ()

    @classmethod
    def of(cls, teams: Teams, ids: Collection[str]) -> Sight:
        """Where teams are set up, somebody in none of them sees nobody, unless the file says who they are with."""
        mine = teams.named(ids or [teams.otherwise])
        return cls(home=not teams.all or any(team.home for team in mine), teams=mine)

    @property
    def organisations(self) -> frozenset[str]:
        return frozenset(team.organisation for team in self.teams)

    def knows(self, other: Sight) -> bool:
        """Of colleagues: those at home everybody, all others only who is of an organisation of theirs."""
        return self.home or not self.organisations.isdisjoint(other.organisations)

    def sees(self, escalation: EscalationRecord, agreed: Iterable[str]) -> bool:
        if self.home:
            return True
        allowed = frozenset(agreed)
        return any(team.organisation in allowed and team.is_for(escalation) for team in self.teams)


def _team(entry: dict[str, Any]) -> Team:
    """Raises TypeError, ValueError: a field that is misspelt must not open a door."""
    if unknown := set(entry) - FIELDS:
        raise ValueError(f"unknown field {sorted(unknown)[0]}")
    if not all(isinstance(entry.get(name), str) and entry[name] for name in ("id", "name", "organisation")):
        raise ValueError("a team needs id, name and organisation")
    if wrong := [name for name in ("id", "organisation") if not ID_FORM.fullmatch(entry[name])]:
        raise ValueError(f"{wrong[0]} is one word of at most 32 letters, digits, - and _; what people read is its name")
    if not isinstance(entry.get("home", False), bool):
        raise ValueError("home is true or false")
    return Team(
        id=entry["id"],
        name=entry["name"],
        organisation=entry["organisation"],
        organisation_name=entry.get("organisation_name") or entry["organisation"],
        home=entry.get("home", False),
        topics=frozenset(map(str, entry.get("topics") or ())),
        hours=str(entry.get("hours") or ""),
    )
