"""What a ranking is worth, from the judgments of one message. Pure.

ndcg@10       gains 3 (serves the need directly) and 1 (partly), divided by the best possible order
hit@3, hit@5  something that serves the need directly is among the first three, five
coverage@10   share of the message's needs that a direct service among the first ten answers
macro, sms    ndcg@10 as a mean over needs, and over messages that fit one text (160 characters)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEPTH = 10
DIRECT, PARTLY = 3.0, 1.0
SMS_LENGTH = 160
RESAMPLES = 2000
SEED = 7
PER_MESSAGE = ("ndcg@10", "hit@3", "hit@5", "coverage@10")
MEASURES = (*PER_MESSAGE, "macro_ndcg@10", "sms_ndcg@10")


@dataclass(frozen=True, kw_only=True)
class Query:
    """A message, the needs somebody put on it, and the services that answer it directly or partly."""

    id: str
    text: str
    needs: tuple[str, ...] = ()
    direct: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()

    @property
    def judged(self) -> bool:
        return bool(self.direct or self.partly)


@dataclass(frozen=True, kw_only=True)
class Score:
    """A mean with the 95 % interval of 2,000 resamples of the messages."""

    mean: float
    low: float
    high: float


def services_by_need(queries: Iterable[Query]) -> dict[str, frozenset[str]]:
    """Which services answer each need directly.

    Messages with one need say it plainly. A need that only ever comes with others is answered by what all of its
    messages share.
    """
    alone: dict[str, set[str]] = {}
    shared: dict[str, set[str]] = {}
    for query in queries:
        for need in query.needs:
            shared[need] = shared.get(need, set(query.direct)) & query.direct
        if len(query.needs) == 1:
            alone.setdefault(query.needs[0], set()).update(query.direct)
    return {need: frozenset(alone.get(need, services)) for need, services in shared.items()}


def measure(ranked: Sequence[str], query: Query, by_need: Mapping[str, Set[str]]) -> tuple[float, ...]:
    """The four measures of one ranking, in the order of `PER_MESSAGE`."""
    first = ranked[:DEPTH]
    direct = [service in query.direct for service in first]
    gains = [DIRECT if hit else PARTLY * (service in query.partly) for service, hit in zip(first, direct, strict=True)]
    best = [DIRECT] * len(query.direct) + [PARTLY] * len(query.partly - query.direct)
    ideal = _discounted(best[:DEPTH])
    found = {service for service, hit in zip(first, direct, strict=True) if hit}
    met = [bool(found & by_need.get(need, query.direct)) for need in query.needs] or [bool(found)]
    return (
        _discounted(gains) / ideal if ideal else 0.0,
        float(any(direct[:3])),
        float(any(direct[:5])),
        sum(met) / len(met),
    )


def summarise(values: NDArray[np.float64], queries: Sequence[Query]) -> dict[str, Score]:
    """All measures of one system; `values` has a row per message and the columns of `PER_MESSAGE`."""
    draws = np.random.default_rng(SEED).integers(0, len(queries), (RESAMPLES, len(queries)))
    needs = sorted({need for query in queries for need in query.needs})
    carries = np.array([[need in query.needs for need in needs] for query in queries], dtype=float)
    short = np.array([[len(query.text) <= SMS_LENGTH] for query in queries], dtype=float)
    found = {name: _score(values[:, at], draws) for at, name in enumerate(PER_MESSAGE)}
    ndcg = values[:, 0]
    found["macro_ndcg@10"] = _grouped(ndcg, carries, draws) if needs else found["ndcg@10"]
    found["sms_ndcg@10"] = _grouped(ndcg, short, draws)
    return found


def need_rows(values: NDArray[np.float64], queries: Sequence[Query]) -> dict[str, tuple[int, float]]:
    """How many messages carry each need, and their mean ndcg@10; the commonest need first."""
    rows: dict[str, list[float]] = {}
    for query, ndcg in zip(queries, values[:, 0], strict=True):
        for need in query.needs:
            rows.setdefault(need, []).append(float(ndcg))
    ordered = sorted(rows.items(), key=lambda row: (-len(row[1]), row[0]))
    return {need: (len(each), sum(each) / len(each)) for need, each in ordered}


def reliability(firsts: Sequence[tuple[str, bool]]) -> dict[str, tuple[int, float]]:
    """For each word a first suggestion was called: how many were, and the share that serve the need directly."""
    called: dict[str, list[bool]] = {}
    for strength, direct in firsts:
        called.setdefault(strength, []).append(direct)
    return {strength: (len(each), sum(each) / len(each)) for strength, each in sorted(called.items())}


def _discounted(gains: Iterable[float]) -> float:
    return float(sum(gain / np.log2(place + 2) for place, gain in enumerate(gains)))


def _score(values: NDArray[np.float64], draws: NDArray[np.int64]) -> Score:
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return Score(mean=float(values.mean()), low=float(low), high=float(high))


def _grouped(values: NDArray[np.float64], groups: NDArray[np.float64], draws: NDArray[np.int64]) -> Score:
    """Mean over groups (columns, 1 where a message belongs) of the mean in each; empty ones are left out."""
    resampled = [_group_mean(values[draw], groups[draw]) for draw in draws]
    low, high = np.nanquantile(resampled, [0.025, 0.975]) if groups.any() else (0.0, 0.0)
    return Score(mean=_group_mean(values, groups) if groups.any() else 0.0, low=float(low), high=float(high))


def _group_mean(values: NDArray[np.float64], groups: NDArray[np.float64]) -> float:
    sizes = groups.sum(axis=0)
    if not sizes.any():
        return float("nan")
    return float(((values @ groups)[sizes > 0] / sizes[sizes > 0]).mean())
