"""Hours by channel and team, holidays, other days; and how long people are told they may wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.attendance import likely_minutes
from channels.conversation import Channel
from channels.errors import SettingsError
from channels.ledger.waits import Stretch
from channels.opening import Opening
from channels.settings import Settings
from channels.teams import Team, Teams
from channels.wording import Wording

WORDING = Wording.load()
FILE = """
hours: "Mo-Fr 09:00-21:00"
channels: {telegram: "Mo-Su 20:00-02:00"}
holidays: closed
days: {2026-12-24: "09:00-12:00", 2026-12-31: closed, 2026-12-28: "10:00-11:00"}
"""
DEBT = Team(id="debt", name="Debt", organisation="o", organisation_name="O", hours="Mo-Fr 12:00-13:00")


@pytest.fixture
def opening(settings: Settings, tmp_path: Path) -> Opening:
    path = tmp_path / "hours.yml"
    path.write_text(FILE)
    return Opening.load(settings.model_copy(update={"hours_file": path}), Teams((DEBT,)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "team", "when", "is_open"),
    [
        pytest.param(Channel.SMS, None, "2026-12-22T20:30", True, id="a usual day"),
        pytest.param(Channel.SMS, None, "2026-12-24T11:59", True, id="a day that differs, early"),
        pytest.param(Channel.SMS, None, "2026-12-24T12:00", False, id="a day that differs, late"),
        pytest.param(Channel.SMS, None, "2026-12-25T12:00", False, id="a public holiday"),
        pytest.param(Channel.SMS, None, "2026-12-28T10:30", True, id="a named day wins over the holiday"),
        pytest.param(Channel.SMS, None, "2026-12-31T12:00", False, id="closed that day"),
        pytest.param(Channel.TELEGRAM, None, "2026-12-22T20:30", True, id="the channel's own hours"),
        pytest.param(Channel.TELEGRAM, None, "2026-12-22T12:00", False, id="not the service's on that channel"),
        pytest.param(Channel.TELEGRAM, None, "2026-12-25T01:00", False, id="the day before was cut short"),
        pytest.param(Channel.TELEGRAM, None, "2026-12-24T01:00", True, id="the evening before goes past midnight"),
        pytest.param(Channel.SMS, "debt", "2026-12-22T12:30", True, id="a team's own hours"),
        pytest.param(Channel.SMS, "debt", "2026-12-22T15:00", False, id="outside the team's hours"),
        pytest.param(Channel.SMS, "nobody", "2026-12-22T15:00", True, id="a team that is none"),
    ],
)
def test_when_people_are_here(opening: Opening, channel: Channel, team: str | None, when: str, is_open: bool) -> None:
    assert opening.of(channel, team).open_at(at(when)) is is_open
    now = opening.at(at(when))
    assert (team in now.teams if team in now.timed else channel in now.channels) is is_open


def test_the_next_time_leaps_over_holidays(opening: Opening) -> None:
    assert opening.of(Channel.SMS).next_opening(at("2026-12-24T13:00"), WORDING) == "10am on Monday"


def test_always_there_but_for_holidays(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "hours.yml"
    path.write_text("holidays: closed")
    hours = Opening.load(settings.model_copy(update={"hours_file": path}), Teams()).of(Channel.WEB)
    assert hours.open_at(at("2026-12-24T23:30"))
    assert not hours.open_at(at("2026-12-25T12:00"))
    assert hours.next_opening(at("2026-12-25T12:00"), WORDING) == "midnight tomorrow"


@pytest.mark.parametrize("text", ["hour: 9", "channels: {fax: 'Mo 09:00-10:00'}", "days: {soon: closed}", "- 1"])
def test_a_file_that_is_wrong_is_named(settings: Settings, tmp_path: Path, text: str) -> None:
    path = tmp_path / "hours.yml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="NWD_HOURS_FILE"):
        Opening.load(settings.model_copy(update={"hours_file": path}), Teams())


def waited(*minutes: int, urgent: bool = False) -> list[Stretch]:
    return [Stretch(timedelta(minutes=number), urgent, at("2026-12-22T12:00")) for number in minutes]


def test_four_of_five_waited_no_longer_than_is_said() -> None:
    assert likely_minutes(waited(*range(1, 11)), urgent=False) == 8


def test_of_too_few_nothing_is_said() -> None:
    assert likely_minutes(waited(1, 2, 3), urgent=False) is None


def test_those_with_a_concern_are_counted_apart_where_there_are_enough() -> None:
    both = waited(*[60] * 10) + waited(*[2] * 10, urgent=True)
    assert likely_minutes(both, urgent=True) == 2
    assert likely_minutes(waited(*[60] * 10) + waited(2, urgent=True), urgent=True) == 60
