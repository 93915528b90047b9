"""Fits the heads on the project's own examples, and chooses their thresholds on examples held out of the fit.

Nothing from outside the project takes part: what others wrote is only ever measured with.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.concern.examples import Example
from bot.concern.features import DENSE, KINDS, describe_again, encode_again
from bot.concern.heads import Array, Heads, Judgement, Lines, Memory, summarise
from bot.concern.material import Material, prepare
from bot.concern.matters import KINDS_OF, Matter
from bot.concern.remembering import Recall, recall
from channels.conversation import Concern
from knowledge.embedding import Encoder

STRENGTH = 0.1
"""C of the linear part. Small: the examples are not how everybody writes; none may decide alone."""
FOLDS = 5
LEAST_CHANCE, MOST_CHANCE = 0.02, 0.98
STEP = 0.0005
PLAIN_AIM, HARD_AIM = 0.05, 0.12
"""Share of held-out calm examples, and of those with alarming words, that patterns and matters together may raise."""
PORTIONS = {Matter.OWN_LIFE: 1.0, Matter.BEING_HURT: 1.3, Matter.EATING: 0.1, Matter.SOMEBODY_ELSE: 0.15}
"""How what may be raised is divided. Of those that lose no kind, where the first two find most of what was held out."""


def train_heads(examples: Sequence[Example], encoder: Encoder, strong: Encoder | None = None) -> Heads:
    """Fit every matter: once on each part of the examples to see how it does on the rest, then on all.

    The larger model reads beside it, on a core of its own, because the linear parts do not wait for what it says.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    with ThreadPoolExecutor(max_workers=1) as beside, threadpool_limits(1):
        reading = beside.submit(encode_again, [one.text for one in examples], strong) if strong else None
        material = prepare(examples, encoder)
        matters = [matter for matter in Matter if wanted_by(matter, material).sum() >= FOLDS]
        wanted = np.stack([wanted_by(matter, material) for matter in matters], axis=1)
        fold = fold_of(examples)
        lines, held_out = fit_lines(material, wanted, fold)
        kinds, naming = fit_naming(material, matters)
        alone = judge_all(matters, gather(material, held_out), wanted, fold, material)
        if reading is None:
            return Heads(matters=tuple(matters), kinds=kinds, lines=lines, alone=alone, naming=naming)
        second = describe_again(reading.result(), material.dense[: len(examples)])
        remembered = recall(second, wanted, fold, material.is_short)
        scale = 1 / (remembered.held_out.std(axis=0) + 1e-6)
        together = judge_all(matters, gather(material, held_out, remembered.held_out * scale), wanted, fold, material)
    return Heads(
        matters=tuple(matters), kinds=kinds, lines=lines, alone=alone, naming=naming,
        memory=remember(remembered, second, scale), together=together,
    )  # fmt: skip


def wanted_by(matter: Matter, material: Material) -> NDArray[np.bool_]:
    return np.asarray(material.labels[:, [KINDS.index(kind) for kind in KINDS_OF[matter]]].any(axis=1))


def fold_of(examples: Sequence[Example]) -> NDArray[np.intp]:
    """Files stay whole, because neighbours are alike and their author writes as nobody else does.

    Where a kind has too few files each of them is divided into runs of neighbours.
    """
    files: dict[tuple[object, ...], dict[str, list[int]]] = {}
    for at, one in enumerate(examples):
        like = (*sorted(one.kinds), one.is_hard)
        files.setdefault(like, {}).setdefault(one.source, []).append(at)
    fold = np.zeros(len(examples), np.intp)
    turn = 0
    for like in sorted(files, key=str):
        for _, rows in sorted(files[like].items()):
            if len(files[like]) >= FOLDS:
                fold[rows] = turn % FOLDS
                turn += 1
            else:
                fold[rows] = np.arange(len(rows)) * FOLDS // len(rows)
    return fold


def fit_lines(material: Material, wanted: NDArray[np.bool_], fold: NDArray[np.intp]) -> tuple[Lines, Array]:
    """The linear parts, and scores of every row by one that has not seen its example; each in its own spread."""
    both = material.rows()
    count = len(fold)
    held_out = np.zeros((both.shape[0], wanted.shape[1]), np.float32)
    found = []
    for column, want in enumerate(wanted.T):
        for each in range(FOLDS):
            weights, bias = fit_line(both, np.flatnonzero(fold != each), want)
            mine = material.with_windows(np.flatnonzero(fold == each))
            held_out[mine, column] = both[mine] @ weights + bias
        scale = 1 / (held_out[:count, column].std() + 1e-6)
        held_out[:, column] *= scale
        weights, bias = fit_line(both, np.arange(count), want)
        found.append((weights * scale, bias * scale))
    return as_lines(found), held_out


