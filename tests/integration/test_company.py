"""Waiting is held: words in time, true and few; and whoever lapsed hears from us again if they wanted to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from channels.agreeing import Agreeing
from channels.attendance import Attendance
from channels.company import AT_ONCE, Company
from channels.conversation import Channel, Choice, EscalationState, Holder, Inbound, Sender
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.records import Draft, OpenEscalation, Outcome
from channels.opening import Opening
from channels.settings import Settings
from channels.streams import Streams
from channels.teams import Teams
from channels.wording import Wording
from tests.desk_builders import Clock
from tests.escalation_builders import ask, last_words, now_of, said
from tests.ledger_builders import answer, text_from

pytest_plugins = ["tests.desk_fixtures"]


@dataclass
class House:
    """What keeps people company, and ways to move the day along."""

    ledger: Ledger
    streams: Streams
    escalations: Escalations
    settings: Settings
    clock: Clock

    def company(self, **changes: object) -> Company:
        settings = self.settings.model_copy(update=changes)
        wording = Wording.load()
        return Company(
            ledger=self.ledger, streams=self.streams, escalations=self.escalations, settings=settings,
            opening=Opening.load(settings, Teams()), clock=self.clock,
            attendance=Attendance(ledger=self.ledger, streams=self.streams, wording=wording, clock=self.clock),
        )  # fmt: skip


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


@pytest.fixture
def house(ledger: Ledger, streams: Streams, escalations: Escalations, settings: Settings, clock: Clock) -> House:
    return House(ledger, streams, escalations, settings, clock)


async def test_an_update_comes_in_time_with_the_place_and_not_twice(house: House) -> None:
    await house.streams.present("sam", 60)
    first = await ask(house.escalations, house.ledger, 1)
    second = await ask(house.escalations, house.ledger, 2)
    company = house.company()
    assert await company.keep() == 0
    house.clock.ahead = timedelta(minutes=11)
    assert await company.keep() == 2
    assert "you are next" in await last_words(house.ledger, first)
    assert "you are number 2" in await last_words(house.ledger, second)


async def test_updates_are_limited_and_an_end_is_never_one_of_them(house: House) -> None:
    one = await ask(house.escalations, house.ledger, 1)
    company = house.company(wait_updates=1)
    house.clock.ahead = timedelta(minutes=11)
    assert await company.keep() == 1
    house.clock.ahead = timedelta(hours=5)
    assert await company.keep() == 0
    assert (await now_of(house.ledger, one)).state is EscalationState.WAITING


async def test_with_nobody_at_the_desk_nobody_is_said_to_be_there(house: House) -> None:
    one = await ask(house.escalations, house.ledger, 1)
    house.clock.ahead = timedelta(minutes=11)
    await house.company().keep()
    assert "no one is at the desk" in await last_words(house.ledger, one)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"wait_update_minutes": 0.0}, id="switched off"),
        pytest.param({"wait_updates": 0}, id="none wanted"),
        pytest.param({"staffed_hours": "Mo 03:00-03:01"}, id="out of hours"),
    ],
)
async def test_when_no_word_is_due_none_is_said(house: House, changes: dict[str, object]) -> None:
    await ask(house.escalations, house.ledger, 1)
    house.clock.ahead = timedelta(hours=2)
    assert await house.company(**changes).keep() == 0


async def closed_for_texts(house: House) -> tuple[Company, str]:
    """As many text as get a word in one look, at an hour when nobody answers texts; one behind them is on the web."""
    for end in range(AT_ONCE):
        await ask(house.escalations, house.ledger, end)
    chat = Inbound(channel=Channel.WEB, address="visitor", provider_id="web", text="person")
    committed = await answer(
        house.ledger, await house.ledger.store_inbound(chat), escalation=OpenEscalation(reason="asked")
    )
    hours = house.settings.data_dir / "hours.yml"
    hours.write_text('channels: {sms: "Mo 03:00-03:01"}')
    assert committed.escalation_id is not None
    return house.company(hours_file=hours), committed.escalation_id


async def test_those_for_whom_nobody_is_there_now_keep_no_word_from_those_behind_them(house: House) -> None:
    company, chat = await closed_for_texts(house)
    house.clock.ahead = timedelta(minutes=11)
    assert await company.keep() == 1
    assert "no one is at the desk" in await last_words(house.ledger, chat)


async def test_nor_do_they_when_they_all_wanted_to_hear_from_us_later(house: House) -> None:
    company, chat = await closed_for_texts(house)
    for waiting in await house.escalations.waiting():
        await house.escalations.lapse(waiting.id)
        await house.ledger.queue.want_follow_up(waiting.conversation_id, True)
    await house.streams.present("sam", 60)
    assert await company.keep() == 1
    assert "You asked me to write" in await last_words(house.ledger, chat)


async def test_whoever_asked_for_quiet_gets_no_update_and_stays_in_line(house: House) -> None:
    one = await ask(house.escalations, house.ledger, 1)
    stored = await house.ledger.store_inbound(text_from("+441632960001", "stop", "STOP"))
    await house.ledger.commit(
        Outcome(message_id=stored.message_id, expected_holder=Holder.BOT, kind="opted_out", do_not_text_first=True)
    )
    before = await said(house.ledger, one)
    house.clock.ahead = timedelta(minutes=11)
    await house.company().keep()
    assert await said(house.ledger, one) == before


async def test_whoever_lapsed_and_wanted_to_is_followed_up_once_when_somebody_is_here(house: House) -> None:
    one, other = await ask(house.escalations, house.ledger, 1), await ask(house.escalations, house.ledger, 2)
    for escalation_id in (one, other):
        await house.escalations.lapse(escalation_id)
    assert "Reply 1" in await last_words(house.ledger, one)
    assert await house.ledger.queue.want_follow_up((await now_of(house.ledger, one)).conversation_id, True)
    company = house.company(wait_update_minutes=0.0)
    assert await company.keep() == 0, "nobody is here yet"
    await house.streams.present("sam", 60)
    assert await company.keep() == 1
    assert await company.keep() == 0
    assert (await now_of(house.ledger, one)).state is EscalationState.WAITING
    assert "You asked me to write" in await last_words(house.ledger, one)
    assert (await now_of(house.ledger, other)).state is EscalationState.LAPSED, "stays visible, and is not written to"


async def test_an_honest_wait_is_from_those_who_were_answered_today(house: House) -> None:
    from tests.ledger_builders import peer_named

    await house.streams.present("sam", 60)
    for number in range(10):
        taken = await ask(house.escalations, house.ledger, 100 + number)
        peer = await peer_named(house.ledger, f"P{number}")
        await house.escalations.claim(taken, peer)
    one = await ask(house.escalations, house.ledger, 1)
    house.clock.ahead = timedelta(minutes=12)
    await house.company().keep()
    assert "Most people waited 15 minutes or less" in await last_words(house.ledger, one)


LATER = Choice(title="Write when someone is here", payload="later:yes")
SHARE = (Choice(title="OK, they may read it", payload="share:clearwater"), Choice(title="Keep it", payload="keep:x"))


@pytest.mark.parametrize(
    ("channel", "asked", "text", "heard"),
    [
        pytest.param(Channel.WEB, (LATER,), "1", True, id="the number that the words themselves name"),
        pytest.param(Channel.TELEGRAM, SHARE, "1", False, id="a button without a number agrees to nothing by number"),
        pytest.param(Channel.TELEGRAM, SHARE, "yes", True, id="a yes does"),
        pytest.param(Channel.SMS, SHARE, "2", True, id="by text message it stood beside the choice"),
    ],
)
async def test_only_a_number_that_was_read_answers_a_question(
    house: House, channel: Channel, asked: tuple[Choice, ...], text: str, heard: bool
) -> None:
    address = "+441632960001" if channel is Channel.SMS else "7"
    first = await house.ledger.store_inbound(Inbound(channel=channel, address=address, provider_id="a", text="hello"))
    question = Draft(sender=Sender.NOTICE, text="Is that OK?", choices=asked)
    await house.ledger.commit(
        Outcome(message_id=first.message_id, expected_holder=Holder.BOT, kind="bot", drafts=(question,))
    )
    await house.ledger.store_inbound(Inbound(channel=channel, address=address, provider_id="b", text=text))
    message = await house.ledger.next_unanswered(first.conversation_id)
    assert message is not None
    agreeing = Agreeing(ledger=house.ledger, streams=house.streams, wording=Wording.load(), teams=Teams())
    assert (await agreeing.hear(message) is not None) is heard
