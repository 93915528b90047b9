"""The desk over HTTP: who sees whom in the list, who may take and read what, and how an open page hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from channels.conversation import Channel, Concern
from channels.desk.sessions import Sessions
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests.desk_builders import Browser, Clock, Office, open_office, person_asks, serving, staff_named, texts, words_of
from tests.ledger_builders import ask_for_a_person, text_from

pytest_plugins = ["tests.desk_fixtures"]

WORDING = Wording.load()
WORRY = (Concern.SUICIDE,)


# -- the list


async def test_the_list_says_who_needs_somebody_first_and_why(office: Office, jo: Browser) -> None:
    await person_asks(office, 1, reason="nothing_found")
    await person_asks(office, 2, channel=Channel.TELEGRAM, concerns=WORRY, language="pl")
    page = await jo.get("/desk")
    read = words_of(page.text)
    assert "(2) Desk" in read
    assert "Waiting (2)" in read
    first, second = read.split("Read first", 1)
    assert "thoughts of suicide" in first
    assert "Telegram, Polish" in first
    assert "Rent and mortgage worries" in first
    assert "Nothing fitting was found" in second
    assert "text message" in second
    assert "waiting less than a minute" in second
    assert "cant pay my rent" not in read, "their words are not for everybody who passes the screen"


async def test_an_empty_list_says_so(jo: Browser) -> None:
    assert "Nobody is waiting" in (await jo.get("/desk")).text


async def test_everybody_is_in_one_list(office: Office, jo: Browser, ana: Browser) -> None:
    mine, others, lapsed = [await person_asks(office, end) for end in (1, 2, 3)]
    await jo.post(f"{mine.page}/take")
    await ana.post(f"{others.page}/take")
    await office.escalations.lapse(lapsed.escalation_id)
    page = (await jo.get("/desk/queue")).text
    read = words_of(page)
    assert "With you (1)" in read
    assert "Waiting (1)" in read
    assert "Waited too long. They were told so, and keep their place." in read
    assert "With others (1) Ana has this one" in read
    assert f'href="{mine.page}#latest"' in page
    assert f'action="{lapsed.page}/take"' in page
    assert others.page not in page, "what somebody else holds cannot be opened"
    assert "2 people have the desk open now" in read


async def test_it_is_my_turn_when_they_have_written(office: Office, jo: Browser) -> None:
    person = await person_asks(office, 1)
    await jo.post(f"{person.page}/take")
    assert "They wait for your first words." in (await jo.get("/desk")).text
    await jo.post(f"{person.page}/reply", text="Hello, I am Jo.")
    page = await jo.get("/desk")
    assert "Nothing new from them." in page.text
    assert "It is your turn" not in page.text
    await office.ledger.store_inbound(text_from("+441632960001", "next", "are you there"))
    page = await jo.get("/desk")
    assert "It is your turn" in page.text
    assert "<title>(1) Desk</title>" in page.text


async def test_a_long_list_shows_its_beginning_and_counts_all(office: Office, jo: Browser) -> None:
    for end in range(32):
        await ask_for_a_person(office.ledger, f"+441632960{end:03}")
    read = words_of((await jo.get("/desk/queue")).text)
    assert "Waiting (32)" in read
    assert read.count("Read first") == 30
    assert "And 2 more, who move up." in read


# -- taking


async def test_two_take_at_once_one_has_it_and_the_other_is_told_who(office: Office, jo: Browser, ana: Browser) -> None:
    person = await person_asks(office)
    answers = await asyncio.gather(jo.post(f"{person.page}/take"), ana.post(f"{person.page}/take"))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.headers["location"] == f"{person.page}#latest"
    escalation = await office.ledger.escalation(person.escalation_id)
    assert escalation is not None
    assert f"{escalation.claimed_name} has this one." in words_of(lost.text)
    assert (await texts(office, person.conversation_id))[-1] == WORDING.say("joined", name=escalation.claimed_name)


async def test_the_cap_is_explained_kindly(office: Office, jo: Browser) -> None:
    people = [await person_asks(office, end) for end in range(3)]
    answers = [await jo.post(f"{person.page}/take") for person in people]
    assert [answer.status_code for answer in answers] == [303, 303, 409]
    assert "You are with 2 people already" in answers[-1].text
    assert "Nobody loses their place" in answers[-1].text


async def test_beside_somebody_in_danger_nobody_else(office: Office, jo: Browser) -> None:
    worried, other = await person_asks(office, 1, concerns=WORRY), await person_asks(office, 2)
    await jo.post(f"{worried.page}/take")
    answer = await jo.post(f"{other.page}/take")
    assert answer.status_code == 409
    assert "Stay with them, or pass them on" in answer.text


@pytest.mark.parametrize("conversation", ["none", "a" * 64, "%00", "x'--"])
async def test_taking_or_opening_what_is_not_there(jo: Browser, conversation: str) -> None:
    assert (await jo.get(f"/desk/conversations/{conversation}")).status_code == 404
    answer = await jo.post(f"/desk/conversations/{conversation}/take")
    assert answer.status_code in {404, 409}


# -- who may read what


async def test_somebody_waiting_may_be_read_first_and_who_looked_is_kept(
    office: Office, ledger: Ledger, jo: Browser
) -> None:
    person = await person_asks(office)
    for _ in range(3):
        page = await jo.get(person.page)
        await jo.get(f"{person.page}/log")
    assert page.status_code == 200
    assert "cant pay my rent" in page.text
    assert "You can read before you take this." in page.text
    assert "Write to them" not in page.text
    viewed = [row for row in await ledger.audit_log() if row.action == "conversation_viewed"]
    assert [(row.actor, row.subject, row.detail) for row in viewed] == [
        ((await staff_named(office, "Jo")).id, person.conversation_id, "waiting")
    ]
    assert await ledger.verify_audit()


async def test_what_a_colleague_holds_looks_as_if_it_were_not_there(office: Office, jo: Browser, ana: Browser) -> None:
    person = await person_asks(office)
    await ana.post(f"{person.page}/take")
    forbidden = await jo.get(person.page)
    missing = await jo.get("/desk/conversations/0000000000000000000000aa")
    assert forbidden.status_code == missing.status_code == 404
    assert forbidden.text == missing.text
    for part in ("log", "keep"):
        assert "cant pay" not in (await jo.get(f"{person.page}/{part}")).text
    assert (await jo.get(f"{person.page}/log")).status_code == 404
    assert (await jo.get(f"/desk/events?conversation={person.conversation_id}")).status_code == 404
    assert (await jo.post(f"{person.page}/renew")).status_code == 409


@pytest.mark.parametrize("act", ["reply", "hand-back", "pass-on", "close"])
async def test_nobody_acts_for_a_colleague(office: Office, jo: Browser, ana: Browser, act: str) -> None:
    person = await person_asks(office)
    await ana.post(f"{person.page}/take")
    before = await texts(office, person.conversation_id)
    answer = await jo.post(f"{person.page}/{act}", text="I would have said this")
    assert answer.status_code == 409
    assert "Ana has this conversation now. Nothing was sent." in answer.text
    assert "I would have said this" in answer.text
    assert await texts(office, person.conversation_id) == before


async def test_a_coordinator_reads_along_and_that_is_kept(office: Office, ledger: Ledger, ana: Browser) -> None:
    person = await person_asks(office)
    await ana.post(f"{person.page}/take")
    robin = await office.sit_down("Robin", "coordinator")
    assert "Read along" in (await robin.get("/desk")).text
    page = await robin.get(person.page)
    assert page.status_code == 200
    assert "Ana has this one. You are reading along; that is recorded." in page.text
    assert "Write to them" not in page.text
    assert (await robin.post(f"{person.page}/reply", text="hello")).status_code == 409
    viewed = [row for row in await ledger.audit_log() if row.action == "conversation_viewed"]
    assert [(row.actor, row.detail) for row in viewed] == [((await staff_named(office, "Robin")).id, "held")]


async def test_afterwards_it_is_nobodys_to_read(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    await jo.post(f"{person.page}/close")
    robin = await office.sit_down("Robin", "coordinator")
    for browser in (jo, robin):
        assert (await browser.get(person.page)).status_code == 404


# -- live


async def heard(lines: AsyncIterator[str]) -> str:
    """The name of the next event."""
    async for line in lines:
        if line.startswith("event: "):
            return line.removeprefix("event: ")
    raise AssertionError("the stream has ended")


async def test_a_page_hears_what_changed_and_a_beat_when_nothing_does(
    ledger: Ledger, streams: Streams, escalations: Escalations, settings: Settings
) -> None:
    quick = settings.model_copy(update={"lease_seconds": 3.0})
    office = open_office(ledger, streams, escalations, quick)
    person = await person_asks(office)
    await office.sit_down("Jo")
    jo = await staff_named(office, "Jo")
    cookies = dict(office.people[0].cookies)
    async with (
        asyncio.timeout(10),
        serving(office) as base,
        httpx.AsyncClient(base_url=base, cookies=cookies) as client,
        client.stream("GET", f"/desk/events?conversation={person.conversation_id}") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        await streams.changed(person.conversation_id)
        assert await heard(lines) == person.conversation_id
        await streams.changed("queue")
        assert await heard(lines) == "queue"
        assert await heard(lines) == "beat"
        assert await streams.presence() == [jo.id]
    await office.close()


async def test_a_page_left_open_is_nobody_at_the_desk_once_they_have_signed_out_everywhere(
    ledger: Ledger, streams: Streams, escalations: Escalations, settings: Settings
) -> None:
    quick = settings.model_copy(update={"lease_seconds": 3.0})
    office = open_office(ledger, streams, escalations, quick)
    here = await office.sit_down("Jo")
    jo = await staff_named(office, "Jo")
    there = {Sessions(ledger, quick).cookie: await ledger.open_session(jo.id, timedelta(hours=1))}
    async with (
        asyncio.timeout(10),
        serving(office) as base,
        httpx.AsyncClient(base_url=base, cookies=there) as client,
        client.stream("GET", "/desk/events") as answer,
    ):
        lines = answer.aiter_lines()
        assert await heard(lines) == "beat"
        await here.post("/desk/account/sign-out-elsewhere")
        while await heard(lines) != "queue":
            """Open pages are told to look again at once; a beat may come before that."""
        with pytest.raises(AssertionError, match="the stream has ended"):
            while True:
                await heard(lines)
        assert (await client.get("/desk/queue")).status_code == 401
    await office.close()


# -- when Redis is away


async def test_without_redis_the_desk_works_and_says_less(ledger: Ledger, settings: Settings, clock: Clock) -> None:
    nowhere = Streams.connect("unix:///nonexistent/valkey.sock", "test", settings.shards)
    escalations = Escalations(ledger, nowhere, WORDING, settings, clock=clock)
    office = open_office(ledger, nowhere, escalations, settings)
    escalation = await ledger.escalation(await ask_for_a_person(ledger))
    assert escalation is not None
    jo = await office.sit_down("Jo")
    page = words_of((await jo.get("/desk")).text)
    assert "Waiting (1)" in page
    assert "desk open now" not in page
    assert (await jo.post(f"/desk/conversations/{escalation.conversation_id}/take")).status_code == 303
    assert (await jo.post(f"/desk/conversations/{escalation.conversation_id}/renew")).status_code == 204
    await office.close()
    await nowhere.close()


# -- when the ledger is away


async def test_without_its_ledger_the_desk_says_so(office: Office, jo: Browser, settings: Settings) -> None:
    token = await jo.token()
    moved = settings.data_dir / "elsewhere.sqlite"
    for path in settings.data_dir.glob("ledger.sqlite*"):
        path.rename(moved.with_name(path.name.replace("ledger", "elsewhere")))
    await office.ledger.close()
    (settings.data_dir / "ledger.sqlite").mkdir()
    answer = await jo.post("/desk/conversations/abc/reply", token, text="I was about to say")
    assert answer.status_code == 503
    assert "Nothing is lost" in answer.text
    assert "I was about to say" in answer.text
