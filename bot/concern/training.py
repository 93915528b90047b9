"""Fits the heads on the project's own examples, and chooses their thresholds on examples held out of the fit.

Nothing from outside the project takes part: what others wrote is only ever measured with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.concern.examples import Example
from bot.concern.features import DENSE, GRAMS, KINDS, Features, describe, split_windows
from bot.concern.heads import Array, Heads, likeness, rows_of, summarise
from channels.conversation import Concern
from knowledge.embedding import Encoder

STRENGTH, KERNEL_STRENGTH = 0.1, 1.0
"""C of the linear and of the kernel part. Small: the examples are not how everybody writes; none may decide alone."""
FOLDS = 5
LEAST_CHANCE, MOST_CHANCE = 0.05, 0.95
HARD = "_hard"
"""How the name of a file of alarming words without risk ends: it is held to a looser budget."""

NEIGHBOURS = {
    Concern.SUICIDE: {Concern.SELF_HARM},
    Concern.SELF_HARM: {Concern.SUICIDE},
    Concern.ABUSE: {Concern.CHILD_AT_RISK, Concern.DANGER_NOW},
    Concern.CHILD_AT_RISK: {Concern.ABUSE},
    Concern.DANGER_NOW: {Concern.ABUSE, Concern.ATTEMPT, Concern.CHILD_AT_RISK},
}
"""Kinds that may well be in each other's texts unsaid: they teach nothing about one another."""
BUDGETS = {Concern.SUICIDE: (0.06, 0.12), Concern.ABUSE: (0.018, 0.04)}
ELSE_BUDGET = (0.005, 0.01)
"""Share of held-out calm examples, and of those with alarming words, that a kind may raise. The kinds add up; the calm
examples are traps by design, so what people really write is raised less often."""


@dataclass(frozen=True)
class Material:
    """The examples as numbers: row `at` is the whole of example `at`; `windows[at]` are the rows of its windows."""

    dense: Array
    grams: Any
    alike: Array
    """Likeness of every row to the whole of every example."""
    windows: tuple[tuple[int, ...], ...]
    labels: NDArray[np.bool_]
    hard: NDArray[np.bool_]


def train_heads(examples: Sequence[Example], encoder: Encoder) -> Heads:
    """Fit every kind: once on each part of the examples to see how it does on the rest, then on all."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

    material = prepare(examples, encoder)
    kinds = [kind for kind in KINDS if material.labels[:, KINDS.index(kind)].sum() >= FOLDS]
    with threadpool_limits(1):
        fitted = [fit_kind(kind, material) for kind in kinds]
    stacked = {name: np.stack([one[name] for one in fitted]).astype(np.float32) for name in fitted[0]}
    used = np.abs(stacked["duals"]).max(axis=0) > 0
    stacked["duals"] = stacked["duals"][:, used]
    return Heads(kinds=tuple(kinds), support=material.dense[: len(examples)][used], **stacked)


def prepare(examples: Sequence[Example], encoder: Encoder) -> Material:
    from scipy.sparse import csr_matrix

    texts = [one.text for one in examples]
    windows = [split_windows(text) for text in texts]
    rows = describe([*texts, *(window for some in windows for window in some)], encoder)
    ends = np.cumsum([len(some) for some in windows]) + len(texts)
    spans = tuple(tuple(range(end - len(some), end)) for end, some in zip(ends, windows, strict=True))
    dense = np.stack([one.dense for one in rows])
    return Material(
        dense=dense,
        alike=likeness(dense, dense[: len(texts)]),
        grams=stack_grams(rows, csr_matrix),
        windows=spans,
        labels=rows_of(KINDS, [one.kinds for one in examples]),
        hard=np.array([one.source.endswith(HARD) for one in examples]),
    )


def stack_grams(rows: Sequence[Features], csr_matrix: Any) -> Any:
    starts = np.cumsum([0, *(len(one.grams[0]) for one in rows)])
    places = np.concatenate([one.grams[0] for one in rows])
    weights = np.concatenate([one.grams[1] for one in rows])
    return csr_matrix((weights, places, starts), shape=(len(rows), GRAMS))


@dataclass(frozen=True)
class Parts:
    """The two parts of one head. `scores` gives one column each for rows of the material."""

    dense: Array
    grams: Array
    duals: Array
    biases: Array

    def scores(self, material: Material) -> Array:
        linear = material.dense @ self.dense + material.grams @ self.grams + self.biases[0]
        return np.stack([linear, material.alike @ self.duals + self.biases[1]], axis=1).astype(np.float32)


def fit_kind(kind: Concern, material: Material) -> dict[str, Any]:
    """One kind's head. Both parts count for the same: each is measured in its own spread on held-out examples."""
    wanted = material.labels[:, KINDS.index(kind)]
    near = [KINDS.index(other) for other in NEIGHBOURS.get(kind, ())]
    teaches = wanted | ~material.labels[:, near].any(axis=1)
    held_out = score_held_out(material, wanted, teaches)
    scale = 1 / held_out[: len(wanted)].std(axis=0)
    scaled = (held_out * scale)[:, None]
    seen = np.concatenate([summarise(scaled[at], scaled[list(some)]) for at, some in enumerate(material.windows)])
    mix, shift = fit_mix(seen[teaches], wanted[teaches])
    parts = fit(material, np.flatnonzero(teaches), wanted)
    return {
        "dense": parts.dense * scale[0], "grams": parts.grams * scale[0], "duals": parts.duals * scale[1],
        "biases": parts.biases * scale, "mix": mix, "shift": shift,
        "thresholds": choose_threshold(kind, chances_held_out(seen, wanted, teaches), material),
    }  # fmt: skip


