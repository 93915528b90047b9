"""How a talk ends, what is kept of it, how peer workers are looked after, and what is never silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import StatementError

from channels.conversation import Channel, Concern, EscalationState, Holder
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.ending import Leaves
from channels.ledger.records import PeerRecord
from channels.ledger.talk_records import CareRecord, NewPlan, NoteKind, PlanKind
from channels.resting import MOST_HARD_IN_A_ROW, NeedsRest, check_rested, is_debrief_due
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests.desk_builders import Browser, Clock, Office, Person, open_office, person_asks, staff_named, texts, words_of
from tests.ledger_builders import text_from

pytest_plugins = ["tests.desk_fixtures"]

WORRY = (Concern.SUICIDE,)


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


async def taken(office: Office, browser: Browser, end: int = 1, **more: object) -> Person:
    person = await person_asks(office, end, **more)  # type: ignore[arg-type]
    answer = await browser.post(f"{person.page}/take")
    assert answer.status_code == 303, words_of(answer.text)
    return person


# -- safeguarding and outcome


async def test_a_safeguarding_note_says_who_was_told_and_brings_a_lead(office: Office, jo: Browser) -> None:
    robin = await office.sit_down("Robin", role="coordinator")
    person = await taken(office, jo)
    refused = await jo.post(f"{person.page}/safeguarding", worry="A child of 4 is alone at night.")
    assert "tick who was told" in words_of(refused.text)
    assert "A child of 4 is alone at night.</textarea>" in refused.text, "what was written is not lost"
    assert "alone at night" not in refused.text.split('id="reply"')[1].split("</textarea>")[0]
    stale = await jo.post(f"{person.page}/note", "0" * 64, note="a long thought")
    assert "a long thought" in stale.text
    done = await jo.post(
        f"{person.page}/safeguarding",
        worry="A child of 4 is alone at night.",
        told="children",
        told_at="2020-03-01T21:30",
    )
    assert done.status_code == 303
    read = words_of((await jo.get(person.page)).text)
    assert "A child of 4 is alone at night." in read
    assert "Told: children's services, Sunday 1 March 2020 9:30pm" in read
    assert "Jo wrote a safeguarding note." in words_of((await robin.get("/desk")).text)
    logged = [row for row in await office.ledger.audit_log() if row.action == "safeguarding_written"]
    assert [row.subject for row in logged] == [person.conversation_id]
    assert "child" not in " ".join(row.detail for row in await office.ledger.audit_log())


async def test_an_outcome_in_a_few_taps_goes_back_to_the_assistant(office: Office, jo: Browser) -> None:
    person = await taken(office, jo)
    assert (await jo.post(f"{person.page}/finish")).status_code == 409
    done = await jo.post(f"{person.page}/finish", connected="later", need="rent_arrears", check_in="yes", days="3")
    assert done.headers["location"] == "/desk?said=closed"
    conversation = await office.ledger.conversation(person.conversation_id)
    assert conversation.holder is Holder.BOT
    note = (await office.ledger.talk.notes(person.conversation_id))[-1]
    assert (note.kind, note.body["connected"], note.body["needs"]) == (NoteKind.OUTCOME, "later", ["rent_arrears"])
    assert note.body["signposted"] == ["Rent Rescue drop-in"]
    planned = await office.ledger.planned.waiting(person.conversation_id)
    assert [(one.kind, "How did it go?" in one.text) for one in planned] == [(PlanKind.CHECK_IN, True)]


async def test_a_talk_that_ends_in_the_night_is_asked_about_by_day(
    ledger: Ledger, streams: Streams, settings: Settings, escalations: Escalations
) -> None:
    east = (2 - datetime.now(UTC).hour + 12) % 24 - 12
    night = f"Etc/GMT{-east:+}"
    assert datetime.now(ZoneInfo(night)).hour == 2
    office = open_office(ledger, streams, escalations, settings.model_copy(update={"timezone": night}))
    jo = await office.sit_down("Jo")
    person = await taken(office, jo)
    await jo.post(f"{person.page}/finish", connected="yes", check_in="yes", days="2")
    planned = (await ledger.planned.waiting(person.conversation_id))[0].due_at.astimezone(ZoneInfo(night))
    assert (planned.date() - datetime.now(ZoneInfo(night)).date(), planned.hour) == (timedelta(days=2), 10)
    await office.close()


async def test_a_check_in_gives_nothing_away_where_somebody_else_sees_the_phone(office: Office, jo: Browser) -> None:
    person = await taken(office, jo)
    await jo.post(f"{person.page}/safe-contact", ok="yes", neutral="yes")
    await jo.post(f"{person.page}/finish", connected="yes", check_in="yes", days="1")
    planned = await office.ledger.planned.waiting(person.conversation_id)
    assert "Wrong Door" not in planned[0].text
    assert "Samaritans" not in planned[0].text


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        pytest.param(None, range(10, 19), id="nobody asked when"),
        pytest.param({"from": "0", "to": "17"}, range(10, 17), id="before the evening"),
        pytest.param({"from": "16", "to": "24"}, range(16, 19), id="from the afternoon on"),
        pytest.param({"from": "20", "to": "22"}, range(20, 22), id="in the evening only"),
    ],
)
async def test_a_check_in_comes_by_day_and_when_they_called_it_safe(
    office: Office, jo: Browser, said: dict[str, str] | None, hours: range
) -> None:
    person = await taken(office, jo)
    if said:
        await jo.post(f"{person.page}/safe-contact", ok="yes", **said)
    await jo.post(f"{person.page}/finish", connected="yes", check_in="yes", days="1")
    (planned,) = await office.ledger.planned.waiting(person.conversation_id)
    assert planned.due_at.astimezone(ZoneInfo("Europe/London")).hour in hours


class Overtaken(Escalations):
    """They are back in the queue just before the talk would be closed."""

    async def end_with(self, escalation_id: str, peer: PeerRecord, key: str, **more: Any) -> None:
        await self.pass_on(escalation_id, peer)
        await super().end_with(escalation_id, peer, key, **more)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        pytest.param("finish", {"connected": "yes", "check_in": "yes", "days": "1"}, id="finish"),
        pytest.param("break", {"hours": "2"}, id="a break"),
    ],
)
async def test_a_talk_that_could_not_be_ended_leaves_no_note_and_no_check_in(
    ledger: Ledger, streams: Streams, settings: Settings, path: str, fields: dict[str, str]
) -> None:
    office = open_office(ledger, streams, Overtaken(ledger, streams, Wording.load(), settings), settings)
    jo = await office.sit_down("Jo")
    person = await taken(office, jo)
    await jo.post(f"{person.page}/{path}", **fields)
    waiting = await ledger.escalation(person.escalation_id)
    assert waiting is not None and waiting.state is EscalationState.WAITING
    assert not await ledger.planned.waiting(person.conversation_id)
    assert not await ledger.talk.notes(person.conversation_id)
    await office.close()


async def test_what_a_talk_leaves_is_kept_with_its_end_or_not_at_all(office: Office, jo: Browser) -> None:
    """The check-in cannot be written: then the talk goes on, with no note of an end."""
    person, peer = await taken(office, jo), await staff_named(office, "Jo")
    now = datetime.now(UTC)
    refused = NewPlan(kind=PlanKind.CHECK_IN, due_at=now.replace(tzinfo=None), text="How did it go?")
    leaves = Leaves(by=peer, kind=NoteKind.OUTCOME, body={"connected": "yes"}, check_in=refused)
    with pytest.raises(StatementError):
        await office.escalations.end_with(person.escalation_id, peer, "left", leaves=leaves)
    held = await office.ledger.escalation(person.escalation_id)
    assert held is not None and held.state is EscalationState.HELD
    assert not await office.ledger.talk.notes(person.conversation_id)
    kept = replace(leaves, check_in=replace(refused, due_at=now))
    await office.escalations.end_with(person.escalation_id, peer, "left", leaves=kept)
    assert [note.kind for note in await office.ledger.talk.notes(person.conversation_id)] == [NoteKind.OUTCOME]
    assert len(await office.ledger.planned.waiting(person.conversation_id)) == 1


async def test_no_check_in_where_texts_are_not_safe(office: Office, jo: Browser) -> None:
    person = await taken(office, jo)
    await jo.post(f"{person.page}/safe-contact", ok="no")
    refused = await jo.post(f"{person.page}/finish", connected="yes", check_in="yes", days="1")
    assert refused.status_code == 409
    assert (await office.ledger.conversation(person.conversation_id)).holder is Holder.PEER


async def test_whoever_was_with_them_is_offered_them_first(office: Office, jo: Browser, ana: Browser) -> None:
    person = await taken(office, jo)
    await jo.post(f"{person.page}/finish", connected="no")
    await person_asks(office, 2, address_of=1)
    assert "Somebody you were with is waiting for a person again." in words_of((await jo.get("/desk")).text)
    assert "Somebody you were with" not in words_of((await ana.get("/desk")).text)
    read = words_of((await jo.get(person.page)).text)
    assert "Jo: Nobody would take them" in read


# -- looking after peer workers


async def test_a_hard_talk_asks_how_they_are_and_a_rest_is_respected(
    office: Office, jo: Browser, ana: Browser, clock: Clock
) -> None:
    hard = await taken(office, jo, 1, concerns=WORRY)
    done = await jo.post(f"{hard.page}/hand-back")
    read = words_of((await jo.get(done.headers["location"])).text)
    assert "They are back with the assistant" in read
    assert read.count("That was a hard one.") == 1
    page = words_of((await jo.get("/desk/debrief")).text)
    assert "That was a hard one, and you stayed. Nothing of this is asked for, sent or kept." in page
    assert "That was a hard one" not in words_of((await ana.get("/desk/debrief")).text)
    ana_id = (await staff_named(office, "Ana")).id
    await jo.post("/desk/debrief", minutes="15", buddy=ana_id)
    assert "Jo had a hard one and would like you to look in on them." in words_of((await ana.get("/desk")).text)
    assert "You are taking a rest until" in words_of((await jo.get("/desk")).text)

    other = await person_asks(office, 2)
    refused = await jo.post(f"{other.page}/take")
    assert refused.status_code == 409
    assert "It is yours to decide." in words_of(refused.text)
    escalation = await office.ledger.escalation(other.escalation_id)
    assert escalation is not None
    assert escalation.claimed_by is None
    assert (await jo.post(f"{other.page}/take", anyway="yes")).status_code == 303
    await jo.post("/desk/rest")
    assert "You are taking a rest" not in words_of((await jo.get("/desk")).text)


async def test_hard_ones_in_a_row_have_a_cap_and_an_easy_one_ends_the_row(office: Office, jo: Browser) -> None:
    for end in range(1, MOST_HARD_IN_A_ROW + 1):
        person = await taken(office, jo, end, concerns=WORRY)
        await jo.post(f"{person.page}/close")
    hard = await person_asks(office, 8, concerns=WORRY)
    refused = await jo.post(f"{hard.page}/take")
    assert refused.status_code == 409
    assert "2 hard talks one after the other" in words_of(refused.text)
    easy = await taken(office, jo, 9)
    await jo.post(f"{easy.page}/close")
    assert (await jo.post(f"{hard.page}/take")).status_code == 303


def test_rest_is_a_matter_of_time(clock: Clock) -> None:
    now = clock()
    resting = CareRecord(resting_until=now + timedelta(minutes=1))
    with pytest.raises(NeedsRest):
        check_rested(resting, now, hard=False)
    check_rested(resting, now + timedelta(minutes=2), hard=True)
    many = CareRecord(hard_in_a_row=5, hard_at=now)
    with pytest.raises(NeedsRest):
        check_rested(many, now + timedelta(hours=2), hard=True)
    check_rested(many, now + timedelta(hours=2), hard=False)
    check_rested(many, now + timedelta(hours=4), hard=True)


@pytest.mark.parametrize(("hours", "due"), [(0, True), (11, True), (13, False)])
def test_a_hard_talk_of_the_last_shift_is_not_asked_about_in_the_next(clock: Clock, hours: int, due: bool) -> None:
    care = CareRecord(debrief_due=True, hard_at=clock() - timedelta(hours=hours))
    assert is_debrief_due(care, clock()) is due
    assert not is_debrief_due(CareRecord(debrief_due=False, hard_at=clock()), clock())


async def test_nothing_that_anybody_feels_is_kept(office: Office, ledger: Ledger, jo: Browser) -> None:
    await jo.post("/desk/debrief", minutes="0", buddy="", carrying="it stays with me")
    assert "it stays with me" not in str(await ledger.audit_log())


async def test_single_keys_can_be_switched_off(jo: Browser) -> None:
    assert 'data-keys="on"' in (await jo.get("/desk")).text
    await jo.post("/desk/keys")
    assert 'data-keys="off"' in (await jo.get("/desk")).text
    await jo.post("/desk/account/keys", on="yes")
    assert 'data-keys="on"' in (await jo.get("/desk")).text
    account = (await jo.get("/desk/account")).text
    assert 'name="on" value="yes" checked' in account
    await jo.post("/desk/account/keys")
    assert 'name="on" value="yes" checked' not in (await jo.get("/desk/account")).text


# -- the number, breaks, and people who write often


async def test_the_number_is_hidden_until_somebody_says_why(office: Office, jo: Browser) -> None:
    person = await taken(office, jo)
    assert "+441632960001" not in (await jo.get(person.page)).text
    assert (await jo.post(f"{person.page}/reveal")).status_code == 409
    shown = await jo.post(f"{person.page}/reveal", why="danger")
    assert "+441632960001" in shown.text
    assert "+441632960001" not in (await jo.get(person.page)).text, "on that one answer only"
    logged = [(row.action, row.detail) for row in await office.ledger.audit_log()]
    assert ("address_revealed", "danger") in logged


async def test_a_web_visitor_has_no_number_to_show(office: Office, jo: Browser) -> None:
    person = await taken(office, jo, channel=Channel.WEB)
    refused = await jo.post(f"{person.page}/reveal", why="danger")
    assert refused.status_code == 409


async def test_a_break_is_told_ends_and_leaves_them_somebody(office: Office, jo: Browser, ana: Browser) -> None:
    person = await taken(office, jo)
    assert (await jo.post(f"{person.page}/break", hours="999")).status_code == 409
    assert (await jo.post(f"{person.page}/break", hours="1")).status_code == 303
    said = (await texts(office, person.conversation_id))[-1]
    assert "Jo is taking a break from this chat until" in said
    assert "you can ask for a person" in said
    again = await person_asks(office, 2, address_of=1)
    page = words_of((await ana.get(again.page)).text)
    assert "A peer worker is taking a break from this chat until" in page
    assert (await ana.post(f"{again.page}/take")).status_code == 303, "anybody may take them"


async def test_a_concern_ends_a_break(office: Office, jo: Browser, ana: Browser) -> None:
    person = await taken(office, jo)
    await jo.post(f"{person.page}/break", hours="24")
    again = await person_asks(office, 2, address_of=1, concerns=WORRY, texts=("i want to end it all",))
    assert "They were told so. Anybody else may take them." not in (await ana.get(again.page)).text


async def test_no_break_from_somebody_who_may_be_in_danger(office: Office, jo: Browser) -> None:
    person = await taken(office, jo, concerns=WORRY)
    refused = await jo.post(f"{person.page}/break", hours="1")
    assert "Something worries us about them, so there is no break." in words_of(refused.text)


async def test_whoever_writes_often_is_offered_a_person_of_their_own(office: Office, jo: Browser, ana: Browser) -> None:
    for number in range(3):
        person = await person_asks(office, number, address_of=1)
        await ana.post(f"{person.page}/take")
        await ana.post(f"{person.page}/close")
    person = await person_asks(office, 3, address_of=1)
    await jo.post(f"{person.page}/take")
    page = (await jo.get(person.page)).text
    assert "They have asked for a person often lately. They are welcome." in words_of(page)
    assert '<details class="tool" id="person" open>' in page, "an offer nobody sees is none"
    assert (await jo.post(f"{person.page}/named-peer", agreed="yes")).status_code == 409
    await jo.post(f"{person.page}/named-peer")
    assert "as a person of your own here?" in (await texts(office, person.conversation_id))[-1]
    await office.ledger.store_inbound(text_from("+441632960001", "yes", "oh yes"))
    assert (await jo.post(f"{person.page}/named-peer", agreed="yes")).status_code == 303
    assert "Their own person here: Jo" in words_of((await jo.get(person.page)).text)
    await jo.post(f"{person.page}/close")
    await person_asks(office, 4, address_of=1)
    assert "waiting for a person again" in words_of((await jo.get("/desk")).text)
    assert "waiting for a person again" not in words_of((await ana.get("/desk")).text)
