"""How much is read before something is taken for a mistake or an attack. Bytes and seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`ratio` is unpacked to packed size, from `ratio_from` bytes on: text rarely packs better than 1 in 20."""

    item_bytes: int = 4_000_000
    depth: int = 32
    archive_entries: int = 500
    archive_bytes: int = 4_000_000_000
    ratio: int = 200
    ratio_from: int = 1_000_000
    page_bytes: int = 32_000_000
    download_bytes: int = 1_000_000_000
    pages: int = 20_000
    redirects: int = 3
    answer_seconds: float = 120.0
    download_seconds: float = 1800.0
    retries: int = 3
    wait_seconds: float = 30.0


LIMITS = Limits()