def score_held_out(material: Material, wanted: NDArray[np.bool_], teaches: NDArray[np.bool_]) -> Array:
    """Scores of every row by a model that has not seen its example."""
    held_out = np.zeros((len(material.dense), 2), np.float32)
    fold = fold_of(len(wanted))
    for each in range(FOLDS):
        scores = fit(material, np.flatnonzero(teaches & (fold != each)), wanted).scores(material)
        for at in np.flatnonzero(fold == each):
            mine = [int(at), *material.windows[at]]
            held_out[mine] = scores[mine]
    return held_out


def fit_mix(seen: Array, wanted: NDArray[np.bool_]) -> tuple[Array, float]:
    """What each column of `summarise` counts, and a shift that makes an honest chance of their sum."""
    from sklearn.linear_model import LogisticRegression

    middle, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    model = LogisticRegression(max_iter=500).fit((seen - middle) / spread, wanted)
    mix = model.coef_[0] / spread
    return np.asarray(mix, dtype=np.float32), float(model.intercept_[0] - mix @ middle)


def chances_held_out(seen: Array, wanted: NDArray[np.bool_], teaches: NDArray[np.bool_]) -> NDArray[Any]:
    """The chance of every example by a mix that has not seen it."""
    chances = np.zeros(len(wanted))
    fold = fold_of(len(wanted), seed=3)
    for each in range(FOLDS):
        learns = teaches & (fold != each)
        mix, shift = fit_mix(seen[learns], wanted[learns])
        chances[fold == each] = 1 / (1 + np.exp(-(seen[fold == each] @ mix + shift)))
    return chances


def fold_of(count: int, seed: int = 7) -> NDArray[np.intp]:
    """Scattered, and the same every time: neighbours in a file are alike and should not all be in one fold."""
    return np.random.default_rng(seed).permutation(count) % FOLDS


def fit(material: Material, rows: NDArray[np.intp], wanted: NDArray[np.bool_]) -> Parts:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    both = hstack([csr_matrix(material.dense[rows]), material.grams[rows]]).tocsr()
    linear = LogisticRegression(
        C=STRENGTH, max_iter=300, class_weight="balanced", solver="liblinear", dual=True, random_state=7
    ).fit(both, wanted[rows])
    kernel = SVC(C=KERNEL_STRENGTH, kernel="precomputed", class_weight="balanced")
    kernel.fit(material.alike[np.ix_(rows, rows)], wanted[rows])
    duals = np.zeros(len(wanted), np.float32)
    duals[rows[kernel.support_]] = kernel.dual_coef_[0]
    weights = linear.coef_[0].astype(np.float32)
    biases = np.array([linear.intercept_[0], kernel.intercept_[0]], np.float32)
    return Parts(weights[:DENSE], weights[DENSE:], duals, biases)


def choose_threshold(kind: Concern, chances: NDArray[Any], material: Material) -> float:
    """The lowest chance at which the kind stays within both of its budgets on examples that were held out."""
    calm = ~material.labels.any(axis=1)
    plain_budget, hard_budget = BUDGETS.get(kind, ELSE_BUDGET)
    lowest = max(
        smallest_within(chances[calm & ~material.hard], plain_budget),
        smallest_within(chances[calm & material.hard], hard_budget),
    )
    return float(np.clip(lowest, LEAST_CHANCE, MOST_CHANCE))


def smallest_within(chances: NDArray[Any], budget: float) -> float:
    """A threshold that at most this share of the chances reaches."""
    if not len(chances):
        return 0.0
    falling = np.sort(chances)[::-1]
    return float(falling[min(len(falling) - 1, int(budget * len(falling)))]) + 1e-6
