"""From content files and the catalogue to a snapshot that serves. Used by set-up, the command line and the editor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar
from zipfile import BadZipFile

import numpy as np

from knowledge.catalogue import Need
from knowledge.catalogue_files import CatalogueFiles, catalogue_paths, files_hash, read_catalogue_files
from knowledge.crisis import CrisisLine, lines_as_services, load_crisis_lines, order_crisis_lines
from knowledge.embedding import Encoder, VectorCache, Vectors, cache_folder, encode_cached, open_publisher
from knowledge.errors import CatalogueFileError, IndexMissing
from knowledge.foreign_needs import prepare_foreign_needs
from knowledge.index import Source, all_texts, build_index, is_whole, load_index, read_manifest, write_index
from knowledge.nearest import is_exact
from knowledge.need_head import NeedHead, train_head
from knowledge.needs import load_needs, needs_hash, offer_texts, offers_hash, training_texts
from knowledge.offer_head import Heads, OfferHead, train_offers
from knowledge.outline import OFFERED, read_offered, read_outline
from knowledge.patching import Change, Patch
from knowledge.roll import read_roll
from knowledge.second_opinion import prepare_opinion
from knowledge.settings import Settings
from knowledge.snapshots import build_lock, current_snapshot, put_snapshot
from knowledge.store import Store
from knowledge.threads import collector_paused, use_one_thread
from knowledge.trail import KEY_BYTES, Trail, marks_of

Head = TypeVar("Head", NeedHead, OfferHead)

HOME_COUNTRY = "GB"
"""The country whose national lines are in national_lines.yml."""

LIBRARIES: Final = ("bm25s", "PyStemmer", "faiss-cpu", "numpy")
"""Their versions decide what an index holds."""
FEW, MOST_CHANGED = 100, 0.25
"""Listings, and share of them, that may have changed for the rest to be taken over from the index that serves."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What `publish` did. `built` is False when nothing had changed; `notes` are worth telling an operator."""

    version: str
    services: int
    built: bool
    notes: tuple[str, ...] = ()


def read_content(settings: Settings) -> tuple[tuple[Need, ...], CatalogueFiles]:
    """Needs and the catalogue's files, checked. Raises CatalogueFileError."""
    needs = load_needs(settings.content_dir / "needs.yml")
    paths = _seed_paths(settings)
    if not paths:
        return needs, CatalogueFiles(organisations=(), services=(), origins={})
    return needs, read_catalogue_files(paths, {need.id for need in needs})


def open_store(settings: Settings) -> tuple[Store, tuple[str, ...]]:
    """The catalogue, filled from the files when it is empty or they changed and nobody edited it since.

    The second value says what was done or why not. Raises StoreError, CatalogueFileError.
    """
    store = Store.open(settings.database_url)
    stamp = f"{settings.country}:{files_hash((*_seed_paths(settings), settings.content_dir / 'crisis_lines.yml'))}"
    if store.seed_stamp() == stamp:
        return store, ()
    if store.edited():
        return store, ("The content files changed, but this catalogue was edited here: your edits were kept.",)
    _needs, content = read_content(settings)
    organisations, services = content.organisations, content.services
    if settings.country != HOME_COUNTRY:
        lines = lines_as_services(_lines(settings), settings.country)
        organisations += tuple(line.organisation for line in lines)
        services += lines
    store.seed(organisations, services, stamp)
    return store, (f"The catalogue was filled from the content files: {len(services)} services.",)


def read_source(settings: Settings, store: Store, encoder_id: str) -> Source:
    """What the index would be made of now. Raises CatalogueFileError when nothing is published."""
    outline = read_outline(store)  # before the listings: a key may be too old, never too new
    services = tuple(service for service in store.published() if service.status in OFFERED)
    if not services:
        raise CatalogueFileError(
            ["The catalogue has no published services, so there would be nothing to offer. Publish one."]
        )
    needs = load_needs(settings.content_dir / "needs.yml")
    known = dict(zip(outline.ids, outline.keys, strict=True))
    unknown = np.zeros(KEY_BYTES, np.uint8)
    return Source(
        services=services,
        needs=needs,
        crisis=order_crisis_lines(services, _lines(settings), [need.id for need in needs]),
        encoder=encoder_id,
        made_with=made_with(settings, encoder_id),
        keys=np.stack([known.get(service.id, unknown) for service in services]),
    )


