"""Concerns, and things that are not words, through the whole worker."""

from __future__ import annotations

import pytest

from channels.conversation import (
    Channel,
    Choice,
    Concern,
    ForgetMe,
    HandOver,
    Media,
    Reply,
    Turn,
)
from channels.gsm7 import plain
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord
from channels.settings import Settings
from channels.streams import Streams
from tests.worker_builders import LIST, WORDING, Bench, said, silence, talk

SAMARITANS = "116 123"
FIRST = WORDING.say("first_message")
WAITING = WORDING.say("waiting_with_concern", place="next")
WHO = " ".join(WORDING.say(key) for key in ("first_short", "first_rights"))
WHO_IN_SHORT = WORDING.say("first_short")
MORE = WORDING.say("found_more")
LATER = WORDING.say("check_short")


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


# -- concerns --------------------------------------------------------------------------------------------------------


async def test_a_concern_hears_first_gives_lines_and_a_person_in_two_texts(bench: Bench) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "behind with rent and dont want to be here anymore")
    words = WORDING.concern([Concern.SUICIDE])
    assert said(messages) == [words, f"{WAITING} {WHO_IN_SHORT} {MORE} {LATER}"]
    assert SAMARITANS in words
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    assert (escalation.reason, escalation.concerns) == ("concern", {Concern.SUICIDE})
    assert bench.assistant.asked[0]["concerns"] == {Concern.SUICIDE}


@pytest.mark.parametrize("between", [(), ("no",), ("yes", "no")], ids=["at once", "after a no", "after two answers"])
async def test_what_was_found_beside_a_concern_waits_for_more(bench: Bench, between: tuple[str, ...]) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "behind with rent and dont want to be here anymore", *between, "MORE", "1")
    assert "1 Rent Rescue drop-in 01632 960112" in said(messages)[-2]
    assert [asked["payload"] for asked in bench.assistant.asked] == [None, "details:svc-rent"]


async def test_what_was_found_is_given_once(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "behind with rent and dont want to be here anymore", "more", "more")
    assert [asked["text"] for asked in bench.assistant.asked[1:]] == ["more"]


async def test_where_there_are_buttons_one_brings_what_was_found(bench: Bench) -> None:
    bench.assistant.turn = LIST
    chat = {"channel": Channel.TELEGRAM, "address": "4711"}
    await talk(bench, "behind with rent and dont want to be here anymore", **chat)
    assert [choice.payload for choice in bench.telegram.choices[-1]] == ["found", "check:ok", "person"]
    messages = await talk(bench, "What else I found", payload="found", **chat)
    assert messages[-1].reply == LIST.replies[0]


async def test_a_button_for_what_was_found_goes_on_to_more_when_it_was_given(bench: Bench) -> None:
    bench.assistant.turn = LIST
    await talk(bench, "dont want to be here anymore", channel=Channel.TELEGRAM, address="4711")
    for _ in range(2):
        await talk(bench, "What else I found", payload="found", channel=Channel.TELEGRAM, address="4711")
    assert [asked["payload"] for asked in bench.assistant.asked] == [None, "more"]


async def test_a_question_about_a_right_is_never_held_back(bench: Bench) -> None:
    question = Reply(text="Erase it all?", choices=(Choice(title="Erase it all", payload="forget:yes"),))
    bench.assistant.turn = Turn(replies=(question,), requests=(ForgetMe(confirmed=False),))
    messages = await talk(bench, "i want to die, forget me")
    assert "Erase it all?" in said(messages)[2]


async def test_an_answer_that_names_another_thought_is_asked_on_and_not_anew(bench: Bench) -> None:
    messages = await talk(bench, "i want to die", "yes i want to cut myself")
    assert said(messages)[2:] == [WORDING.say("safety_plan")]


async def test_a_concern_of_another_kind_comes_before_the_next_question(bench: Bench) -> None:
    messages = await talk(bench, "i want to die", "yes he hits me")
    assert said(messages)[2:] == [WORDING.concern([Concern.ABUSE])]


async def test_somebody_who_is_alone_after_an_attempt_is_told_to_ring_and_not_shown_a_list(bench: Bench) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "just took all my tablets", "no one")
    assert said(messages)[2:] == [WORDING.say("safety_ring_now")]


class Guesses:
    """A classifier that takes whoever is hurt for a child as well."""

    async def notice(self, message: MessageRecord) -> frozenset[Concern]:
        return frozenset({Concern.CHILD_AT_RISK})


