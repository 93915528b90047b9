"""What must be put right before a listing goes in front of people, and what is only advice."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.catalogue import Organisation
from knowledge.editing.forms import Form, Problem, write_form
from knowledge.editing.readability import reading_age
from knowledge.editing.rules import check_form
from knowledge.editing.words import load_words
from knowledge.publish import read_content
from knowledge.settings import read_settings
from tests.unit.knowledge.builders import service

WORDS = load_words()
OWNERS = {"org-a": Organisation(id="org-a", name="A")}
GOOD: Form = write_form(
    service("Rent Rescue", "rent", organisation=OWNERS["org-a"], description="You come in. We make tea and talk.")
)


def found(**fields: Any) -> list[Problem]:
    return list(check_form({**GOOD, **fields}, "rent-rescue", OWNERS, {"rent": "Rent"}, WORDS)[1])


def test_a_good_listing_has_nothing_to_put_right() -> None:
    assert found() == []


def test_the_demo_catalogue_has_no_errors() -> None:
    needs, files = read_content(read_settings(demo=True, country="GB"))
    owners = {owner.id: owner for owner in files.organisations}
    known = {need.id: need.label for need in needs}
    wrong = [
        (listing.id, str(problem))
        for listing in files.services
        for problem in check_form(write_form(listing), listing.id, owners, known, WORDS)[1]
        if problem.error
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": "A" * 41}, "name", "at most 40"),
        ({"summary": "Tea \u2615 for all."}, "summary", "plain letters"),
        ({"description": "You are not eligible if you drink."}, "description", "who else can help"),
        ({"eligibility": "We cannot help people from Foxley."}, "eligibility", "cannot"),
        ({"how_to": "Text STOP to end."}, "how_to", "Phone networks"),
        ({"alert": "For those who committed suicide."}, "alert", "died by suicide"),
        ({"website": "www.rent.example"}, "website", "https://"),
        ({"website": "https://rent example.org"}, "website", "https://"),
        ({"website": "https://rent"}, "website", "https://"),
        ({"email": "rent at example"}, "email", "name@place"),
        ({"phones": [{"number": "ring us", "description": "", "extension": "", "sms": False}]}, "phones", "digits"),
        ({"minimum_age": "20", "maximum_age": "10"}, "minimum_age", "Swap"),
    ],
)  # fmt: skip
def test_errors_name_the_field_and_the_fix(fields: dict[str, Any], field: str, said: str) -> None:
    errors = [problem for problem in found(**fields) if problem.error]
    assert {problem.field for problem in errors} == {field}
    assert any(said in problem.text for problem in errors)


@pytest.mark.parametrize("field", ["summary", "description", "eligibility", "how_to"])
@pytest.mark.parametrize(
    "phrase",
    [
        "not eligible",
        "cannot help",
        "can't help",
        "do not accept",
        "don't accept",
        "no access",
        "turned away",
        "excluded",
    ],
)
def test_a_phrase_that_cannot_stay_is_named_once(field: str, phrase: str) -> None:
    (problem,) = [problem for problem in found(**{field: f"You {phrase} here."}) if problem.error]
    assert (problem.field, phrase in problem.text) == (field, True)


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"description": "Our service users get a hot meal."}, "description", "people"),
        ({"description": "We facilitate sessions."}, "description", "help, or: run"),
        ({"description": "Comprehensive multidisciplinary psychological interventions delivered collaboratively."},
         "description", "Reading age"),
        ({"phones": [{"number": "01632 960112 34", "description": "", "extension": "", "sms": False}]},
         "phones-0-number", "does not look whole"),
    ],
)  # fmt: skip
def test_advice_does_not_keep_anything_back(fields: dict[str, Any], field: str, said: str) -> None:
    advice = found(**fields)
    assert not any(problem.error for problem in advice)
    assert any(problem.field == field and said in problem.text for problem in advice)


def test_a_place_without_coordinates_is_advice() -> None:
    place = {"name": "Hall", "address": "", "postcode": "WZ1 1AA", "latitude": "", "longitude": "", "accessibility": ""}
    (problem,) = found(locations=[place])
    assert not problem.error


@pytest.mark.parametrize(
    ("text", "youngest", "oldest"),
    [
        pytest.param("You come in. We make tea and talk.", 5, 7, id="very easy"),
        pytest.param("Someone sits with you and helps with the forms. Bring a friend if you like.", 5, 10, id="easy"),
        pytest.param("We provide comprehensive information regarding statutory entitlements and obligations.", 17, 40,
                     id="hard"),
    ],
)  # fmt: skip
def test_reading_age(text: str, youngest: float, oldest: float) -> None:
    age = reading_age(text)
    assert age is not None
    assert youngest <= age <= oldest


def test_of_a_few_words_nothing_is_said() -> None:
    assert reading_age("Free") is None
    assert reading_age("") is None
    assert reading_age("0800 123 123. 4!") is None


def test_names_inside_a_sentence_do_not_make_it_hard() -> None:
    assert reading_age("Come to the Millgate Community Association hall.") == reading_age(
        "Come to the Town Big Red hall."
    )
