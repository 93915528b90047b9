"""Help with writing: services and saved replies, drafts, notes and mentions, later, safe contact, taking words back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from channels.catalogue import CatalogueAway
from channels.conversation import Channel, Concern, Sender, ServiceCard
from channels.desk.conversations import REPLYING
from channels.escalation import Escalations
from channels.following_up import FollowUpRules
from channels.ledger import Ledger
from channels.ledger.records import Outcome
from channels.ledger.talk_records import NoteKind, PlanKind, PlanState
from channels.planning import Planner
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests import patience
from tests.desk_builders import (
    CARD,
    Browser,
    Clock,
    Office,
    Person,
    open_office,
    person_asks,
    staff_named,
    texts,
    words_of,
)
from tests.ledger_builders import answer, text_from

pytest_plugins = ["tests.desk_fixtures"]


class Shelf:
    """A catalogue of one service, which can be away."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[tuple[str, str | None]] = []

    async def find(self, text: str, near: str | None) -> list[ServiceCard]:
        self.asked.append((text, near))
        if self.away:
            raise CatalogueAway
        return [CARD] if "rent" in text else []


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def office(
    ledger: Ledger, streams: Streams, settings: Settings, escalations: Escalations, shelf: Shelf
) -> AsyncIterator[Office]:
    opened = open_office(ledger, streams, escalations, settings, catalogue=shelf)
    yield opened
    await opened.close()


def planner_of(office: Office, streams: Streams, clock: Clock) -> Planner:
    return Planner(ledger=office.ledger, streams=streams, clock=clock, never=FollowUpRules.load().never_offered)


@pytest.fixture
async def person(office: Office, jo: Browser) -> Person:
    found = await person_asks(office, place="Wrenbridge")
    await jo.post(f"{found.page}/take")
    return found


async def says(office: Office, text: str, number: str) -> None:
    await office.ledger.store_inbound(text_from("+441632960001", f"later-{number}", text))


# -- looking things up


async def test_a_service_is_found_and_sent_in_one_press(
    office: Office, jo: Browser, person: Person, shelf: Shelf
) -> None:
    found = await jo.post(f"{person.page}/look", find="help with rent", text="half a sentence")
    assert "Rent Rescue drop-in" in found.text
    assert "half a sentence</textarea>" in found.text
    assert shelf.asked == [("help with rent", "Wrenbridge")]
    sent = await jo.post(f"{person.page}/send-service", find="help with rent", service=CARD.service_id, text="half")
    assert sent.status_code == 303
    last = (await office.ledger.messages(person.conversation_id))[-1]
    assert last.sender is Sender.PEER
    assert "Rent Rescue drop-in 01632 960112" in last.text
    assert "they said" not in last.text, "why it was suggested is for the peer worker"
    assert "half</textarea>" in (await jo.get(person.page)).text


async def test_on_the_web_it_is_a_card(office: Office, jo: Browser) -> None:
    person = await person_asks(office, 2, channel=Channel.WEB)
    await jo.post(f"{person.page}/take")
    await jo.post(f"{person.page}/send-service", find="rent", service=CARD.service_id)
    last = (await office.ledger.messages(person.conversation_id))[-1]
    assert last.reply is not None
    assert [card.name for card in last.reply.cards] == ["Rent Rescue drop-in"]
    assert last.reply.cards[0].why == ""


async def test_a_service_goes_into_the_box_as_words(jo: Browser, person: Person) -> None:
    page = await jo.post(f"{person.page}/insert", find="rent", service=CARD.service_id, text="Look:")
    assert "Look:\nRent Rescue drop-in 01632 960112" in page.text


async def test_without_the_catalogue_saved_replies_are_there(jo: Browser, person: Person, shelf: Shelf) -> None:
    shelf.away = True
    page = await jo.post(f"{person.page}/look", find="safe", text="mine")
    assert "The catalogue does not answer at the moment." in page.text
    assert "Are you safe now?" in page.text
    assert "mine</textarea>" in page.text


async def test_a_saved_reply_is_filled_in_and_never_sent_by_itself(office: Office, jo: Browser, person: Person) -> None:
    page = await jo.post(f"{person.page}/insert", saved="hello", text="")
    assert "Hi, I&#39;m Jo. I&#39;ve read what you wrote" in page.text
    assert "Jo. I've read" not in (await texts(office, person.conversation_id))[-1]
    searched = words_of((await jo.post(f"{person.page}/look", find="hello", text="")).text)
    assert "1 text" in searched, "how many text messages it takes"


