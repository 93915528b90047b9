"""Needs, clauses, and the small model of how people say them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge.catalogue import Need
from knowledge.errors import CatalogueFileError
from knowledge.need_head import NeedHead, train_head
from knowledge.needs import load_needs, needs_hash, split_clauses, training_texts
from tests.unit.knowledge.builders import NEEDS, WordEncoder, need

GOOD = """
- id: rent
  label: Rent worries
  description: Behind with rent.
  urgency: 2
  related: [debt]
  phrasings: [owe rent, behind with rent]
- id: debt
  label: Debts
  related: [rent]
  phrasings: [bailiffs]
"""


WHOLE = "- id: a\n  label: A\n  phrasings: [a]\n"


def write(folder: Path, content: str) -> Path:
    path = folder / "needs.yml"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    rent, debt = load_needs(write(tmp_path, GOOD))
    assert rent == Need(
        id="rent",
        label="Rent worries",
        description="Behind with rent.",
        urgency=2,
        related=("debt",),
        phrasings=("owe rent", "behind with rent"),
    )
    assert debt.urgency == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "there are no needs", id="empty"),
        pytest.param("- [", "cannot be read as YAML", id="not YAML"),
        pytest.param("- label: A\n", "item 1: id: missing", id="no id"),
        pytest.param("- just words\n", "item 1: id: missing", id="not a mapping"),
        pytest.param(GOOD + "- id: rent\n  label: A\n  phrasings: [a]\n", "used twice", id="an id twice"),
        pytest.param("- id: a\n  phrasings: [a]\n", "a: label: missing", id="no label"),
        pytest.param("- id: a\n  label: A\n", "a: phrasings: missing", id="no phrasings"),
        pytest.param(
            "- id: a\n  label: A\n  phrasings: [a]\n  urgency: soon\n", "urgency: must be 1, 2 or 3", id="urgency"
        ),
        pytest.param(
            "- id: a\n  label: A\n  phrasings: [a]\n  relatd: [b]\n", "relatd: not a field", id="a misspelt field"
        ),
        pytest.param(GOOD.replace("[debt]", "[dbt]"), "related: 'dbt' is not a need", id="an unknown relation"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(CatalogueFileError) as refusal:
        load_needs(write(tmp_path, content))
    assert any(said in problem for problem in refusal.value.problems)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(CatalogueFileError, match=r"needs\.yml: cannot be read"):
        load_needs(tmp_path / "needs.yml")


def test_the_hash_changes_with_what_is_learnt_and_only_then() -> None:
    first = needs_hash(NEEDS)
    assert needs_hash([replace(each, urgency=2, related=()) for each in NEEDS]) == first
    assert needs_hash([replace(NEEDS[0], phrasings=("new",)), *NEEDS[1:]]) != first


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("cant pay my rent and im so down", ["cant pay my rent", "im so down"]),
        ("Lost my job. Feel worthless!", ["lost my job", "feel worthless"]),
        ("no food n no money", ["no food", "no money"]),
        ("my partner left so i am alone", ["my partner left", "i am alone"]),
        ("im so down", []),
        ("since my wife died i see nobody", ["since my wife died", "i see nobody"]),
        ("rent", []),
        ("", []),
        ("and but because", []),
        ("hungry and", []),
        ("one two and one two", ["one two"]),
    ],
)
def test_clauses(text: str, clauses: list[str]) -> None:
    assert split_clauses(text) == clauses


def test_clauses_are_few() -> None:
    assert len(split_clauses(". ".join(f"number {n} here" for n in range(50)))) == 12


@pytest.fixture(scope="module")
def head() -> NeedHead:
    texts, owners = training_texts(NEEDS)
    return train_head(WordEncoder().encode(texts), owners)


def likeliest(head: NeedHead, text: str) -> str:
    return NEEDS[int(head.probabilities(WordEncoder().encode([text]))[0].argmax())].id


@pytest.mark.parametrize(
    ("text", "expected"), [("behind with my rent", "rent"), ("the bailiffs", "debt"), ("so lonely", "loneliness")]
)
def test_a_need_is_recognised(head: NeedHead, text: str, expected: str) -> None:
    assert likeliest(head, text) == expected


def test_probabilities_are_probabilities(head: NeedHead) -> None:
    rows = head.probabilities(WordEncoder().encode(["behind with rent", "purple elephants", "so sad and lonely"]))
    assert (rows >= 0).all()
    assert (rows.sum(axis=1) <= 1.0001).all()


def test_a_message_about_nothing_we_know_gets_low_probabilities(head: NeedHead) -> None:
    known, unknown = head.probabilities(WordEncoder().encode(["behind with rent", "purple elephants dancing"]))
    assert unknown.sum() < 0.2 < known.max()


def test_clauses_speak_for_their_own_needs(head: NeedHead) -> None:
    parts = ["owe rent and so lonely", "owe rent", "so lonely"]
    chances, speakers = head.read_message(WordEncoder().encode(parts))
    ids = [each.id for each in NEEDS]
    assert speakers[ids.index("rent")] in {0, 1}
    assert speakers[ids.index("loneliness")] == 2
    assert min(chances[ids.index("rent")], chances[ids.index("loneliness")]) > 0.3


def test_many_clauses_speak_more_softly(head: NeedHead) -> None:
    vectors = WordEncoder().encode(["zzz", *["owe rent"] * 6])
    loud, _ = head.read_message(vectors[:2])
    soft, _ = head.read_message(vectors)
    assert soft.max() < loud.max()


def test_it_is_the_same_after_saving(head: NeedHead, tmp_path: Path) -> None:
    head.save(tmp_path / "head.npz")
    vectors = WordEncoder().encode(["behind with rent", "so sad"])
    np.testing.assert_array_equal(
        NeedHead.load(tmp_path / "head.npz").probabilities(vectors), head.probabilities(vectors)
    )


@pytest.mark.parametrize("count", [1, 2])
def test_a_catalogue_with_one_or_two_needs_works(count: int) -> None:
    needs = [need("rent", "owe rent", "behind with rent"), need("debt", "bailiffs came", "owe on cards")][:count]
    texts, owners = training_texts(needs)
    head = train_head(WordEncoder().encode(texts), owners)
    assert head.probabilities(WordEncoder().encode(["owe rent"]))[0].argmax() == 0
