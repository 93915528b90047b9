"""The classifier without a sentence model: how it is trained, kept and read, and that its examples can be used."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from bot.concern.evaluating import evaluate, interval, show_share
from bot.concern.examples import Example, ExamplesError, hash_examples, load_examples
from bot.concern.features import MOST_WINDOWS, describe, read_grams, split_windows
from bot.concern.heads import Heads, summarise
from bot.concern.layers import NoClassifier
from bot.concern.reading import Reader
from bot.concern.training import train_heads
from channels.conversation import Concern
from tests.unit.bot.fake_encoder import WordEncoder

SUICIDE, OTHER = frozenset({Concern.SUICIDE}), frozenset({Concern.SOMEONE_ELSE})
PLACES = ("kitchen", "garden", "bus", "school", "park", "office", "lake", "shop", "church", "hall", "lane", "mill")


def make_examples() -> tuple[Example, ...]:
    """Three groups that differ in their words, each with a word of its own in every text."""
    made = []
    for place in PLACES:
        made += [
            Example(f"the lantern by the {place} goes out tonight", SUICIDE, "a"),
            Example(f"his lantern near the {place} is broken he says", OTHER, "b"),
            Example(f"where can i buy bread close to the {place}", frozenset(), "c"),
            Example(f"what a funny hat he wore at the {place}", frozenset(), "calm_hard"),
        ]
    return tuple(made)


@pytest.fixture(scope="module")
def heads() -> Heads:
    return train_heads(make_examples(), WordEncoder())


def test_what_was_learnt_is_found_in_words_that_were_not_seen(heads: Heads) -> None:
    found = Reader(WordEncoder(), heads).read_all(
        ["the lantern by the harbour goes out tonight", "where can i buy bread close to the harbour"]
    )
    assert set(found[0]) == {Concern.SUICIDE}
    assert found[1] == {}


def test_only_kinds_with_examples_have_a_head(heads: Heads) -> None:
    assert set(heads.kinds) == {Concern.SUICIDE, Concern.SOMEONE_ELSE}


def test_training_twice_gives_the_same(heads: Heads) -> None:
    again = train_heads(make_examples(), WordEncoder())
    assert np.array_equal(again.thresholds, heads.thresholds)
    assert np.allclose(again.dense, heads.dense)


def test_heads_come_back_as_they_were_kept(heads: Heads, tmp_path: Path) -> None:
    heads.save(tmp_path / "heads.npz")
    kept = Heads.load(tmp_path / "heads.npz")
    (text,) = describe(["the lantern by the mill goes out tonight"], WordEncoder())
    assert kept.kinds == heads.kinds
    assert np.allclose(kept.score(text.dense, text.grams), heads.score(text.dense, text.grams), atol=1e-2)
    assert [path.name for path in tmp_path.iterdir()] == ["heads.npz"]


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", kinds=np.array(["suicide"]))
    with pytest.raises(ValueError, match="holds no"):
        Heads.load(tmp_path / "other.npz")


@pytest.mark.parametrize("text", ["", " ", "?!", "\U0001f600", "\x00", "a" * 9000, "do. not. stop. " * 500])
def test_any_text_can_be_read(heads: Heads, text: str) -> None:
    assert len(Reader(WordEncoder(), heads).read_all([text])) == 1


def test_nothing_to_read_gives_nothing(heads: Heads) -> None:
    assert Reader(WordEncoder(), heads).read_all([]) == []


def test_a_message_is_judged_by_its_whole_and_by_its_most_alarming_clause() -> None:
    whole, windows = np.array([[-1.0, 0.0]], np.float32), np.array([[[2.0, 0.5]], [[-3.0, 0.0]]], np.float32)
    ((linear, alike, loudest, *_),) = summarise(whole, windows)
    assert (linear, alike, loudest) == (-1.0, 0.0, 2.0)


def test_one_clause_alone_is_its_own_loudest_and_is_known_to_be_alone() -> None:
    whole = np.array([[-1.0, 0.5], [2.0, 0.0]], np.float32)
    alone = summarise(whole, np.zeros((0, 2, 2), np.float32))
    assert np.allclose(alone[:, 2:4], whole)
    assert not alone[:, 6:].any()


def test_a_long_message_is_read_in_clauses_and_pairs() -> None:
    windows = split_windows("Rent is due. I sold my bike. Nobody knows what I plan.")
    assert "i sold my bike" in windows
    assert "i sold my bike . noone knows what i plan" in windows
    assert split_windows("just one clause") == []
    assert len(split_windows("Again a new sentence number one. " + "and then it went on. so it goes here. " * 90)) <= (
        MOST_WINDOWS
    )


def test_ngrams_do_not_depend_on_the_process() -> None:
    places, weights = read_grams("dont want to be here")
    again, _ = read_grams("dont want to be here")
    assert np.array_equal(places, again)
    assert len(places) == len(weights) > 20


# -- the examples


def test_the_examples_are_many_and_of_every_kind() -> None:
    examples = load_examples()
    assert len(examples) > 2500
    assert {kind for one in examples for kind in one.kinds} == set(Concern)
    assert sum(not one.kinds for one in examples) > len(examples) / 3


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({"a.yml": "kinds: [gloom]\ntexts: |\n  hello\n"}, "a.yml", id="an unknown kind"),
        pytest.param({"a.yml": "texts: |\n  hello\n"}, "a.yml", id="no kinds"),
        pytest.param({"a.yml": "kinds: [\n"}, "a.yml", id="not YAML"),
        pytest.param({}, "no examples", id="none at all"),
        pytest.param(
            {"a.yml": "kinds: []\ntexts: |\n  hello\n", "b.yml": "kinds: [abuse]\ntexts: |\n  Hello\n"},
            "different kinds",
            id="a text of two kinds",
        ),
    ],
)
def test_examples_that_cannot_be_used_are_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ExamplesError, match=said):
        load_examples(tmp_path)


def test_the_hash_changes_with_a_text_and_with_its_kinds() -> None:
    one = Example("hello", frozenset(), "a")
    assert hash_examples([one]) == hash_examples([Example("hello", frozenset(), "b")])
    assert len({hash_examples([one]), hash_examples([Example("hi", frozenset(), "a")]),
                hash_examples([Example("hello", SUICIDE, "a")])}) == 3  # fmt: skip


@pytest.mark.parametrize(("hits", "count"), [(0, 9), (9, 9), (4, 9), (1, 1)])
def test_an_interval_holds_its_share(hits: int, count: int) -> None:
    low, high = interval(hits, count)
    assert 0 <= low <= hits / count <= high <= 1


def test_no_rows_have_no_share() -> None:
    assert show_share(0, 0) == "-"


def test_the_figures_can_be_read_by_a_machine(tmp_path: Path) -> None:
    texts = {
        "positives": [("suicide_explicit", "I want to kill myself")],
        "negatives": [("everyday_sms", "see you at six")],
        "third_party": [("other_person_suicide", "my son says he wants to die")],
    }
    for name, rows in texts.items():
        lines = (json.dumps({"stratum": stratum, "text": text}) for stratum, text in rows)
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    out = io.StringIO()
    evaluate(tmp_path, NoClassifier(), out, as_json=True)
    figures = {line["group"]: line for line in map(json.loads, out.getvalue().splitlines())}
    assert figures["FOUND suicide and self-harm"]["patterns"]["raised"] == 1
    assert figures["FOUND suicide and self-harm"]["classifier"]["raised"] == 0
    assert figures["FALSE everyday and distressed"]["together"]["share"] == 0
    assert figures["FALSE alarming words, no risk"]["words"]["share"] is None
    assert "kill" not in out.getvalue()
