"""The classifier without a sentence model: how it is trained, kept and read, and that its examples can be used."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.concern.evaluating import evaluate, interval, show_share
from bot.concern.examples import Example, ExamplesError, hash_examples, load_examples
from bot.concern.features import DENSE, KINDS, MOST_WINDOWS, read_grams, split_windows
from bot.concern.heads import Heads, Judgement, Lines, Memory, likeness, summarise
from bot.concern.layers import NoClassifier
from bot.concern.material import Material
from bot.concern.matters import KINDS_OF, Matter
from bot.concern.reading import Reader
from bot.concern.remembering import CAUTION, recall
from bot.concern.training import FOLDS, HARD_AIM, PLAIN_AIM, choose_thresholds, fold_of, train_heads
from channels.conversation import Concern
from knowledge.embedding import DIMENSIONS, Vectors
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


class Deaf:
    """An encoder to which all texts are the same: whoever listens to it alone learns nothing."""

    id = "deaf"

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.tile(np.eye(1, DIMENSIONS, dtype=np.float32), (len(texts), 1))


@pytest.fixture(scope="module")
def heads() -> Heads:
    return train_heads(make_examples(), WordEncoder())


@pytest.fixture(scope="module")
def heads_of_two() -> Heads:
    return train_heads(make_examples(), WordEncoder(), WordEncoder())


LANTERN, BREAD = "the lantern by the harbour goes out tonight", "where can i buy bread close to the harbour"


@pytest.mark.parametrize("strong", [pytest.param(None, id="one model"), pytest.param(WordEncoder(), id="two models")])
def test_what_was_learnt_is_found_in_words_that_were_not_seen(heads_of_two: Heads, strong: WordEncoder | None) -> None:
    """Heads that were trained with a second model also judge without it."""
    found = Reader(WordEncoder(), heads_of_two, strong).read_all([LANTERN, BREAD])
    assert set(found[0]) == {Concern.SUICIDE}
    assert found[1] == {}


def test_heads_trained_with_one_model_read_with_one(heads: Heads) -> None:
    assert heads.memory is None
    found = Reader(WordEncoder(), heads, WordEncoder()).read_all([LANTERN, BREAD])
    assert [set(one) for one in found] == [{Concern.SUICIDE}, set()]


def test_the_second_model_is_heard(heads_of_two: Heads) -> None:
    with_ears, without = (Reader(WordEncoder(), heads_of_two, one) for one in (WordEncoder(), Deaf()))
    assert not np.allclose(with_ears.judge([LANTERN])[0].chances, without.judge([LANTERN])[0].chances)


def test_only_matters_with_examples_have_a_head(heads: Heads) -> None:
    assert set(heads.matters) == {Matter.OWN_LIFE, Matter.SOMEBODY_ELSE}
    assert set(heads.kinds) == {Concern.SUICIDE, Concern.SOMEONE_ELSE}


def test_every_kind_is_of_one_matter() -> None:
    assert sorted(kind for kinds in KINDS_OF.values() for kind in kinds) == sorted(Concern)


def test_a_raised_matter_names_its_likeliest_kind_and_every_other_that_is_likely() -> None:
    kinds = KINDS_OF[Matter.OWN_LIFE]
    nothing = np.zeros((1, 1), np.float32)
    lines, judgement = Lines(nothing, nothing, nothing[0]), Judgement(nothing, nothing[0], nothing[0])
    heads = Heads(matters=(Matter.OWN_LIFE,), kinds=kinds, lines=lines, alone=judgement, naming=lines)
    assert heads.kinds_of(Matter.OWN_LIFE, np.array([-3, -1, -2, -4], np.float32)) == [kinds[1]]
    assert heads.kinds_of(Matter.OWN_LIFE, np.array([1, -1, -2, 4], np.float32)) == [kinds[0], kinds[3]]


def test_training_twice_gives_the_same(heads_of_two: Heads) -> None:
    again = train_heads(make_examples(), WordEncoder(), WordEncoder())
    assert again.together is not None and heads_of_two.together is not None
    assert np.array_equal(again.together.thresholds, heads_of_two.together.thresholds)
    assert np.allclose(again.lines.dense, heads_of_two.lines.dense)


@pytest.mark.parametrize("second", [False, True], ids=["one model", "two models"])
def test_heads_come_back_as_they_were_kept(heads: Heads, heads_of_two: Heads, tmp_path: Path, second: bool) -> None:
    one = heads_of_two if second else heads
    one.save(tmp_path / "heads.npz")
    kept = Heads.load(tmp_path / "heads.npz")
    strong = WordEncoder() if second else None
    before, after = (Reader(WordEncoder(), each, strong).judge([LANTERN])[0] for each in (one, kept))
    assert (kept.kinds, kept.matters) == (one.kinds, one.matters)
    assert np.allclose(before.chances, after.chances, atol=1e-2)
    assert [path.name for path in tmp_path.iterdir()] == ["heads.npz"]


def test_a_file_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", kinds=np.array(["suicide"]))
    with pytest.raises(ValueError, match="holds no"):
        Heads.load(tmp_path / "other.npz")


def test_files_are_held_out_whole_where_there_are_enough_of_them() -> None:
    files = [Example(f"{name} {number}", SUICIDE, name) for name in "abcdef" for number in range(9)]
    few = [Example(f"bread {number}", frozenset(), "calm") for number in range(10)]
    fold = fold_of([*files, *few])
    assert all(len(set(fold[at : at + 9])) == 1 for at in range(0, len(files), 9))
    assert set(fold[: len(files)]) == set(range(FOLDS))
    assert list(fold[len(files) :]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def calm_material(count: int, *, hard: int = 0, picked: int = 0, matched: int = 0) -> Material:
    """Calm examples: the first `hard` with alarming words, the last `picked` picked, `matched` plain ones matched."""
    at = np.arange(count)
    dense = np.zeros((count, DENSE), np.float32)
    dense[hard : hard + matched, -1] = 0.4
    return Material(
        dense=dense, grams=None, windows=((),) * count, labels=np.zeros((count, len(KINDS)), bool),
        hard=at < hard, picked=at >= count - picked,
    )  # fmt: skip


MATTERS = [Matter.OWN_LIFE, Matter.BEING_HURT]


def raised_share(material: Material, chances: NDArray[np.float64], among: NDArray[np.bool_]) -> float:
    thresholds = choose_thresholds(MATTERS, chances, material)
    return float(((chances >= thresholds).any(axis=1) | material.matched)[among].mean())


def test_all_matters_and_patterns_together_stay_within_the_aim() -> None:
    chances = 0.9 * np.random.default_rng(3).random((1000, 2))
    for matched in (0, 20, 45):
        material = calm_material(1000, matched=matched)
        share = raised_share(material, chances, np.ones(1000, bool))
        assert 0.8 * PLAIN_AIM < share <= PLAIN_AIM


def test_alarming_words_have_an_aim_of_their_own() -> None:
    chances = np.random.default_rng(3).random((1000, 2))
    chances[:400] **= 1 / 3
    material = calm_material(1000, hard=400)
    assert raised_share(material, chances, material.hard) <= HARD_AIM


def test_examples_picked_because_they_were_raised_do_not_move_a_threshold() -> None:
    chances = np.random.default_rng(3).random((1200, 2))
    chances[1000:] = 0.99
    with_picked = choose_thresholds(MATTERS, chances, calm_material(1200, picked=200))
    assert np.array_equal(with_picked, choose_thresholds(MATTERS, chances[:1000], calm_material(1000)))


def test_a_fold_is_judged_as_if_it_had_never_been_there() -> None:
    rows = np.random.default_rng(1).standard_normal((20, 6)).astype(np.float32) / 2
    wanted = rows[:, :1] > 0
    fold = np.arange(20) % 4
    held_out = recall(rows, wanted, fold, np.ones(20, bool)).held_out
    rest = fold != 2
    targets, mean = np.where(wanted, 1, -1), np.where(wanted, 1, -1).mean()
    alike = likeness(rows[rest], rows[rest]) + CAUTION * np.eye(rest.sum())
    expected = likeness(rows[~rest], rows[rest]) @ np.linalg.solve(alike, targets[rest] - mean) + mean
    assert np.allclose(held_out[~rest], expected, atol=1e-3)


def test_long_stories_that_hold_a_danger_are_judged_and_not_remembered() -> None:
    rows = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)
    wanted = np.array([[True], [True], [True], [False], [False], [False]])
    is_short = np.array([False, True, True, False, True, True])
    found = recall(rows, wanted, np.arange(6) % 2, is_short)
    assert list(found.rows) == [1, 2, 3, 4, 5]
    assert found.held_out[0, 0] != 0
    memory = Memory(rows[found.rows], found.duals, found.biases)
    assert memory.scores(rows[1:2])[0, 0] > memory.scores(rows[4:5])[0, 0]


@pytest.mark.parametrize("text", ["", " ", "?!", "\U0001f600", "\x00", "a" * 9000, "do. not. stop. " * 500])
def test_any_text_can_be_read(heads: Heads, text: str) -> None:
    assert len(Reader(WordEncoder(), heads).read_all([text])) == 1


def test_nothing_to_read_gives_nothing(heads: Heads) -> None:
    assert Reader(WordEncoder(), heads).read_all([]) == []


def test_a_message_is_judged_by_its_whole_and_by_its_most_alarming_clause() -> None:
    ((whole, loudest, *_, second),) = summarise(
        np.array([-1.0], np.float32), np.array([[2.0], [-3.0]], np.float32), np.array([0.5], np.float32)
    )
    assert (whole, loudest, second) == (-1.0, 2.0, 0.5)


def test_one_clause_alone_is_its_own_loudest_and_is_known_to_be_alone() -> None:
    alone = summarise(np.array([-1.0, 2.0], np.float32), np.zeros((0, 2), np.float32))
    assert np.allclose(alone[:, :4], [[-1.0] * 4, [2.0] * 4])
    assert not alone[:, 4:].any()


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