# -- drafts, and two who write


async def test_a_draft_kept_by_two_windows_at_the_same_moment_is_one(office: Office, person: Person) -> None:
    jo = await staff_named(office, "Jo")
    keep = office.ledger.talk.keep_draft
    await asyncio.gather(*(keep(person.conversation_id, jo.id, f"I can ring {number}") for number in range(8)))
    assert (await office.ledger.talk.draft(person.conversation_id, jo.id)).startswith("I can ring ")


async def test_a_draft_is_there_again_until_it_is_sent(office: Office, jo: Browser, person: Person) -> None:
    assert (await jo.post(f"{person.page}/draft", text="I was about to", quiet="yes")).status_code == 204
    assert "I was about to</textarea>" in (await jo.get(person.page)).text
    assert "I was about to" not in " ".join(await texts(office, person.conversation_id))
    await jo.post(f"{person.page}/reply", text="I was about to say hello")
    assert "I was about to</textarea>" not in (await jo.get(person.page)).text


async def test_who_writes_is_told_that_a_colleague_answered(
    office: Office, jo: Browser, ana: Browser, person: Person
) -> None:
    seen = str((await office.ledger.conversation(person.conversation_id)).last_seq)
    await jo.post(f"{person.page}/bring-in", whom=f"person:{(await staff_named(office, 'Ana')).id}", read="99")
    await ana.post(f"{person.page}/join")
    await ana.post(f"{person.page}/reply", text="Hi, I am Ana.")
    refused = await jo.post(f"{person.page}/reply", text="I think", read=seen)
    assert refused.status_code == 409
    assert "Ana has written to them meanwhile." in words_of(refused.text)
    assert "I think</textarea>" in refused.text
    assert (await jo.post(f"{person.page}/reply", text="I think", read="99")).status_code == 303


async def test_a_colleague_who_writes_shows_by_id_only(
    office: Office, jo: Browser, person: Person, streams: Streams
) -> None:
    async with streams.watch(f"{REPLYING}:*") as watch:
        await jo.post(f"{person.page}/typing")
        told = await watch.wait(patience.SECONDS)
    jo_id = (await office.ledger.escalation(person.escalation_id)).claimed_by  # type: ignore[union-attr]
    assert told == f"{REPLYING}:{person.conversation_id}.{jo_id}"


# -- notes


async def test_a_note_is_never_sent_and_asks_who_is_named(
    office: Office, jo: Browser, ana: Browser, person: Person
) -> None:
    before = await texts(office, person.conversation_id)
    await jo.post(f"{person.page}/note", note="@ana does this sound like the landlord from before? <b>")
    assert await texts(office, person.conversation_id) == before
    page = (await jo.get(person.page)).text
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    desk = await ana.get("/desk")
    assert "Jo mentioned you in a note." in words_of(desk.text)
    assert (await ana.get(person.page)).status_code == 200, "whoever is asked to look may look"
    assert (await ana.post(f"{person.page}/reply", text="no")).status_code == 409
    ping = (await office.ledger.care.pings((await office.ledger.peer_by_login("ana")).id))[0]  # type: ignore[union-attr]
    opened = await ana.post(f"/desk/pings/{ping.id}")
    assert opened.headers["location"] == person.page
    assert "mentioned you" not in (await ana.get("/desk")).text


async def test_words_can_be_taken_out_for_good(office: Office, ledger: Ledger, jo: Browser, person: Person) -> None:
    first, ours = (await office.ledger.messages(person.conversation_id))[:2]
    refused = await jo.post(f"{person.page}/messages/{ours.id}/redact")
    assert "still on its way" in words_of(refused.text)
    await settle(office, person)
    done = await jo.post(f"{person.page}/messages/{first.id}/redact")
    assert done.status_code == 303
    page = (await jo.get(person.page)).text
    assert "cant pay my rent" not in page.split('role="log"')[1].split("Suggested")[0]
    assert "Words removed by a peer worker." in page
    assert "message_redacted" in [row.action for row in await ledger.audit_log()]


async def settle(office: Office, person: Person) -> None:
    """Everything that waits to be sent goes out."""
    while (message := await office.ledger.next_unsent(person.conversation_id)) is not None:
        await office.ledger.mark_sending(message.id)
        await office.ledger.mark_sent(message.id, f"SM-{message.id}")


