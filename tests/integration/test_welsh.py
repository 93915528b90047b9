"""The language of a conversation decides which words of ours it is in; what is not translated is seen to be English."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.actions.wording import WORDING_FILE, load_other_wordings
from bot.words.command import RULES_FILE
from bot.words.texts import gather
from channels.conversation import Channel, HandOver, Turn
from channels.gsm7 import is_gsm7
from channels.ledger import Ledger
from channels.settings import Settings
from channels.streams import Streams
from channels.wording import DATA, Wording
from tests.worker_builders import LIST, WORDING, Bench, said, talk

WELSH = WORDING.within("cy")
ROOT = Path(__file__).parents[2]
SOURCES = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["sources"]
ENGLISH_KEYS = yaml.safe_load((DATA / "wording.yml").read_text(encoding="utf-8"))
STILL_ENGLISH = yaml.safe_load((Path(__file__).parents[1] / "data" / "still_english.yml").read_text(encoding="utf-8"))
ASSISTANT_PARTS = ("texts", "choices", "service", "preferences", "needs_in_a_sentence")
WELSH_KEYS = yaml.safe_load((DATA / "wording.cy.yml").read_text(encoding="utf-8"))


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


@pytest.mark.parametrize("language", ["cy", "cy-GB", "CY"])
async def test_a_conversation_in_welsh_is_answered_in_welsh(bench: Bench, language: str) -> None:
    bench.assistant.turn = LIST
    messages = await talk(bench, "help", "person", channel=Channel.TELEGRAM, address="4711", language=language)
    assert said(messages)[:2] == [WELSH.say("first_message"), WELSH.say("help_first")]
    assert said(messages)[-1] == WELSH.say("waiting", place=WELSH.place(1))


async def test_it_turns_welsh_when_welsh_is_heard(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=LIST.replies, requests=(HandOver(reason="language", language="cy"),))
    messages = await talk(bench, "wedi colli fy swydd", "help")
    assert messages[1].text == WELSH.say("first_message")
    assert messages[-1].text == WELSH.say("still_waiting", place=WELSH.place(1))


async def test_a_concern_is_met_in_the_language_of_the_conversation(bench: Bench) -> None:
    messages = await talk(bench, "i want to die", language="cy")
    assert said(messages)[0].startswith("Rwy'n falch iawn eich bod wedi dweud.")
    assert "Samaritans 116 123, am ddim, unrhyw bryd" in said(messages)[0]


@pytest.mark.parametrize("language", [None, "en", "pl", ""])
def test_any_other_language_is_met_in_the_countrys_first(language: str | None) -> None:
    assert WORDING.within(language) is WORDING


def test_a_country_without_welsh_speaks_english() -> None:
    ireland = Wording.load("IE")
    assert ireland.within("cy") is ireland


@pytest.mark.parametrize("part", ["messages", "pieces"])
def test_what_the_channels_still_say_in_english_is_listed(part: str) -> None:
    """A new text is translated or put on the list; one that was translated comes off it."""
    assert ENGLISH_KEYS[part].keys() - WELSH_KEYS[part].keys() == set(STILL_ENGLISH["channels"][part])
    assert WELSH_KEYS[part].keys() <= ENGLISH_KEYS[part].keys()


def test_a_text_that_is_not_translated_is_said_in_english(tmp_path: Path) -> None:
    (tmp_path / "wording.yml").write_text(yaml.safe_dump(ENGLISH_KEYS), encoding="utf-8")
    less = {"messages": {}, "pieces": {"place_next": "nesaf"}}
    (tmp_path / "wording.cy.yml").write_text(yaml.safe_dump(less), encoding="utf-8")
    welsh = Wording.load(path=tmp_path / "wording.yml").within("cy")
    assert welsh.say("reply_person") == "Reply PERSON to talk to someone."
    assert welsh.say("place_next") == "nesaf"


def test_the_assistants_own_words_are_welsh_too() -> None:
    welsh = load_other_wordings()["cy"]
    assert welsh.say("start_again") == "Dechrau newydd. Beth sy'n digwydd? Mae ychydig eiriau'n ddigon."
    assert welsh.titles["person"] == "Siarad gyda pherson"
    body = yaml.safe_load(WORDING_FILE.with_suffix(".cy.yml").read_text(encoding="utf-8"))
    english = yaml.safe_load(WORDING_FILE.read_text(encoding="utf-8"))
    untranslated = {f"{part}/{key}" for part in ASSISTANT_PARTS for key in english[part].keys() - body[part]}
    assert untranslated == set(STILL_ENGLISH["assistant"])


WELSH_TEXTS = {text.key: text for text in gather(ROOT, SOURCES) if text.language == "cy" and text.kind != "page"}


@pytest.mark.parametrize("key", sorted(WELSH_TEXTS))
def test_welsh_costs_no_more_than_english_by_text(key: str) -> None:
    """A circumflex doubles the price of a text message: another word, or the letter without it."""
    assert is_gsm7(WELSH_TEXTS[key].text)


async def test_a_phone_that_says_no_language_is_answered_in_the_one_that_was_heard(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=LIST.replies, requests=(HandOver(reason="language", language="cy"),))
    await talk(bench, "wedi colli fy swydd", "1 llanelli")
    assert [asked["language"] for asked in bench.assistant.asked] == [None, "cy"]