def fit_line(both: Any, rows: NDArray[np.intp], wanted: NDArray[np.bool_]) -> tuple[Array, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=STRENGTH, max_iter=300, class_weight="balanced", solver="liblinear", dual=True, random_state=7, tol=1e-3
    ).fit(both[rows], wanted[rows])
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def as_lines(found: Sequence[tuple[Array, float]]) -> Lines:
    weights = np.stack([weights for weights, _ in found]).astype(np.float32)
    return Lines(weights[:, :DENSE], weights[:, DENSE:], np.array([bias for _, bias in found], np.float32))


def fit_naming(material: Material, matters: Sequence[Matter]) -> tuple[tuple[Concern, ...], Lines]:
    """A line per kind, learnt on the examples of its matter alone: which of them is it?"""
    both = material.rows()
    kinds: list[Concern] = []
    found = []
    for matter in matters:
        mine = np.flatnonzero(wanted_by(matter, material))
        for kind in KINDS_OF[matter]:
            wanted = material.labels[:, KINDS.index(kind)]
            if not wanted.any():
                continue
            kinds.append(kind)
            alone = bool(wanted[mine].all())
            found.append((np.zeros(both.shape[1], np.float32), 1.0) if alone else fit_line(both, mine, wanted))
    return tuple(kinds), as_lines(found)


def remember(found: Recall, second: Array, scale: Array) -> Memory:
    return Memory(
        support=second[found.rows],
        duals=np.asarray(found.duals * scale, np.float32),
        biases=np.asarray(found.biases * scale, np.float32),
    )


def gather(material: Material, scores: Array, second: Array | None = None) -> Array:
    """`summarise` for every example: examples x matters x columns."""
    return np.stack(
        [
            summarise(scores[at], scores[list(some)], None if second is None else second[at])
            for at, some in enumerate(material.windows)
        ]
    )


def judge_all(
    matters: Sequence[Matter], columns: Array, wanted: NDArray[np.bool_], fold: NDArray[np.intp], material: Material
) -> Judgement:
    """The mix and the shift of every matter; the thresholds from mixes that had not seen the example."""
    mixes, shifts = zip(*(fit_mix(columns[:, at], wanted[:, at]) for at in range(len(matters))), strict=True)
    chances = np.stack([judge_held_out(columns[:, at], wanted[:, at], fold) for at in range(len(matters))], axis=1)
    return Judgement(np.stack(mixes), np.array(shifts, np.float32), choose_thresholds(matters, chances, material))


def judge_held_out(seen: Array, wanted: NDArray[np.bool_], fold: NDArray[np.intp]) -> NDArray[Any]:
    chances = np.zeros(len(wanted))
    for each in range(FOLDS):
        mix, shift = fit_mix(seen[fold != each], wanted[fold != each])
        chances[fold == each] = 1 / (1 + np.exp(-(seen[fold == each] @ mix + shift)))
    return chances


def fit_mix(seen: Array, wanted: NDArray[np.bool_]) -> tuple[Array, float]:
    """What each column of `summarise` counts, and a shift that makes an honest chance of their sum."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=500).fit((seen - middle) / spread, wanted)
    mix = model.coef_[0] / spread
    return np.asarray(mix, dtype=np.float32), float(model.intercept_[0] - mix @ middle)


def choose_thresholds(matters: Sequence[Matter], chances: NDArray[Any], material: Material) -> Array:
    """The lowest ones, in PORTIONS, at which patterns and all matters together stay within both aims.

    Together, because a person is troubled once, whichever of them it was.
    """
    calm = ~material.labels.any(axis=1) & ~material.picked
    groups = [(calm & ~material.hard, PLAIN_AIM), (calm & material.hard, HARD_AIM)]
    lowest = np.full(len(matters), MOST_CHANCE)
    for budget in np.arange(STEP, PLAIN_AIM, STEP):
        tried = [smallest_within(chances[groups[0][0], at], budget * PORTIONS[one]) for at, one in enumerate(matters)]
        raised = (chances >= tried).any(axis=1) | material.matched
        if any(raised[group].sum() > aim * group.sum() for group, aim in groups):
            break
        lowest = np.array(tried)
    return np.asarray(np.clip(lowest, LEAST_CHANCE, MOST_CHANCE), np.float32)


def smallest_within(chances: NDArray[Any], budget: float) -> float:
    """A threshold that at most this share of the chances reaches."""
    if not len(chances):
        return 0.0
    falling = np.sort(chances)[::-1]
    return float(falling[min(len(falling) - 1, int(budget * len(falling)))]) + 1e-6