def read_patch(settings: Settings, store: Store, encoder_id: str) -> Patch | None:
    """What changed since the index that serves; None when all has to be made anew."""
    try:
        folder = current_snapshot(settings.index_dir)
        if read_manifest(folder)["made_with"] != made_with(settings, encoder_id):
            return None
        index = load_index(folder)
    except IndexMissing:
        return None
    outline = read_outline(store)
    rows = {service_id: row for row, service_id in enumerate(index.roll.ids)}
    before = np.array([rows.get(service_id, -1) for service_id in outline.ids], dtype=np.int64)
    same = (before >= 0) & (index.trail.keys[before] == outline.keys).all(axis=1)
    asked = [outline.ids[at] for at in np.flatnonzero(~same)]
    if not is_exact(index.vectors) or len(asked) > max(FEW, MOST_CHANGED * len(rows)):
        return None
    found = read_offered(store, asked)
    kept = same | np.isin(outline.ids, list(found))  # what went away since the outline was read is gone
    if not kept.any():
        return None
    ids = [outline.ids[at] for at in np.flatnonzero(kept)]
    marks = dict(zip(found, marks_of(found.values()), strict=True))
    fresh = {
        key: service
        for key, service in found.items()
        if key not in rows or (index.trail.marks[rows[key]] != marks[key]).any()
    }
    needs = [need.id for need in index.needs]
    return Patch(
        index,
        Change(ids=ids, fresh=fresh, keys=outline.keys[kept]),
        encoder_id,
        lambda listed: order_crisis_lines(listed, _lines(settings), needs),
    )


def find_unchanged(settings: Settings, store: Store, encoder_id: str) -> str | None:
    """The serving snapshot's name when no row of the catalogue, nor anything else, changed since. Loads no library."""
    try:
        folder = current_snapshot(settings.index_dir)
        manifest = read_manifest(folder)
        if manifest["made_with"] != made_with(settings, encoder_id) or not is_whole(folder, manifest):
            return None
        outline, keys = read_outline(store), Trail.load(folder / "trail").keys
        same = outline.ids == read_roll(folder).ids and np.array_equal(keys, outline.keys)
    except (IndexMissing, OSError, ValueError):
        return None
    return str(manifest["version"]) if same else None


def made_with(settings: Settings, encoder_id: str) -> str:
    """Changes with anything but the listings that an index depends on: content, settings, and this package's code."""
    content = [settings.content_dir / name for name in ("needs.yml", "crisis_lines.yml")]
    return hashlib.sha256(
        " ".join([encoder_id, settings.country, files_hash(content), _code_hash(), *map(version, LIBRARIES)]).encode()
    ).hexdigest()


@cache
def _code_hash() -> str:
    """Of the code that runs: an upgrade never mixes what it makes with what the version before it made."""
    folder = Path(__file__).parent
    return files_hash(sorted([*folder.glob("*.py"), *folder.glob("embedding/*.py")]))


def publish(settings: Settings, *, encoder: Encoder | None = None, force: bool = False) -> Published:
    """Build a snapshot if the catalogue, the needs or the encoder changed, and let it serve.

    Raises KnowledgeError; whatever happens, the snapshot that served before still does.
    """
    encoder = encoder or open_publisher(settings)
    needs = load_needs(settings.content_dir / "needs.yml")
    prepare_foreign_needs(settings, needs)
    prepare_opinion(settings, needs)
    with build_lock(settings.index_dir), collector_paused():
        store, notes = open_store(settings)
        try:
            if not force and (unchanged := find_unchanged(settings, store, encoder.id)):
                count = int(read_manifest(settings.index_dir / unchanged)["services"])
                return Published(version=unchanged, services=count, built=False, notes=notes)
            patch = None if force else read_patch(settings, store, encoder.id)
            work = patch or read_source(settings, store, encoder.id)
        finally:
            store.close()
        serving = None if force else _serving(settings, work)
        name = serving or build_snapshot(settings, work, encoder)
    count = len(work) if isinstance(work, Patch) else len(work.services)
    return Published(version=name, services=count, built=serving is None, notes=notes)