# -- later


def at(clock: Clock, **ahead: int) -> str:
    return (clock() + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M")


async def plan(jo: Browser, person: Person, clock: Clock, **more: str) -> httpx.Response:
    fields = {"later": "How did it go?", "when": at(clock, days=1), "agreed": "yes", **more}
    return await jo.post(f"{person.page}/plan", **fields)


async def test_a_message_for_later_goes_once_at_its_time(
    office: Office, jo: Browser, person: Person, streams: Streams, clock: Clock
) -> None:
    assert (await plan(jo, person, clock)).status_code == 303
    planned = (await office.ledger.planned.waiting(person.conversation_id))[0]
    await jo.post(f"{person.page}/plans/{planned.id}", later="How did it go at the council?")
    planner = planner_of(office, streams, clock)
    await planner.send_due()
    assert "How did it go" not in (await texts(office, person.conversation_id))[-1]
    clock.ahead = timedelta(days=2)
    await planner.send_due()
    await planner.send_due()
    said = [text for text in await texts(office, person.conversation_id) if "How did it go" in text]
    assert said == ["How did it go at the council?"]
    late = await jo.post(f"{person.page}/plans/{planned.id}", later="too late")
    assert "It has gone already" in words_of(late.text)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"agreed": ""}, "tick that they said yes"),
        ({"when": "2020-01-01T10:00"}, "Choose a time in the next 60 days"),
        ({"when": "tomorrow"}, "Choose a time in the next 60 days"),
        ({"later": " "}, "There were no words"),
    ],
    ids=["not asked", "over", "no time", "no words"],
)
async def test_nothing_is_planned_without_consent_time_and_words(
    office: Office, jo: Browser, person: Person, clock: Clock, wrong: dict[str, str], said: str
) -> None:
    refused = await plan(jo, person, clock, **wrong)
    assert refused.status_code == 409
    assert said in words_of(refused.text)
    assert not await office.ledger.planned.waiting(person.conversation_id)


async def test_what_they_said_about_their_phone_counts(
    office: Office, jo: Browser, person: Person, clock: Clock
) -> None:
    await jo.post(f"{person.page}/safe-contact", ask="yes")
    assert "Is it OK if we write to you first here some time?" in (await texts(office, person.conversation_id))[-1]
    fields = {"from": "10", "to": "12"}
    await jo.post(f"{person.page}/safe-contact", ok="yes", neutral="yes", **fields)
    day = at(clock, days=1).split("T")[0]
    refused = await plan(jo, person, clock, when=f"{day}T20:00")
    assert "texts at that time are not safe" in words_of(refused.text)
    assert (await plan(jo, person, clock, when=f"{day}T10:30")).status_code == 303
    await jo.post(f"{person.page}/safe-contact", ok="no")
    assert "texts from us are not safe" in words_of((await plan(jo, person, clock, when=f"{day}T10:30")).text)


async def test_whoever_asked_for_quiet_gets_nothing_planned(
    office: Office, jo: Browser, person: Person, streams: Streams, clock: Clock
) -> None:
    await plan(jo, person, clock)
    stored = await office.ledger.store_inbound(text_from("+441632960001", "stop", "STOP", opt_out="STOP"))
    conversation = await office.ledger.conversation(person.conversation_id)
    outcome = Outcome(
        message_id=stored.message_id, expected_holder=conversation.holder, kind="opted_out", do_not_text_first=True
    )
    assert await office.ledger.commit(outcome)
    clock.ahead = timedelta(days=2)
    await planner_of(office, streams, clock).send_due()
    assert "How did it go?" not in await texts(office, person.conversation_id)
    assert [one.state for one in await office.ledger.planned.waiting(person.conversation_id)] == [PlanState.HELD]


async def test_what_was_planned_before_they_said_that_texts_are_not_safe_is_held(
    office: Office, jo: Browser, person: Person, streams: Streams, clock: Clock
) -> None:
    await plan(jo, person, clock)
    await jo.post(f"{person.page}/safe-contact", ok="yes")
    await jo.post(f"{person.page}/safe-contact", ok="no")
    clock.ahead = timedelta(days=2)
    await planner_of(office, streams, clock).send_due()
    assert "How did it go?" not in await texts(office, person.conversation_id)
    assert [one.state for one in await office.ledger.planned.waiting(person.conversation_id)] == [PlanState.HELD]


