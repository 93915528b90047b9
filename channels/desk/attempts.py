"""Failed sign-ins, counted so that a password cannot be guessed and nobody can be locked out from afar.

A count belongs to one login from one place: somebody who guesses at Sam's password from elsewhere uses up their
own tries, and Sam signs in as usual.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_FAILURES: Final = 10
WINDOW: Final = 15 * 60.0
"""Seconds after the first failure of a series."""

MOST_REMEMBERED: Final = 5_000
"""Series kept at once, the oldest dropped first: guessing costs the guesser, never our memory."""


class Attempts:
    """In memory of one process: several copies of the app allow as many series each."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._series: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def begin(self, login: str, address: str) -> bool:
        """Count a try before its password is looked at, so that many at once count too. False for one too many."""
        key = (login, network(address))
        began, count = self._series.get(key, (self._clock(), 0))
        if self._clock() - began >= WINDOW:
            self._series.pop(key)
            began, count = self._clock(), 0
        if count >= MOST_FAILURES:
            return False
        self._series[key] = (began, count + 1)
        if len(self._series) > MOST_REMEMBERED:
            self._series.popitem(last=False)
        return True

    def succeed(self, login: str, address: str) -> None:
        self._series.pop((login, network(address)), None)


def network(address: str) -> str:
    """The place an address stands for: one subscriber gets a whole /64 of IPv6 addresses."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 6:
        return str(ipaddress.ip_network((known, 64), strict=False))
    return address
