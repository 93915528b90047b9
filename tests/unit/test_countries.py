"""A country is data, and one setting chooses it: both halves of the product then say the same."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
import yaml

from bot.actions.settings import read_settings as read_actions_settings
from channels.settings import PROFILES, Settings
from channels.settings import read_settings as read_channels_settings
from channels.wording import CrisisLines
from knowledge.crisis import load_crisis_lines
from knowledge.settings import PACKAGE_DATA
from knowledge.settings import read_settings as read_knowledge_settings

COUNTRIES = sorted(yaml.safe_load(PROFILES.read_text(encoding="utf-8")))
CLOCKS = {"GB": "Europe/London", "IE": "Europe/Dublin"}


def in_knowledge(country: str) -> dict[str, str]:
    return {line.phone: line.name for line in load_crisis_lines(PACKAGE_DATA / "crisis_lines.yml", country)}


def test_there_are_two_at_least() -> None:
    assert {"GB", "IE"} <= set(COUNTRIES)


@pytest.mark.parametrize("country", COUNTRIES)
class TestEveryCountry:
    def test_is_complete(self, country: str) -> None:
        profile = CrisisLines.load(country)
        assert ZoneInfo(profile.timezone)
        assert profile.spelling.startswith("en-")
        assert profile.languages[0] == "en"
        assert set(profile.privacy) == set(profile.languages)
        assert all("unless" in line or "oni bai" in line for line in profile.privacy.values())

    def test_its_lines_say_how_and_when_they_are_reached(self, country: str) -> None:
        for line in CrisisLines.load(country).lines:
            assert set(line.by) <= {"phone", "text", "web"}
            assert line.hours
            assert ("text" in line.by) or not line.say.startswith("Text ")

    def test_every_line_we_text_is_listed_by_the_same_name_and_number(self, country: str) -> None:
        known = in_knowledge(country)
        assert {line.phone: line.name for line in CrisisLines.load(country).lines} == {
            line.phone: known.get(line.phone, "not listed") for line in CrisisLines.load(country).lines
        }

    def test_both_halves_name_the_same_emergency_number_and_clock(self, country: str) -> None:
        other = yaml.safe_load((PACKAGE_DATA / "crisis_lines.yml").read_text(encoding="utf-8"))[country]
        profile = CrisisLines.load(country)
        assert (other["emergency"], other["timezone"]) == (profile.emergency, profile.timezone)


@pytest.mark.parametrize(("country", "zone"), CLOCKS.items())
def test_the_country_sets_the_clock_of_every_process(country: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"NWD_{name.upper()}", raising=False)
    monkeypatch.setenv("NWD_COUNTRY", country)
    assert read_channels_settings().timezone == zone
    assert read_knowledge_settings().timezone == zone
    assert read_actions_settings(actions_token="t").timezone == zone


def test_a_clock_that_is_set_is_kept() -> None:
    assert read_channels_settings(country="IE", timezone="Europe/Lisbon").timezone == "Europe/Lisbon"
