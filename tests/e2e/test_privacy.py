"""Canary words and numbers go through the whole product; nothing outside the pages may hold them."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Product
from tests.e2e.people import SimulatedPhone, wait_for
from tests.e2e.test_failures import reach_valkey

pytestmark = pytest.mark.stack

CANARY = "zanzibarquokka"
PHONES = "simulator.sqlite"


def test_no_words_or_numbers_in_logs_keys_metrics_or_database(product: Product) -> None:
    phone = SimulatedPhone(product.url, 6)
    number = "447700900006"
    phone.write(f"i owe money to {CANARY} and cant sleep")
    phone.wait_for("Reply 1")
    phone.write(f"person {CANARY}")
    phone.new_bubbles()

    log = product.log.read_text()
    assert CANARY not in log
    assert number not in log

    server = reach_valkey(product)
    held = b" ".join(bytes(key) for key in server.keys("*"))
    for key in server.keys("*"):
        if server.type(key) == b"stream":
            held += repr(server.xrange(key)).encode()
    assert CANARY.encode() not in held
    assert number.encode() not in held

    for address in (f"{product.url}/metrics", f"http://127.0.0.1:{product.port + 2}/metrics"):
        metrics = httpx.get(address, trust_env=False).text
        assert CANARY not in metrics
        assert number not in metrics

    assert holding(product, CANARY, number) == []


def test_forget_me_leaves_nothing_anywhere_and_nothing_in_a_copy(product: Product) -> None:
    """Every file there is, the append-only file before and after it is rewritten; then yesterday's backup."""
    phone, word, counted = SimulatedPhone(product.url, 5), "quaggaorinoco", asked_for(product)
    phone.write(f"i owe money to {word} and cant sleep")
    phone.wait_for("Reply 1")
    phone.write(f"i live in {word}")
    phone.wait_for("1 ")
    wait_for(lambda: "yes" if asked_for(product) > counted else None, "their need among what was asked for")
    copy = b"".join(file.read_bytes() for file in product.data_dir.glob("ledger.sqlite*"))
    before = key_ids(product)
    phone.write("forget me")
    phone.wait_for("Do you want me to erase")
    phone.write("1")
    phone.wait_for("erasing what you wrote")
    destroyed = wait_for(lambda: " ".join(key_ids(product, destroyed=True)) or None, "a key that is destroyed").split()
    assert any(key_id in before and f"p1:{key_id}:".encode() in copy for key_id in destroyed)
    assert holding(product, word, "447700900005") == []

    server = reach_valkey(product)
    server.bgrewriteaof()
    wait_for(lambda: None if server.info("persistence")["aof_rewrite_in_progress"] else "done", "the file rewritten")
    assert holding(product, word, "447700900005") == []


STORES = ("ledger.sqlite", "keys.db", "catalogue.sqlite", "index/", "appendonly.aof")
"""Databases of the desk, of keys and of the editor (with the counts of what was asked for), index, append-only file."""


def holding(product: Product, *words: str) -> list[str]:
    """Of every file in the data folder, and the log, those that hold one of these words, however it is written.

    But for the memory of the simulated phones: that is theirs, and keeps what their owners wrote.
    """
    files = {
        str(file.relative_to(product.data_dir)): file
        for file in product.data_dir.rglob("*")
        if file.is_file() and not file.name.startswith(PHONES)
    }
    assert all(any(store in name for name in files) for store in STORES), sorted(files)
    wanted = re.compile(b"|".join(re.escape(word.encode()) for word in words), re.IGNORECASE)
    return [name for name, file in {**files, "the log": product.log}.items() if wanted.search(read_now(file))]


def read_now(file: Path) -> bytes:
    """Nothing, where it was taken away since it was listed: a write-ahead log that was folded."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def asked_for(product: Product) -> int:
    """How often anything was asked for, in the editor's database: the counts are written a little later."""
    connection = sqlite3.connect(product.data_dir / "catalogue.sqlite")
    found = connection.execute("SELECT sum(asked) FROM catalogue_asked").fetchone()[0]
    connection.close()
    return int(found or 0)


def key_ids(product: Product, *, destroyed: bool = False) -> list[str]:
    connection = sqlite3.connect(product.data_dir / "keys.db")
    condition = "IS NULL" if destroyed else "IS NOT NULL"
    found = [row[0] for row in connection.execute(f"SELECT id FROM person_keys WHERE wrapped {condition}")]
    connection.close()
    return found
