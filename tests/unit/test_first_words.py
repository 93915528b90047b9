"""The second text of a first answer to a concern: one text message, whatever there is to say."""

from __future__ import annotations

from itertools import product

import pytest

from channels.conversation import Channel, Reply, ServiceCard
from channels.first_words import Second, say_second, write_second
from channels.fitting import fits_sms
from channels.ledger.records import PLACE
from channels.speaking import Speaker
from channels.wording import Wording

RENT = Reply(text="These can help:", cards=(ServiceCard(service_id="a", name="Rent Rescue", phone="01632 960112"),))
WORDS = Reply(text="That sounds hard.")
LONG = "Wrenshire Together Support"
LANGUAGES = {
    "GB": Wording.load("GB", LONG), "IE": Wording.load("IE", LONG), "cy": Wording.load("GB", LONG).within("cy")
}  # fmt: skip
QUEUE = ("waiting_with_concern", "nobody_at_desk_with_concern", "nobody_here_now_with_concern")


def queue_words(wording: Wording, key: str) -> str:
    return wording.say(key, place=wording.place(127), opens=wording.say("time_on_day", time="10:30am", day="Wednesday"))


def sms(wording: Wording) -> Speaker:
    return Speaker(wording=wording, channel=Channel.SMS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", QUEUE)
def test_what_happens_next_and_who_we_are_always_fit(key: str, language: str) -> None:
    wording = LANGUAGES[language]
    queue = queue_words(wording, key)
    for first, reopens, held in product((True, False), (True, False), ((), (RENT,))):
        text = write_second(sms(wording), Second(queue=queue, first=first, reopens=reopens, held=held))
        assert fits_sms(text)
        assert queue in text
        assert (wording.say("first_short") in text) is first


@pytest.mark.parametrize("key", QUEUE)
def test_there_is_room_for_what_else_was_found(key: str) -> None:
    wording = Wording.load()
    second = Second(queue=queue_words(wording, key), first=True, held=(RENT,))
    assert wording.say("found_more") in write_second(sms(wording), second)


def test_words_without_a_service_are_not_worth_asking_for() -> None:
    wording = Wording.load()
    assert write_second(sms(wording), Second(queue="Soon.", held=(WORDS,))) == "Soon."


def test_nothing_to_say_is_no_text() -> None:
    assert say_second(sms(Wording.load()), Second()) == ()


def test_what_was_found_travels_with_it() -> None:
    (draft,) = say_second(sms(Wording.load()), Second(queue=f"You are {PLACE}.", held=(RENT,)))
    assert draft.held == (RENT,)
    assert draft.urgent


def test_on_the_web_it_is_a_button() -> None:
    (draft,) = say_second(Speaker(wording=Wording.load(), channel=Channel.WEB), Second(queue="Soon.", held=(RENT,)))
    assert [choice.payload for choice in draft.choices] == ["found", "person"]
    assert "MORE" not in draft.text