@pytest.mark.parametrize(
    ("told", "noted", "state"),
    [
        pytest.param(Concern.ABUSE, "", PlanState.HELD, id="hurt, nobody asked again"),
        pytest.param(Concern.ABUSE, "before", PlanState.HELD, id="hurt, a yes from before"),
        pytest.param(Concern.ABUSE, "since", PlanState.SENT, id="hurt, a yes since"),
        pytest.param(Concern.SUICIDE, "", PlanState.SENT, id="low"),
    ],
)
async def test_what_was_planned_before_they_told_of_being_hurt_is_held(
    office: Office, person: Person, streams: Streams, clock: Clock, told: Concern, noted: str, state: PlanState
) -> None:
    conversation_id, peer = person.conversation_id, await staff_named(office, "Jo")
    safe = {"ok": "yes", "from": 0, "to": 24}
    for kind in (PlanKind.CHECK_IN, PlanKind.MESSAGE):
        await office.ledger.planned.plan(conversation_id, peer, kind, clock() + timedelta(days=1), "How did it go?")
    if noted == "before":
        await office.ledger.talk.add(conversation_id, NoteKind.SAFE_CONTACT, peer.id, safe)
    await office.escalations.close(person.escalation_id, peer)
    stored = await office.ledger.store_inbound(text_from("+441632960001", "he hits me", "hurt"))
    await answer(office.ledger, stored, concerns=frozenset({told}))
    if noted == "since":
        await office.ledger.talk.add(conversation_id, NoteKind.SAFE_CONTACT, peer.id, safe)
    clock.ahead = timedelta(days=2)
    await planner_of(office, streams, clock).send_due()
    held = 2 if state is PlanState.HELD else 0
    assert (await texts(office, conversation_id)).count("How did it go?") == 2 - held
    assert [one.state for one in await office.ledger.planned.waiting(conversation_id)] == [PlanState.HELD] * held


async def test_a_snooze_comes_back_with_its_reason(office: Office, jo: Browser, person: Person) -> None:
    assert (await jo.post(f"{person.page}/snooze", minutes="7")).status_code == 409
    assert (await jo.post(f"{person.page}/snooze", minutes="5", reason="ask about the letter")).status_code == 303
    assert "ask about the letter" in (await jo.get(person.page)).text
    assert "You wanted to look again" not in (await jo.get("/desk")).text


@pytest.mark.parametrize(
    ("ended", "leads_to"),
    [
        pytest.param(False, "{page}", id="while they are with them"),
        pytest.param(True, "/desk?said=over", id="when the talk is over there is nothing to open"),
    ],
)
async def test_a_snooze_that_is_due_leads_somewhere(
    office: Office, jo: Browser, person: Person, ended: bool, leads_to: str
) -> None:
    peer = await staff_named(office, "Jo")
    past = datetime.now(UTC) - timedelta(seconds=1)
    plan = await office.ledger.planned.plan(person.conversation_id, peer, PlanKind.SNOOZE, past, "ask about the letter")
    if ended:
        await jo.post(f"{person.page}/close")
    assert "You wanted to look again: ask about the letter" in (await jo.get("/desk")).text
    answer = await jo.post(f"/desk/snoozes/{plan}")
    assert answer.headers["location"] == leads_to.format(page=person.page)
    page = await jo.get(answer.headers["location"])
    assert page.status_code == 200
    assert ("That talk is over" in page.text) is ended
    assert "You wanted to look again" not in (await jo.get("/desk")).text


async def test_a_welsh_conversation_stays_welsh_when_a_peer_worker_comes_asks_and_goes(
    office: Office, jo: Browser, ledger: Ledger
) -> None:
    person = await person_asks(office, 7, channel=Channel.TELEGRAM, language="cy")
    welsh = Wording.load("GB").within("cy")
    await jo.post(f"{person.page}/take")
    await jo.post(f"{person.page}/summary", summary="Rhent", ask="yes")
    await jo.post(f"{person.page}/safe-contact", ask="yes")
    await jo.post(f"{person.page}/pass-on")
    said = await texts(office, person.conversation_id)
    assert said[-4:] == [
        welsh.say("joined", name="Jo"),
        welsh.say("summary_ask", summary="Rhent"),
        welsh.say("safe_contact_ask", name="Jo"),
        welsh.say("passed_on", name="Jo", place=welsh.place(1)),
    ]
