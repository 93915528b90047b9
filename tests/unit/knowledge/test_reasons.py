"""The words beside each suggestion."""

from __future__ import annotations

import pytest

from knowledge.choosing import Candidate, Pick, Wish
from knowledge.hours import Opening
from knowledge.reasons import distance_words, lower_first, reason_for
from tests.unit.knowledge.builders import service

LABELS = {"rent": "Rent and mortgage worries", "lgbt": "LGBT+ life"}
SHUT = Opening(is_open=False, words="opens Monday 9am")
OPEN = Opening(is_open=True, words="open now until 5pm")


@pytest.mark.parametrize(
    ("rung", "need", "sure", "words"),
    [
        ("need", "rent", True, "because you mentioned rent and mortgage worries"),
        ("need", "lgbt", True, "because you mentioned LGBT+ life"),
        ("need", "rent", False, "because this may be about rent and mortgage worries"),
        ("crisis", "rent", True, "because this may be about rent and mortgage worries, and somebody is there to talk"),
        ("related", "rent", True, "because it helps with rent and mortgage worries, which is close to what you asked"),
        ("named", None, True, "because you named it"),
        ("near", None, True, "because it sounds like what you wrote"),
        ("line", None, True, "because anybody can get in touch with it, wherever they are"),
        ("any", None, True, "because it may know who can help"),
        ("need", "unknown", True, "because it may know who can help"),
    ],
)
def test_why(rung: str, need: str | None, sure: bool, words: str) -> None:
    pick = Pick(candidate=Candidate(service=service("A"), score=1, serves={}, opening=SHUT), rung=rung, need=need)
    assert reason_for(pick, {"rent": Wish(need="rent", sure=sure), "lgbt": Wish(need="lgbt")}, LABELS) == words


def test_the_rest_follows_in_one_line() -> None:
    listed = service("A", eligibility="For men.")
    pick = Pick(candidate=Candidate(service=listed, score=1, serves={}, opening=OPEN, miles=0.42), rung="named")
    assert reason_for(pick, {}, LABELS, "Millgate") == (
        "because you named it; open now until 5pm; 0.4 miles from Millgate; for some people, see good to know"
    )
    assert "miles" not in reason_for(pick, {}, LABELS)


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (True, "because you named it; Millgate is in the area it serves"),
        (False, "because you named it; Millgate is outside the area it serves"),
        (None, "because you named it"),
    ],
)
def test_the_area_that_was_drawn_is_said(served: bool | None, words: str) -> None:
    held = Candidate(service=service("A"), score=1, serves={}, opening=SHUT, served=served)
    assert reason_for(Pick(candidate=held, rung="named"), {}, LABELS, "Millgate") == words
    assert reason_for(Pick(candidate=held, rung="named"), {}, LABELS) == "because you named it"


@pytest.mark.parametrize(
    ("miles", "words"),
    [(0.0, "in Foxley"), (0.14, "in Foxley"), (0.5, "0.5 miles from Foxley"), (1.0, "1 mile from Foxley"),
     (2.04, "2 miles from Foxley"), (9.96, "10 miles from Foxley"), (37.2, "37 miles from Foxley")],
)  # fmt: skip
def test_distances(miles: float, words: str) -> None:
    assert distance_words(miles, "Foxley") == words


@pytest.mark.parametrize(
    ("label", "inside"), [("Feeling low", "feeling low"), ("LGBT+", "LGBT+"), ("", ""), ("A", "A")]
)
def test_labels_inside_a_sentence(label: str, inside: str) -> None:
    assert lower_first(label) == inside
