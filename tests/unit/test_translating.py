"""Rasa's own texts in Welsh: each has its place, and what an action said is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.components.translating import DOMAIN, load_translations, read_responses, translate, walk

TRANSLATIONS = load_translations()
ENGLISH = dict(walk(read_responses(DOMAIN)))
GOODBYE = ENGLISH["utter_goodbye", 0, ""]
PERSON = {"title": "Talk to a person", "payload": "person"}


def test_every_text_and_title_of_the_domain_is_there_in_welsh() -> None:
    assert set(TRANSLATIONS["cy"]) == set(ENGLISH.values())
    assert not [text for text, welsh in TRANSLATIONS["cy"].items() if text == welsh]


@pytest.mark.parametrize("language", ["cy", "cy-GB", "CY"])
def test_a_response_is_said_in_welsh_with_its_buttons(language: str) -> None:
    (said,) = translate([{"text": GOODBYE, "buttons": [PERSON]}], language, TRANSLATIONS)
    assert said["text"].startswith("Cymerwch ofal.")
    assert said["buttons"] == [{"title": "Siarad gyda pherson", "payload": "person"}]


@pytest.mark.parametrize("language", [None, "", "en", "pl", 7])
def test_any_other_language_hears_the_domains_own(language: object) -> None:
    messages = [{"text": GOODBYE, "buttons": [PERSON]}]
    assert translate(messages, language, TRANSLATIONS) == messages


@pytest.mark.parametrize("message", [{"text": "Rent Rescue"}, {"custom": {"reply": {"text": GOODBYE}}}, {}], ids=str)
def test_what_an_action_says_is_left_as_it_is(message: dict[str, object]) -> None:
    assert translate([message], "cy", TRANSLATIONS) == [message]


def test_what_is_not_translated_is_said_in_english(tmp_path: Path) -> None:
    body = {"responses": {"utter_a": [{"text": "One."}, {"text": "Two."}]}}
    (tmp_path / "domain.yml").write_text(yaml.safe_dump(body), encoding="utf-8")
    (tmp_path / "domain.cy.yml").write_text(
        yaml.safe_dump({"responses": {"utter_a": [{"text": "Un."}]}}), encoding="utf-8"
    )
    translations = load_translations(tmp_path / "domain.yml")
    said = translate([{"text": "One."}, {"text": "Two."}], "cy", translations)
    assert [message["text"] for message in said] == ["Un.", "Two."]
