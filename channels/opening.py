"""When people are here, by channel and team, with holidays and other days that differ. Pure once loaded.

`NWD_HOURS_FILE` (YAML), every line of it optional; without it `NWD_STAFFED_HOURS` counts for everybody:

    hours: "Mo-Fr 09:00-21:00; Sa 10:00-16:00"     # the service; what is not said below is as here
    channels: {telegram: "Mo-Su 18:00-23:00"}
    holidays: closed                               # public holidays of the country (data/holidays.yml)
    days: {2026-12-24: "09:00-12:00", 2026-12-31: closed}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from channels.conversation import Channel
from channels.errors import SettingsError
from channels.hours import Span, StaffedHours
from channels.ledger.waits import Staffed
from channels.settings import Settings
from channels.teams import Teams

HOLIDAYS: Final = Path(__file__).parent / "data" / "holidays.yml"
FIELDS: Final = {"hours", "channels", "holidays", "days"}
CLOSED: Final = "closed"
EVERY_DAY: Final = "Mo-Su "


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Hours of the service, and where they differ."""

    service: StaffedHours
    channels: Mapping[Channel, StaffedHours] = field(default_factory=dict)
    teams: Mapping[str, StaffedHours] = field(default_factory=dict)

    @classmethod
    def load(cls, settings: Settings, teams: Teams) -> Opening:
        """Raises SettingsError."""
        held = _read(settings.hours_file)
        zone = settings.timezone
        days = _days(held, settings.country, zone)
        usual = str(held.get("hours") or settings.staffed_hours)

        def parse(text: str) -> StaffedHours:
            return replace(StaffedHours.parse(text, zone), days=days)

        try:
            channels = {Channel(name): parse(str(text)) for name, text in (held.get("channels") or {}).items()}
        except ValueError:
            raise SettingsError("NWD_HOURS_FILE: channels are sms, telegram and web.") from None
        return cls(
            service=parse(usual),
            channels=channels,
            teams={team.id: parse(team.hours) for team in teams.all if team.hours},
        )

    def at(self, moment: datetime) -> Staffed:
        """The same as `of`, for everybody at once."""
        return Staffed(
            channels=frozenset(one for one in Channel if self.of(one).open_at(moment)),
            teams=frozenset(team for team, hours in self.teams.items() if hours.open_at(moment)),
            timed=frozenset(self.teams),
        )

    def of(self, channel: Channel, team: str | None = None) -> StaffedHours:
        """The team's if they were passed on to one, else the channel's, else the service's."""
        if team is not None and team in self.teams:
            return self.teams[team]
        return self.channels.get(channel, self.service)


def _read(path: Path) -> dict[str, Any]:
    if str(path) in ("", "."):
        return {}
    try:
        held = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as problem:
        raise SettingsError(f"NWD_HOURS_FILE: {path} cannot be read ({type(problem).__name__}).") from None
    if not isinstance(held, dict) or set(held) - FIELDS:
        raise SettingsError(f"NWD_HOURS_FILE: {path} may hold {', '.join(sorted(FIELDS))} and nothing else.")
    return held


def _days(held: dict[str, Any], country: str, zone: str) -> dict[date, tuple[Span, ...]]:
    """Days that differ. A day that is named wins over a holiday."""
    days: dict[date, tuple[Span, ...]] = {}
    if held.get("holidays") == CLOSED:
        every: dict[str, list[date]] = yaml.load(HOLIDAYS.read_text(encoding="utf-8"), yaml.CSafeLoader)
        days = dict.fromkeys(every.get(country, ()), ())
    for day, hours in (held.get("days") or {}).items():
        if not isinstance(day, date):
            raise SettingsError(f"NWD_HOURS_FILE: days: {day} is not a date like 2026-12-24.")
        days[day] = () if hours == CLOSED else StaffedHours.parse(f"{EVERY_DAY}{hours}", zone).spans
    return days
