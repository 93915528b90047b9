"""Every need, wherever somebody is, leads to somebody: here, further away, for something close, on a national line."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knowledge.catalogue import Area
from knowledge.needs import load_needs
from knowledge.search import Match, Search
from knowledge.settings import PACKAGE_DATA

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NEEDS = [need.id for need in load_needs(PACKAGE_DATA / "needs.yml")]
LONG_LIST = 8


def for_need(match: Match, need: str) -> bool:
    return need in match.service.needs


@pytest.mark.parametrize("near", [None, "Millgate", "Penzance", "Nosuchplace-under-Hill"])
@pytest.mark.parametrize("need", NEEDS)
def test_every_need_leads_to_somebody_wherever_they_are(real_search: Search, need: str, near: str | None) -> None:
    found = real_search.find("", needs=[need], near=near, now=NOON, limit=LONG_LIST)
    assert (found.place is not None) == (near in {"Millgate", "Penzance"})
    assert len(found.matches) == LONG_LIST
    assert for_need(found.matches[0], need), "the exact need comes first"
    assert all(match.service.phones or match.service.email or match.service.website for match in found.matches)


@pytest.mark.parametrize("need", NEEDS)
def test_the_ladder_goes_down_only(real_search: Search, need: str) -> None:
    """What is for the need comes before what is only near it, but for what one organisation has more of; and only that
    is called good."""
    found = real_search.find("", needs=[need], now=NOON, limit=LONG_LIST)
    rungs = [for_need(match, need) for match in found.matches]
    owners = {service.organisation.id for service in real_search.index.services if need in service.needs}
    assert sum(rungs[:3]) == min(3, len(owners))
    assert all(for_need(match, need) for match in found.matches if match.strength == "good")


@pytest.mark.parametrize("need", NEEDS)
def test_far_away_only_what_reaches_there_is_called_good(real_search: Search, need: str) -> None:
    found = real_search.find("", needs=[need], near="Penzance", now=NOON, limit=LONG_LIST)
    assert all(match.service.area is Area.NATIONAL for match in found.matches if match.strength == "good")
    national = [service for service in real_search.index.services if service.area is Area.NATIONAL]
    if any(need in service.needs for service in national):
        assert any(match.strength == "good" for match in found.matches)
    assert any(match.service.area is Area.NATIONAL for match in found.matches), "there is always a national line"
