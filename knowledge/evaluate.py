"""How good search is, measured on somebody else's catalogue, messages and judgments.

Three systems see the same data: BM25, one vector of name + description, and the whole of `Search`. The foreign
taxonomy terms of the catalogue are mapped to our needs by the similarity of their text; the judgments are
read only to count. Gains are the grades themselves (2 serves the need directly, 1 partly); hit, recall and
reciprocal rank count grade 2.

    catalogue.jsonl  {"id", "organization", "name", "description", "airs_terms": "A; B - C; ..."}
    queries.jsonl    {"id", "text"}
    qrels.jsonl      {"qid", "rel2": [id, ...], "rel1": [id, ...]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Area, Organisation, Phone, Service
from knowledge.embedding import Encoder, VectorCache, cache_folder, encode_cached, open_encoder, open_publisher
from knowledge.errors import CatalogueFileError
from knowledge.index import Field, Index, Source, all_texts, build_index
from knowledge.lexical import Lexical
from knowledge.needs import load_needs
from knowledge.places import Places
from knowledge.publish import read_head
from knowledge.search import Search
from knowledge.settings import Settings
from knowledge.spelling import Spelling
from knowledge.threads import use_one_thread

DEPTH = 10
RESAMPLES = 2000
SEED = 7
MEASURES = ("ndcg@5", "hit@3", "recall@3", "mrr@10")
SHORTEST_TERM = 4


@dataclass(frozen=True, kw_only=True)
class Query:
    """A message and the grades of the services that answer it."""

    id: str
    text: str
    grades: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A mean with the 95 % interval of 2,000 resamples of the queries."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """Scores of each system, and by how much the last beats the one before it."""

    services: int
    queries: int
    systems: Mapping[str, Mapping[str, Score]]
    gain: Mapping[str, Score]

    def to_dict(self) -> dict[str, Any]:
        def plain(scores: Mapping[str, Score]) -> dict[str, Any]:
            return {name: {"mean": each.mean, "low": each.low, "high": each.high} for name, each in scores.items()}

        return {
            "services": self.services,
            "queries": self.queries,
            "systems": {name: plain(scores) for name, scores in self.systems.items()},
            "gain_of_search_over_dense": plain(self.gain),
        }

    def lines(self) -> Iterator[str]:
        yield f"{self.queries} messages, {self.services} services; mean and 95 % interval"
        yield f"{'':24}" + "".join(f"{name:>24}" for name in MEASURES)
        for name, scores in (*self.systems.items(), ("search over dense", self.gain)):
            cells = (f"{each.mean:.3f} [{each.low:.3f}, {each.high:.3f}]" for each in scores.values())
            yield f"{name:24}" + "".join(f"{cell:>24}" for cell in cells)


def evaluate(settings: Settings, catalogue: Path, queries: Path, judgments: Path) -> Report:
    """Build an index of the foreign catalogue in memory and measure. Raises KnowledgeError."""
    use_one_thread()
    services = tuple(_service(row) for row in _rows(catalogue))
    asked = _queries(_rows(queries), _rows(judgments))
    index = _index(settings, services)
    encoder = open_encoder(settings)
    spelling = Spelling.load(settings.content_dir / "sms_spelling.yml")
    search = Search(settings, index, encoder, spelling, Places({}, {}, {}))
    systems: dict[str, Callable[[str], Sequence[str]]] = {
        "BM25": _bm25(services),
        "dense name+description": _dense(index, encoder),
        "search": lambda text: [match.service.id for match in search.find(text, limit=DEPTH).matches],
    }
    results = {
        name: np.array([measure(rank(query.text), query.grades) for query in asked]) for name, rank in systems.items()
    }
    return Report(
        services=len(services),
        queries=len(asked),
        systems={name: _scores(values) for name, values in results.items()},
        gain=_scores(results["search"] - results["dense name+description"]),
    )


def measure(ranked: Sequence[str], grades: Mapping[str, int]) -> tuple[float, ...]:
    """nDCG@5, hit@3, R@3 (of what three places can hold) and MRR@10 of one ranking."""
    gains = [grades.get(service, 0) for service in ranked[:DEPTH]]
    ideal = _discounted(sorted(grades.values(), reverse=True)[:5])
    direct = [gain >= 2 for gain in gains]
    wanted = min(3, sum(grade >= 2 for grade in grades.values()))
    return (
        _discounted(gains[:5]) / ideal if ideal else 0.0,
        float(any(direct[:3])),
        sum(direct[:3]) / wanted if wanted else 0.0,
        1 / (1 + direct.index(True)) if any(direct) else 0.0,
    )


def _discounted(gains: Iterable[int]) -> float:
    return float(sum(gain / np.log2(place + 2) for place, gain in enumerate(gains)))


def _scores(values: NDArray[np.float64]) -> dict[str, Score]:
    draws = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    means = values[draws].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return {
        name: Score(mean=float(values[:, at].mean()), low=float(low[at]), high=float(high[at]))
        for at, name in enumerate(MEASURES)
    }


def _bm25(services: Sequence[Service]) -> Callable[[str], Sequence[str]]:
    lexical = Lexical.build([f"{service.name} {service.description}" for service in services])

    def rank(text: str) -> Sequence[str]:
        order = np.argsort(-lexical.scores(text), kind="stable")[:DEPTH]
        return [services[row].id for row in order]

    return rank


def _dense(index: Index, encoder: Encoder) -> Callable[[str], Sequence[str]]:
    ids = np.flatnonzero(index.fields == Field.ABOUT).astype(np.int64)
    vectors = index.vectors.reconstruct_batch(ids)

    def rank(text: str) -> Sequence[str]:
        order = np.argsort(-(vectors @ encoder.encode([text])[0]), kind="stable")[:DEPTH]
        return [index.services[index.owners[ids[each]]].id for each in order]

    return rank


def _index(settings: Settings, services: tuple[Service, ...]) -> Index:
    publisher = open_publisher(settings)
    needs = load_needs(settings.content_dir / "needs.yml")
    source = Source(services=services, needs=needs, crisis={}, encoder=publisher.id)
    cache = VectorCache(cache_folder(settings) / "evaluation-vectors.sqlite")
    try:
        head = read_head(settings, source, lambda texts: encode_cached(publisher, cache, texts))
        vectors = encode_cached(publisher, cache, all_texts(source))
    finally:
        cache.close()
    return build_index(source, vectors, head, version="evaluation", now=datetime.now(UTC))


def _service(row: Mapping[str, Any]) -> Service:
    """A listing in our words; of a term like "Basic Needs - Food - Food Pantries" the last part says what it is."""
    terms = (term.rsplit(" - ", 1)[-1].strip() for term in str(row.get("airs_terms") or "").split(";"))
    owner = str(row.get("organization") or row["name"])
    return Service(
        id=str(row["id"]),
        organisation=Organisation(id=owner, name=owner),
        name=str(row["name"]),
        description=str(row.get("description") or ""),
        phones=(Phone(number=str(row.get("phone") or "")),),
        area=Area.COUNTY,
        terms=tuple(dict.fromkeys(term for term in terms if len(term) >= SHORTEST_TERM)),
    )


def _queries(messages: Iterable[Mapping[str, Any]], judgments: Iterable[Mapping[str, Any]]) -> list[Query]:
    grades = {
        str(row["qid"]): {**dict.fromkeys(row.get("rel1") or (), 1), **dict.fromkeys(row.get("rel2") or (), 2)}
        for row in judgments
    }
    found = [
        Query(id=str(row["id"]), text=str(row["text"]), grades=grades[str(row["id"])])
        for row in messages
        if grades.get(str(row["id"]))
    ]
    if not found:
        raise CatalogueFileError(["No message has a judgment: check that 'id' in the queries is 'qid' in the qrels."])
    return found


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    try:
                        yield json.loads(line)
                    except ValueError:
                        raise CatalogueFileError([f"{path.name}:{number}: is not a line of JSON."]) from None
    except OSError as error:
        raise CatalogueFileError([f"{path}: cannot be read ({error.strerror}). Check the name."]) from None
