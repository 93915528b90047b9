"""One conversation on the desk over HTTP: its whole story, answering, keeping it and letting go."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from channels.conversation import Channel, Concern, Delivery, Holder, Inbound, Media, Receipt, Sender
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.records import Draft, PeerRecord
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import Wording
from tests.desk_builders import Browser, Clock, Office, open_office, person_asks, texts, words_of
from tests.ledger_builders import answer

pytest_plugins = ["tests.desk_fixtures"]

WORDING = Wording.load()
WORRY = (Concern.SUICIDE,)
CANARY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"


# -- the story


async def test_the_whole_story_is_there_and_the_number_is_not(office: Office, jo: Browser) -> None:
    person = await person_asks(
        office,
        777,
        texts=["cant pay my rent", "and im so down"],
        concerns=(Concern.SUICIDE, Concern.ABUSE),
        place="Wrenbridge",
        media=(Media(kind="picture", content_type="image/jpeg", reference="https://api.example/secret"),),
    )
    await jo.post(f"{person.page}/take")
    await jo.post(f"{person.page}/reply", text="Hi, I have read all of that.")
    page = (await jo.get(person.page)).text
    read = words_of(page)
    for part in (
        "thoughts of suicide",
        "being hurt or controlled by someone",
        "Rent and mortgage worries",
        "Wrenbridge",
        "Text message, number ending 777",
        "They wrote",
        "cant pay my rent",
        "and im so down",
        "Sent a picture (image/jpeg)",
        "These can help: 1 Rent Rescue drop-in 01632 960112",
        "open now until 4:30pm",
        "Why: they said: cant pay my rent",
        WORDING.say("joined", name="Jo"),
        "Jo, peer worker",
        "Hi, I have read all of that.",
        "On its way",
    ):
        assert part in read, part
    assert "4416329" not in page
    assert "960777" not in page
    assert "api.example" not in page


@pytest.mark.parametrize(
    ("offered", "read"),
    [
        pytest.param(True, "They have not said, so nothing goes by itself.", id="asked, no answer"),
        pytest.param(False, "Nothing goes to them by itself.", id="never asked"),
    ],
)
async def test_whether_they_hear_from_us_by_themselves_is_said(
    office: Office, ledger: Ledger, jo: Browser, offered: bool, read: str
) -> None:
    person = await person_asks(office, concerns=WORRY)
    if offered:
        inbound = Inbound(channel=Channel.SMS, address="+441632960001", provider_id="SM-later", text="hm")
        await answer(ledger, await ledger.store_inbound(inbound), offers_check=True)
    assert read in words_of((await jo.get(person.page)).text)


async def test_nothing_of_the_kind_is_said_where_nothing_worries_us(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    assert "Asking later" not in words_of((await jo.get(person.page)).text)


async def test_what_did_not_arrive_is_said_beside_it(office: Office, ledger: Ledger, jo: Browser) -> None:
    person = await person_asks(office)
    message = await ledger.next_unsent(person.conversation_id)
    assert message is not None
    await ledger.mark_sending(message.id)
    await ledger.mark_sent(message.id, "SM-out")
    await ledger.store_receipt(
        Receipt(channel=Channel.SMS, provider_id="SM-out", state=Delivery.FAILED, error_code="30003")
    )
    read = words_of((await jo.get(person.page)).text)
    assert "Not delivered: The phone is switched off or out of reach." in read
    assert "1 message did not reach them." in read


async def test_a_long_story_shows_its_end_and_leads_to_its_beginning(
    office: Office, jo: Browser, ledger: Ledger
) -> None:
    person = await person_asks(office, texts=["where it began"])
    many = [Draft(sender=Sender.ASSISTANT, text=f"message number {number}.") for number in range(210)]
    await ledger.append(person.conversation_id, many)
    latest = (await jo.get(person.page)).text
    assert "message number 209." in latest
    assert "where it began" not in latest
    found = re.search(r'href="([^"]+\?before=\d+)"', latest)
    assert found is not None
    earlier = (await jo.get(found[1])).text
    assert "where it began" in earlier
    assert "message number 209." not in earlier
    assert "data-part" not in earlier, "what is over does not change"
    assert "To the latest messages" in earlier
    assert (await jo.get(f"{person.page}?before=0")).status_code == 200
    assert (await jo.get(f"{person.page}?before=x")).text.count("message number 209.") == 1


async def test_nothing_a_person_writes_becomes_part_of_the_page(office: Office, ledger: Ledger) -> None:
    person = await person_asks(
        office,
        texts=[CANARY],
        place=CANARY,
        language=CANARY[:30],
        media=(Media(kind=CANARY, content_type=CANARY),),
        channel=Channel.WEB,
    )
    peer = await ledger.add_peer(name=CANARY[:40], login="mallory", role="peer", password_hash="none")
    browser = office.browser()
    browser.client.cookies.set(
        f"nwd-desk-{office.settings.port}", await ledger.open_session(peer.id, timedelta(hours=1))
    )
    pages = [await browser.get(path) for path in ("/desk", "/desk/queue", person.page, f"{person.page}/log")]
    pages.append(await browser.post(f"{person.page}/reply", text=CANARY))
    await browser.post(f"{person.page}/take", text=CANARY)
    pages.append(await browser.post(f"{person.page}/reply", text=CANARY * 30))
    await browser.post(f"{person.page}/reply", text=CANARY)
    pages.append(await browser.get(person.page))
    pages.append(await browser.sign_in(CANARY))
    pages.append(await browser.get(f"/desk/sign-in?to={CANARY}"))
    for page in pages:
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert CANARY in words_of(pages[2].text)
    assert "&lt;script&gt;" in pages[2].text


# -- answering


async def test_a_reply_goes_to_the_person_and_the_page_comes_back(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    answer = await jo.post(f"{person.page}/reply", text="  Hello.\r\nHow are you?  ")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{person.page}#latest")
    last = (await office.ledger.messages(person.conversation_id))[-1]
    assert (last.sender, last.sender_name, last.text) == (Sender.PEER, "Jo", "Hello.\nHow are you?")


async def test_a_long_reply_is_divided_into_texts_that_arrive_whole(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    await jo.post(f"{person.page}/reply", text="I hear you \u2013 that sounds hard. " * 20)
    sent = [m.text for m in await office.ledger.messages(person.conversation_id) if m.sender is Sender.PEER]
    assert len(sent) == 3
    assert all(len(text) <= 306 and "\u2013" not in text for text in sent)


async def test_a_double_press_sends_once(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    for _ in range(2):
        assert (await jo.post(f"{person.page}/reply", text="Hello.")).status_code == 303
    assert (await texts(office, person.conversation_id)).count("Hello.") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("   ", "There were no words in that", id="empty"),
        pytest.param("a" * 2001, "longer than 2000 letters", id="too long"),
    ],
)
async def test_a_reply_that_cannot_go_stays_in_the_box(office: Office, jo: Browser, text: str, said: str) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    before = await texts(office, person.conversation_id)
    answer = await jo.post(f"{person.page}/reply", text=text)
    assert answer.status_code == 422
    assert said in answer.text
    assert f">\n{text}</textarea>" in answer.text
    assert await texts(office, person.conversation_id) == before


async def test_after_the_lease_ran_out_the_words_wait_for_taking_it_again(
    office: Office, jo: Browser, clock: Clock, streams: Streams, settings: Settings
) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    clock.ahead += timedelta(seconds=settings.lease_seconds + 1)
    await streams.drop_lease(person.escalation_id)
    await office.escalations.sweep()
    assert (await texts(office, person.conversation_id))[-1] == WORDING.say("lease_ran_out", name="Jo")
    answer = await jo.post(f"{person.page}/reply", text="I was about to say")
    assert answer.status_code == 409
    assert "You do not have this conversation any more. Nothing was sent." in answer.text
    assert 'name="text" value="I was about to say"' in answer.text, "it comes along when they take it again"
    again = await jo.post(f"{person.page}/take", text="I was about to say")
    assert again.status_code == 200
    assert "I was about to say</textarea>" in again.text
    assert "cant pay my rent" in again.text
    assert (await jo.post(f"{person.page}/reply", text="I was about to say")).status_code == 303


class PassedOnMeanwhile(Escalations):
    """A queue in which the conversation slips away just as its holder presses Send."""

    async def reply(self, escalation_id: str, peer: PeerRecord, *texts: str) -> None:
        await self.pass_on(escalation_id, peer)
        await super().reply(escalation_id, peer, *texts)

    async def close(self, escalation_id: str, peer: PeerRecord) -> None:
        await self.pass_on(escalation_id, peer)
        await super().close(escalation_id, peer)


@pytest.mark.parametrize("act", ["reply", "close"])
async def test_what_slips_away_at_the_last_moment_is_not_answered_twice(
    ledger: Ledger, streams: Streams, settings: Settings, act: str
) -> None:
    slippery = PassedOnMeanwhile(ledger, streams, WORDING, settings)
    office = open_office(ledger, streams, slippery, settings)
    person = await person_asks(office)
    jo = await office.sit_down("Jo")
    await jo.post(f"{person.page}/take")
    answer = await jo.post(f"{person.page}/{act}", text="I was about to say")
    assert answer.status_code == 409
    assert "You do not have this conversation any more. Nothing was sent." in answer.text
    assert "I was about to say" in answer.text
    assert "I was about to say" not in await texts(office, person.conversation_id)
    await office.close()


async def test_words_are_kept_when_the_session_has_ended(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    token = await jo.token()
    jo.client.cookies.clear()
    answer = await jo.post(f"{person.page}/reply", token, text="I was about to say")
    assert answer.status_code == 401
    assert "I was about to say" in answer.text


# -- keeping


async def test_an_open_page_keeps_the_conversation(
    office: Office, jo: Browser, clock: Clock, streams: Streams, settings: Settings
) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    for _ in range(2):
        clock.ahead += timedelta(seconds=settings.lease_seconds * 0.7)
        assert (await jo.post(f"{person.page}/renew")).status_code == 204
        await streams.drop_lease(person.escalation_id)
        assert (await office.escalations.sweep()).returned == 0


async def test_the_page_of_one_person_keeps_the_other_too(
    office: Office, jo: Browser, clock: Clock, streams: Streams, settings: Settings
) -> None:
    first, second = await person_asks(office, 1), await person_asks(office, 2)
    for person in (first, second):
        await jo.post(f"{person.page}/take")
    for _ in range(2):
        clock.ahead += timedelta(seconds=settings.lease_seconds * 0.7)
        assert (await jo.post(f"{first.page}/renew")).status_code == 204
        await streams.drop_lease(second.escalation_id)
        assert (await office.escalations.sweep()).returned == 0


@pytest.mark.parametrize("path", ["/desk/debrief", "/desk/account", "the page of somebody who waits"])
async def test_every_page_of_the_desk_is_a_sign_of_life(office: Office, jo: Browser, path: str) -> None:
    waits = await person_asks(office, 1)
    page = (await jo.get(path if path.startswith("/") else waits.page)).text
    assert 'data-presence="/desk/presence"' in page


async def test_a_page_without_scripts_keeps_it_too(
    office: Office, jo: Browser, clock: Clock, settings: Settings
) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    before = await office.ledger.escalation(person.escalation_id)
    clock.ahead += timedelta(seconds=30)
    answer = await jo.get(f"{person.page}/keep")
    after = await office.ledger.escalation(person.escalation_id)
    assert before is not None and before.lease_until is not None
    assert after is not None and after.lease_until is not None
    assert after.lease_until > before.lease_until
    assert answer.headers["refresh"] == "20"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert f"{person.page}/keep" in (await jo.get(person.page)).text


async def test_a_frame_that_has_lost_it_says_so_and_stops_asking(office: Office, jo: Browser) -> None:
    person = await person_asks(office)
    answer = await jo.get(f"{person.page}/keep")
    assert "You do not have this conversation any more." in answer.text
    assert "refresh" not in answer.headers


async def test_answering_what_is_not_there_keeps_the_words(jo: Browser) -> None:
    answer = await jo.post("/desk/conversations/0000000000000000000000aa/reply", text="I was about to say")
    assert answer.status_code == 404
    assert "I was about to say" in answer.text


# -- letting go


@pytest.mark.parametrize(
    ("act", "key", "said"),
    [
        ("hand-back", "back_with_assistant", "They are back with the assistant"),
        ("close", "left", "They have been told that they can write again"),
    ],
)
async def test_handing_back_gives_the_turn_to_the_assistant(
    office: Office, jo: Browser, act: str, key: str, said: str
) -> None:
    person = await person_asks(office)
    await jo.post(f"{person.page}/take")
    before = await office.ledger.conversation(person.conversation_id)
    answer = await jo.post(f"{person.page}/{act}")
    assert answer.status_code == 303
    after = await office.ledger.conversation(person.conversation_id)
    assert after.holder is Holder.BOT
    assert after.episode != before.episode
    assert (await texts(office, person.conversation_id))[-1] == WORDING.say(key, name="Jo")
    assert said in (await jo.get(answer.headers["location"])).text


async def test_passing_on_asks_for_no_reason_and_thinks_of_the_peer_worker(
    office: Office, jo: Browser, ana: Browser
) -> None:
    person = await person_asks(office, concerns=WORRY)
    await jo.post(f"{person.page}/take")
    answer = await jo.post(f"{person.page}/pass-on")
    page = words_of((await jo.get(answer.headers["location"])).text)
    assert "Passed on." in page
    assert "Take 2 minutes before the next" in page
    assert (await texts(office, person.conversation_id))[-1] == WORDING.say("passed_on", name="Jo", place="next")
    assert (await ana.post(f"{person.page}/take")).status_code == 303
