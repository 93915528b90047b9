"""Whom help is asked for: what the assistant understood reaches the peer worker, and what they say later counts."""

from __future__ import annotations

import pytest

from channels.conversation import AskedFor, Note, Reply, Turn
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import Browser, Office, words_of
from tests.worker_builders import Bench, talk

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def says(bench: Bench, text: str, intent: str) -> str:
    """The message, as the assistant understands it. Gives the conversation."""
    bench.assistant.turn = Turn(replies=(Reply(text="Let me look."),), requests=(Note(intent=intent),))
    return (await talk(bench, text))[0].conversation_id


@pytest.mark.parametrize(
    ("intent", "kept"),
    [
        pytest.param("for_someone_else", AskedFor.SOMEBODY_ELSE, id="a relative or friend"),
        pytest.param("asked_by_a_worker", AskedFor.A_CLIENT, id="a worker"),
        pytest.param("", None, id="nothing was said"),
        pytest.param("<b>for_a_newer_release</b>", None, id="a word nobody knows"),
    ],
)
async def test_what_was_understood_is_kept(bench: Bench, intent: str, kept: AskedFor | None) -> None:
    conversation_id = await says(bench, "my mum needs food", intent)
    assert (await bench.ledger.conversation(conversation_id)).asked_for is kept


async def test_the_queue_and_the_page_show_it_until_they_say_otherwise(
    bench: Bench, office: Office, jo: Browser
) -> None:
    conversation_id = await says(bench, "my mum needs food", "for_someone_else")
    await talk(bench, "person")
    assert "asks for somebody else" in words_of((await jo.get("/desk")).text)
    assert "For whom Asks for somebody else" in words_of((await jo.get(f"/desk/conversations/{conversation_id}")).text)

    await says(bench, "and where do i send the form", "")
    assert "asks for somebody else" in words_of((await jo.get("/desk")).text), "saying nothing of it changes nothing"
    await says(bench, "and its for me this time", "for_themselves")
    for page in ("/desk", f"/desk/conversations/{conversation_id}"):
        assert "somebody else" not in words_of((await jo.get(page)).text)


async def test_it_is_in_the_copy_of_what_is_kept_and_goes_with_them(bench: Bench) -> None:
    conversation_id = await says(bench, "a client of mine has no heating", "asked_by_a_worker")
    conversation = await bench.ledger.conversation(conversation_id)
    assert (await bench.ledger.rights.export("robin", conversation.person_id))["asked_for"] == "asked_by_a_worker"
    await bench.ledger.forget(conversation.person_id)
    assert (await bench.ledger.conversation(conversation_id)).asked_for is None
