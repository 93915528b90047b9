"""A person's rights from the desk: a copy, a hold with its reason, and everything gone."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from channels.conversation import Channel, ServiceCard
from channels.ledger.records import SavedService
from channels.ledger.talk_records import NoteKind, PlanKind
from channels.settings import Settings
from tests.desk_builders import Browser, Office, person_asks, words_of

pytest_plugins = ["tests.desk_fixtures"]

NUMBER = "+441632960001"


@pytest.fixture
async def robin(office: Office) -> Browser:
    return await office.sit_down("Robin", "coordinator")


async def page_of(robin: Browser, number: str = "01632 960001") -> str:
    answer = await robin.post("/desk/rights", channel="sms", address=number)
    assert answer.status_code == 303, words_of(answer.text)
    return str(answer.headers["location"])


async def test_a_number_as_people_write_it_leads_to_what_is_held(office: Office, robin: Browser) -> None:
    await person_asks(office, texts=["cant pay my rent", "its urgent"])
    path = await page_of(robin)
    assert NUMBER[3:] not in path
    assert "Messages 4" in words_of((await robin.get(path)).text)
    assert (await robin.post("/desk/rights", channel="sms", address="01632 960999")).status_code == 404


async def test_a_copy_holds_every_word_as_a_page_and_as_a_file(office: Office, robin: Browser) -> None:
    await person_asks(office, texts=["cant pay my rent <b>now</b>", "its urgent"], place="Millgate")
    path = await page_of(robin)
    file = await robin.post(f"{path}/export", **{"as": "json"})
    told = json.loads(file.text)
    assert told["reached_at"] == [{"channel": "sms", "address": NUMBER}]
    assert [one["text"] for one in told["messages"] if one["from"] == "you"] == [
        "cant pay my rent <b>now</b>",
        "its urgent",
    ]
    assert told["place"] == "Millgate"
    assert told["asked_for_a_person"][0]["state"] == "waiting"
    assert told["notes"] == []
    page = await robin.post(f"{path}/export", **{"as": "page"})
    assert "cant pay my rent &lt;b&gt;now" in page.text
    assert "asked for a person (waiting)" in words_of(page.text)
    assert not re.search(r"[0-9]T[0-9]{2}:", page.text), "times as people say them"
    assert re.search(r"[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}, [0-9]{1,2}(:[0-9]{2})?[ap]m", page.text)
    assert [row.action for row in await office.ledger.audit_log(2)] == ["person_exported", "person_exported"]


async def test_a_copy_holds_what_is_kept_beside_their_words(office: Office, robin: Browser) -> None:
    person = await person_asks(office)
    talk, jo = person.conversation_id, await office.hire("Jo", "peer")
    ledger = office.ledger
    await ledger.lists.save(
        talk,
        SavedService(card=ServiceCard(service_id="svc-a", name="Rent Rescue", phone="01632 960104"), seq=1, place=0),
    )
    await ledger.talk.add(talk, NoteKind.NOTE, jo.id, {"text": "likes <b>mornings</b>"})
    outcome = {
        "escalation": person.escalation_id,
        "connected": "yes",
        "needs": ["food", "energy_heating"],
        "signposted": [],
    }
    await ledger.talk.add(talk, NoteKind.OUTCOME, jo.id, outcome)
    await ledger.talk.add(talk, NoteKind.SAFEGUARDING, jo.id, {"text": "afraid of somebody"})
    await ledger.planned.plan(talk, jo, PlanKind.MESSAGE, datetime.now(UTC) + timedelta(days=1), "how was the visit?")
    await ledger.planned.plan(talk, jo, PlanKind.SNOOZE, datetime.now(UTC) + timedelta(hours=1), "ring the bailiffs")
    await ledger.talk.add(talk, NoteKind.NAMED_PEER, jo.id, {"peer": jo.id, "name": "Jo", "agreed": "", "seq": "7"})
    path = await page_of(robin)
    assert "text message, number ending 001" in words_of((await robin.get(path)).text), (
        "whose it is, before it is erased"
    )
    told = json.loads((await robin.post(f"{path}/export", **{"as": "json"})).text)
    assert [one["name"] for one in told["my_list"]] == ["Rent Rescue"]
    assert [one["noted"] for one in told["notes"]][:2] == [{"text": "likes <b>mornings</b>"}, outcome]
    assert {one["text"] for one in told["still_to_come"]} == {"how was the visit?", "ring the bailiffs"}
    assert told["safeguarding_notes_to_look_at"] == 1
    assert "afraid of somebody" not in json.dumps(told)
    page = (await robin.post(f"{path}/export", **{"as": "page"})).text
    assert "likes &lt;b&gt;mornings" in page
    assert "how was the visit?" in words_of(page)
    assert "needs: Food for today; Heating, gas and electric" in words_of(page)
    assert "What we understood you need Rent and mortgage worries" in words_of(page)
    assert "connected: They got through" in words_of(page)
    assert person.escalation_id not in page and jo.id not in page, "ids say nothing to anybody"
    agreed, noted = words_of(page).split("What we noted")
    assert "A message, still to come: how was the visit?" in agreed
    assert ("bailiffs" in agreed, "A reminder to ourselves: ring the bailiffs" in noted) == (False, True)
    assert "safeguarding notes (1)" in words_of(page)


async def test_a_hold_keeps_words_beyond_their_time_until_it_is_lifted(
    office: Office, robin: Browser, settings: Settings
) -> None:
    person = await person_asks(office)
    await office.ledger.talk.add(person.conversation_id, NoteKind.SAFEGUARDING, "jo", {"text": "said to be afraid"})
    path = await page_of(robin)
    assert (await robin.post(f"{path}/hold", reason=" ")).status_code == 422
    await robin.post(f"{path}/hold", reason="safeguarding enquiry, asked by the board")
    assert "safeguarding enquiry" in (await robin.get(path)).text
    late = datetime.now(UTC) + timedelta(days=1)
    for message in await office.ledger.messages(person.conversation_id):
        if message.delivery is not None:
            await office.ledger.mark_failed(message.id, "x", "gone", None)
    assert await office.ledger.expire(late) == 0
    assert (await office.ledger.messages(person.conversation_id))[0].text == "cant pay my rent"
    assert len(await office.ledger.talk.notes(person.conversation_id)) == 1
    await robin.post(f"{path}/hold", lift="yes")
    assert await office.ledger.expire(late) > 0
    assert (await office.ledger.messages(person.conversation_id))[0].text == ""
    assert await office.ledger.talk.notes(person.conversation_id) == []


async def test_their_own_forget_me_is_carried_out_in_spite_of_a_hold(office: Office, robin: Browser) -> None:
    person = await person_asks(office)
    path = await page_of(robin)
    await robin.post(f"{path}/hold", reason="a reason")
    conversation = await office.ledger.conversation(person.conversation_id)
    await office.ledger.forget(conversation.person_id)
    assert await office.ledger.person_at(Channel.SMS, NUMBER) is None
    assert await office.ledger.rights.hold_of(conversation.person_id) is None


async def test_erasing_asks_for_a_word_and_respects_a_hold(office: Office, robin: Browser) -> None:
    await person_asks(office)
    path = await page_of(robin)
    assert (await robin.post(f"{path}/erase", confirm="yes")).status_code == 422
    await robin.post(f"{path}/hold", reason="a reason")
    assert (await robin.post(f"{path}/erase", confirm="erase")).status_code == 409
    await robin.post(f"{path}/hold", lift="yes")
    assert "Erased, everywhere." in (await robin.post(f"{path}/erase", confirm="Erase")).text
    assert await office.ledger.person_at(Channel.SMS, NUMBER) is None


async def test_nobody_else_gets_there(office: Office, robin: Browser) -> None:
    await person_asks(office)
    path = await page_of(robin)
    for name, role in (("Jo", "peer"), ("Lee", "lead"), ("Eve", "editor")):
        browser = await office.sit_down(name, role)
        assert (await browser.get(path)).status_code == 403
        assert (await browser.get("/desk/rights")).status_code == 403


@pytest.mark.parametrize("person", ["unknown", "0" * 24, "..%2f..%2fledger", "é"])
async def test_no_other_address_says_anything(robin: Browser, person: str) -> None:
    assert (await robin.get(f"/desk/rights/{person}")).status_code == 404
