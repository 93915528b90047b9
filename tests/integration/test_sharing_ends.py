"""Somebody of another organisation is with a person who takes back their yes: back in line, at home, at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from channels.conversation import Channel, Consent, EscalationState, Holder, Inbound, Sender
from channels.ledger import Ledger
from channels.ledger.duties import Duty
from channels.ledger.introductions import Leaving
from channels.ledger.records import Draft, EscalationRecord, Outcome, PeerRecord
from channels.ledger.talk_records import NoteKind, Whom
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import Browser, Clock, Office, Person, open_office, person_asks, staff_named, texts, words_of
from tests.ledger_builders import text_from
from tests.queue_builders import shared
from tests.worker_builders import Bench, said, talk

pytest_plugins = ["tests.desk_fixtures"]
LEFT = "Lou has left, because this isn't shared with their organisation any more."
KIND = "nothing you did wrong"


@pytest.fixture
async def partners(ledger: Ledger, streams: Streams, settings: Settings, clock: Clock) -> Office:
    return open_office(ledger, streams, shared(ledger, streams, settings, clock), settings)


async def sit_in(office: Office, name: str, *teams: str) -> Browser:
    browser = await office.sit_down(name)
    peer = await staff_named(office, name)
    await office.ledger.queue.keep_duty(Duty(peer_id=peer.id, teams=frozenset(teams)), "test")
    return browser


async def with_lou(office: Office) -> tuple[Person, Browser]:
    """Somebody whom Lou of Law House has, with their yes."""
    lou = await sit_in(office, "Lou", "legal")
    person = await person_asks(office, 1)
    await office.ledger.queue.agree(person.conversation_id, "lawhouse")
    await office.escalations.claim(person.escalation_id, await sam_of(office))
    await office.escalations.transfer(person.escalation_id, await sam_of(office), "legal")
    assert (await lou.post(f"{person.page}/take")).status_code == 303
    assert "cant pay my rent" in (await lou.get(person.page)).text
    return person, lou


async def sam_of(office: Office) -> PeerRecord:
    known = await office.ledger.peer_by_login("sam")
    if known is None:
        await sit_in(office, "Sam", "peers")
        known = await staff_named(office, "Sam")
    return known


async def now_of(office: Office, person: Person) -> EscalationRecord:
    found = await office.ledger.escalation(person.escalation_id)
    assert found is not None
    return found


async def everything_taken_back(office: Office, person: Person) -> None:
    await office.ledger.consents.withdraw(person.conversation_id, Consent.SHARING, "person")


async def this_one_taken_back(office: Office, person: Person) -> None:
    await office.ledger.queue.withdraw(person.conversation_id, "lawhouse")


async def in_no_team_any_more(office: Office, person: Person) -> None:
    lou = await staff_named(office, "Lou")
    await office.ledger.queue.keep_duty(Duty(peer_id=lou.id), "test")


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(everything_taken_back, id="all sharing taken back"),
        pytest.param(this_one_taken_back, id="a no to this organisation"),
        pytest.param(in_no_team_any_more, id="whoever holds it is in no team any more"),
    ],
)
async def test_the_page_closes_at_once_and_the_next_look_brings_them_home(
    partners: Office, end: Callable[[Office, Person], Awaitable[None]]
) -> None:
    person, lou = await with_lou(partners)
    later = await person_asks(partners, 2)
    await end(partners, person)
    assert (await lou.get(person.page)).status_code == 404
    assert (await lou.get(f"{person.page}/log")).status_code == 404
    assert person.conversation_id not in (await lou.get("/desk")).text
    refused = await lou.post(f"{person.page}/reply", text="So, your landlord")
    assert refused.status_code in {404, 409}
    assert "So, your landlord" in refused.text, "the words come back"
    assert (await lou.post(f"{person.page}/renew")).status_code == 409

    await partners.escalations.sweep()
    now = await now_of(partners, person)
    assert (now.state, now.claimed_by, now.team) == (EscalationState.WAITING, None, None)
    assert (await partners.ledger.conversation(person.conversation_id)).holder is Holder.BOT
    heard = await texts(partners, person.conversation_id)
    assert LEFT in heard[-1]
    assert "You are next in line, the place you had." in heard[-1]
    assert "So, your landlord" not in heard
    assert [one.id for one in await partners.escalations.waiting()] == [person.escalation_id, later.escalation_id]
    await partners.escalations.sweep()
    assert await texts(partners, person.conversation_id) == heard, "said once"
    taken = await partners.escalations.take_next(await sam_of(partners))
    assert taken is not None and taken.id == person.escalation_id
    actions = [row.action for row in await partners.ledger.audit_log(50)]
    assert actions.count("escalation_sharing_ended") == 1


async def test_whoever_had_them_reads_a_kind_line_that_leads_nowhere_else(partners: Office) -> None:
    person, lou = await with_lou(partners)
    await everything_taken_back(partners, person)
    assert await partners.escalations.end_unshared(person.conversation_id) == 1
    page = await lou.get("/desk/for-you")
    assert KIND in words_of(page.text)
    assert person.conversation_id not in page.text
    ping = (await partners.ledger.care.pings((await staff_named(partners, "Lou")).id))[0]
    seen = await lou.post(f"/desk/pings/{ping.id}")
    assert seen.headers["location"] == "/desk"
    assert KIND not in words_of((await lou.get("/desk/for-you")).text)


async def test_told_to_them_at_the_desk_it_ends_at_the_desk(partners: Office) -> None:
    person, lou = await with_lou(partners)
    done = await lou.post(f"{person.page}/taken-back", what="sharing")
    assert done.headers["location"] == "/desk?said=taken_back"
    assert "Done, and they have been told." in words_of((await lou.get("/desk?said=taken_back")).text)
    heard = await texts(partners, person.conversation_id)
    assert "It isn't shared any more" in heard[-2]
    assert LEFT in heard[-1]


async def test_with_somebody_at_home_nothing_changes_hands(partners: Office) -> None:
    sam = await sit_in(partners, "Sam", "peers")
    person = await person_asks(partners, 1)
    await sam.post(f"{person.page}/take")
    await partners.ledger.queue.agree(person.conversation_id, "lawhouse")
    await everything_taken_back(partners, person)
    assert await partners.escalations.end_unshared() == 0
    assert (await sam.get(person.page)).status_code == 200


async def test_other_topics_and_a_yes_to_others_too_take_nobody_away(partners: Office) -> None:
    person, lou = await with_lou(partners)
    await partners.ledger.queue.agree(person.conversation_id, "clearwater")
    await partners.ledger.queue.withdraw(person.conversation_id, "clearwater")
    assert await partners.escalations.end_unshared() == 0
    assert (await lou.get(person.page)).status_code == 200


async def brought_in(office: Office) -> tuple[Person, Browser]:
    """Lou has them from a warm introduction: they agreed to a summary, and to no organisation reading along."""
    sam, lou = await sit_in(office, "Sam", "peers"), await sit_in(office, "Lou", "legal")
    person = await person_asks(office, 1)
    await sam.post(f"{person.page}/take")
    host, guest = await staff_named(office, "Sam"), await staff_named(office, "Lou")
    await office.ledger.talk.add(person.conversation_id, NoteKind.SUMMARY, host.id, {"text": "x", "state": "agreed"})
    notice = Draft(sender=Sender.NOTICE, text="...")
    meetings, last_seq = office.ledger.introductions, (await seq_of(office, person))
    whom = Whom(to_kind="person", to_id=guest.id, to_name="Lou", reads_all=False)
    offered = await meetings.offer(person.escalation_id, host, whom, last_seq, notice)
    await meetings.join(offered, guest, notice)
    await lou.post(f"{person.page}/reply", text="Hi, I am Lou.")
    stored = await office.ledger.store_inbound(text_from("+441632960001", "ok", "ok"))
    outcome = Outcome(message_id=stored.message_id, expected_holder=Holder.PEER, kind="peer")
    await office.ledger.commit(outcome)
    until = datetime.now(UTC) + timedelta(minutes=1)
    leaving = Leaving(read=await seq_of(office, person), agreed=True, lease_until=until, told=notice)
    await meetings.finish(person.escalation_id, host, leaving)
    return person, lou


async def seq_of(office: Office, person: Person) -> int:
    return (await office.ledger.conversation(person.conversation_id)).last_seq


async def test_whom_they_met_in_an_introduction_stays_until_it_is_taken_back(partners: Office) -> None:
    person, lou = await brought_in(partners)
    guest = await staff_named(partners, "Lou")
    body = {"text": "in other words", "state": "ours"}
    await partners.ledger.talk.add(person.conversation_id, NoteKind.SUMMARY, guest.id, body)
    assert await partners.escalations.end_unshared() == 0, "new words for colleagues take nothing back"
    assert (await lou.get(person.page)).status_code == 200
    await everything_taken_back(partners, person)
    assert (await lou.get(person.page)).status_code == 404
    assert await partners.escalations.end_unshared() == 1


async def test_in_plain_words_while_they_have_the_talk(settings: Settings, ledger: Ledger, streams: Streams) -> None:
    """The worker of the demo, whose Dee is of Clearwater."""
    bench = Bench.quick(settings, ledger, streams)
    dee = await ledger.add_peer(name="Lou", login="lou", role="peer", password_hash="")
    await ledger.queue.keep_duty(Duty(peer_id=dee.id, teams=frozenset({"debt"})), "test")
    (hello, *_) = await talk(bench, "can i talk to someone", "person")
    waiting = await ledger.escalation_of(hello.conversation_id)
    assert waiting is not None
    await ledger.queue.agree(hello.conversation_id, "clearwater")
    until = datetime.now(UTC) + timedelta(hours=1)
    await ledger.claim(waiting.id, dee, until, Draft(sender=Sender.NOTICE, text="Lou is here."))
    messages = await talk(bench, "dont share that any more")
    assert "It isn't shared any more" in said(messages)[-2]
    assert LEFT in said(messages)[-1]
    now = await ledger.escalation(waiting.id)
    assert now is not None and now.state is EscalationState.WAITING


@pytest.mark.parametrize(
    ("before", "stays"),
    [
        pytest.param((), True, id="with nothing said there before, there is no more to see than they agreed to"),
        pytest.param(("my ex found this phone",), False, id="with more to see, each organisation asks again"),
    ],
)
async def test_carrying_on_over_another_channel(partners: Office, before: tuple[str, ...], stays: bool) -> None:
    person, lou = await with_lou(partners)
    await lou.post(f"{person.page}/offer-code")
    code = next(word for word in (await texts(partners, person.conversation_id))[-1].split("code is ")[1:])[:7]
    for number, words in enumerate((*before, code)):
        inbound = Inbound(channel=Channel.TELEGRAM, address="4711", provider_id=f"t{number}", text=words)
        stored = await partners.ledger.store_inbound(inbound)
    moved = await partners.ledger.redeem(stored.message_id, code.replace(" ", ""), Draft(sender=Sender.NOTICE, text=""))
    assert moved is not None
    assert (await lou.get(person.page)).status_code == (200 if stays else 404)
    assert await partners.escalations.end_unshared() == (0 if stays else 1)
