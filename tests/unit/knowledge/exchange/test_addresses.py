"""Where an import may connect to, and where never."""

from __future__ import annotations

import pytest

from knowledge.errors import ImportRefused
from knowledge.exchange.addresses import GuardedNetwork, is_public, resolve


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True),
        ("127.0.0.1", False), ("0.0.0.0", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fc00::1", False), ("ff02::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:169.254.169.254", False), ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False), ("64:ff9b::a9fe:a9fe", False), ("fd00:ec2::254", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["169.254.169.254"], []])
def test_a_name_with_any_private_address_is_refused(found: list[str]) -> None:
    with pytest.raises(ImportRefused, match="NWD_IMPORT_HOSTS"):
        GuardedNetwork(find=lambda _host, _port: found).connect_tcp("feed.example", 443)


def test_a_name_that_nobody_has_is_said() -> None:
    with pytest.raises(ImportRefused, match="no such host"):
        resolve("a" * 80 + ".invalid", 443)
