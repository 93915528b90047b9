"""How a listing looks in a message: the same lines as are sent, and what they cost."""

from __future__ import annotations

import pytest

from channels.conversation import Channel, Choice, Reply, ServiceCard
from channels.fitting import fit
from channels.gsm7 import segments
from channels.wording import Wording
from knowledge.catalogue import Location, Organisation, Phone
from knowledge.editing.rendering import (
    Moment,
    measure,
    render_details,
    render_list,
    render_telegram,
    say_phone,
    web_facts,
)
from tests.unit.knowledge.builders import MONDAY_NOON, OFFICE, service

SHOP = service("Advice Shop", "rent", schedules=OFFICE, how_to="Just turn up.", alert="Closed on 25 December",
               locations=(Location(name="Hall", address="12 Bell Street", postcode="WZ1 2AB"),),
               companion=True)  # fmt: skip
MOMENT = Moment(now=MONDAY_NOON, zone="Europe/London", stale_days=365)


@pytest.mark.parametrize(
    "text", ["", "a", "a" * 160, "a" * 161, "a" * 306, "a" * 307, "\u20ac" * 80, "\u20ac" * 81, "\u2615" * 70,
             "\u2615" * 71]
)  # fmt: skip
def test_segments_are_counted_as_the_sending_side_counts_them(text: str) -> None:
    assert measure(text).segments == (segments(text) if text else 0)


def test_a_list_is_the_one_that_is_sent_without_the_assistants_sentence() -> None:
    others = [service("Rent Rescue", "rent"), service("Food Share", "food")]
    cards = tuple(
        ServiceCard(service_id=each.id, name=each.name, phone=each.phones[0].number, summary=each.summary)
        for each in (SHOP, *others)
    )
    choices = (*(Choice(title=card.name, payload=f"details:{card.service_id}") for card in cards),
               Choice(title="Talk to a person", payload="person"))  # fmt: skip
    (sent,) = fit(Channel.SMS, Reply(text="", cards=cards, choices=choices), Wording.load())
    assert render_list([SHOP, *others]).text == sent.text


def test_details_are_in_the_order_a_person_needs_them() -> None:
    lines = render_details(SHOP, MOMENT).text.splitlines()
    assert lines[0] == "Advice Shop 01632 960001"
    assert lines[2].startswith("Open now until 5pm (Monday to Friday 9am to 5pm)")
    assert lines[5] == "Good to know: Closed on 25 December. Someone can come with you the first time."
    assert lines[-1] == "Checked 1 November 2026"
    assert web_facts(SHOP, MOMENT)[-1] == "checked 1 November 2026"
    assert render_telegram([SHOP]) == "1. Advice Shop, 01632 960001\nHelp from Advice Shop."


@pytest.mark.parametrize(
    ("phones", "said"),
    [((), ""), ((Phone(number="85258", sms=True),), "text 85258"),
     ((Phone(number="01632 960001", extension="4"),), "01632 960001 ext 4")],
)  # fmt: skip
def test_numbers_as_people_use_them(phones: tuple[Phone, ...], said: str) -> None:
    assert say_phone(service("A", phones=phones)) == said


def test_nothing_to_list_is_nothing() -> None:
    assert render_list([]).segments == 0
    assert render_details(
        service("A", phones=(), cost="", summary="", organisation=Organisation(id="o", name="O")), MOMENT
    )
