"""Leads keep the saved replies: in each language, checked, with who and when; everybody finds them at once."""

from __future__ import annotations

import re

import pytest

from channels.desk.replies import SavedReplies
from channels.wording import Wording
from tests.desk_builders import Browser, Office, Person, person_asks, words_of

pytest_plugins = ["tests.desk_fixtures"]
WARM = {"title": "Warm words", "about": "kind", "text": "It's good that you wrote, I'm {name}. What happened?"}


@pytest.fixture
async def robin(office: Office) -> Browser:
    return await office.sit_down("Robin", "lead")


async def person_of(office: Office, jo: Browser, language: str | None = None) -> Person:
    person = await person_asks(office, language=language)
    await jo.post(f"{person.page}/take")
    return person


async def looked(jo: Browser, person: Person, words: str) -> str:
    return words_of((await jo.post(f"{person.page}/look", find=words, text="")).text)


async def seen_in(robin: Browser, language: str) -> str:
    """Which change the page of "hello" shows in a language."""
    page = (await robin.get("/desk/replies/hello")).text
    found = re.search(rf'name="seen" value="(\d+)">\s*<p><label for="title-{language}"', page)
    assert found is not None
    return found[1]


async def test_a_new_one_is_found_by_everybody_with_its_variables_filled_in(
    office: Office, robin: Browser, jo: Browser
) -> None:
    assert (await robin.post("/desk/replies/new/en", **WARM)).status_code == 303
    person = await person_of(office, jo)
    found = await looked(jo, person, "kind")
    assert "Warm words 1 text" in found
    assert "It's good that you wrote, I'm Jo. What happened?" in found
    listed = words_of((await robin.get("/desk/replies?find=warm")).text)
    assert "Changed by Robin" in listed
    assert "No words in Welsh yet: English is offered instead." in listed


async def test_one_that_came_with_the_product_is_changed_taken_away_and_brought_back(
    office: Office, robin: Browser, jo: Browser
) -> None:
    person = await person_of(office, jo)
    changed = {"title": "Hello there", "about": "hello", "text": "Hello, I'm {name}. What would help most?"}
    await robin.post("/desk/replies/hello/en", **changed, seen="0")
    assert "Hello, I'm Jo. What would help most?" in await looked(jo, person, "hello there")
    assert "English: changed by Robin" in words_of((await robin.get("/desk/replies/hello")).text)
    await robin.post("/desk/replies/hello/en", remove="yes", seen=await seen_in(robin, "en"))
    await robin.post("/desk/replies/hello/cy", remove="yes", seen="0")
    assert "Hello there" not in await looked(jo, person, "hello")
    gone = words_of((await robin.get("/desk/replies")).text)
    assert "Taken away" in gone
    history = words_of((await robin.get("/desk/replies/hello")).text)
    assert "taken away by Robin" in history
    again = await robin.post("/desk/replies/hello/en", **changed, seen=await seen_in(robin, "en"))
    assert again.status_code == 303
    assert "Hello, I'm Jo." in await looked(jo, person, "hello there")


async def test_a_conversation_in_welsh_gets_welsh_words_and_sees_where_there_are_none(
    office: Office, robin: Browser, jo: Browser
) -> None:
    await robin.post("/desk/replies/new/en", **WARM)
    person = await person_of(office, jo, language="cy")
    assert "Helo, Jo ydw i." in await looked(jo, person, "hello"), "found by its English words too"
    without = await looked(jo, person, "warm")
    assert "Warm words" in without
    assert "in English: not written in Welsh yet" in without
    filled = (await jo.post(f"{person.page}/insert", saved="hello", text="")).text
    assert "Helo, Jo ydw i." in filled


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"text": "Sorry, we can't help you with that."}, "Somebody could hear a no in it", id="a no"),
        pytest.param({"title": "Unfortunately"}, "Somebody could hear a no in it", id="a no in the title"),
        pytest.param(
            {"text": "Text STOP if it is too much."}, "STOP is a word that phone networks keep", id="kept word"
        ),
        pytest.param({"text": "Hello {nmae}."}, "Between curly brackets there can be", id="a variable nobody knows"),
        pytest.param({"text": "Hello {name."}, "Between curly brackets there can be", id="half a bracket"),
        pytest.param({"text": "I know [place] well."}, "still to be filled in", id="something left over"),
        pytest.param({"text": "It is fine. " * 40}, "It takes 4 text messages", id="too long"),
        pytest.param({"text": "  "}, "It needs a title and words.", id="no words"),
    ],
)
async def test_what_nobody_should_be_sent_is_not_kept_and_not_lost(
    office: Office, robin: Browser, change: dict[str, str], why: str
) -> None:
    refused = await robin.post("/desk/replies/new/en", **{**WARM, **change})
    assert refused.status_code == 422
    assert why in words_of(refused.text)
    assert WARM["about"] in refused.text
    assert await office.ledger.saved_replies.newest() == []


async def test_of_two_who_change_it_at_once_the_second_is_told_and_keeps_the_words(
    office: Office, robin: Browser
) -> None:
    kim = await office.sit_down("Kim", "lead")
    first = {**WARM, "text": "The first words. What happened?"}
    second = {**WARM, "text": "The second words. What happened?"}
    assert (await robin.post("/desk/replies/slow/en", **first, seen="0")).status_code == 303
    late = await kim.post("/desk/replies/slow/en", **second, seen="0")
    assert late.status_code == 409
    assert "Somebody else has changed it since you opened it." in words_of(late.text)
    assert "The second words." in late.text
    assert [change.text for change in await office.ledger.saved_replies.newest()] == [first["text"]]


async def test_peer_workers_use_them_and_leads_change_them(office: Office, jo: Browser) -> None:
    for path in ("/desk/replies", "/desk/replies/hello", "/desk/replies/new"):
        assert (await jo.get(path)).status_code == 403
    assert (await jo.post("/desk/replies/hello/en", **WARM)).status_code == 403
    assert await office.ledger.saved_replies.newest() == []


@pytest.mark.parametrize("path", ["nothing/en", "hello/xx", "..%2fhello/en"])
async def test_only_a_reply_and_a_language_that_there_are_can_be_changed(
    office: Office, robin: Browser, path: str
) -> None:
    assert (await robin.post(f"/desk/replies/{path}", **WARM)).status_code == 404
    assert await office.ledger.saved_replies.newest() == []


async def test_who_changed_what_is_in_the_audit_without_the_words(office: Office, robin: Browser) -> None:
    await robin.post("/desk/replies/hello/cy", **{**WARM, "text": "Helo eto. Sut mae pethau?"})
    row = next(row for row in await office.ledger.audit_log() if row.action == "saved_reply_changed")
    assert (row.subject, row.detail) == ("hello", "cy")
    assert "Helo" not in str(row)


def test_every_reply_that_comes_with_the_product_has_welsh_words() -> None:
    replies = SavedReplies.load(languages=Wording.load().crisis.languages[1:])
    assert not [reply.id for reply in replies.within("cy") if reply.instead]
