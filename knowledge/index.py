"""The index: several vectors for each service, and everything else a search needs, in one snapshot.

A snapshot is a folder that is written whole and then pointed at by a small file, so that a reader sees
the old one or the new one, and a build that dies leaves the old one serving.

    index/current                    the name of the snapshot that serves
    index/20261123T061500-1a2b3c4d/  manifest.json services.json needs.json vectors.faiss table.npz head.npz lexical/
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from knowledge.catalogue import Need, Service, service_from_dict, service_to_dict
from knowledge.embedding import DIMENSIONS, Vectors
from knowledge.errors import IndexMissing
from knowledge.lexical import Lexical
from knowledge.need_head import NeedHead
from knowledge.needs import label_text
from knowledge.threads import collector_paused

FORMAT = 1
ORDER_WEIGHTS = (1.0, 0.9, 0.8, 0.75, 0.7)
"""How much a service's first, second ... need counts: editors put the most fitting one first."""
REBUILD = "Run: python -m knowledge index"


class Field(IntEnum):
    """What a vector of a service stands for."""

    NAME = 0
    ABOUT = 1
    LABEL = 2
    """One for each need the service carries, and for each term of another taxonomy."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that an index is made from."""

    services: tuple[Service, ...]
    needs: tuple[Need, ...]
    crisis: Mapping[str, tuple[str, ...]]
    """Need id to the ids of the lines to offer first, in order."""
    encoder: str

    def stamp(self) -> str:
        """Changes whenever the index would."""
        return self._stamp

    @cached_property
    def _stamp(self) -> str:
        body = [
            FORMAT,
            self.encoder,
            [service_to_dict(service) for service in self.services],
            [asdict(need) for need in self.needs],
            {need: list(lines) for need, lines in self.crisis.items()},
        ]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Spread:
    """Mean and covariance of all vectors of one field: enough to say how unusual one similarity is, exactly."""

    mean: NDArray[np.float32]
    covariance: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Vectors) -> Spread:
        mean = vectors.mean(axis=0)
        away = vectors - mean
        return cls(mean.astype(np.float32), (away.T @ away / len(vectors)).astype(np.float32))

    def standardise(self, query: Vectors, similar: NDArray[np.float32]) -> NDArray[np.float32]:
        deviation = float(np.sqrt(max(float(query @ self.covariance @ query), 1e-6)))
        return np.asarray((similar - float(query @ self.mean)) / deviation, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Index:
    """A loaded snapshot. Read only, so it can be shared by threads."""

    version: str
    built_at: datetime
    stamp: str
    services: tuple[Service, ...]
    needs: tuple[Need, ...]
    crisis: Mapping[str, tuple[str, ...]]
    vectors: Any
    """faiss.IndexIDMap2 over IndexFlatIP: exact, and editable in place."""
    owners: NDArray[np.int32]
    """Vector id to the row of its service. Rows are in order, so the vectors of a service are neighbours."""
    fields: NDArray[np.int8]
    """Vector id to `Field`."""
    carried: NDArray[np.float32]
    """How much each service (row) serves each need (column), 0 to 1."""
    spreads: Mapping[Field, Spread]
    head: NeedHead
    lexical: Lexical


def texts_of(service: Service, labels: Mapping[str, str]) -> list[tuple[Field, str]]:
    """What is encoded for one service."""
    about = " ".join(f"{service.name}. {service.summary} {service.description}".split())
    texts = [(Field.NAME, service.name), (Field.ABOUT, about)]
    texts += [(Field.LABEL, labels[need]) for need in service.needs if need in labels]
    texts += [(Field.LABEL, term) for term in service.terms]
    return texts


def lexical_text(service: Service, labels: Mapping[str, str]) -> str:
    """The words of a listing, with those of the needs it serves."""
    said = [service.name, service.organisation.name, service.summary, service.description]
    return " ".join([*said, *(labels[need] for need in service.needs if need in labels), *service.terms])


def all_texts(source: Source) -> list[str]:
    """Every text of the index, in the order of `build_index`'s vectors."""
    labels = {need.id: label_text(need) for need in source.needs}
    return [text for service in source.services for _field, text in texts_of(service, labels)]


def build_index(source: Source, vectors: Vectors, head: NeedHead, *, version: str, now: datetime) -> Index:
    """Put together an index from vectors already made (`all_texts` gives their texts)."""
    import faiss

    labels = {need.id: label_text(need) for need in source.needs}
    kinds = [(row, field) for row, service in enumerate(source.services) for field, _ in texts_of(service, labels)]
    owners = np.array([row for row, _field in kinds], dtype=np.int32)
    fields = np.array([field for _row, field in kinds], dtype=np.int8)
    flat = faiss.IndexIDMap2(faiss.IndexFlatIP(DIMENSIONS))
    flat.add_with_ids(vectors, np.arange(len(vectors), dtype=np.int64))
    return Index(
        version=version,
        built_at=now,
        stamp=source.stamp(),
        services=source.services,
        needs=source.needs,
        crisis=source.crisis,
        vectors=flat,
        owners=owners,
        fields=fields,
        carried=_carried(source, vectors, owners, head),
        spreads={field: Spread.of(vectors[fields == field]) for field in Field if (fields == field).any()},
        head=head,
        lexical=Lexical.build([lexical_text(service, labels) for service in source.services]),
    )


def _carried(source: Source, vectors: Vectors, owners: NDArray[np.int32], head: NeedHead) -> NDArray[np.float32]:
    """Needs that an editor chose count by their order; foreign terms by what the head makes of them."""
    columns = {need.id: column for column, need in enumerate(source.needs)}
    carried = np.zeros((len(source.services), len(source.needs)), dtype=np.float32)
    ends = np.searchsorted(owners, np.arange(len(source.services)), side="right")
    terms = {  # a term's vector is the same wherever it occurs; those of a service are its last
        term: int(ends[row]) - len(service.terms) + place
        for row, service in enumerate(source.services)
        for place, term in enumerate(service.terms)
    }
    meant = dict(zip(terms, head.probabilities(vectors[list(terms.values())]), strict=True)) if terms else {}
    for row, service in enumerate(source.services):
        for place, need in enumerate(service.needs):
            if need in columns:
                carried[row, columns[need]] = ORDER_WEIGHTS[min(place, len(ORDER_WEIGHTS) - 1)]
        for term in service.terms:
            carried[row] = np.maximum(carried[row], meant[term])
    return carried


def write_index(index: Index, folder: Path) -> None:
    """Write a snapshot's files into an empty folder; the manifest, which vouches for the others, last."""
    import faiss

    services = json.dumps([service_to_dict(service) for service in index.services], ensure_ascii=False)
    needs = json.dumps([asdict(need) for need in index.needs], ensure_ascii=False)
    (folder / "services.json").write_text(services, encoding="utf-8")
    (folder / "needs.json").write_text(needs, encoding="utf-8")
    faiss.write_index(index.vectors, str(folder / "vectors.faiss"))
    spreads = {
        f"{part}_{field.name}": getattr(spread, part)
        for field, spread in index.spreads.items()
        for part in ("mean", "covariance")
    }
    np.savez(folder / "table.npz", owners=index.owners, fields=index.fields, carried=index.carried, **spreads)
    index.head.save(folder / "head.npz")
    index.lexical.save(folder / "lexical")
    manifest = {
        "format": FORMAT,
        "version": index.version,
        "built_at": index.built_at.isoformat(),
        "stamp": index.stamp,
        "services": len(index.services),
        "vectors": int(index.vectors.ntotal),
        "content_sha256": _content_hash(services, needs),
        "crisis": {need: list(lines) for need, lines in index.crisis.items()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The facts of a snapshot. Raises IndexMissing when there is none that this version can read."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise IndexMissing(f"There is no index snapshot in {folder}. {REBUILD}") from None
    if manifest.get("format") != FORMAT:
        raise IndexMissing(f"The index in {folder} was made by another version. {REBUILD}")
    return manifest


def load_index(folder: Path) -> Index:
    """Load and verify a snapshot. Raises IndexMissing when it is absent, damaged or from another version."""
    with collector_paused():
        return _load_index(folder)


def _load_index(folder: Path) -> Index:
    import faiss

    manifest = read_manifest(folder)
    try:
        services = (folder / "services.json").read_text(encoding="utf-8")
        needs = (folder / "needs.json").read_text(encoding="utf-8")
        if _content_hash(services, needs) != manifest["content_sha256"]:
            raise ValueError("the services are not those that were indexed")
        flat = faiss.read_index(str(folder / "vectors.faiss"))
        with np.load(folder / "table.npz", allow_pickle=False) as table:
            owners, fields, carried = table["owners"], table["fields"], table["carried"]
            spreads = {
                field: Spread(table[f"mean_{field.name}"], table[f"covariance_{field.name}"])
                for field in Field
                if f"mean_{field.name}" in table
            }
        listed = tuple(service_from_dict(body) for body in json.loads(services))
        if not flat.ntotal == len(owners) == manifest["vectors"] or len(carried) != len(listed):
            raise ValueError("the number of vectors is not the one that was written")
        return Index(
            version=manifest["version"],
            built_at=datetime.fromisoformat(manifest["built_at"]),
            stamp=manifest["stamp"],
            services=listed,
            needs=tuple(_need(body) for body in json.loads(needs)),
            crisis={need: tuple(lines) for need, lines in manifest["crisis"].items()},
            vectors=flat,
            owners=owners,
            fields=fields,
            carried=carried,
            spreads=spreads,
            head=NeedHead.load(folder / "head.npz"),
            lexical=Lexical.load(folder / "lexical", len(listed)),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile) as error:
        raise IndexMissing(f"The index in {folder} is damaged ({error}). {REBUILD}") from None


def _need(body: dict[str, Any]) -> Need:
    return Need(**{**body, "related": tuple(body["related"]), "phrasings": tuple(body["phrasings"])})


def _content_hash(*texts: Sequence[str] | str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(str(text).encode() + b"\0")
    return digest.hexdigest()
