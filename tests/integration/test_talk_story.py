"""The whole story on one page: in short and in their words, what worries us and why, and earlier talks with consent."""

from __future__ import annotations

import pytest

from channels.conversation import Concern
from channels.ledger import Ledger
from channels.ledger.talk_records import NoteKind
from tests.desk_builders import Browser, Office, Person, person_asks, texts, words_of
from tests.ledger_builders import text_from

pytest_plugins = ["tests.desk_fixtures"]

LOST_JOB = "hi. I lost my job in March and cant pay the rent. my landlord wants me out by friday"


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


async def says(office: Office, text: str, number: str) -> None:
    """The person writes while a peer worker holds the conversation."""
    await office.ledger.store_inbound(text_from("+441632960001", f"later-{number}", text))


async def with_jo(office: Office, jo: Browser, *said: str, concerns: tuple[Concern, ...] = ()) -> Person:
    person = await person_asks(office, texts=said or (LOST_JOB,), concerns=concerns)
    assert (await jo.post(f"{person.page}/take")).status_code == 303
    return person


async def test_the_story_begins_in_short_and_in_their_words(office: Office, jo: Browser) -> None:
    person = await with_jo(office, jo, LOST_JOB, "can i talk to someone", "2")
    read = words_of((await jo.get(person.page)).text)
    assert "In short, in their words" in read
    assert "I lost my job in March and cant pay the rent." in read
    assert "Nobody has checked it with them yet." in read


async def test_a_worry_is_shown_with_its_reason_and_never_a_score(office: Office, jo: Browser) -> None:
    person = await with_jo(office, jo, "honestly dont want to be here anymore", concerns=(Concern.SUICIDE,))
    page = (await jo.get(person.page)).text
    assert "talks about not wanting to be here" in words_of(page)
    assert "thoughts of suicide" in words_of(page)


async def test_they_see_the_summary_first_and_can_correct_it(office: Office, jo: Browser) -> None:
    person = await with_jo(office, jo)
    asked = await jo.post(f"{person.page}/summary", summary="Lost the job, behind with rent.", ask="yes")
    assert asked.status_code == 303
    assert "Lost the job, behind with rent. Is that right?" in (await texts(office, person.conversation_id))[-1]
    early = await jo.post(f"{person.page}/summary-agreed")
    assert early.status_code == 409
    assert "They have not answered that yet." in words_of(early.text)

    await says(office, "no its my wifes job", "1")
    assert "They have answered. Correct it with what they said" in words_of((await jo.get(person.page)).text)
    await jo.post(f"{person.page}/summary", summary="Wife lost her job, behind with rent.", ask="yes")
    await says(office, "yes thats right", "2")
    assert "They have answered that it is fine." in words_of((await jo.get(person.page)).text)
    assert (await jo.post(f"{person.page}/summary-agreed")).status_code == 303
    read = words_of((await jo.get(person.page)).text)
    assert "Wife lost her job, behind with rent. They have said that it is right." in read


async def test_an_empty_summary_changes_nothing(office: Office, jo: Browser) -> None:
    person = await with_jo(office, jo)
    assert (await jo.post(f"{person.page}/summary", summary="  ")).status_code == 409
    assert not await office.ledger.talk.notes(person.conversation_id)


async def back_again(office: Office, jo: Browser, **more: object) -> Person:
    """They talked with Jo, and ask for a person again."""
    person = await with_jo(office, jo, "my secret from last time")
    assert (await jo.post(f"{person.page}/close")).status_code == 303
    again = await person_asks(office, texts=("need help again please",), **more)  # type: ignore[arg-type]
    assert again.conversation_id == person.conversation_id
    return again


async def test_an_earlier_talk_is_read_only_when_they_agree(office: Office, jo: Browser, ana: Browser) -> None:
    again = await back_again(office, jo, address_of=1)
    await ana.post(f"{again.page}/take")
    page = (await ana.get(again.page)).text
    assert "my secret from last time" not in page
    assert "my secret from last time" not in (await ana.get(f"{again.page}?before=3")).text
    assert "What was said then stays closed until they say that it is fine." in words_of(page)
    assert (await ana.post(f"{again.page}/earlier-agreed")).status_code == 409
    await ana.post(f"{again.page}/earlier-ask")
    assert "Is it OK if I read what was said then?" in (await texts(office, again.conversation_id))[-1]
    assert (await ana.post(f"{again.page}/earlier-agreed")).status_code == 409
    await says(office, "yes ok", "3")
    assert (await ana.post(f"{again.page}/earlier-agreed")).status_code == 303
    assert "my secret from last time" in (await ana.get(again.page)).text
    assert "earlier_written" in [row.action for row in await office.ledger.audit_log()]


async def test_whoever_was_with_them_knows_it_already(office: Office, jo: Browser) -> None:
    again = await back_again(office, jo, address_of=1)
    assert "my secret from last time" in (await jo.get(again.page)).text


async def test_a_worry_opens_the_earlier_talk(office: Office, jo: Browser, ana: Browser) -> None:
    again = await back_again(office, jo, address_of=1, concerns=(Concern.SUICIDE,))
    assert "my secret from last time" in (await ana.get(again.page)).text


async def test_notes_go_with_the_person(office: Office, jo: Browser) -> None:
    person = await with_jo(office, jo)
    await jo.post(f"{person.page}/note", note="canary in the mine")
    conversation = await office.ledger.conversation(person.conversation_id)
    assert [note.kind for note in await office.ledger.talk.notes(person.conversation_id)] == [NoteKind.NOTE]
    assert (await office.ledger.held(conversation.person_id)).noted == 1, "and they are told that there are some"
    await office.ledger.forget(conversation.person_id)
    assert not await office.ledger.talk.notes(person.conversation_id)
