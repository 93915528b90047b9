"""The index: several vectors for each service, and everything else a search needs, in one snapshot.

A snapshot is a folder that is written whole and then pointed at by a small file, so that a reader sees
the old one or the new one, and a build that dies leaves the old one serving.

    index/current                    the name of the snapshot that serves
    index/20261123T061500-1a2b3c4d/  manifest.json services.jsonl offsets.npy roll.json needs.json vectors.faiss
                                     owners.npy fields.npy carried.npy *.npz lexical/ trail/

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

from knowledge.catalogue import Need, Service
from knowledge.embedding import Vectors
from knowledge.errors import IndexMissing
from knowledge.lexical import Lexical
from knowledge.nearest import build_nearest, load_nearest, write_nearest
from knowledge.need_head import NeedHead
from knowledge.needs import label_text
from knowledge.offer_head import Heads, OfferHead
from knowledge.roll import LISTINGS, OFFSETS, ROLL, ListingFile, Roll, read_roll, write_listings
from knowledge.threads import collector_paused
from knowledge.trail import Trail, marks_of

FORMAT = 4
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
    made_with: str = ""
    """Changes with whatever else an index is made with: then nothing of the one before is used again."""
    keys: NDArray[np.uint8] | None = None
    """`Trail.keys` of the services; None when they did not come from a catalogue in SQL."""

    def stamp(self) -> str:
        """Changes whenever the index would."""
        return self._stamp

    @cached_property
    def _stamp(self) -> str:
        return stamp_of(self, self.marks)

    @cached_property
    def marks(self) -> NDArray[np.uint8]:
        """`Trail.marks` of the services."""
        return marks_of(self.services)


def stamp_of(source: Source, marks: NDArray[np.uint8]) -> str:
    """The stamp of a source with these marks, whatever services it holds."""
    lines = {need: list(ids) for need, ids in source.crisis.items()}
    whole = [FORMAT, source.encoder, source.made_with, len(marks), [asdict(need) for need in source.needs], lines]
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode())
    digest.update(marks.tobytes())
    return digest.hexdigest()


AT_ONCE = 250_000
"""Vectors that are added up at once: 400 MB."""


@dataclass(frozen=True)
class Spread:
    """Mean and covariance of all vectors of one field: enough to say how unusual one similarity is, exactly."""

    mean: NDArray[np.float32]
    covariance: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Vectors, rows: NDArray[np.intp] | None = None, at_once: int = AT_ONCE) -> Spread:
        """Of all vectors or of some rows, a part at a time: those of a million services must not be copied whole."""
        rows = np.arange(len(vectors)) if rows is None else rows
        parts = [rows[at : at + at_once] for at in range(0, len(rows), at_once)]
        means = np.stack([vectors[part].mean(axis=0) * (len(part) / len(rows)) for part in parts])
        mean = means.sum(axis=0, dtype=np.float32)
        squares = np.zeros((vectors.shape[1], vectors.shape[1]), np.float32)
        for part in parts:
            away = vectors[part] - mean
            squares += away.T @ away
        return cls(mean, (squares / len(rows)).astype(np.float32))

    def standardise(self, query: Vectors, similar: NDArray[np.float32]) -> NDArray[np.float32]:
        deviation = float(np.sqrt(max(float(query @ self.covariance @ query), 1e-6)))
        return np.asarray((similar - float(query @ self.mean)) / deviation, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Index:
    """A loaded snapshot. Read only, so it can be shared by threads."""

    version: str
    built_at: datetime
    stamp: str
    made_with: str
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
    trail: Trail
    """For the next build."""


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


def lexical_texts(source: Source) -> list[str]:
    labels = {need.id: label_text(need) for need in source.needs}
    return [lexical_text(service, labels) for service in source.services]


def kinds_of(source: Source) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """`owners` and `fields` of the vectors of `all_texts`."""
    labels = {need.id: label_text(need) for need in source.needs}
    kinds = [(row, field) for row, service in enumerate(source.services) for field, _ in texts_of(service, labels)]
    owners = np.array([row for row, _field in kinds], dtype=np.int32)
    return owners, np.array([field for _row, field in kinds], dtype=np.int8)


def build_index(source: Source, vectors: Vectors, heads: Heads, *, version: str, now: datetime) -> Index:
    """Put together an index from vectors already made (`all_texts` gives their texts)."""
    owners, fields = kinds_of(source)
    trail = Trail.of(source.services, source.marks, source.keys)
    return Index(
        version=version,
        built_at=now,
        stamp=source.stamp(),
        made_with=source.made_with,
        services=source.services,
        roll=Roll.of(source.services, trail.middle()),
        needs=source.needs,
        crisis=source.crisis,
        vectors=build_nearest(vectors),
        owners=owners,
        fields=fields,
        carried=carry_needs(source, vectors, owners, fields, heads),
        spreads=spreads_of(vectors, fields),
        head=heads.messages,
        offers=heads.listings,
        lexical=Lexical.build(lexical_texts(source)),
        trail=trail,
    )


def spreads_of(vectors: Vectors, fields: NDArray[np.int8]) -> dict[Field, Spread]:
    return {field: Spread.of(vectors, np.flatnonzero(fields == field)) for field in Field if (fields == field).any()}


def carry_needs(
    source: Source, vectors: Vectors, owners: NDArray[np.int32], fields: NDArray[np.int8], heads: Heads
) -> NDArray[np.float32]:
    """Needs that an editor chose count by their order; what nobody tagged by its own words and foreign terms."""
    columns = {need.id: column for column, need in enumerate(source.needs)}
    carried = np.zeros((len(source.services), len(source.needs)), dtype=np.float32)
    untagged = [row for row, service in enumerate(source.services) if not service.needs]
    if untagged:
        carried[untagged] = heads.guess_carried(vectors[np.flatnonzero(fields == Field.ABOUT)[untagged]])
    terms = dict(_term_vectors(source, owners))  # a term's vector is the same wherever it occurs
    meant = dict(zip(terms, heads.messages.probabilities(vectors[list(terms.values())]), strict=True)) if terms else {}
    for row, service in enumerate(source.services):
        for place, need in enumerate(service.needs):
            if need in columns:
                carried[row, columns[need]] = ORDER_WEIGHTS[min(place, len(ORDER_WEIGHTS) - 1)]
        for term in service.terms:
            carried[row] = np.maximum(carried[row], meant[term])
    return carried


def _term_vectors(source: Source, owners: NDArray[np.int32]) -> list[tuple[str, int]]:
    """Which vector stands for each foreign term: those of a service are its last."""
    ends = np.searchsorted(owners, np.arange(len(source.services)), side="right")
    return [
        (term, int(ends[row]) - len(service.terms) + place)
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
    index.trail.save(folder / "trail")
    manifest = {
        "format": FORMAT,
        "version": index.version,
        "built_at": index.built_at.isoformat(),
        "stamp": index.stamp,
        "made_with": index.made_with,
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


def is_whole(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether the listings are those that were indexed. Loads no model library."""
    try:
        return bool(_content_hash(folder) == manifest["content_sha256"])
    except OSError:
        return False


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
            made_with=manifest["made_with"],
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
            trail=Trail.load(folder / "trail"),
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
