"""Canary words and numbers go through the whole product; nothing outside the pages may hold them."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.conftest import Product
from tests.e2e.people import SimulatedPhone
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
