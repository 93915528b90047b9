"""Listings nobody tagged: what they are for, and what one would hope to find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge.needs import offer_texts, offers_hash
from knowledge.offer_head import OfferHead, train_offers
from tests.unit.knowledge.builders import MONDAY_NOON, NEEDS, WordEncoder, make_index, make_search, service

OFFERED = tuple(
    replace(each, offers=("Pantry with groceries and parcels",)) if each.id == "food" else each for each in NEEDS
)
COLUMN = [each.id for each in NEEDS].index("food")


@pytest.fixture(scope="module")
def head() -> OfferHead:
    texts, owners = offer_texts(OFFERED)
    return train_offers(WordEncoder().encode(texts), owners)


def test_a_listing_is_read_in_the_words_of_services(head: OfferHead) -> None:
    (row,) = head.probabilities(WordEncoder().encode(["Groceries and parcels for families"]))
    assert row.argmax() == COLUMN
    assert row.sum() == pytest.approx(1.0, abs=1e-5)


def test_needs_point_to_the_listing_one_would_hope_for(head: OfferHead) -> None:
    hungry = np.zeros(len(NEEDS), np.float32)
    hungry[COLUMN] = 1.0
    pantry, choir = WordEncoder().encode(["parcels of groceries", "a choir"]) @ head.hoped_for(hungry)
    assert pantry > choir
    assert not head.hoped_for(np.zeros(len(NEEDS), np.float32)).any()


def test_it_is_the_same_after_saving(head: OfferHead, tmp_path: Path) -> None:
    head.save(tmp_path / "offers.npz")
    vectors = WordEncoder().encode(["parcels", "debt letters"])
    kept = OfferHead.load(tmp_path / "offers.npz")
    np.testing.assert_array_equal(kept.probabilities(vectors), head.probabilities(vectors))
    np.testing.assert_array_equal(kept.middles, head.middles)


def test_untagged_listings_are_found_by_what_they_offer() -> None:
    index = make_index(
        [service("Eastside", description="Pantry with parcels."), service("Westside", description="A choir.")], OFFERED
    )
    assert index.carried[0].argmax() == COLUMN
    assert make_search(index).find("hungry", now=MONDAY_NOON, limit=1).matches[0].service.name == "Eastside"


def test_needs_an_editor_chose_are_not_second_guessed() -> None:
    index = make_index([service("Eastside", "debt", description="Pantry with groceries and parcels.")], OFFERED)
    assert np.flatnonzero(index.carried[0]).tolist() == [[each.id for each in NEEDS].index("debt")]


def test_other_sentences_are_another_head() -> None:
    assert offers_hash(NEEDS) != offers_hash(OFFERED)
