"""How good search is, measured on somebody else's catalogue, messages and judgments.

Four systems see the same listings and messages in one run: chance, BM25 over all text fields, MiniLM over name and
description, and `Search`, the very code that answers people. The judgments are read only to count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Service
from knowledge.embedding import Encoder, VectorCache, Vectors, cache_folder, encode_cached, open_encoder, open_publisher
from knowledge.errors import CatalogueFileError
from knowledge.index import Source, all_texts, build_index
from knowledge.lexical import Lexical
from knowledge.measures import (
    MEASURES,
    SEED,
    Query,
    Score,
    measure,
    need_rows,
    reliability,
    services_by_need,
    summarise,
)
from knowledge.needs import load_needs
from knowledge.outside_catalogue import read_queries, read_services
from knowledge.places import Places
from knowledge.publish import read_heads
from knowledge.search import Search
from knowledge.second_opinion import prepare_opinion
from knowledge.settings import Settings
from knowledge.spelling import Spelling
from knowledge.threads import use_one_thread

RUN_DEPTH = 100
"""Ids in a run file: at least the 50 that are asked for."""
BASELINE = "minilm"
OURS = "ours"
OURS_WITH_TERMS = "ours_with_airs_terms"

Encode = Callable[[Sequence[str]], Vectors]
Rank = Callable[[str], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Files:
    """What is measured on, and where the rankings go (nowhere when `runs` is None)."""

    catalogue: Path
    queries: Path
    qrels: Path
    runs: Path | None = None
    airs_terms: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """The measures of each system, by how much ours differs from MiniLM, and ndcg@10 for each need.

    `reliability` is what the words of search are worth: how many first suggestions were called "good", "maybe" or
    "wider", and the share of them that serve the need directly.
    """

    services: int
    queries: int
    systems: Mapping[str, Mapping[str, Score]]
    gain: Mapping[str, Score]
    needs: Mapping[str, Mapping[str, tuple[int, float]]]
    reliability: Mapping[str, tuple[int, float]]

    def to_dict(self) -> dict[str, dict[str, float]]:
        return {
            system: {name: round(score.mean, 4) for name, score in scores.items()}
            for system, scores in self.systems.items()
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.queries} messages, {self.services} services; mean and 95 % interval"
        yield f"{'':22}" + "".join(f"{name:>22}" for name in MEASURES)
        for name, scores in (*self.systems.items(), (f"{OURS} over {BASELINE}", self.gain)):
            cells = (f"{each.mean:.3f} [{each.low:.3f}, {each.high:.3f}]" for each in scores.values())
            yield f"{name:22}" + "".join(f"{cell:>22}" for cell in cells)
        yield ""
        yield f"{'ndcg@10 by need':30}{'messages':>10}" + "".join(f"{system:>22}" for system in self.needs)
        for need, (count, _mean) in self.needs[OURS].items():
            cells = (f"{rows[need][1]:.3f}" for rows in self.needs.values())
            yield f"{need:30}{count:>10}" + "".join(f"{cell:>22}" for cell in cells)
        yield ""
        yield f"{'first suggestion called':30}{'messages':>10}{'serves directly':>22}"
        for strength, (count, share) in self.reliability.items():
            yield f"{strength:30}{count:>10}{share:>22.3f}"


def evaluate(settings: Settings, files: Files) -> Report:
    """Index the foreign catalogue in memory, rank for every message, measure. Raises KnowledgeError."""
    use_one_thread()
    services = read_services(files.catalogue, terms=files.airs_terms)
    queries = read_queries(files.queries, files.qrels)
    systems, ours = _systems(settings, services, terms=files.airs_terms)
    ranked = {name: [rank(query.text) for query in queries] for name, rank in systems.items()}
    if files.runs is not None:
        write_runs(files.runs, queries, ranked)
    return report(ranked, queries, len(services), [ours.strengths[query.text] for query in queries])


def report(
    ranked: Mapping[str, Sequence[Sequence[str]]], queries: Sequence[Query], services: int, strengths: Sequence[str]
) -> Report:
    """Count what rankings (a list for each message) are worth; messages without a judgment are left out.

    `strengths` are what search called the first of its own.
    """
    judged = [at for at, query in enumerate(queries) if query.judged]
    asked = [queries[at] for at in judged]
    by_need = services_by_need(asked)
    values = {
        system: np.array([measure(lists[at], queries[at], by_need) for at in judged], dtype=np.float64)
        for system, lists in ranked.items()
    }
    return Report(
        services=services,
        queries=len(asked),
        systems={system: summarise(each, asked) for system, each in values.items()},
        gain=summarise(values[OURS] - values[BASELINE], asked),
        needs={system: need_rows(each, asked) for system, each in values.items()},
        reliability=reliability([(strengths[at], ranked[OURS][at][0] in queries[at].direct) for at in judged]),
    )


def write_runs(folder: Path, queries: Sequence[Query], ranked: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """`<system>.jsonl` in the folder, a line for every message. Raises CatalogueFileError when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for system, lists in ranked.items():
            rows = ({"qid": query.id, "ranked": list(ids)} for query, ids in zip(queries, lists, strict=True))
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (folder / f"{system}.jsonl").write_text(text, encoding="utf-8")
    except OSError as error:
        raise CatalogueFileError([f"{folder}: cannot be written ({error.strerror}). Give another --runs."]) from None


