"""The index: several vectors for each service, and everything else a search needs, in one snapshot.

A snapshot is a folder that is written whole and then pointed at by a small file, so that a reader sees
the old one or the new one, and a build that dies leaves the old one serving.

    index/current                    the name of the snapshot that serves
    index/20261123T061500-1a2b3c4d/  manifest.json services.jsonl offsets.npy roll.json needs.json vectors.faiss
                                     owners.npy fields.npy carried.npy *.npz lexical/

The large files are mapped into memory, not read: loading takes about as long for a county as for a country.
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

from knowledge.catalogue import Need, Service, service_to_dict
from knowledge.embedding import Vectors
from knowledge.errors import IndexMissing
from knowledge.lexical import Lexical
from knowledge.nearest import build_nearest, load_nearest, write_nearest
from knowledge.need_head import NeedHead
from knowledge.needs import label_text
from knowledge.offer_head import Heads, OfferHead
from knowledge.roll import LISTINGS, OFFSETS, ROLL, ListingFile, Roll, read_roll, write_listings
from knowledge.threads import collector_paused

FORMAT = 3
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
        """Changes whenever the index would. One service at a time, so that a large catalogue fits."""
        return self._stamp

    @cached_property
    def _stamp(self) -> str:
        lines = {need: list(ids) for need, ids in self.crisis.items()}
        whole = [FORMAT, self.encoder, len(self.services), [asdict(need) for need in self.needs], lines]
        digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode())
        for service in self.services:
            digest.update(json.dumps(service_to_dict(service), sort_keys=True).encode())
        return digest.hexdigest()


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
    services: Sequence[Service]
    """In memory when it was just built; read from the snapshot one by one when it was loaded."""
    roll: Roll
    needs: tuple[Need, ...]
    crisis: Mapping[str, tuple[str, ...]]
    vectors: Any
    """A FAISS index whose ids are positions (`knowledge.nearest`)."""
    owners: NDArray[np.int32]
    """Vector id to the row of its service. Rows are in order, so the vectors of a service are neighbours."""
    fields: NDArray[np.int8]
    """Vector id to `Field`."""
    carried: NDArray[np.float32]
    """How much each service (row) serves each need (column), 0 to 1."""
    spreads: Mapping[Field, Spread]
    head: NeedHead
    offers: OfferHead
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


def build_index(source: Source, vectors: Vectors, heads: Heads, *, version: str, now: datetime) -> Index:
    """Put together an index from vectors already made (`all_texts` gives their texts)."""
    labels = {need.id: label_text(need) for need in source.needs}
    kinds = [(row, field) for row, service in enumerate(source.services) for field, _ in texts_of(service, labels)]
    owners = np.array([row for row, _field in kinds], dtype=np.int32)
    fields = np.array([field for _row, field in kinds], dtype=np.int8)
    return Index(
        version=version,
        built_at=now,
        stamp=source.stamp(),
        services=source.services,
        roll=Roll.of(source.services),
        needs=source.needs,
        crisis=source.crisis,
        vectors=build_nearest(vectors),
        owners=owners,
        fields=fields,
        carried=_carried(source, vectors, kinds, heads),
        spreads={field: Spread.of(vectors[fields == field]) for field in Field if (fields == field).any()},
        head=heads.messages,
        offers=heads.listings,
        lexical=Lexical.build([lexical_text(service, labels) for service in source.services]),
    )


def _carried(source: Source, vectors: Vectors, kinds: Sequence[tuple[int, Field]], heads: Heads) -> NDArray[np.float32]:
    """Needs that an editor chose count by their order; what nobody tagged by its own words and foreign terms."""
    columns = {need.id: column for column, need in enumerate(source.needs)}
    guessed = heads.guess_carried(vectors[[field is Field.ABOUT for _row, field in kinds]])
    terms = {  # a term's vector is the same wherever it occurs; those of a service are its last
        term: row for row, term in _term_vectors(source, [row for row, _field in kinds])
    }
    meant = dict(zip(terms, heads.messages.probabilities(vectors[list(terms.values())]), strict=True)) if terms else {}
    carried = np.zeros((len(source.services), len(source.needs)), dtype=np.float32)
    for row, service in enumerate(source.services):
        for place, need in enumerate(service.needs):
            if need in columns:
                carried[row, columns[need]] = ORDER_WEIGHTS[min(place, len(ORDER_WEIGHTS) - 1)]
        if not service.needs:
            carried[row] = guessed[row]
        for term in service.terms:
            carried[row] = np.maximum(carried[row], meant[term])
    return carried


def _term_vectors(source: Source, owners: Sequence[int]) -> list[tuple[int, str]]:
    """Which vector stands for each foreign term."""
    ends = np.searchsorted(owners, np.arange(len(source.services)), side="right")
    return [
        (int(ends[row]) - len(service.terms) + place, term)
        for row, service in enumerate(source.services)
        for place, term in enumerate(service.terms)
    ]


def write_index(index: Index, folder: Path) -> None:
    """Write a snapshot's files into an empty folder; the manifest, which vouches for the others, last."""
    write_listings(index.services, index.roll, folder)
    (folder / "needs.json").write_text(
        json.dumps([asdict(need) for need in index.needs], ensure_ascii=False), encoding="utf-8"
    )
    write_nearest(index.vectors, folder / "vectors.faiss")
    spreads = {
        f"{part}_{field.name}": getattr(spread, part)
        for field, spread in index.spreads.items()
        for part in ("mean", "covariance")
    }
    np.savez(folder / "spreads.npz", **spreads)
    for name in ("owners", "fields", "carried"):
        np.save(folder / f"{name}.npy", getattr(index, name))
    index.head.save(folder / "head.npz")
    index.offers.save(folder / "offers.npz")
    index.lexical.save(folder / "lexical")
    manifest = {
        "format": FORMAT,
        "version": index.version,
        "built_at": index.built_at.isoformat(),
        "stamp": index.stamp,
        "services": len(index.services),
        "vectors": int(index.vectors.ntotal),
        "content_sha256": _content_hash(folder),
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
    manifest = read_manifest(folder)
    try:
        if _content_hash(folder) != manifest["content_sha256"]:
            raise ValueError("the services are not those that were indexed")
        services, roll = ListingFile(folder), read_roll(folder)
        vectors = load_nearest(folder / "vectors.faiss")
        owners, fields, carried = (
            np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))  # mapped, read as an array
            for name in ("owners", "fields", "carried")
        )
        with np.load(folder / "spreads.npz", allow_pickle=False) as table:
            spreads = {
                field: Spread(table[f"mean_{field.name}"], table[f"covariance_{field.name}"])
                for field in Field
                if f"mean_{field.name}" in table
            }
        if not vectors.ntotal == len(owners) == manifest["vectors"] or len(carried) != len(services):
            raise ValueError("the number of vectors is not the one that was written")
        return Index(
            version=manifest["version"],
            built_at=datetime.fromisoformat(manifest["built_at"]),
            stamp=manifest["stamp"],
            services=services,
            roll=roll,
            needs=tuple(_need(body) for body in json.loads((folder / "needs.json").read_text(encoding="utf-8"))),
            crisis={need: tuple(lines) for need, lines in manifest["crisis"].items()},
            vectors=vectors,
            owners=owners,
            fields=fields,
            carried=carried,
            spreads=spreads,
            head=NeedHead.load(folder / "head.npz"),
            offers=OfferHead.load(folder / "offers.npz"),
            lexical=Lexical.load(folder / "lexical", len(services)),
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile) as error:
        raise IndexMissing(f"The index in {folder} is damaged ({error}). {REBUILD}") from None


def _need(body: dict[str, Any]) -> Need:
    return Need(**{**body, **{name: tuple(body[name]) for name in ("related", "phrasings", "offers")}})


def _content_hash(folder: Path) -> str:
    """Of what people would be given: the listings, where each begins, the roll and the needs."""
    digest = hashlib.sha256()
    for name in (LISTINGS, OFFSETS, ROLL, "needs.json"):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
