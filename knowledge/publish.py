"""From content files and the catalogue to a snapshot that serves. Used by set-up, the command line and the editor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

from knowledge.catalogue import Need, Status
from knowledge.catalogue_files import CatalogueFiles, catalogue_paths, files_hash, read_catalogue_files
from knowledge.crisis import CrisisLine, lines_as_services, load_crisis_lines, order_crisis_lines
from knowledge.embedding import Encoder, VectorCache, Vectors, cache_folder, encode_cached, open_publisher
from knowledge.errors import CatalogueFileError, IndexMissing
from knowledge.foreign_needs import prepare_foreign_needs
from knowledge.index import Source, all_texts, build_index, read_manifest, write_index
from knowledge.need_head import NeedHead, train_head
from knowledge.needs import load_needs, needs_hash, offer_texts, offers_hash, training_texts
from knowledge.offer_head import Heads, OfferHead, train_offers
from knowledge.second_opinion import prepare_opinion
from knowledge.settings import Settings
from knowledge.snapshots import build_lock, current_snapshot, put_snapshot
from knowledge.store import Store
from knowledge.threads import collector_paused, use_one_thread

Head = TypeVar("Head", NeedHead, OfferHead)

HOME_COUNTRY = "GB"
"""The country whose national lines are in national_lines.yml."""


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
    needs = load_needs(settings.content_dir / "needs.yml")
    services = tuple(
        service for service in store.published() if service.status in {Status.ACTIVE, Status.TEMPORARILY_CLOSED}
    )
    if not services:
        raise CatalogueFileError(
            ["The catalogue has no published services, so there would be nothing to offer. Publish one."]
        )
    return Source(
        services=services,
        needs=needs,
        crisis=order_crisis_lines(services, _lines(settings), [need.id for need in needs]),
        encoder=encoder_id,
    )


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
            source = read_source(settings, store, encoder.id)
        finally:
            store.close()
        version = None if force else _same(settings.index_dir, source.stamp())
        if version:
            return Published(version=version, services=len(source.services), built=False, notes=notes)
        version = build_snapshot(settings, source, encoder)
    return Published(version=version, services=len(source.services), built=True, notes=notes)


def is_fresh(settings: Settings, encoder_id: str) -> bool:
    """Whether the snapshot that serves is made of the catalogue as it is now."""
    store, _notes = open_store(settings)
    try:
        return _same(settings.index_dir, read_source(settings, store, encoder_id).stamp()) is not None
    finally:
        store.close()


def build_snapshot(settings: Settings, source: Source, encoder: Encoder) -> str:
    """Encode what is new, train, write, switch over; the name of the snapshot. Hold `build_lock`."""
    use_one_thread()
    now = datetime.now(UTC)
    version = f"{now:%Y%m%dT%H%M%S%f}-{source.stamp()[:8]}"
    cache = VectorCache.open(settings)

    def encode(texts: list[str]) -> Vectors:
        return encode_cached(encoder, cache, texts)

    try:
        heads = read_heads(settings, source, encode)
        vectors = encode(all_texts(source))
    finally:
        cache.close()
    index = build_index(source, vectors, heads, version=version, now=now)
    put_snapshot(settings.index_dir, version, lambda folder: write_index(index, folder))
    return version


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


def _same(root: Path, stamp: str) -> str | None:
    """The serving snapshot's name when it has this stamp."""
    try:
        manifest = read_manifest(current_snapshot(root))
    except IndexMissing:
        return None
    return str(manifest["version"]) if manifest["stamp"] == stamp else None