def is_fresh(settings: Settings, encoder_id: str) -> bool:
    """Whether the snapshot that serves is made of the catalogue as it is now."""
    store, _notes = open_store(settings)
    try:
        if find_unchanged(settings, store, encoder_id):
            return True
        work = read_patch(settings, store, encoder_id) or read_source(settings, store, encoder_id)
        return _serving(settings, work) is not None
    finally:
        store.close()


def build_snapshot(settings: Settings, work: Source | Patch, encoder: Encoder) -> str:
    """Encode what is new, train, write, switch over; the name of the snapshot. Hold `build_lock`."""
    use_one_thread()
    now = datetime.now(UTC)
    name = f"{now:%Y%m%dT%H%M%S%f}-{work.stamp()[:8]}"
    cache = VectorCache.open(settings)

    def encode(texts: list[str]) -> Vectors:
        return encode_cached(encoder, cache, texts)

    try:
        if isinstance(work, Patch):
            index = work.build(encode, version=name, now=now)
        else:
            heads = read_heads(settings, work, encode)
            index = build_index(work, encode(all_texts(work)), heads, version=name, now=now)
    finally:
        cache.close()
    put_snapshot(settings.index_dir, name, lambda folder: write_index(index, folder))
    return name


def read_heads(settings: Settings, source: Source, encode: Callable[[list[str]], Vectors]) -> Heads:
    """The recognisers for these needs: those trained before, or new ones, kept for the next time."""
    folder = cache_folder(settings)

    def train_messages() -> NeedHead:
        texts, owners = training_texts(source.needs)
        return train_head(encode(texts), owners)

    def train_listings() -> OfferHead:
        texts, owners = offer_texts(source.needs)
        return train_offers(encode(texts), owners)

    messages = folder / f"need-head-{needs_hash(source.needs)[:16]}-{source.encoder}.npz"
    listings = folder / f"offer-head-{offers_hash(source.needs)[:16]}-{source.encoder}.npz"
    return Heads(
        messages=_kept(messages, NeedHead.load, train_messages),
        listings=_kept(listings, OfferHead.load, train_listings),
    )


def _kept(path: Path, load: Callable[[Path], Head], train: Callable[[], Head]) -> Head:
    """What the file holds; made again, and kept, when there is none or it is damaged."""
    if path.is_file():
        try:
            return load(path)
        except (OSError, ValueError, KeyError, BadZipFile):
            path.unlink()
    head = train()
    begun = path.with_suffix(f".{datetime.now(UTC):%f}.npz")
    head.save(begun)
    begun.replace(path)
    return head


def _seed_paths(settings: Settings) -> tuple[Path, ...]:
    paths = catalogue_paths(settings.content_dir, demo=settings.demo)
    return tuple(path for path in paths if settings.country == HOME_COUNTRY or path.name != "national_lines.yml")


def _lines(settings: Settings) -> tuple[CrisisLine, ...]:
    return load_crisis_lines(settings.content_dir / "crisis_lines.yml", settings.country)


def _serving(settings: Settings, work: Source | Patch) -> str | None:
    """The serving snapshot's name when it is whole and this is what it was made of."""
    if isinstance(work, Patch):
        return work.before.version if work.before.stamp == work.stamp() else None
    try:
        index = load_index(current_snapshot(settings.index_dir))
    except IndexMissing:
        return None
    return index.version if index.stamp == work.stamp() else None
