"""The whole action server on the real index of the demo catalogue."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.actions.__main__ import compose, main
from bot.actions.settings import read_settings
from bot.concern.reading import open_reader
from channels.assistant import read_turn
from channels.conversation import Channel, HandOver, Note, Turn
from channels.fitting import fit
from channels.gsm7 import is_gsm7
from channels.wording import Wording
from knowledge.publish import publish
from knowledge.settings import read_settings as read_knowledge_settings
from tests.integration.serving import eventually
from tests.integration.test_actions import call, wait_until_ready

TOKEN = "the token of the tests"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    """Composed as the process does it, on an index of the demo catalogue. Loaded once: the first test waits for it."""
    settings = read_knowledge_settings(data_dir=tmp_path_factory.mktemp("catalogue"))
    publish(settings)
    open_reader(settings)  # trained here where set-up has not
    return compose(read_settings(actions_token=TOKEN), settings)


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(app=app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://actions", headers=headers) as opened,
        app.router.lifespan_context(Starlette()),
    ):
        await wait_until_ready(opened)
        yield opened


class Talk:
    """A conversation: remembers slots as Rasa does."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._slots: dict[str, Any] = {}

    async def say(
        self, action: str, text: str = "", value: str | None = None, metadata: dict[str, Any] | None = None
    ) -> Turn:
        entities = [] if value is None else [{"entity": "value", "value": value}]
        latest = {"entities": entities} | ({"metadata": metadata} if metadata else {})
        body = call(action, text, slots=self._slots, latest_message=latest)
        # As Rasa's client writes it: in ASCII, so that even half a character arrives.
        answer = (await self._client.post("/webhook", content=json.dumps(body))).raise_for_status().json()
        self._slots |= {event["name"]: event["value"] for event in answer["events"]}
        return read_turn({"messages": answer["responses"]})


async def test_rent_and_low_mood_then_details_then_a_place_then_more(client: httpx.AsyncClient) -> None:
    talk = Talk(client)
    first = await talk.say("action_find_support", "cant pay my rent this month and im so down")
    assert 1 <= len(first.replies[0].cards) <= 3
    assert all(card.phone and card.checked for card in first.replies[0].cards)
    (note,) = (request for request in first.requests if isinstance(request, Note))
    assert set(note.needs) == {"rent_arrears", "low_mood"}

    chosen = first.replies[0].cards[0].service_id
    details = await talk.say("action_show_details", value=chosen)
    assert details.replies[0].detail
    assert details.replies[0].cards[0].service_id == chosen

    near = await talk.say("action_find_support", "WZ2")
    assert any("mile" in card.place for card in near.replies[0].cards)
    assert Note(needs=note.needs, place="Millgate") in near.requests

    more = await talk.say("action_show_more")
    shown = {card.service_id for card in near.replies[0].cards}
    assert not shown & {card.service_id for card in more.replies[0].cards}


async def test_more_for_ever_always_ends_in_a_contact_or_a_person(client: httpx.AsyncClient) -> None:
    talk = Talk(client)
    await talk.say("action_find_support", "is there a choir that sings at night")
    for _ in range(15):
        turn = await talk.say("action_show_more")
        assert turn.replies[0].cards or any(isinstance(request, HandOver) for request in turn.requests)


@pytest.mark.parametrize(
    "text",
    ["cant pay my rent", "im hungry", "\U0001f622", "???", "asdf", "WZ4", "im 16 and my dad kicked me out", "barber",
     "lost my job, cant pay rent, drinking too much", "x" * 20_000, "/restart", "\x00\x01", "\ud83d" + "rent", "'; --"],
)  # fmt: skip
async def test_every_message_is_answered_with_a_contact_and_a_person(client: httpx.AsyncClient, text: str) -> None:
    turn = await Talk(client).say("action_find_support", text)
    (reply,) = turn.replies
    assert any(card.phone for card in reply.cards)
    assert "person" in {choice.payload for choice in reply.choices}


@pytest.mark.parametrize("text", ["cant pay my rent this month and im so down", "im hungry in foxley", "???"])
async def test_an_answer_fits_one_text_message(client: httpx.AsyncClient, text: str) -> None:
    turn = await Talk(client).say("action_find_support", text)
    fitted = fit(Channel.SMS, turn.replies[0], Wording.load())
    assert [len(each.text) <= 306 and is_gsm7(each.text) for each in fitted] == [True]


@pytest.mark.parametrize("text", ["i want to die", "i feel like nobody would notice if i was gone"])
async def test_words_about_suicide_ask_for_a_person_and_name_a_line(client: httpx.AsyncClient, text: str) -> None:
    turn = await Talk(client).say("action_find_support", text)
    assert HandOver(reason="concern", need="suicidal_thoughts") in turn.requests
    assert "116 123" in {card.phone for card in turn.replies[0].cards}
    assert "postcode" not in turn.replies[0].text


async def test_an_operator_can_ask_how_old_the_index_is(client: httpx.AsyncClient) -> None:
    about = (await client.get("/ready", params={"about": "index"})).json()
    assert about["ready"] and about["fresh"]
    assert about["services"] > 120
    assert about["built_at"]


@pytest.mark.parametrize("concern", ["attempt", "method_seeking"])
async def test_tablets_named_in_danger_bring_no_drugs_service(client: httpx.AsyncClient, concern: str) -> None:
    talk = Talk(client)
    turn = await talk.say("action_find_support", "i took all my tablets", metadata={"concerns": [concern]})
    names = [card.name for reply in turn.replies for card in reply.cards]
    assert "Samaritans" in names
    assert not {"FRANK", "New Tide safer kit", "Pop-up test van"} & set(names)


def test_a_missing_token_stops_the_process_with_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.delenv("NWD_ACTIONS_TOKEN", raising=False)
    monkeypatch.setenv("NWD_DATA_DIR", str(tmp_path))
    assert main() == 2
    assert "NWD_ACTIONS_TOKEN" in capsys.readouterr().err


async def test_the_worker_gets_the_classifiers_concerns_over_http(client: httpx.AsyncClient) -> None:
    """The real encoder and the heads trained on the project's own examples. Before they are loaded it says so."""

    async def kinds_of(text: str) -> list[str] | None:
        answer = await client.post("/concerns", json={"text": text})
        return answer.json()["kinds"] if answer.status_code == 200 else None

    await eventually(lambda: is_answered(kinds_of("hello")))
    assert await kinds_of("by sunday i will be dead and nobody in this house will even cry") == ["suicide"]
    assert await kinds_of("is the library open on sunday") == []


async def is_answered(kinds: Awaitable[list[str] | None]) -> bool:
    return await kinds is not None
