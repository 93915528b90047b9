"""What the desk shows and offers beyond the conversation itself: STOP after a concern, and another channel."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from channels.conversation import Channel, Concern, Holder, Inbound
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.records import OpenEscalation, Outcome
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import Office, open_office, person_asks, words_of
from tests.worker_builders import WORDING


@pytest.fixture
async def office(ledger: Ledger, streams: Streams, settings: Settings) -> AsyncIterator[Office]:
    opened = open_office(ledger, streams, Escalations(ledger, streams, WORDING, settings), settings)
    yield opened
    await opened.close()


async def test_stop_after_a_concern_stands_out_on_the_list_and_in_the_story(office: Office) -> None:
    person = await person_asks(office, concerns=(Concern.SUICIDE,))
    inbound = Inbound(channel=Channel.SMS, address="+441632960001", provider_id="stop", text="STOP")
    stored = await office.ledger.store_inbound(inbound)
    assert stored.conversation_id == person.conversation_id
    asked = OpenEscalation(reason="stopped")
    stopped = Outcome(
        message_id=stored.message_id, expected_holder=Holder.BOT, kind="opted_out_after_concern",
        escalation=asked, do_not_text_first=True,
    )  # fmt: skip
    assert await office.ledger.commit(stopped) is not None
    sam = await office.sit_down("Sam")
    queue = words_of((await sam.get("/desk")).text)
    assert "Wrote STOP after something that worries us" in queue
    assert "They stopped our texts after something that worries us." in queue
    story = words_of((await sam.get(person.page)).text)
    assert "They stopped our texts soon after something that worries us." in story
    assert "They do not want to be texted first." in story


async def test_whoever_holds_it_can_offer_another_channel_and_nobody_else(office: Office) -> None:
    person = await person_asks(office)
    sam, ana = await office.sit_down("Sam"), await office.sit_down("Ana")
    await sam.post(f"{person.page}/take")
    assert "Offer another channel" in words_of((await sam.get(person.page)).text)
    assert (await ana.post(f"{person.page}/offer-code")).status_code == 409
    offered = await sam.post(f"{person.page}/offer-code")
    assert offered.status_code == 303
    messages = await office.ledger.messages(person.conversation_id)
    assert "Your code is" in messages[-1].text
