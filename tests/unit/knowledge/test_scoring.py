"""The arithmetic of the score, against a slow and plain version of it."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.index import Field, Index, Spread
from knowledge.scoring import View, agree, look, standardised
from tests.unit.knowledge.builders import NEEDS, SERVICES, WordEncoder, make_index, service

NONE = np.array([], dtype=np.int64)


def view(index: Index, text: str) -> View:
    vector = WordEncoder().encode([text])
    return View(vector=vector[0], chances=index.head.probabilities(vector)[0])


def test_a_spread_standardises_like_the_whole_list_would() -> None:
    vectors = np.random.default_rng(1).standard_normal((50, 8)).astype(np.float32)
    query = np.random.default_rng(2).standard_normal(8).astype(np.float32)
    similar = vectors @ query
    expected = (similar - similar.mean()) / similar.std()
    np.testing.assert_allclose(Spread.of(vectors).standardise(query, similar), expected, atol=1e-4)


def test_a_spread_is_the_same_when_it_is_added_up_in_parts() -> None:
    vectors = np.random.default_rng(1).standard_normal((50, 8)).astype(np.float32)
    rows = np.arange(3, 50)
    whole, parts = Spread.of(vectors[3:]), Spread.of(vectors, rows, at_once=7)
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(parts.covariance, whole.covariance, atol=1e-5)


def test_cosines_are_those_of_the_stored_vectors(index: Index) -> None:
    seen = view(index, "help with debt letters")
    sight = look(index, {"": seen}, "help with debt letters", NONE)
    for at, row in enumerate(sight.rows):
        ids = np.flatnonzero((index.owners == row) & (index.fields == Field.ABOUT))
        expected = (index.vectors.reconstruct_batch(ids) @ seen.vector).max()
        assert sight.evidence[""].about[at] == pytest.approx(expected, abs=1e-5)


def test_each_view_has_its_own_evidence(index: Index) -> None:
    sight = look(index, {"": view(index, "rent"), "other": view(index, "lonely")}, "rent", NONE)
    assert set(sight.evidence) == {"", "other"}
    assert not np.allclose(sight.evidence[""].scores, sight.evidence["other"].scores)


def test_rows_asked_for_are_always_seen() -> None:
    index = make_index([service(f"Rent {n}", "rent") for n in range(300)] + [service("Odd One", "lgbt")])
    sight = look(index, {"": view(index, "owe rent")}, "owe rent", np.array([300], dtype=np.int64))
    assert 300 in sight.rows
    assert len(sight.rows) < 301


def test_agreement_follows_the_order_of_a_services_needs(index: Index) -> None:
    chances = np.array([float(need.id == "rent") for need in NEEDS], dtype=np.float32)
    by_name = dict(zip((each.name for each in SERVICES), agree(index, chances), strict=True))
    assert by_name["Rent Rescue"] > by_name["Clear Desk"] > by_name["Kettle Club"] == 0


def test_needs_do_not_count_when_a_message_names_none(index: Index) -> None:
    silent = View(vector=WordEncoder().encode(["zzz"])[0], chances=np.zeros(len(NEEDS), np.float32))
    assert not look(index, {"": silent}, "zzz", NONE).evidence[""].agreement.any()


def test_nothing_to_tell_apart_is_zero() -> None:
    assert not standardised(np.full(5, 3.0, np.float32)).any()


def test_terms_of_another_taxonomy_give_a_listing_its_needs() -> None:
    foreign = service("Foreign", terms=("Food bank", "need food"))
    index = make_index([foreign, service("Other", "lgbt")])
    needs = {need.id: index.carried[0, column] for column, need in enumerate(NEEDS)}
    assert max(needs, key=lambda name: needs[name]) == "food"


def test_a_listing_without_labels_is_not_punished() -> None:
    index = make_index([service("Bare"), service("Food Share", "food")])
    sight = look(index, {"": view(index, "help from bare")}, "help from bare", NONE)
    assert np.isfinite(sight.evidence[""].scores).all()
    assert sight.evidence[""].scores[0] > sight.evidence[""].scores[1]


@pytest.mark.parametrize(
    ("tags", "gains"), [pytest.param((), True, id="nobody tagged"), pytest.param(("food",), False, id="tagged")]
)
def test_of_untagged_listings_those_like_the_best_gain(tags: tuple[str, ...], gains: bool) -> None:
    """Kin has the words of the best listings but none of the message's, Stranger neither."""
    best = [service(f"Rent Desk {n}", *tags, description="Solicitor court adviser.") for n in range(5)]
    kin = service("Kin", *tags, description="Solicitor court adviser.")
    stranger = service("Stranger", *tags, description="Yoga mats evening.")
    index = make_index([*best, kin, stranger])
    silent = View(vector=WordEncoder().encode(["rent desk"])[0], chances=np.zeros(len(NEEDS), np.float32))
    sight = look(index, {"": silent}, "rent desk", np.arange(7, dtype=np.int64))
    score = {
        index.services[row].name: float(value) for row, value in zip(sight.rows, sight.evidence[""].scores, strict=True)
    }
    assert score["Rent Desk 0"] > max(score["Kin"], score["Stranger"])
    assert (score["Kin"] > score["Stranger"] + 0.3) == gains


def test_a_catalogue_of_one_listing_can_be_scored() -> None:
    index = make_index([service("Only")])
    sight = look(index, {"": view(index, "owe rent")}, "owe rent", NONE)
    assert np.isfinite(sight.evidence[""].scores).all()
