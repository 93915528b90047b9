"""Text-message spelling to plain words, with the table that the product ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.errors import CatalogueFileError
from knowledge.settings import PACKAGE_DATA
from knowledge.spelling import Spelling


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling.load(PACKAGE_DATA / "sms_spelling.yml")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        pytest.param("need food 4 my kids 2day pls", "need food for my kids today please", id="digits for words"),
        pytest.param("i need 2 talk 2 sum1 2nite", "i need to talk to someone tonight", id="2 for to"),
        pytest.param("i have 2 kids and 4 dogs", "i have 2 kids and 4 dogs", id="numbers stay numbers"),
        pytest.param("cant pay my rnt", "cannot pay my rent", id="a missing vowel"),
        pytest.param("I'VE NOWHERE 2 SLEEP", "I have NOWHERE to SLEEP", id="capitals and an apostrophe"),
        pytest.param("sooooo down", "so down", id="drawn-out letters"),
        pytest.param("mum is ill and i have id", "mum is ill and i have id", id="real words stay"),
        pytest.param("I cannot pay my rent", "I cannot pay my rent", id="plain English stays"),
        pytest.param("got a S21", "got a section 21 eviction notice", id="what a notice is about"),
        pytest.param(
            "he kicked me out", "he kicked me out of home, nowhere to stay", id="what a turn of phrase is about"
        ),
        pytest.param("out of the nick", "out of prison", id="another word for prison"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_plain(spelling: Spelling, written: str, plain: str) -> None:
    assert spelling.plain(written) == plain


def test_it_is_stable(spelling: Spelling) -> None:
    text = (
        "cnt pay da leccy bill 2moro, got a section 21, bailiffs came, kicked out, on the streets, home office, 2 eat"
    )
    once = spelling.plain(text)
    assert spelling.plain(once) == once


@pytest.mark.parametrize(
    "content",
    ["", "words: [a, b]", "patterns: []", "words: {a: b}\npatterns: [['(', x]]", "words: {a: b\n"],
    ids=["empty", "words is a list", "no words", "a broken pattern", "not YAML"],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sms_spelling.yml"
    path.write_text(content)
    with pytest.raises(CatalogueFileError, match=r"sms_spelling\.yml"):
        Spelling.load(path)
