"""Which addresses of the network a feed may have: public ones. The name is resolved here, and what was found is used.

So a name cannot point at this machine, its neighbours or a cloud's metadata, not at first, not after a redirect, and
not by changing its answer between the check and the connection.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import httpcore

from knowledge.errors import ImportRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Iterable[str]]
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as the system knows them. Raises ImportRefused."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ImportRefused(f"{host}: there is no such host. Check the address.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(text: str) -> bool:
    """Whether anybody on the internet could be meant. An IPv4 address inside an IPv6 one is looked at too."""
    try:
        address: Address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in (address, *_inner(address)))


def _inner(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    inner: list[Address] = [each for each in (address.ipv4_mapped, address.sixtofour) if each]
    if address.teredo:
        inner += address.teredo
    if address in NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inner


class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to public addresses only; named hosts are let through, for tests and development."""

    def __init__(self, allowed: Collection[str] = (), find: Resolve = resolve) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._find = find
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to an address that was checked, never to the name again. Raises ImportRefused."""
        addresses = list(self._find(host, port))
        if host.lower() not in self._allowed:
            hidden = [address for address in addresses if not is_public(address)]
            if hidden or not addresses:
                raise ImportRefused(
                    f"{host}: is on a private network, so it is not asked."
                    " If it is meant, name the host in NWD_IMPORT_HOSTS."
                )
        for address in addresses[:-1]:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._network.connect_tcp(address, port, timeout, local_address, socket_options)
        return self._network.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)
