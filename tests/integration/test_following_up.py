"""Writing first: only if agreed and safe, once, by day; and what people tell opens the next door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from channels.conversation import Channel, Delivery, Note, Reply, Sender, Turn
from channels.following_up import FollowUpRules
from channels.hours import DAYS
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord
from channels.ledger.talk_records import NoteKind
from channels.settings import Settings
from channels.streams import Streams
from tests.ledger_builders import peer_named
from tests.worker_builders import LIST, PERSON, RENT, WORDING, Bench, said, talk

DETAILS = Turn(
    replies=(Reply(text="Here is more:", cards=(RENT,), choices=(PERSON,), detail=True),),
    requests=(Note(needs=("rent_arrears",)),),
)
RULES = FollowUpRules.load()
LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OFFER = WORDING.say("check_in_offer")


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    found = Bench.quick(settings, ledger, streams)
    found.assistant.turn = DETAILS
    found.clock = lambda: NOON
    return found


async def agree(bench: Bench, **more: object) -> list[MessageRecord]:
    return await talk(bench, "tell me about rent rescue", "CHECK", **more)


async def ask_at(bench: Bench, moment: datetime) -> int:
    bench.clock = lambda: moment
    return await bench.worker().follow_up.ask_due()


async def test_it_is_offered_after_a_service_was_looked_at_and_agreed_with_one_word(bench: Bench) -> None:
    messages = await agree(bench)
    assert OFFER in said(messages)
    assert said(messages)[-1].startswith("OK. I'll write once, on 26 November 2026.")
    assert await bench.ledger.check_ins.state(messages[0].conversation_id) == "agreed"


async def test_an_offer_that_was_left_alone_is_not_made_again_at_once(bench: Bench) -> None:
    messages = await talk(bench, "tell me about rent rescue", "and again")
    assert said(messages).count(OFFER) == 1


async def test_nobody_is_written_to_who_did_not_agree(bench: Bench) -> None:
    await talk(bench, "tell me about rent rescue", "thanks")
    assert await ask_at(bench, NOON + timedelta(days=9)) == 0


@pytest.mark.parametrize(
    ("text", "channel"),
    [("he hits me, tell me more", Channel.SMS), ("tell me more", Channel.WEB)],
    ids=["it may not be safe", "the web cannot write first"],
)
async def test_it_is_not_offered_where_it_is_not_safe_or_not_possible(
    bench: Bench, text: str, channel: Channel
) -> None:
    messages = await talk(bench, text, channel=channel)
    assert OFFER not in said(messages)


async def test_it_comes_once_and_names_nothing(bench: Bench) -> None:
    messages = await agree(bench)
    assert await ask_at(bench, NOON + timedelta(days=2)) == 0
    assert await ask_at(bench, NOON + timedelta(days=3, hours=1)) == 1
    assert await ask_at(bench, NOON + timedelta(days=3, hours=2)) == 0
    question = (await bench.ledger.messages(messages[0].conversation_id))[-1].text
    assert question.startswith("Hello, as you and I agreed. How did it go?")
    assert "1 It helped\n2 It helped a bit\n3 They said no" in question
    assert "Rent" not in question
    assert WORDING.service not in question


async def test_by_night_it_waits(bench: Bench) -> None:
    await agree(bench)
    assert await ask_at(bench, datetime(2026, 11, 27, 3, 0, tzinfo=UTC)) == 0
    assert await ask_at(bench, datetime(2026, 11, 27, 10, 0, tzinfo=UTC)) == 1


@pytest.mark.parametrize(
    ("agreed", "due"),
    [
        (datetime(2026, 11, 23, 12, 0, tzinfo=LONDON), datetime(2026, 11, 26, 12, 0, tzinfo=LONDON)),
        (datetime(2026, 11, 23, 3, 0, tzinfo=LONDON), datetime(2026, 11, 26, 10, 0, tzinfo=LONDON)),
        (datetime(2026, 11, 23, 22, 0, tzinfo=LONDON), datetime(2026, 11, 27, 10, 0, tzinfo=LONDON)),
        (datetime(2026, 3, 26, 3, 0, tzinfo=LONDON), datetime(2026, 3, 29, 10, 0, tzinfo=LONDON)),
    ],
    ids=["by day", "early", "late", "when the clocks change"],
)
def test_when_it_is_due(agreed: datetime, due: datetime) -> None:
    assert RULES.due(agreed.astimezone(UTC), LONDON) == due


@pytest.mark.parametrize(
    ("planned", "said", "due"),
    [
        (datetime(2026, 11, 24, 2, 30, tzinfo=LONDON), (0, 24), datetime(2026, 11, 24, 10, 0, tzinfo=LONDON)),
        (datetime(2026, 11, 24, 12, 30, tzinfo=LONDON), (0, 24), datetime(2026, 11, 24, 12, 30, tzinfo=LONDON)),
        (datetime(2026, 11, 24, 18, 30, tzinfo=LONDON), (0, 17), datetime(2026, 11, 25, 10, 0, tzinfo=LONDON)),
        (datetime(2026, 11, 24, 12, 30, tzinfo=LONDON), (20, 22), datetime(2026, 11, 24, 20, 0, tzinfo=LONDON)),
    ],
    ids=["by night", "by day", "too late for them", "only in the evening"],
)
def test_the_time_of_day_of_a_text(planned: datetime, said: tuple[int, int], due: datetime) -> None:
    assert RULES.day_for(planned, LONDON, said) == due


async def test_it_survives_a_restart(bench: Bench, settings: Settings, ledger: Ledger, streams: Streams) -> None:
    await agree(bench)
    later = Bench.quick(settings, ledger, streams)
    assert await ask_at(later, NOON + timedelta(days=4)) == 1


@pytest.mark.parametrize("word", ["STOP", "END", "no check", "forget me"])
async def test_it_is_called_off(bench: Bench, word: str) -> None:
    messages = await agree(bench)
    if word == "forget me":
        await bench.ledger.forget(await person_of(bench, messages))
    else:
        await talk(bench, word)
    assert await ask_at(bench, NOON + timedelta(days=4)) == 0


async def test_it_is_called_off_once_they_told_of_being_hurt(bench: Bench) -> None:
    await agree(bench)
    await talk(bench, "he hits me")
    assert await ask_at(bench, NOON + timedelta(days=4)) == 0
    assert await ask_at(bench, NOON + timedelta(days=5)) == 0


@pytest.mark.parametrize(
    ("told", "at_noon", "at_six"),
    [
        pytest.param({"ok": "no", "from": 0, "to": 24}, 0, 0, id="not safe"),
        pytest.param({"ok": "yes", "from": 18, "to": 20}, 0, 1, id="safe in the evening"),
        pytest.param({"ok": "yes", "from": 0, "to": 24}, 1, 0, id="safe"),
    ],
)
async def test_what_they_told_a_peer_worker_about_texts_counts(
    bench: Bench, told: dict[str, object], at_noon: int, at_six: int
) -> None:
    messages = await agree(bench)
    sam = await peer_named(bench.ledger, "Sam")
    await bench.ledger.talk.add(messages[0].conversation_id, NoteKind.SAFE_CONTACT, sam.id, told)
    assert await ask_at(bench, NOON + timedelta(days=4)) == at_noon
    assert await ask_at(bench, NOON + timedelta(days=4, hours=6)) == at_six


async def person_of(bench: Bench, messages: list[MessageRecord]) -> str:
    return (await bench.ledger.conversation(messages[0].conversation_id)).person_id


async def test_nobody_is_asked_while_a_peer_worker_is_with_them(bench: Bench) -> None:
    messages = await agree(bench)
    messages = await talk(bench, "person")
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    await bench.worker().escalations.claim(escalation.id, await peer_named(bench.ledger, "Sam"))
    assert await ask_at(bench, NOON + timedelta(days=4)) == 0


@pytest.mark.parametrize(("typed", "answer"), [("1", "helped"), ("2", "partly"), ("3", "no")])
async def test_an_answer_is_thanked_for_and_counted_without_the_person(bench: Bench, typed: str, answer: str) -> None:
    await agree(bench)
    await ask_at(bench, NOON + timedelta(days=4))
    messages = await talk(bench, typed)
    assert WORDING.say(f"told_{answer}") in said(messages)
    counts = await bench.ledger.check_ins.told(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert [(one.need, one.answer, one.count) for one in counts] == [("rent_arrears", answer, 1)]
    assert await bench.ledger.check_ins.state(messages[0].conversation_id) == ""


async def test_a_closed_door_is_that_of_the_service_they_looked_at_last(bench: Bench) -> None:
    start, end = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(days=2)
    await agree(bench)
    await talk(bench, "they said no")
    (door,) = await bench.ledger.check_ins.closed_doors(start, end)
    known = (door.service_id, door.service_name, door.need, door.count)
    assert known == (RENT.service_id, RENT.name, "rent_arrears", 1)
    assert await bench.ledger.check_ins.closed_doors(start, start) == []


async def test_without_a_service_a_closed_door_is_counted_all_the_same(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "they said no")
    (door,) = await bench.ledger.check_ins.closed_doors(
        datetime.now(UTC) - timedelta(days=2), datetime.max.replace(tzinfo=UTC)
    )
    assert (door.service_name, door.count) == ("", 1)


async def test_they_said_no_opens_the_next_door(bench: Bench) -> None:
    await agree(bench)
    await ask_at(bench, NOON + timedelta(days=4))
    bench.assistant.turn = LIST
    messages = await talk(bench, "3")
    assert bench.assistant.asked[-1]["payload"] == "more"
    assert "Rent Rescue drop-in 01632 960112" in said(messages)[-1]


@pytest.mark.parametrize(
    "text", ["they said no", "the council turned me away", "The GP wouldn't see me", "got turned down"]
)
async def test_a_closed_door_told_in_passing_is_counted_and_still_answered(bench: Bench, text: str) -> None:
    await talk(bench, "tell me about rent rescue", text)
    assert bench.assistant.asked[-1]["text"] == text
    assert bench.assistant.asked[-1]["payload"] == ("more" if text in {"they said no", "got turned down"} else None)
    counts = await bench.ledger.check_ins.told(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert [one.answer for one in counts] == ["no"]


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "my landlord said he will throw us out because they refused the housing benefit and i have two kids",
        "check in",
    ],
)
def test_other_words_are_read_as_they_are(text: str) -> None:
    assert not RULES.tells_of_closed_door(text)
    assert not RULES.agrees(text)


# -- after a concern ---------------------------------------------------------------------------------------------------

GENTLE = WORDING.say("gentle_check")
NEVER_NOW = f"{DAYS[(datetime.now(LONDON) + timedelta(days=3)).weekday()]} 09:00-10:00"
"""Hours that leave no room for the offer in a first answer."""


@pytest.fixture
def worried(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


def hours_later(hours: float) -> datetime:
    """So long from now, moved to the day if it would be night."""
    moment = (datetime.now(LONDON) + timedelta(hours=hours)).astimezone(LONDON)
    return moment if 8 <= moment.hour < 22 else (moment + timedelta(hours=10)).replace(hour=8)


async def agreed(bench: Bench) -> list[MessageRecord]:
    return await talk(bench, "i want to die", "1")


async def test_some_hours_after_a_yes_one_gentle_text_comes_once(worried: Bench) -> None:
    messages = await agreed(worried)
    assert WORDING.say("check_later_agreed") in said(messages)
    assert await ask_at(worried, datetime.now(UTC)) == 0
    assert await ask_at(worried, hours_later(5)) == 1
    assert await ask_at(worried, hours_later(6)) == 0
    assert (await worried.ledger.messages(messages[0].conversation_id))[-1].text == GENTLE
    assert await worried.ledger.check_ins.state(messages[0].conversation_id) == "", "it is not what CHECK agrees to"


async def state_of(bench: Bench, messages: list[MessageRecord]) -> str:
    return await bench.ledger.check_ins.concern_state(messages[0].conversation_id)


async def test_no_answer_is_a_no_and_they_stay_in_line_for_a_person(worried: Bench) -> None:
    messages = await talk(worried, "i want to die")
    assert WORDING.say("check_short") in said(messages)[-1]
    assert await ask_at(worried, hours_later(5)) == 0
    assert await state_of(worried, messages) == "offered"
    assert [one.conversation_id for one in await worried.ledger.waiting()] == [messages[0].conversation_id]


@pytest.mark.parametrize(
    ("words", "state"),
    [
        pytest.param("yes", "agreed", id="yes"),
        pytest.param("ok then", "agreed", id="a yes in other words"),
        pytest.param("1", "agreed", id="the number"),
        pytest.param("2", "declined", id="the other number"),
        pytest.param("no thanks", "declined", id="no"),
        pytest.param("dont check", "declined", id="in so many words"),
        pytest.param("what about the food bank", "offered", id="something else"),
    ],
)
async def test_after_the_questions_it_is_asked_in_one_line(worried: Bench, words: str, state: str) -> None:
    worried.settings = worried.settings.model_copy(update={"staffed_hours": NEVER_NOW})
    worried.assistant.turn = LIST
    messages = await talk(worried, "i want to die", "no", words)
    assert sum(one.startswith(WORDING.say("check_later_offer")) for one in said(messages)) == 1
    assert await state_of(worried, messages) == state
    assert await ask_at(worried, hours_later(5)) == (1 if state == "agreed" else 0)


async def test_a_yes_to_the_question_about_suicide_is_not_a_yes_to_being_texted(worried: Bench) -> None:
    messages = await talk(worried, "i want to die", "yes")
    assert await state_of(worried, messages) == "offered"


async def test_a_second_worry_brings_no_second_question_and_no_second_text(worried: Bench) -> None:
    await agreed(worried)
    await ask_at(worried, hours_later(5))
    worried.clock = lambda: datetime.now(UTC)
    messages = await talk(worried, "i cut myself again")
    assert WORDING.say("check_short") not in said(messages)[-1]
    assert await ask_at(worried, hours_later(6)) == 0


@pytest.mark.parametrize("text", ["he hits me when he drinks", "im 11 and my dad hits me", "i have taken all my pills"])
async def test_whoever_may_not_be_alone_with_the_phone_is_not_asked(worried: Bench, text: str) -> None:
    messages = await talk(worried, text, "1", "ok")
    assert await state_of(worried, messages) == ""
    assert await ask_at(worried, hours_later(5)) == 0


async def test_a_yes_does_not_outlive_what_makes_it_unsafe(worried: Bench) -> None:
    await agreed(worried)
    await talk(worried, "he hits me when he drinks")
    assert await ask_at(worried, hours_later(5)) == 0


async def test_whoever_told_a_peer_worker_that_it_is_safe_is_not_asked_again(worried: Bench) -> None:
    messages = await talk(worried, "hello")
    safe = {"ok": "yes", "from": 0, "to": 24}
    await worried.ledger.talk.add(messages[0].conversation_id, NoteKind.SAFE_CONTACT, "sam", safe)
    await talk(worried, "he hits me when he drinks")
    assert await ask_at(worried, hours_later(5)) == 1


async def test_not_once_somebody_has_come(worried: Bench) -> None:
    messages = await agreed(worried)
    escalation = await worried.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    await worried.worker().escalations.claim(escalation.id, await peer_named(worried.ledger, "Sam"))
    assert await ask_at(worried, hours_later(5)) == 0


@pytest.mark.parametrize("word", ["STOP", "no check", "forget me"])
async def test_not_to_whoever_wants_no_texts(worried: Bench, word: str) -> None:
    messages = await agreed(worried)
    if word == "forget me":
        await worried.ledger.forget(await person_of(worried, messages))
    else:
        await talk(worried, word)
    assert await ask_at(worried, hours_later(5)) == 0


async def test_not_where_we_cannot_write_first_or_it_is_turned_off(worried: Bench) -> None:
    messages = await talk(worried, "i want to die", "1", channel=Channel.WEB, address="visitor")
    assert await state_of(worried, messages) == ""
    worried.settings = worried.settings.model_copy(update={"concern_check_hours": 0.0})
    messages = await talk(worried, "i want to die", "1")
    assert await state_of(worried, messages) == ""
    assert await ask_at(worried, hours_later(5)) == 0


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.TELEGRAM])
async def test_where_writing_is_not_safe_no_service_is_named_until_it_is_asked_for(
    worried: Bench, channel: Channel
) -> None:
    """Whoever holds the phone now reads nothing that tells what it is about."""
    worried.assistant.turn = LIST
    address = "+441632960001" if channel is Channel.SMS else "7"
    unsafe = await talk(worried, "my partner hits me", "no he reads my phone", channel=channel, address=address)
    messages = await talk(worried, "just looking for a recipe lol", channel=channel, address=address)
    fresh = "\n".join(said(messages)[len(said(unsafe)) :])
    assert RENT.name not in fresh
    assert "reply MORE" in fresh
    assert RENT.name in said(await talk(worried, "more", channel=channel, address=address))[-1]


async def test_whoever_said_that_writing_is_not_safe_stays_unwritten_to_when_they_write_again(worried: Bench) -> None:
    """START, or plain words that it is safe, say that texts are welcome again; nothing else does."""
    messages = await talk(worried, "my partner hits me", "no he reads my phone", "ok", "need somewhere to stay")
    person_id = await person_of(worried, messages)
    assert (await worried.ledger.person(person_id)).do_not_text_first
    assert not any(WORDING.say("reopened")[:40] in one for one in said(messages))
    # Not first, and yet they are answered: each of their messages was, and the answer went out.
    ours = [message for message in messages if message.sender is not Sender.PERSON]
    assert {message.delivery for message in ours} == {Delivery.SENT}
    assert any("Write when you can" in text for text in worried.sms.texts)
    await talk(worried, "START")
    assert not (await worried.ledger.person(person_id)).do_not_text_first
