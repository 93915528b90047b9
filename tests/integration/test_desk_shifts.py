"""Shifts at the desk: the next person, breaks, going home, being given people, and what another organisation sees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.agreeing import Agreeing
from channels.conversation import Channel, Concern, EscalationState, Inbound
from channels.ledger import Ledger
from channels.ledger.duties import Duty, DutyState
from channels.settings import Settings
from channels.shifts import Shifts
from channels.streams import Streams
from channels.wording import Wording
from tests.desk_builders import Browser, Clock, Office, open_office, person_asks, staff_named, texts, words_of
from tests.escalation_builders import now_of
from tests.queue_builders import TEAMS, shared

pytest_plugins = ["tests.desk_fixtures"]


async def test_take_next_opens_the_first_in_line(office: Office, jo: Browser) -> None:
    await person_asks(office, 1)
    worried = await person_asks(office, 2, concerns=[Concern.SUICIDE])
    answer = await jo.post("/desk/take-next")
    assert answer.headers["location"].startswith(worried.page)
    again = await jo.post("/desk/take-next")
    assert again.status_code == 409
    assert "may be in danger" in words_of(again.text)


async def test_take_next_says_so_when_nobody_waits(office: Office, jo: Browser) -> None:
    answer = await jo.post("/desk/take-next")
    assert "Nobody is waiting for you" in words_of((await jo.get(answer.headers["location"])).text)


async def test_a_shift_ends_when_the_last_talk_does_and_nobody_new_comes_meanwhile(office: Office, jo: Browser) -> None:
    first, second = await person_asks(office, 1), await person_asks(office, 2)
    await jo.post(f"{first.page}/take")
    await jo.post("/desk/shift", state="leaving")
    page = words_of((await jo.get("/desk")).text)
    assert "Your shift is ending" in page and "With 1 still" in page
    assert (await jo.post("/desk/take-next")).status_code == 409
    assert (await jo.post(f"{second.page}/take")).status_code == 409
    await jo.post(f"{first.page}/close")
    assert "Your shift is over" in words_of((await jo.get("/desk")).text)


async def test_going_home_hands_everybody_back_in_their_place_and_tells_them(office: Office, jo: Browser) -> None:
    people = [await person_asks(office, end) for end in (1, 2)]
    for person in people:
        await jo.post(f"{person.page}/take")
    await person_asks(office, 3)
    await jo.post("/desk/shift", state="leaving")
    await jo.post("/desk/shift/hand-back")
    assert [one.id for one in await office.escalations.waiting(2)] == [person.escalation_id for person in people]
    assert "time for Jo to go home" in (await texts(office, people[0].conversation_id))[-1]
    assert "You are next" in (await texts(office, people[0].conversation_id))[-1]
    assert (await office.ledger.queue.duty((await staff_named(office, "Jo")).id)).state is DutyState.OFF


async def test_a_break_ends_when_it_was_to_end_whatever_else_is_chosen_meanwhile(office: Office, jo: Browser) -> None:
    await jo.post("/desk/shift", state="break", minutes="10")
    peer = await staff_named(office, "Jo")
    ends = (await office.ledger.queue.duty(peer.id)).until
    await jo.post("/desk/shift/options", automatic="on", most="3")
    duty = await office.ledger.queue.duty(peer.id)
    assert ends is not None
    assert (duty.until, duty.state, duty.most, duty.automatic) == (ends, DutyState.BREAK, 3, True)


@pytest.mark.parametrize(
    "minutes", ["9" * 5000, "-5", "\u0663\u0660", ""], ids=["endless", "ago", "other digits", "none"]
)
async def test_a_break_of_no_length_that_can_be_read_is_one_without_an_end(
    office: Office, jo: Browser, minutes: str
) -> None:
    assert (await jo.post("/desk/shift", state="break", minutes=minutes)).status_code == 303
    duty = await office.ledger.queue.duty((await staff_named(office, "Jo")).id)
    assert (duty.state, duty.until) == (DutyState.BREAK, None)


async def test_a_break_is_over_by_itself(office: Office, jo: Browser) -> None:
    await jo.post("/desk/shift", state="break", minutes="10")
    duty = await office.ledger.queue.duty((await staff_named(office, "Jo")).id)
    assert duty.state is DutyState.BREAK and duty.until is not None
    assert duty.now(duty.until + timedelta(seconds=1)).state is DutyState.ON
    assert "You are on a break until" in words_of((await jo.get("/desk")).text)


async def test_nobody_is_given_to_somebody_who_rests(office: Office, jo: Browser) -> None:
    person = await person_asks(office, 1)
    await jo.post("/desk/debrief", minutes="15")
    refused = await jo.post("/desk/take-next")
    assert refused.status_code == 409
    assert "You are taking a rest until" in words_of(refused.text)
    await jo.post("/desk/shift/options", automatic="on", most="3")
    assert [one.id for one in await office.escalations.waiting()] == [person.escalation_id]
    await jo.post("/desk/rest")
    assert (await jo.post("/desk/take-next")).headers["location"].startswith(person.page)


async def test_after_several_hard_talks_the_next_one_is_not_hard_too(office: Office, jo: Browser) -> None:
    me = (await staff_named(office, "Jo")).id
    for _ in range(2):
        await office.ledger.care.note_ended(me, hard=True)
    hard = await person_asks(office, 1, concerns=[Concern.SUICIDE])
    refused = await jo.post("/desk/take-next")
    assert refused.status_code == 409
    assert "2 hard talks one after the other" in words_of(refused.text)
    assert "Nobody else who is free is at the desk now." in words_of(refused.text)
    other = await person_asks(office, 2)
    address = (await jo.post("/desk/take-next")).headers["location"]
    assert address.startswith(other.page)
    said = words_of((await jo.get(address)).text)
    assert "1 person whose words worry us waits on. You have had hard talks one after the other" in said
    ana = await office.sit_down("Ana")
    await ana.post("/desk/presence")
    assert "Ana can take them, or you, from the list." in words_of((await jo.get(address)).text)
    assert "Ana can take" not in words_of((await jo.get(other.page)).text)
    await jo.post(f"{other.page}/close")
    assert (await jo.post("/desk/take-next")).headers["location"].startswith(hard.page)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        pytest.param("/desk/shift", {"state": "asleep"}, id="no such state"),
        pytest.param("/desk/shift/options", {"most": "many"}, id="not a number"),
        pytest.param("/desk/shift/options", {"most": "6"}, id="too many at once"),
    ],
)
async def test_what_a_shift_cannot_be_changes_nothing(
    office: Office, jo: Browser, path: str, fields: dict[str, str]
) -> None:
    answer = await jo.post(path, **fields)
    assert answer.status_code == 409
    assert "Nothing was changed" in words_of(answer.text)
    peer = await staff_named(office, "Jo")
    assert await office.ledger.queue.duty(peer.id) == Duty(peer_id=peer.id)


async def test_the_next_person_comes_by_itself_to_whoever_wants_that(
    office: Office, jo: Browser, ana: Browser, clock: Clock
) -> None:
    shifts = Shifts(
        ledger=office.ledger, streams=office.escalations._streams, escalations=office.escalations, clock=clock
    )
    await jo.post("/desk/shift/options", automatic="on", most="1")
    await ana.get("/desk")
    person = await person_asks(office, 1)
    assert await shifts.give() == 1
    jo_id = (await staff_named(office, "Jo")).id
    assert (await now_of(office.ledger, person.escalation_id)).claimed_by == jo_id
    later = await person_asks(office, 2)
    assert await shifts.give() == 0, "Jo wants one at once, and Ana takes by herself"
    await jo.post(f"{person.page}/close")
    assert (await now_of(office.ledger, later.escalation_id)).claimed_by == jo_id, "pulled when Jo is free"


async def test_nobody_is_given_to_somebody_away_or_gone(office: Office, jo: Browser, clock: Clock) -> None:
    shifts = Shifts(
        ledger=office.ledger, streams=office.escalations._streams, escalations=office.escalations, clock=clock
    )
    await jo.post("/desk/shift/options", automatic="on", most="2")
    await jo.post("/desk/shift", state="away")
    person = await person_asks(office, 1)
    assert await shifts.give() == 0
    await jo.post("/desk/shift", state="on")
    escalation = await now_of(office.ledger, person.escalation_id)
    assert escalation.state is EscalationState.HELD
    await shifts.lost_touch(escalation)
    assert (await office.ledger.queue.duty((await staff_named(office, "Jo")).id)).state is DutyState.AWAY


async def test_the_list_keeps_whoever_is_held(office: Office, jo: Browser, clock: Clock) -> None:
    person = await person_asks(office, 1)
    await jo.post(f"{person.page}/take")
    clock.ahead = timedelta(seconds=office.settings.lease_seconds * 0.9)
    assert (await jo.post("/desk/presence")).status_code == 204
    clock.ahead = timedelta(seconds=office.settings.lease_seconds * 1.5)
    assert (await office.escalations.sweep()).returned == 0


async def test_an_alert_is_asked_for_by_each_who_waits_and_its_notice_names_nobody(office: Office, jo: Browser) -> None:
    person = await person_asks(office, 1, texts=("my landlord wants me out",))
    page = (await jo.get("/desk")).text
    assert f'data-alert="{person.conversation_id}"' in page
    assert 'data-notice="Something new on the page you left open"' in page


# -- another organisation


@pytest.fixture
async def partners(ledger: Ledger, streams: Streams, settings: Settings, clock: Clock) -> Office:
    return open_office(ledger, streams, shared(ledger, streams, settings, clock), settings)


async def sit_in(office: Office, name: str, *teams: str) -> Browser:
    browser = await office.sit_down(name)
    peer = await staff_named(office, name)
    await office.ledger.queue.keep_duty(Duty(peer_id=peer.id, teams=frozenset(teams)), "test")
    return browser


async def say(office: Office, end: int, text: str) -> tuple[str, object]:
    inbound = Inbound(channel=Channel.SMS, address=f"+44163296{end:04}", provider_id=f"say-{text}", text=text)
    stored = await office.ledger.store_inbound(inbound)
    message = await office.ledger.next_unanswered(stored.conversation_id)
    assert message is not None
    agreeing = Agreeing(ledger=office.ledger, streams=office.escalations._streams, wording=Wording.load(), teams=TEAMS)
    return stored.conversation_id, await agreeing.hear(message)


async def test_another_organisation_joins_only_after_the_person_said_yes(partners: Office) -> None:
    sam, lou = await sit_in(partners, "Sam", "peers"), await sit_in(partners, "Lou", "legal")
    person = await person_asks(partners, 1)
    assert "Waiting (0)" in words_of((await lou.get("/desk")).text)
    assert (await lou.get(person.page)).status_code == 404
    assert (await lou.post(f"{person.page}/take")).status_code == 409
    await sam.post(f"{person.page}/take")
    read = words_of((await sam.get(person.page)).text)
    assert "Ask to share with Law House" in read
    assert read.count("Pass on to") == 1, "one's own team is whoever is free"
    assert (await sam.post(f"{person.page}/transfer", team="legal")).status_code == 409
    await sam.post(f"{person.page}/ask-to-share", organisation="lawhouse")
    assert "would like Law House to join you" in (await texts(partners, person.conversation_id))[-1]
    assert (await lou.get(person.page)).status_code == 404, "asked is not agreed"
    _, heard = await say(partners, 1, "1")
    assert heard is not None
    assert "Law House can read this now" in (await texts(partners, person.conversation_id))[-1]
    await sam.post(f"{person.page}/transfer", team="legal")
    assert "Waiting (1)" in words_of((await lou.get("/desk")).text)
    assert (await lou.post(f"{person.page}/take")).status_code == 303
    await lou.post(f"{person.page}/transfer", team="peers")
    said = (await texts(partners, person.conversation_id))[-1]
    assert "asking another person to carry on" in said
    assert "as you agreed" not in said, "nobody has to agree to whoever runs the service"


@pytest.mark.parametrize(
    ("text", "agreed", "is_answer"),
    [
        pytest.param("1", True, True, id="the number"),
        pytest.param("Yes", True, True, id="yes"),
        pytest.param("2", False, True, id="the other number"),
        pytest.param("who are they?", False, False, id="a question is no yes"),
        pytest.param("yes but i want to kill myself", False, False, id="words that worry us are words"),
    ],
)
async def test_only_a_yes_is_a_yes(partners: Office, text: str, agreed: bool, is_answer: bool) -> None:
    sam = await sit_in(partners, "Sam", "peers")
    person = await person_asks(partners, 1)
    await sam.post(f"{person.page}/take")
    await sam.post(f"{person.page}/ask-to-share", organisation="clearwater")
    conversation_id, heard = await say(partners, 1, text)
    assert (heard is not None) is is_answer
    known = await partners.ledger.queue.agreed([conversation_id])
    assert ("clearwater" in known.get(conversation_id, ())) is agreed


async def test_a_number_that_answers_something_else_is_no_yes(partners: Office) -> None:
    sam = await sit_in(partners, "Sam", "peers")
    person = await person_asks(partners, 1)
    await sam.post(f"{person.page}/take")
    await sam.post(f"{person.page}/ask-to-share", organisation="clearwater")
    await sam.post(f"{person.page}/reply", text="And how many children do you have?")
    _, heard = await say(partners, 1, "1")
    assert heard is None
    assert await partners.ledger.queue.agreed([person.conversation_id]) == {}
