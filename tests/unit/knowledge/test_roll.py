"""Listings on disk, read when they are needed, and what is known of all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.roll import LISTINGS, ListingFile, Roll, read_roll, write_listings
from tests.unit.knowledge.builders import SERVICES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_listings(SERVICES, Roll.of(SERVICES), tmp_path)
    return tmp_path


def test_listings_come_back_whole_and_in_order(folder: Path) -> None:
    read = ListingFile(folder)
    assert list(read) == list(SERVICES)
    assert len(read) == len(SERVICES)
    assert (read[0], read[-1], tuple(read[1:3])) == (SERVICES[0], SERVICES[-1], tuple(SERVICES[1:3]))


def test_a_row_past_the_end_is_an_index_error(folder: Path) -> None:
    with pytest.raises(IndexError):
        ListingFile(folder)[len(SERVICES)]


def test_the_roll_comes_back_and_says_what_each_is(folder: Path) -> None:
    roll = read_roll(folder)
    assert roll == Roll.of(SERVICES)
    assert [roll.ids[row] for row in roll.lines] == ["samaritans", "shout", "debtline"]
    assert roll.mainly == tuple(service.needs[0] if service.needs else "" for service in SERVICES)


def test_a_file_that_was_cut_off_is_refused(folder: Path) -> None:
    (folder / LISTINGS).write_bytes((folder / LISTINGS).read_bytes()[:-5])
    with pytest.raises(ValueError, match="cut off"):
        ListingFile(folder)