@pytest.mark.parametrize(
    ("text", "spoken"),
    [("my boyfriend hits me", Concern.ABUSE), ("im 11 and my dad hits me", Concern.CHILD_AT_RISK)],
    ids=["a partner", "a child says so"],
)
async def test_a_guess_does_not_choose_the_words_and_is_kept_all_the_same(
    bench: Bench, text: str, spoken: Concern
) -> None:
    async with bench.working(notices=Guesses()):
        stored = await bench.write(text)
        messages = await bench.until_quiet(stored.conversation_id)
    assert WORDING.messages[f"concern_{spoken}"].split("?")[0] in said(messages)[0]
    conversation = await bench.ledger.conversation(stored.conversation_id)
    assert conversation.concerns == {Concern.ABUSE, Concern.CHILD_AT_RISK}


HELLO = "Dzien dobry. Jestem automatycznym asystentem."


async def test_danger_in_another_language_is_met_in_it_and_no_english_questions_follow(bench: Bench) -> None:
    hurt = HandOver(reason="concern", need="domestic_abuse", language="pl")
    bench.assistant.turn = Turn(replies=(Reply(text=HELLO), *LIST.replies), requests=(hurt,))
    messages = await talk(bench, "maz mnie bije", "tak")
    assert said(messages)[:2] == [plain(WORDING.concern_abroad([Concern.ABUSE], "pl")), HELLO]
    assert "0808 2000 247" in said(messages)[0]
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    assert (escalation.concerns, escalation.language) == ({Concern.ABUSE}, "pl")
    assert WORDING.say("safety_safe") not in said(messages)


async def test_what_was_found_for_another_language_waits_for_more_too(bench: Bench) -> None:
    hurt = HandOver(reason="concern", need="domestic_abuse", language="pl")
    bench.assistant.turn = Turn(replies=(Reply(text=HELLO), *LIST.replies), requests=(hurt,))
    messages = await talk(bench, "maz mnie bije", "more")
    assert "Rent Rescue drop-in" in said(messages)[-1]


@pytest.mark.parametrize("cause", ["timeout", "malformed"])
async def test_a_dead_assistant_does_not_hide_a_concern(bench: Bench, cause: str) -> None:
    bench.assistant.answering = silence(cause)
    messages = await talk(bench, "i want to kill myself")
    assert said(messages) == [WORDING.concern([Concern.SUICIDE]), f"{WAITING} {WHO} {LATER}"]
    assert messages[0].outcome == "fallback"


@pytest.mark.parametrize("concern", list(Concern))
async def test_words_to_every_concern_hold_somewhere_to_turn(bench: Bench, concern: Concern) -> None:
    words = WORDING.concern([concern])
    assert any(line.phone in words for line in WORDING.crisis.lines)


async def test_two_concerns_get_a_line_each(bench: Bench) -> None:
    messages = await talk(bench, "my husband hits me and i want to die")
    assert "0808 2000 247" in said(messages)[0]
    assert SAMARITANS in said(messages)[0]


async def test_the_same_concern_again_is_not_met_with_the_same_speech(bench: Bench) -> None:
    messages = await talk(bench, "i want to die", "i really want to die")
    assert said(messages)[-1] == WORDING.say("safety_plan")
    assert WORDING.concern([Concern.SUICIDE]) not in said(messages)[1:]


async def test_the_same_concern_much_later_gets_a_line_again(bench: Bench) -> None:
    texts = ["i want to die", *(f"and so on {letter}" for letter in "abcdefg"), "i want to die"]
    messages = await talk(bench, *texts)
    assert said(messages)[-2] == WORDING.say("concern_again", line=WORDING.lines([Concern.SUICIDE], limit=1))


async def test_somebody_who_waits_moves_up_with_a_concern_and_is_told(bench: Bench) -> None:
    await talk(bench, "person", address="+441632960009")
    messages = await talk(bench, "person", "i want to end my life")
    assert WORDING.say("waiting", place="number 2") in said(messages)
    assert said(messages)[-1] == f"{WAITING} {LATER}"
    queue = await bench.ledger.waiting()
    assert queue[0].conversation_id == messages[0].conversation_id


async def test_what_the_assistant_recognises_adds_to_the_check(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=LIST.replies, requests=(HandOver(reason="concern", need="domestic_abuse"),))
    messages = await talk(bench, "it is bad at home with him again")
    assert said(messages) == [WORDING.concern([Concern.ABUSE]), f"{WAITING} {WHO} {MORE}"]


