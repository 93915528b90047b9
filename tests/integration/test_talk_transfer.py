"""Bringing somebody in, warmly: nobody leaves before they have met, and nothing is passed on unread or unasked."""

from __future__ import annotations

import re

import httpx
import pytest

from channels.conversation import Holder
from channels.ledger import Ledger
from channels.ledger.duties import Duty
from channels.ledger.talk_records import IntroductionState
from tests.desk_builders import Browser, Office, Person, person_asks, staff_named, texts, words_of
from tests.ledger_builders import text_from
from tests.queue_builders import TEAMS

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


@pytest.fixture
async def person(office: Office, jo: Browser, ana: Browser) -> Person:
    """With Jo; Ana is at her desk."""
    found = await person_asks(office, texts=("my secret is the rent",))
    await jo.post(f"{found.page}/take")
    return found


async def says(office: Office, text: str, number: str) -> None:
    await office.ledger.store_inbound(text_from("+441632960001", f"later-{number}", text))


async def read_now(browser: Browser, person: Person) -> str:
    """The number of the last message that the page has shown."""
    found = re.search(r'name="read" value="(\d+)"', (await browser.get(person.page)).text)
    assert found is not None
    return found[1]


async def bring(office: Office, jo: Browser, person: Person, whom: str | None = None) -> httpx.Response:
    value = whom or f"person:{(await staff_named(office, 'Ana')).id}"
    return await jo.post(f"{person.page}/bring-in", whom=value, read=await read_now(jo, person))


async def holder(office: Office, person: Person) -> str:
    escalation = await office.ledger.escalation(person.escalation_id)
    assert escalation is not None
    return escalation.claimed_name


async def test_the_whole_warm_way(office: Office, jo: Browser, ana: Browser, person: Person) -> None:
    assert (await bring(office, jo, person)).status_code == 303
    assert "I'd like to bring in Ana. Is that OK?" in (await texts(office, person.conversation_id))[-1]
    assert "Jo asks you to join them with somebody." in words_of((await ana.get("/desk")).text)
    assert "Jo asks you to join." in words_of((await ana.get(person.page)).text)

    assert (await ana.post(f"{person.page}/reply", text="too early")).status_code == 409
    assert (await ana.post(f"{person.page}/join")).status_code == 303
    said = (await texts(office, person.conversation_id))[-1]
    assert re.search(r"It's \d+(:\d+)?[ap]m and Ana is here now", said)
    assert "Jo is still here with you too" in said

    async def leave(**fields: str) -> httpx.Response:
        return await jo.post(f"{person.page}/leave-them", read=await read_now(jo, person), **fields)

    refused = await leave()
    assert refused.status_code == 409
    assert "Your colleague has not written to them yet." in words_of(refused.text)
    assert (await ana.post(f"{person.page}/reply", text="Hi, I am Ana.")).status_code == 303
    assert (await jo.post(f"{person.page}/reply", text="Ana knows a lot about rent.")).status_code == 303
    refused = await leave(agreed="yes")
    assert refused.status_code == 409
    assert "They have not said yet that it is fine." in words_of(refused.text)
    assert await holder(office, person) == "Jo"

    await says(office, "ok thanks", "1")
    assert "They said that it is fine with Ana." in words_of((await jo.get(person.page)).text)
    left = await leave()
    assert left.headers["location"] == "/desk?said=introduced"
    assert await holder(office, person) == "Ana"
    conversation = await office.ledger.conversation(person.conversation_id)
    assert conversation.holder is Holder.PEER
    assert "Jo has left the chat now. You are with Ana from here." in (await texts(office, person.conversation_id))[-1]
    assert (await jo.post(f"{person.page}/reply", text="one more thing")).status_code == 409
    assert (await ana.post(f"{person.page}/reply", text="So, the rent.")).status_code == 303
    actions = [row.action for row in await office.ledger.audit_log()]
    assert {"introduction_offered", "introduction_joined", "introduction_done"} <= set(actions)
    assert await office.ledger.verify_audit()


