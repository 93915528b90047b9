"""Taking back a yes: in words to the assistant, in words to a peer worker, and by a peer worker's hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from channels.conversation import Channel, Consent, Sender, Turn, Withdraw
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation
from channels.ledger.talk_records import NoteKind, PlanKind, Whom
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import Browser, Office, person_asks, staff_named, texts, words_of
from tests.ledger_builders import answer
from tests.worker_builders import WORDING, Bench, said, silence, talk

pytest_plugins = ["tests.desk_fixtures"]
JOINED = Draft(sender=Sender.NOTICE, text="Jo is here.")
SHARING, CHECK_INS = WORDING.say("took_back_sharing"), WORDING.say("took_back_check_ins")


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def shared_story(bench: Bench) -> str:
    """Somebody who has agreed to all there is to agree to."""
    (hello, *_) = await talk(bench, "hello")
    conversation_id = hello.conversation_id
    peer = await bench.ledger.add_peer(name="Jo", login="jo", role="peer", password_hash="")
    await bench.ledger.queue.agree(conversation_id, "clearwater")
    await bench.ledger.talk.add(conversation_id, NoteKind.SUMMARY, peer.id, {"text": "rent", "state": "agreed"})
    await bench.ledger.talk.add(conversation_id, NoteKind.EARLIER, peer.id, {"agreed": True})
    due = datetime.now(UTC) + timedelta(days=3)
    await bench.ledger.planned.plan(conversation_id, peer, PlanKind.CHECK_IN, due, "How did it go?")
    return conversation_id


async def agreed(ledger: Ledger, conversation_id: str) -> dict[str, object]:
    """What is agreed now."""
    notes = {note.kind: note.body for note in await ledger.talk.notes(conversation_id)}
    return {
        "organisations": (await ledger.queue.agreed([conversation_id])).get(conversation_id),
        "summary": notes[NoteKind.SUMMARY]["state"],
        "earlier": notes[NoteKind.EARLIER]["agreed"],
        "planned": len(await ledger.planned.waiting(conversation_id)),
    }


async def test_the_assistants_request_ends_all_sharing_and_says_so_once(bench: Bench) -> None:
    conversation_id = await shared_story(bench)
    bench.assistant.turn = Turn(requests=(Withdraw(what=Consent.SHARING),))
    messages = await talk(bench, "leave them out of it now")
    assert said(messages)[-1] == SHARING
    assert await agreed(bench.ledger, conversation_id) == {
        "organisations": None, "summary": "ours", "earlier": False, "planned": 1,
    }  # fmt: skip
    assert [message.outcome for message in messages if message.text.startswith("leave")] == ["took_back_sharing"]


async def test_plain_words_need_no_assistant(bench: Bench) -> None:
    conversation_id = await shared_story(bench)
    bench.assistant.answering = silence()
    messages = await talk(bench, "stop checking in on me")
    assert said(messages)[-1] == CHECK_INS
    assert (await agreed(bench.ledger, conversation_id))["planned"] == 0
    assert (await agreed(bench.ledger, conversation_id))["organisations"] == {"clearwater"}, "of that nothing was said"


async def test_a_check_in_by_the_assistant_is_called_off_too(bench: Bench) -> None:
    (hello, *_) = await talk(bench, "hello", "CHECK")
    assert await bench.ledger.check_ins.state(hello.conversation_id) == "agreed"
    await talk(bench, "i changed my mind about the check in")
    assert await bench.ledger.check_ins.state(hello.conversation_id) == ""


async def test_it_is_answered_in_welsh_where_they_are(bench: Bench) -> None:
    messages = await talk(bench, "peidiwch a rannu hyn", language="cy")
    assert said(messages)[-1].startswith("Wrth gwrs.")


async def test_while_a_peer_worker_has_them_plain_words_count_at_once(bench: Bench) -> None:
    conversation_id = await shared_story(bench)
    stored = await bench.store("can i talk to someone")
    committed = await answer(bench.ledger, stored, escalation=OpenEscalation(reason="asked"))
    jo = await bench.ledger.peer_by_login("jo")
    assert committed.escalation_id is not None and jo is not None
    await bench.ledger.claim(committed.escalation_id, jo, datetime.now(UTC) + timedelta(hours=1), JOINED)
    bench.assistant.asked.clear()
    messages = await talk(bench, "dont share that any more", "dont share this with my mum")
    assert said(messages)[-1] == SHARING, "once: what names somebody is for the peer worker to read"
    assert (await agreed(bench.ledger, conversation_id))["organisations"] is None
    assert not bench.assistant.asked


async def test_a_guest_of_another_organisation_reads_no_further(office: Office, jo: Browser, ana: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    host, guest = await staff_named(office, "Jo"), await staff_named(office, "Ana")
    whom = Whom(to_kind="person", to_id=guest.id, to_name="Ana", reads_all=False)
    escalation = await office.ledger.escalation(person.escalation_id)
    assert escalation is not None
    conversation = await office.ledger.conversation(person.conversation_id)
    notice = Draft(sender=Sender.NOTICE, text="Ana is asked to come.")
    offered = await office.ledger.introductions.offer(escalation.id, host, whom, conversation.last_seq, notice)
    await office.ledger.introductions.join(offered, guest, notice)
    await office.ledger.consents.withdraw(person.conversation_id, Consent.SHARING, host.id)
    assert await office.ledger.introductions.current(escalation.id) is None


async def test_the_desk_shows_what_was_agreed_and_takes_it_back(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    assert "What they said yes to" not in (await jo.get(person.page)).text
    host = await staff_named(office, "Jo")
    await office.ledger.talk.add(person.conversation_id, NoteKind.SUMMARY, host.id, {"text": "x", "state": "agreed"})
    due = datetime.now(UTC) + timedelta(days=3)
    await office.ledger.planned.plan(person.conversation_id, host, PlanKind.MESSAGE, due, "Thinking of you")
    read = words_of((await jo.get(person.page)).text)
    assert "Sharing: the words to pass on are right" in read
    assert "Writing to them first: a message at a time" in read

    done = await jo.post(f"{person.page}/taken-back", what="check_ins")
    assert done.status_code == 303
    assert (await texts(office, person.conversation_id))[-1] == CHECK_INS
    assert not await office.ledger.planned.waiting(person.conversation_id)
    assert "Writing to them first" not in (await jo.get(person.page)).text
    trail = [row for row in await office.ledger.audit_log(20) if row.action == "consent_withdrawn"]
    assert [(row.actor, row.detail) for row in trail] == [(host.id, "check_ins")]


@pytest.mark.parametrize("what", ["", "everything", "sharing"])
async def test_where_nothing_was_agreed_nothing_is_said(office: Office, jo: Browser, what: str) -> None:
    person = await person_asks(office, channel=Channel.TELEGRAM)
    await jo.post(f"{person.page}/take")
    before = await texts(office, person.conversation_id)
    refused = await jo.post(f"{person.page}/taken-back", what=what)
    assert refused.status_code == 409
    assert "There is no yes to take back any more." in words_of(refused.text)
    assert await texts(office, person.conversation_id) == before
