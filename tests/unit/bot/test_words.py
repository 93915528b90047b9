"""Every text that a person can read is held to the rules; who stands by it belongs to its words."""

from __future__ import annotations

import ast
import io
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.__main__ import build_parser, main
from bot.words.checking import ERROR, Problem, Rules, check_all
from bot.words.command import ROOT, RULES_FILE, SIGN_OFFS_FILE, check_words
from bot.words.signing import SignOffs
from bot.words.texts import Text, WordsError, gather
from channels.never_no import NeverNo
from channels.routing import HELP_WORDS, OPT_IN_WORDS, OPT_OUT_WORDS

BODY = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
RULES = Rules.build(BODY, NeverNo.load())
TEXTS = gather(ROOT, BODY["sources"])


def text(words: str, *, kind: str = "message", language: str = "en", key: str = "a.yml:b/c") -> Text:
    return Text(id=key, text=words, kind=kind, language=language)


def problems(*texts: Text, sign_offs: SignOffs | None = None, signed: bool = False) -> list[Problem]:
    return check_all(texts, RULES, sign_offs or SignOffs(), must_be_signed=signed)


def rules_broken(*texts: Text) -> set[str]:
    return {problem.rule for problem in problems(*texts)} - {"unsigned"}


def test_every_text_of_ours_is_clean() -> None:
    found = check_all(TEXTS, RULES, SignOffs.load(SIGN_OFFS_FILE), must_be_signed=False)
    assert not [problem for problem in found if problem.level == ERROR]


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("We can't help with that.", "never_no"),
        ("Text STOP to end.", "reserved"),
        ("Reply yes.", "reserved"),
        ("Hello \N{WAVING HAND SIGN}", "emoji"),
        ("Caf\u00e9 \u2013 open \u0151", "letters"),
        ("word " * 70, "length"),
        ("Organisational considerations necessitate comprehensive documentation procedures.", "reading_age"),
    ],
)
def test_what_is_wrong_with_a_text_is_named(words: str, rule: str) -> None:
    assert rule in rules_broken(text(words))


def test_a_plain_text_breaks_no_rule() -> None:
    assert rules_broken(text("Tell me what is going on. Text PERSON to talk to someone. {line}.")) == set()


def test_a_title_fits_a_button() -> None:
    assert rules_broken(text("This is far too long for a button", kind="title")) == {"length"}


def test_both_languages_fill_in_the_same_values() -> None:
    english, welsh = text("Ring {emergency}."), text("Ffoniwch {line}.", language="cy")
    (found,) = [problem for problem in problems(english, welsh) if problem.rule == "placeholders"]
    assert found.message == "{emergency}, {line}: not in both languages."


def test_a_text_without_a_translation_is_seen_and_no_error() -> None:
    texts = [text("One."), text("Two.", key="a.yml:b/d"), text("Un.", language="cy")]
    found = [problem for problem in problems(*texts) if problem.rule == "untranslated"]
    assert [(problem.text, problem.level) for problem in found] == [("a.yml:b/d [cy]", "warning")]


def test_a_translation_of_nothing_is_an_error() -> None:
    assert "unknown" in rules_broken(
        text("One."), text("Dau.", language="cy", key="a.yml:b/x"), text("Un.", language="cy")
    )


@pytest.mark.parametrize(("production", "level"), [(False, "warning"), (True, "error")], ids=["demo", "production"])
def test_unsigned_words_fail_only_in_production(production: bool, level: str) -> None:
    (found,) = problems(text("Hello there."), signed=production)
    assert (found.rule, found.level) == ("unsigned", level)


def test_changed_words_void_a_sign_off(tmp_path: Path) -> None:
    before, after = text("Hello there."), text("Hello there, you.")
    path = tmp_path / "sign_offs.yml"
    path.write_text("# Why this file is there.\nsigned: []\n")
    SignOffs.load(path).add([before], "Three people from the Foxley group", date(2026, 11, 2)).save(path)
    kept = SignOffs.load(path)
    assert path.read_text().startswith("# Why this file is there.\n")
    assert problems(before, sign_offs=kept, signed=True) == []
    (found,) = problems(after, sign_offs=kept, signed=True)
    assert found.message == "has changed since it was signed off."


def test_a_sign_off_without_a_name_is_refused_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(WordsError, match="--who: name the person"):
        SignOffs().add([text("Hello.")], " ", date(2026, 11, 2))
    path = tmp_path / "sign_offs.yml"
    path.write_text("signed:\n- {key: a, hash: b, who: '', when: 2026-11-02}\n")
    with pytest.raises(WordsError, match="say who read it"):
        SignOffs.load(path)


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    return check_words(build_parser().parse_args(["words", *arguments]), out), out.getvalue()


def test_the_command_says_how_it_stands_and_fails_for_production_until_signed(tmp_path: Path) -> None:
    path = tmp_path / "sign_offs.yml"
    shutil.copy(SIGN_OFFS_FILE, path)
    assert run("--profile", "demo", "--sign-offs", str(path))[0] == 0
    code, said = run("--profile", "production", "--sign-offs", str(path))
    assert code == 1
    assert "is not signed off by anybody" in said
    run("--sign", "*", "--who", "The readers' group", "--sign-offs", str(path))
    assert run("--profile", "production", "--sign-offs", str(path))[0] == 0


def test_the_command_answers_in_json() -> None:
    code, said = run("--json")
    answer = json.loads(said)
    assert code == 0
    assert len(answer["texts"]) == len(TEXTS)
    assert {"key", "segments", "reading_age", "signed", "letters"} <= set(answer["texts"][0])


def test_a_text_that_is_not_there_cannot_be_signed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["words", "--sign", "nothing/*", "--who", "Somebody"]) == 2
    assert "no text is called" in capsys.readouterr().err


def test_reserved_words_are_those_the_worker_reads() -> None:
    assert set(BODY["reserved"]) == {*OPT_OUT_WORDS, *OPT_IN_WORDS, *HELP_WORDS, "yes", "arret"}


def test_no_code_of_ours_speaks_to_people_in_words_of_its_own() -> None:
    """Words given to a reply, a notice or a draft come from data."""
    speaking = {"Draft", "Reply", "say_notice", "say_concern", "say_rest"}
    found = []
    for path in (*(ROOT / "channels").rglob("*.py"), *(ROOT / "bot" / "actions").rglob("*.py")):
        if "simulator" in path.parts:
            continue
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            given = [*call.args, *(word.value for word in call.keywords if word.arg == "text")]
            if name in speaking and any(isinstance(one, ast.Constant) and " " in str(one.value) for one in given):
                found.append(f"{path.name}:{call.lineno}")
    assert not found