async def test_nothing_is_passed_on_unread(office: Office, jo: Browser, ana: Browser, person: Person) -> None:
    seen = await read_now(jo, person)
    await says(office, "wait there is something else", "1")
    whom = f"person:{(await staff_named(office, 'Ana')).id}"
    refused = await jo.post(f"{person.page}/bring-in", whom=whom, read=seen)
    assert refused.status_code == 409
    assert "They have written something that you have not read yet." in words_of(refused.text)
    assert await office.ledger.introductions.current(person.escalation_id) is None

    await bring(office, jo, person)
    await ana.post(f"{person.page}/join")
    await ana.post(f"{person.page}/reply", text="Hi, I am Ana.")
    await says(office, "ok", "2")
    seen = await read_now(jo, person)
    await says(office, "actually i am scared of her", "3")
    assert (await jo.post(f"{person.page}/leave-them", read=seen, agreed="yes")).status_code == 409
    assert await holder(office, person) == "Jo"


async def test_other_words_of_agreement_are_vouched_for(
    office: Office, jo: Browser, ana: Browser, person: Person
) -> None:
    await bring(office, jo, person)
    await ana.post(f"{person.page}/join")
    await ana.post(f"{person.page}/reply", text="Hi, I am Ana.")
    await says(office, "she sounds nice, lets do that", "1")
    page = words_of((await jo.get(person.page)).text)
    assert "They have answered Ana." in page
    assert "They have said that it is fine with them" in page
    read = await read_now(jo, person)
    assert (await jo.post(f"{person.page}/leave-them", read=read)).status_code == 409
    assert (await jo.post(f"{person.page}/leave-them", read=read, agreed="yes")).status_code == 303
    assert await holder(office, person) == "Ana"


async def test_nobody_finishes_over_a_guest_and_anybody_may_pass_on(
    office: Office, jo: Browser, ana: Browser, person: Person
) -> None:
    await bring(office, jo, person)
    await ana.post(f"{person.page}/join")
    refused = await jo.post(f"{person.page}/close")
    assert refused.status_code == 409
    assert "Ana is here with them too." in words_of(refused.text)
    assert (await jo.post(f"{person.page}/pass-on")).status_code == 303
    assert (await ana.get(person.page)).status_code == 200
    assert (await ana.post(f"{person.page}/take")).status_code == 303
    assert await holder(office, person) == "Ana"


async def test_it_can_be_taken_back_and_the_person_hears_it(
    office: Office, jo: Browser, ana: Browser, person: Person
) -> None:
    await bring(office, jo, person)
    assert (await jo.post(f"{person.page}/withdraw")).status_code == 303
    assert "Ana is not coming in now." in (await texts(office, person.conversation_id))[-1]
    assert (await ana.post(f"{person.page}/join")).status_code in {404, 409}
    assert (await ana.get(person.page)).status_code == 404


@pytest.mark.parametrize("stage", ["asked", "there"])
async def test_an_introduction_is_over_for_good_once_whoever_offered_it_has_let_go(
    office: Office, jo: Browser, ana: Browser, person: Person, stage: str
) -> None:
    await bring(office, jo, person)
    if stage == "there":
        await ana.post(f"{person.page}/join")
    await jo.post(f"{person.page}/pass-on")
    await jo.post(f"{person.page}/take")
    assert await holder(office, person) == "Jo"
    assert (await ana.get(person.page)).status_code == 404
    assert (await ana.post(f"{person.page}/join")).status_code == 409
    assert (await ana.post(f"{person.page}/reply", text="Me again.")).status_code == 409
    assert "asks you to join" not in words_of((await ana.get("/desk")).text)


async def put_in(office: Office, name: str, *teams: str) -> None:
    """In those teams of the queue that several organisations share."""
    peer = await staff_named(office, name)
    await office.ledger.queue.keep_duty(Duty(peer_id=peer.id, teams=frozenset(teams)), "test")


@pytest.fixture
async def shared_office(office: Office, jo: Browser, person: Person) -> Office:
    """Jo is in a team of ours."""
    office.escalations.teams = TEAMS
    await put_in(office, "Jo", "peers")
    return office


