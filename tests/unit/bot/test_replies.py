"""From a listing to the card a person sees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.actions.replies import CardMaker, details_choice
from knowledge.catalogue import Location, Phone, Service, Status
from tests.unit.bot.fakes import FOXLEY, LISTENERS, NOW, RENT_RESCUE, load_words, make_service

MAKER = CardMaker(wording=load_words(), now=NOW)
NEAR = CardMaker(wording=load_words(), now=NOW, near=FOXLEY)


def test_a_line_of_a_list() -> None:
    card = MAKER.make_card(RENT_RESCUE, why="because you mentioned rent")
    assert (card.service_id, card.name, card.phone) == ("svc-rent-help", "Rent Rescue drop-in", "01632 960112")
    assert card.summary == "Rent Rescue drop-in will sit down with you."
    assert card.hours == "open now until 4:30pm"
    assert card.place == "Bell Street, WZ1"
    assert (card.cost, card.how_to, card.good_to_know) == ("Free", "Just turn up.", "")
    assert card.checked == "checked 14 October 2026"
    assert card.why == "because you mentioned rent"


def test_everything_about_one() -> None:
    card = NEAR.make_card(RENT_RESCUE, detail=True)
    assert card.summary.endswith("You can bring a friend.")
    assert card.hours == "open now until 4:30pm (Monday and Tuesday 9:30am to 4:30pm)"
    assert card.place == "Advice Shop, 12 Bell Street, WZ1 2AB; 1.6 miles"
    assert card.why == ""


def test_a_text_message_gets_the_summary() -> None:
    assert replace(NEAR, short=True).make_card(RENT_RESCUE, detail=True).summary == RENT_RESCUE.summary


@pytest.mark.parametrize(
    ("phone", "expected", "tapped"),
    [
        pytest.param(Phone(number="01632 960112"), "01632 960112", "tel:01632960112", id="a number"),
        pytest.param(
            Phone(number="01632 960112", extension="4"), "01632 960112 ext 4", "tel:01632960112", id="an extension"
        ),
        pytest.param(Phone(number="+44 1632 960112"), "+44 1632 960112", "tel:+441632960112", id="from abroad"),
        pytest.param(Phone(number="82111", sms=True), "text 82111", "sms:82111", id="a number to text"),
        pytest.param(
            Phone(number="85258", sms=True, description="Text the word SHOUT"),
            "text SHOUT to 85258",
            "sms:85258?&body=SHOUT",
            id="with a word",
        ),
        pytest.param(Phone(number="ask inside"), "ask inside", "", id="no number at all"),
    ],
)
def test_phones(phone: Phone, expected: str, tapped: str) -> None:
    card = MAKER.make_card(make_service("svc-a", "A", phones=(phone,)))
    assert (card.phone, card.call) == (expected, tapped)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "Monday and Tuesday 9:30am to 4:30pm", id="the week"),
        pytest.param({"schedules": ()}, "ask for hours", id="not known"),
        pytest.param({"assured_date": date(2020, 1, 1)}, "ring to check hours", id="not checked for years"),
        pytest.param({"status": Status.TEMPORARILY_CLOSED}, "closed for now", id="closed for now"),
    ],
)
def test_hours_that_stay_true(changes: dict[str, Any], expected: str) -> None:
    assert MAKER.make_card(replace(RENT_RESCUE, **changes)).usual_hours == expected


def test_the_first_phone_is_the_one_shown() -> None:
    phones = (Phone(number="01632 960001"), Phone(number="01632 960002"))
    assert MAKER.make_card(make_service("svc-a", "A", phones=phones)).phone == "01632 960001"


def test_without_a_phone_the_other_contacts_stay() -> None:
    card = MAKER.make_card(make_service("svc-a", "A", phones=(), email="a@a.example"))
    assert (card.phone, card.email) == ("", "a@a.example")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param(Location(address="12 Bell Street", postcode="WZ1 2AB"), "Bell Street, WZ1", id="no house number"),
        pytest.param(Location(address="12a Bell Street"), "Bell Street", id="no postcode"),
        pytest.param(Location(name="The Barn", postcode="WZ6 1AA"), "The Barn, WZ6", id="a name only"),
        pytest.param(Location(latitude=54.17, longitude=-0.88), "less than half a mile", id="only where it is"),
        pytest.param(
            Location(address="1 High Row", latitude=54.185, longitude=-0.88), "High Row; 1.0 miles", id="and how far"
        ),
        pytest.param(
            Location(address="1 High Row", latitude=54.97, longitude=-0.88), "High Row; 55 miles", id="far: no decimals"
        ),
    ],
)
def test_places(location: Location, expected: str) -> None:
    assert NEAR.make_card(make_service("svc-a", "A", locations=(location,))).place == expected


def test_of_several_locations_the_nearest() -> None:
    far = Location(address="1 Far Row", latitude=54.9, longitude=-0.88)
    near = Location(address="2 Near Row", latitude=54.17, longitude=-0.881)
    unknown = Location(address="3 Lost Row")
    service = make_service("svc-a", "A", locations=(unknown, far, near))
    assert NEAR.make_card(service).place.startswith("Near Row")
    assert MAKER.make_card(service).place == "Lost Row"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, "", id="for everyone"),
        pytest.param({"eligibility": "For women; men can ring us"}, "For women; men can ring us.", id="editors' words"),
        pytest.param({"minimum_age": 16, "maximum_age": 25}, "For ages 16 to 25.", id="ages"),
        pytest.param({"minimum_age": 18}, "For ages 18 and over.", id="from an age"),
        pytest.param({"maximum_age": 25}, "For ages up to 25.", id="up to an age"),
        pytest.param({"eligibility": "For ages 11 to 25.", "maximum_age": 25}, "For ages 11 to 25.", id="said once"),
        pytest.param({"companion": True}, "Someone can come with you the first time.", id="a companion"),
        pytest.param({"alert": "New door", "minimum_age": 18}, "New door. For ages 18 and over.", id="an alert first"),
    ],
)  # fmt: skip
def test_good_to_know(values: dict[str, object], expected: str) -> None:
    assert MAKER.make_card(make_service("svc-a", "A", **values)).good_to_know == expected


def test_details_add_languages_and_access() -> None:
    location = Location(address="1 Row", accessibility="Step-free")
    service = make_service("svc-a", "A", languages=("en", "pl", "xx"), locations=(location,))
    assert MAKER.make_card(service, detail=True).good_to_know == "Languages: English and Polish. Step-free."


def test_a_listing_never_checked_says_nothing_about_it() -> None:
    assert MAKER.make_card(make_service("svc-a", "A", assured_date=None)).checked == ""


@pytest.mark.parametrize(
    ("hour", "expected"), [(8, "opens today 9:30am"), (12, "open now until 4:30pm"), (20, "opens tomorrow 9:30am")]
)
def test_hours_follow_the_clock_where_the_people_are(hour: int, expected: str) -> None:
    monday = datetime(2026, 11, 16, hour, tzinfo=ZoneInfo("UTC"))
    assert replace(MAKER, now=monday).make_card(RENT_RESCUE).hours == expected


def test_a_line_is_always_open() -> None:
    assert MAKER.make_card(LISTENERS).hours == "open 24 hours"


def test_a_choice_opens_a_service() -> None:
    assert details_choice(RENT_RESCUE).payload == "details:svc-rent-help"


def test_an_id_that_would_not_fit_a_button_is_named_as_the_fault() -> None:
    long: Service = make_service("s" * 60, "A")
    with pytest.raises(ValueError, match="longer than a payload"):
        details_choice(long)
