"""Canary words and numbers go through the whole product; nothing outside the pages may hold them."""

from __future__ import annotations

import sqlite3

import httpx
import pytest

from tests.e2e.conftest import Product
from tests.e2e.people import SimulatedPhone, wait_for
from tests.e2e.test_failures import reach_valkey

pytestmark = pytest.mark.stack

CANARY = "zanzibarquokka"


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

    for file in product.data_dir.glob("ledger.sqlite*"):
        content = file.read_bytes()
        assert CANARY.encode() not in content, file.name
        assert number.encode() not in content, file.name


def test_forget_me_leaves_nothing_anywhere_and_nothing_in_a_copy(product: Product) -> None:
    """Database pages, keys, the append-only file once it is rewritten, and the log; then yesterday's backup."""
    phone, word = SimulatedPhone(product.url, 5), "quaggaorinoco"
    phone.write(f"i owe money to {word} and cant sleep")
    phone.wait_for("Reply 1")
    copy = b"".join(file.read_bytes() for file in product.data_dir.glob("ledger.sqlite*"))
    before = key_ids(product)
    phone.write("forget me")
    phone.wait_for("Do you want me to erase")
    phone.write("1")
    phone.wait_for("erasing what you wrote")
    destroyed = wait_for(lambda: " ".join(key_ids(product, destroyed=True)) or None, "a key that is destroyed").split()
    assert any(key_id in before and f"p1:{key_id}:".encode() in copy for key_id in destroyed)

    server = reach_valkey(product)
    server.bgrewriteaof()
    wait_for(lambda: None if server.info("persistence")["aof_rewrite_in_progress"] else "done", "the file rewritten")
    files = [*product.data_dir.glob("ledger.sqlite*"), *product.data_dir.glob("keys.db*"), product.log]
    kept = list(product.data_dir.rglob("appendonly.aof*"))
    assert kept
    for file in [*files, *kept]:
        content = file.read_bytes()
        assert word.encode() not in content, file.name
        assert b"447700900005" not in content, file.name


def key_ids(product: Product, *, destroyed: bool = False) -> list[str]:
    connection = sqlite3.connect(product.data_dir / "keys.db")
    condition = "IS NULL" if destroyed else "IS NOT NULL"
    found = [row[0] for row in connection.execute(f"SELECT id FROM person_keys WHERE wrapped {condition}")]
    connection.close()
    return found