async def test_of_a_team_whoever_comes_first_joins(
    shared_office: Office, jo: Browser, ana: Browser, person: Person
) -> None:
    office = shared_office
    sam = await office.sit_down("Sam")
    for name in ("Sam", "Ana"):
        await put_in(office, name, "peers")
    await bring(office, jo, person, "team:peers")
    assert "bring in someone from Peer workers" in (await texts(office, person.conversation_id))[-1]
    assert (await sam.get(person.page)).status_code == 200
    assert (await ana.post(f"{person.page}/join")).status_code == 303
    assert (await sam.post(f"{person.page}/join")).status_code in {404, 409}
    found = await office.ledger.introductions.current(person.escalation_id)
    assert found is not None
    assert (found.state, found.guest_name) == (IntroductionState.JOINED, "Ana")


@pytest.mark.parametrize("whom", [pytest.param("team:debt", id="its team"), pytest.param("", id="one of its people")])
async def test_another_organisation_reads_only_what_the_person_agreed_to(
    shared_office: Office, jo: Browser, ana: Browser, person: Person, whom: str
) -> None:
    office = shared_office
    await put_in(office, "Ana", "debt")
    assert (await ana.get(person.page)).status_code == 404
    whom = whom or f"person:{(await staff_named(office, 'Ana')).id}"
    refused = await bring(office, jo, person, whom)
    assert refused.status_code == 409
    assert "reads only what the person agrees to" in words_of(refused.text)
    await jo.post(f"{person.page}/summary", summary="Behind with the rent.", ask="yes")
    await says(office, "yes", "1")
    await jo.post(f"{person.page}/summary-agreed")
    await jo.post(f"{person.page}/note", note="my thoughts about it")
    assert (await bring(office, jo, person, whom)).status_code == 303
    for when in ("asked", "joined"):
        page = (await ana.get(person.page)).text
        assert "my secret is the rent" not in page, when
        assert "my secret is the rent" not in (await ana.get(f"{person.page}?before=3")).text, when
        assert "my thoughts about it" not in page, when
        assert "Behind with the rent." in page, when
        await ana.post(f"{person.page}/join")
    await ana.post(f"{person.page}/reply", text="Hi, I am Ana.")
    await says(office, "ok", "2")
    await jo.post(f"{person.page}/leave-them", read=await read_now(jo, person))
    assert await holder(office, person) == "Ana"
    assert "my secret is the rent" not in (await ana.get(person.page)).text


async def test_a_lead_can_be_invited_and_is_told(office: Office, jo: Browser, person: Person) -> None:
    robin = await office.sit_down("Robin", role="coordinator")
    await bring(office, jo, person, "lead")
    assert "Someone who leads our team has been asked to come." in words_of((await jo.get(person.page)).text)
    assert words_of((await robin.get("/desk")).text).count("Jo would like a lead to come.") == 1
    assert (await robin.post(f"{person.page}/join")).status_code == 303
    assert "would like a lead" not in words_of((await robin.get("/desk")).text)
    assert (await robin.post(f"{person.page}/reply", text="Hi, I am Robin.")).status_code == 303


@pytest.mark.parametrize("whom", ["", "person:nobody", "team:none", "person:", "x"])
async def test_nobody_is_brought_in_who_is_not_there(office: Office, jo: Browser, person: Person, whom: str) -> None:
    refused = await jo.post(f"{person.page}/bring-in", whom=whom, read="99")
    assert refused.status_code == 409
    assert "Choose whom to bring in." in words_of(refused.text)


async def test_an_outsider_neither_joins_nor_leaves(office: Office, jo: Browser, ana: Browser, person: Person) -> None:
    for act in ("join", "leave-them", "withdraw", "bring-in", "summary", "finish", "reveal", "break", "look", "draft"):
        answer = await ana.post(f"{person.page}/{act}", text="mine")
        assert answer.status_code in {404, 409}, act
    assert await holder(office, person) == "Jo"
