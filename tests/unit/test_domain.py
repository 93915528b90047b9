"""The house rules of what the assistant says by itself, and that its parts fit together (product rules 1, 8 and 9)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.actions.shells import ACTIONS
from channels.gsm7 import is_gsm7

ROOT = Path(__file__).resolve().parents[2]
DOMAIN: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
DATA = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "bot" / "data").rglob("*.yml"))]
RULES = [rule for body in DATA for rule in body.get("rules") or ()]
NLU = [block for body in DATA for block in body.get("nlu") or ()]
EXAMPLES = {
    name: [line[2:] for block in NLU if block["intent"] == name for line in block["examples"].splitlines()]
    for name in {block["intent"] for block in NLU}
}
INTENTS = [entry if isinstance(entry, str) else next(iter(entry)) for entry in DOMAIN["intents"]]
RESPONSES = {
    f"{name}[{number}]": variant
    for name, variants in DOMAIN["responses"].items()
    for number, variant in enumerate(variants)
}
TEXTS = {key: variant["text"] for key, variant in RESPONSES.items()}
BUTTONS = [button for variant in RESPONSES.values() for button in variant.get("buttons", ())]
PAYLOADS = ["details", "more", "next", "person", "new_topic", "forget", "privacy", "place"]

SMS_LETTERS = 306
RESERVED = [
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START", "UNSTOP", "YES", "HELP",
    "INFO",
]  # fmt: skip
REFUSALS = [
    r"\bcan ?not\b", r"\bcan'?t\b", r"\bunable\b", r"\bunfortunately\b", r"\bdon'?t understand\b", r"\bsorry\b",
    r"\bdid ?n'?t (understand|get|catch)\b", r"\bno results?\b", r"\binvalid\b", r"\btry again later\b", r"\bmust\b",
]  # fmt: skip
CLAIMS = [
    r"\bconnect(ed|ing)\b", r"\bpass(ed|ing) you\b", r"\bi have (asked|told|let)\b", r"\bsomeone will\b",
    r"\ba person (will|is going to)\b", r"\bon (their|the) way\b", r"\btransferr?(ed|ing)?\b",
]  # fmt: skip


def steps_of(rule: dict[str, Any], kind: str) -> list[str]:
    return [step[kind] for step in rule["steps"] if kind in step]


def test_the_domain_lists_exactly_the_actions_of_the_action_server() -> None:
    assert DOMAIN["actions"] == sorted(ACTIONS)


def test_every_intent_has_a_rule_of_its_own() -> None:
    answered = [steps_of(rule, "intent")[0] for rule in RULES if len(rule["steps"]) == 2]
    assert sorted(answered) == sorted([*INTENTS, "nlu_fallback"])


def test_every_intent_has_at_least_24_different_examples() -> None:
    counts = {name: len({example.lower() for example in EXAMPLES[name]}) for name in INTENTS}
    assert {name: count for name, count in counts.items() if count < 24} == {}
    assert sorted(EXAMPLES) == sorted(INTENTS)


def test_no_example_teaches_two_intents() -> None:
    taught: dict[str, set[str]] = {}
    for name, examples in EXAMPLES.items():
        for example in examples:
            taught.setdefault(example.lower().strip(), set()).add(name)
    assert {example: names for example, names in taught.items() if len(names) > 1} == {}


def test_what_rules_run_exists_and_every_response_is_used() -> None:
    run = {action for rule in RULES for action in steps_of(rule, "action")}
    code = "".join(path.read_text() for path in sorted((ROOT / "bot" / "actions").glob("*.py")))
    said_by_actions = set(re.findall(r"\butter_(?!message)[a-z_]+", code))
    assert run | said_by_actions == {*DOMAIN["actions"], *DOMAIN["responses"]}


def test_whatever_is_not_understood_is_searched_with() -> None:
    [rule] = [rule for rule in RULES if "nlu_fallback" in steps_of(rule, "intent")]
    assert steps_of(rule, "action") == ["action_find_support"]


@pytest.mark.parametrize("need", [name for name in INTENTS if name.startswith("need_")])
def test_every_need_is_searched_for(need: str) -> None:
    assert [steps_of(rule, "action") for rule in RULES if need in steps_of(rule, "intent")] == [["action_find_support"]]


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_payload_that_buttons_send_is_an_intent(name: str) -> None:
    assert name in INTENTS


@pytest.mark.parametrize("button", BUTTONS, ids=lambda button: button["payload"])
def test_every_button_sends_a_payload_that_is_an_intent(button: dict[str, str]) -> None:
    name = button["payload"].partition(":")[0]
    assert name in PAYLOADS
    assert len(button["payload"].encode()) <= 64


@pytest.mark.parametrize("name", DOMAIN["responses"])
def test_every_response_has_a_variant_for_every_channel(name: str) -> None:
    assert [variant for variant in DOMAIN["responses"][name] if "channel" not in variant]


@pytest.mark.parametrize("variant", RESPONSES.values(), ids=RESPONSES)
def test_every_response_offers_a_person(variant: dict[str, Any]) -> None:
    assert "person" in [button["payload"] for button in variant["buttons"]]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_fits_a_text_message(text: str) -> None:
    assert is_gsm7(text)
    assert len(text) <= SMS_LETTERS
    assert "\n" not in text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_holds_nothing_to_fill_in(text: str) -> None:
    assert not re.search(r"[{}\[\]]", text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_refuses_nothing_and_claims_nothing(text: str) -> None:
    assert [pattern for pattern in (*REFUSALS, *CLAIMS) if re.search(pattern, text, re.IGNORECASE)] == []


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_never_asks_for_a_word_that_phone_networks_keep(text: str) -> None:
    asked = re.findall(r"\b(?:reply|text|write|type|send|say)\s+((?:[A-Z]{2,}\s?)+)", text)
    asked += re.findall(r"\bor ((?:[A-Z]{2,}\s?)+) to\b", text)
    assert [word.strip() for word in asked if word.strip() in RESERVED] == []


@pytest.mark.parametrize("button", BUTTONS, ids=lambda button: button["title"])
def test_no_title_is_a_word_that_phone_networks_keep(button: dict[str, str]) -> None:
    assert button["title"].upper() not in RESERVED
    assert is_gsm7(button["title"])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_reads_easily(text: str) -> None:
    """Short sentences of short words: what a nine to eleven year old can read."""
    sentences = [part for part in re.split(r"[.?!]\s*", text) if part]
    words = re.findall(r"[A-Za-z']+", text)
    assert max(len(sentence.split()) for sentence in sentences) <= 18
    assert sum(len(word) > 8 for word in words) <= 1
    assert "?" not in text or text.count("?") == 1, "one question at a time"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_says_the_same_on_a_phone_and_on_a_page(text: str) -> None:
    assert not re.search(r"\bText (?:MY INFO|PERSON|FORGET ME)\b", text)


def test_privacy_says_the_four_things_that_matter() -> None:
    text = TEXTS["utter_privacy[0]"]
    assert "computer" in text
    assert "person" in text
    assert "unless a life is at risk" in text
    assert "MY INFO" in text
    assert "FORGET ME" in text


def test_slots_never_change_what_rule_applies() -> None:
    assert {slot["influence_conversation"] for slot in DOMAIN["slots"].values()} == {False}
    assert sorted(DOMAIN["slots"]) == [
        "about", "asked", "basket", "last_query", "need", "offered", "place", "place_asked", "preferences", "shown",
        "value",
    ]  # fmt: skip