class Ours:
    """`Search` as a system to measure; remembers what it called the first suggestion for each message."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self.strengths: dict[str, str] = {}

    def __call__(self, text: str) -> Sequence[str]:
        matches = self._search.find(text, limit=RUN_DEPTH).matches
        self.strengths[text] = matches[0].strength
        return [match.service.id for match in matches]


def _systems(settings: Settings, services: tuple[Service, ...], *, terms: bool) -> tuple[dict[str, Rank], Ours]:
    """The systems, ours again. Only the last, when asked for, is told the terms of the other taxonomy."""
    plain = tuple(replace(service, terms=()) for service in services)
    encoder = open_encoder(settings)
    cache = VectorCache(cache_folder(settings) / "evaluation-vectors.sqlite")
    try:
        ours = _ours(settings, plain, cache, encoder)
        systems: dict[str, Rank] = {
            "random": _random(plain),
            "bm25": _bm25(plain),
            BASELINE: _dense(settings, plain, cache, encoder),
            OURS: ours,
        }
        if terms:
            systems[OURS_WITH_TERMS] = _ours(settings, services, cache, encoder)
    finally:
        cache.close()
    return systems, ours


def _random(services: Sequence[Service]) -> Rank:
    order = np.random.default_rng(SEED)
    return lambda _text: _ids(services, order.permutation(len(services)))


def _bm25(services: Sequence[Service]) -> Rank:
    lexical = Lexical.build([_all_text(service) for service in services])
    return lambda text: _ids(services, np.argsort(-lexical.scores(text), kind="stable"))


def _dense(settings: Settings, services: Sequence[Service], cache: VectorCache, encoder: Encoder) -> Rank:
    texts = [f"{service.name}. {service.description}".strip() for service in services]
    vectors = encode_cached(open_publisher(settings), cache, texts)
    return lambda text: _ids(services, np.argsort(-(vectors @ encoder.encode([text])[0]), kind="stable"))


def _ours(settings: Settings, services: tuple[Service, ...], cache: VectorCache, encoder: Encoder) -> Ours:
    publisher = open_publisher(settings)
    needs = load_needs(settings.content_dir / "needs.yml")
    prepare_opinion(settings, needs)
    source = Source(services=services, needs=needs, crisis={}, encoder=publisher.id)

    def encode(texts: Sequence[str]) -> Vectors:
        return encode_cached(publisher, cache, texts)

    heads = read_heads(settings, source, encode)
    index = build_index(source, encode(all_texts(source)), heads, version="evaluation", now=datetime.now(UTC))
    spelling = Spelling.load(settings.content_dir / "sms_spelling.yml")
    return Ours(Search(settings, index, encoder, spelling, Places({}, {}, {})))


def _all_text(service: Service) -> str:
    said = (service.name, service.organisation.name, service.description, service.how_to, service.eligibility)
    return " ".join(said)


def _ids(services: Sequence[Service], order: NDArray[np.int64]) -> list[str]:
    return [services[row].id for row in order[:RUN_DEPTH]]