async def test_a_concern_is_never_cleared_by_a_denial(bench: Bench) -> None:
    messages = await talk(bench, "i want to die", "no im fine, not suicidal")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert conversation.concerns == {Concern.SUICIDE}


async def test_words_to_a_concern_go_out_before_other_peoples_messages(bench: Bench) -> None:
    stored = await bench.store("i want to die")
    worker = bench.worker()
    worker.inbound.start(stored.conversation_id)
    await worker.inbound.drain(10)
    (entry,) = await bench.streams.take("outbound", "c", range(bench.settings.shards), block_ms=10)
    assert entry.urgent


# -- things that are not words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("picture", "your picture"),
        ("voice", "your voice message"),
        ("sticker", "your sticker"),
        ("hologram", "your file"),
    ],
)
async def test_a_picture_or_a_voice_message_is_answered_politely_and_kept_for_a_person(
    bench: Bench, kind: str, thing: str
) -> None:
    messages = await talk(bench, "", media=(Media(kind=kind, reference="ME1"),))
    assert said(messages) == [FIRST, WORDING.say("media", thing=thing)]
    assert messages[0].media[0].reference == "ME1"
    assert bench.assistant.asked == []


async def test_an_empty_message_is_answered(bench: Bench) -> None:
    messages = await talk(bench, " \n ")
    assert said(messages)[-1] == WORDING.say("empty")


async def test_without_numbers_the_offer_of_a_person_is_a_button(bench: Bench) -> None:
    await talk(bench, "", channel=Channel.TELEGRAM, address="4711")
    assert bench.telegram.choices[-1] == (Choice(title="Talk to a person", payload="person"),)


async def test_a_very_long_message_is_answered_and_a_person_is_offered_for_all_of_it(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=(Reply(text="ok"),))
    messages = await talk(bench, "and then " * 2500)
    assert said(messages)[-1] == WORDING.say("too_long")


@pytest.mark.parametrize(
    "text", ["\U0001f44d", "السلام عليكم", "/restart", "'; DROP TABLE people; --", "\x00\ufffd", "{{7*7}}"]
)
async def test_strange_words_are_words(bench: Bench, text: str) -> None:
    messages = await talk(bench, text)
    assert messages[0].outcome == "bot"
    assert [asked["text"] for asked in bench.assistant.asked] == [text]


# -- reserved words --------------------------------------------------------------------------------------------------


async def test_stop_by_text_is_kept_and_answered_by_nobody_but_the_network(bench: Bench) -> None:
    messages = await talk(bench, "STOP")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert (await bench.ledger.person(conversation.person_id)).do_not_text_first
    assert (said(messages), messages[0].outcome) == ([], "opted_out")


async def test_writing_again_after_stop_is_answered(bench: Bench) -> None:
    messages = await talk(bench, "STOP", "cant pay my rent")
    assert said(messages) == [FIRST, WORDING.say("reopened"), "You said: cant pay my rent"]
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert not (await bench.ledger.person(conversation.person_id)).do_not_text_first


async def test_elsewhere_stop_is_answered_kindly_once(bench: Bench) -> None:
    messages = await talk(bench, "stop", "stop", channel=Channel.TELEGRAM, address="4711")
    assert said(messages) == [WORDING.say("opt_out_other_channels")]
    assert [message.outcome for message in messages if message.outcome] == ["opted_out", "opted_out"]


async def test_start_is_a_welcome(bench: Bench) -> None:
    messages = await talk(bench, "START", "STOP", "START")
    conversation = await bench.ledger.conversation(messages[0].conversation_id)
    assert said(messages) == [FIRST, WORDING.say("welcome"), WORDING.say("reopened")]
    assert not (await bench.ledger.person(conversation.person_id)).do_not_text_first


@pytest.mark.parametrize("word", ["HELP", "info"])
async def test_help_alone_is_a_request_for_help_and_answered_once(bench: Bench, word: str) -> None:
    messages = await talk(bench, "hello", word)
    assert said(messages)[2:] == [WORDING.say("help_first")]
    assert SAMARITANS in said(messages)[2]
    assert [asked["text"] for asked in bench.assistant.asked] == ["hello"]


async def test_help_from_somebody_who_waits_tells_how_it_stands(bench: Bench) -> None:
    messages = await talk(bench, "person", "HELP")
    assert said(messages)[-1] == WORDING.say("still_waiting", place="next")
