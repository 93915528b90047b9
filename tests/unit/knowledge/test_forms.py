"""A listing as a form: there and back, what people type, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from starlette.datastructures import FormData

from knowledge.catalogue import DAYS, Location, Organisation, Phone, Schedule, Service
from knowledge.editing.forms import Form, Problem, blank_form, fill_in, read_posted, write_form, write_service
from knowledge.editing.times import read_clock, say_clock, say_times
from knowledge.editing.words import load_words
from knowledge.publish import read_content
from knowledge.settings import read_settings
from tests.unit.knowledge.builders import service

WORDS = load_words()
OWNERS = {"org-a": Organisation(id="org-a", name="A")}
NEEDS = {"rent": "Rent", "food": "Food"}
GOOD: Form = write_form(service("Rent Rescue", "rent", organisation=OWNERS["org-a"], description="You talk, we help."))


def problems(**fields: Any) -> list[Problem]:
    return write_service({**GOOD, **fields}, "rent-rescue", OWNERS, NEEDS)[1]


def as_posted(form: Form) -> FormData:
    """What a browser sends for a form that is shown like this."""
    pairs: list[tuple[str, str]] = []
    for field, value in form.items():
        if isinstance(value, bool):
            pairs += [(field, "yes")] if value else []
        elif isinstance(value, str):
            pairs.append((field, value))
        elif field == "languages":
            pairs += [(field, code) for code in value]
        else:
            pairs += [pair for place, row in enumerate(value) for pair in _row(f"{field}-{place}", row)]
    return FormData(pairs)


def _row(prefix: str, row: Any) -> list[tuple[str, str]]:
    if isinstance(row, str):
        return [(prefix, row)]
    pairs = []
    for cell, value in row.items():
        if isinstance(value, bool):
            pairs += [(f"{prefix}-{cell}", "yes")] if value else []
        elif isinstance(value, list):
            pairs += [(f"{prefix}-{cell}", each) for each in value]
        else:
            pairs.append((f"{prefix}-{cell}", value))
    return pairs


def every_listing() -> tuple[Service, ...]:
    return read_content(read_settings(demo=True, country="GB"))[1].services


@pytest.mark.parametrize("listing", every_listing(), ids=lambda listing: listing.id)
def test_every_listing_comes_back_from_its_form_as_it_was(listing: Service) -> None:
    form = write_form(listing)
    posted = read_posted(as_posted(form), form)
    needs = dict.fromkeys(listing.needs, "")
    again, found = write_service(posted, listing.id, {listing.organisation.id: listing.organisation}, needs)
    assert not found
    week = tuple(replace(each, days=tuple(sorted(each.days, key=DAYS.index))) for each in listing.schedules)
    assert again == replace(listing, schedules=week)


def test_what_was_drawn_stays_until_another_area_is_chosen() -> None:
    form = write_form(service("A", "rent", drawn="-1,54 -0.8,54 -0.8,54.2 -1,54"))
    assert read_posted(as_posted(form), form)["drawn"] == form["drawn"]
    assert read_posted(as_posted({**form, "area": "county"}), form)["drawn"] == ""


def test_a_form_from_before_areas_were_drawn_is_whole() -> None:
    kept = {name: value for name, value in GOOD.items() if name != "drawn"}
    assert fill_in(kept) == GOOD


def test_a_good_form_has_no_problems() -> None:
    assert not problems()


@pytest.mark.parametrize(
    ("fields", "field", "fix"),
    [
        ({"name": ""}, "name", "Write something"),
        ({"organisation": "org-b"}, "organisation", "Choose who runs it"),
        ({"needs": []}, "needs", "at least one"),
        ({"needs": ["wings"]}, "needs", "Choose another"),
        ({"phones": []}, "phones", "Give a phone number"),
        ({"phones": [{"number": "", "description": "Office", "extension": "", "sms": False}]}, "phones-0-number",
         "Write the number"),
        ({"minimum_age": "sixteen"}, "minimum_age", "whole years"),
        ({"maximum_age": "121"}, "maximum_age", "whole years"),
        ({"kind": "shop"}, "kind", "Choose one"),
        ({"schedules": [{"days": [], "opens": "09:00", "closes": "10:00"}]}, "schedules-0-days", "Tick"),
        ({"schedules": [{"days": ["MO"], "opens": "9", "closes": "10:00"}]}, "schedules-0-opens", "several times"),
        ({"schedules": [{"days": ["MO"], "opens": "09:00", "closes": ""}]}, "schedules-0-closes", "such as 9am"),
        ({"locations": [{"name": "", "address": "", "postcode": "WZ1", "latitude": "north", "longitude": "",
                         "accessibility": ""}]}, "locations-0-latitude", "-90 to 90"),
        ({"locations": [{"name": "", "address": "", "postcode": "", "latitude": "54.1", "longitude": "",
                         "accessibility": ""}]}, "locations-0-latitude", "both, or neither"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_the_field_with_the_fix(fields: dict[str, Any], field: str, fix: str) -> None:
    found = problems(**fields)
    assert [problem.field for problem in found] == [field]
    assert fix in found[0].text
    assert found[0].error


def test_what_was_typed_is_kept_word_for_word_when_it_is_wrong() -> None:
    typed = {**GOOD, "schedules": [{"days": ["MO"], "opens": "nine ish", "closes": "late"}], "minimum_age": "teen"}
    again = read_posted(as_posted(typed), GOOD)
    assert again["schedules"] == typed["schedules"]
    assert again["minimum_age"] == "teen"


def test_times_are_kept_in_one_way_however_they_are_typed() -> None:
    typed = {**GOOD, "schedules": [{"days": ["MO", "TH"], "opens": "10 am", "closes": "2.30pm"}]}
    assert read_posted(as_posted(typed), GOOD)["schedules"] == [
        {"days": ["MO", "TH"], "opens": "10:00", "closes": "14:30"}
    ]
    midnight = {**GOOD, "schedules": [{"days": ["SA"], "opens": "midnight", "closes": "midnight"}]}
    assert read_posted(as_posted(midnight), GOOD)["schedules"] == [
        {"days": ["SA"], "opens": "00:00", "closes": "24:00"}
    ]


@pytest.mark.parametrize(
    ("typed", "kept"), [("wz24ab", "WZ2 4AB"), ("Wz2  4ab", "WZ2 4AB"), ("ask for it", "ask for it"), ("WZ2", "WZ2")]
)
def test_a_postcode_is_kept_as_people_write_it(typed: str, kept: str) -> None:
    row = {"name": "Hall", "address": "", "postcode": typed, "latitude": "", "longitude": "", "accessibility": ""}
    (place,) = read_posted(as_posted({**GOOD, "locations": [row]}), GOOD)["locations"]
    assert place["postcode"] == kept


def test_empty_rows_are_left_out_and_rows_after_them_are_not() -> None:
    posted = FormData([("phones-0-number", " "), ("phones-2-number", "01632 960001"), ("phones-2-sms", "yes")])
    assert read_posted(posted, blank_form())["phones"] == [
        {"number": "01632 960001", "description": "", "extension": "", "sms": True}
    ]


def test_strange_letters_do_no_harm() -> None:
    posted = FormData([("name", "a\0b \ud800 c"), ("description", "one\r\ntwo  three\r\n"), ("phones-0-sms", "yes")])
    form = read_posted(posted, blank_form())
    assert form["name"] == "ab ? c"
    assert form["description"] == "one\ntwo three"


@pytest.mark.parametrize(
    ("typed", "clock"),
    [("9am", "09:00"), ("9 AM", "09:00"), ("2.30pm", "14:30"), ("12pm", "12:00"), ("12am", "00:00"), ("17:00", "17:00"),
     ("9:05", "09:05"), ("24:00", "24:00"), ("midday", "12:00"), ("Noon", "12:00"), ("midnight", "24:00"),
     ("8 p.m.", "20:00")],
)  # fmt: skip
def test_times_as_people_write_them(typed: str, clock: str) -> None:
    assert read_clock(typed) == clock


@pytest.mark.parametrize("typed", ["", "9", "25:00", "9:99", "13pm", "0am", "soon", "9am to 5pm", "24:30"])
def test_what_is_no_time_or_could_be_two_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="time"):
        read_clock(typed)


@pytest.mark.parametrize(
    ("days", "opens", "closes", "said"),
    [
        (["MO", "TH"], "10:00", "14:00", "Mondays and Thursdays 10am to 2pm"),
        (["MO", "TU", "WE"], "09:30", "12:00", "Mondays, Tuesdays and Wednesdays 9:30am to midday"),
        (["FR"], "22:00", "02:00", "Fridays 10pm to 2am the next day"),
        (["MO", "TU", "WE", "TH", "FR", "SA", "SU"], "00:00", "24:00", "every day all day and night"),
        (["SA"], "soon", "late", "Saturdays soon to late"),
    ],
)
def test_opening_times_can_be_read_back(days: list[str], opens: str, closes: str, said: str) -> None:
    assert say_times(days, opens, closes, dict(WORDS.days)) == said


def test_times_are_shown_as_people_say_them() -> None:
    assert [say_clock(clock) for clock in ("09:00", "14:30", "soon")] == ["9am", "2:30pm", "soon"]


def test_every_field_has_words() -> None:
    assert set(GOOD) == set(WORDS.labels)
    assert {cell for row in WORDS.rows.values() for cell in row} >= {"number", "postcode", "opens"}
    assert Phone(number="1")
    assert Location()
    assert Schedule(days=("MO",), opens="09:00", closes="10:00")
