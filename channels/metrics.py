"""What a process counts: channels and outcomes, never people. One registry per composition root."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

ACK_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
"""Seconds. The last one is where Twilio gives up."""


class Metrics:
    """Counters of the web process. Labels come from fixed lists, so their number cannot grow."""

    def __init__(self, sources: Collection[str] = ()) -> None:
        """`sources`: the links that are counted by name; every other one is "other"."""
        self._sources = frozenset(sources)
        self.registry = CollectorRegistry()
        self._inbound = Counter("nwd_inbound", "Messages that arrived.", ["channel", "result"], registry=self.registry)
        self._ack = Histogram(
            "nwd_ack_seconds",
            "Time until a provider had its answer.",
            ["hook"],
            buckets=ACK_BUCKETS,
            registry=self.registry,
        )
        self._refused = Counter("nwd_refused", "Requests turned away.", ["channel", "reason"], registry=self.registry)
        self._unannounced = Counter(
            "nwd_unannounced", "Stored messages left to the sweeper because Redis was away.", registry=self.registry
        )
        self._came_from = Counter(
            "nwd_came_from", "Times that somebody came by a link.", ["channel", "source"], registry=self.registry
        )
        self._depth = Gauge("nwd_depth", "Entries waiting in Redis.", ["queue"], registry=self.registry)

    def count_inbound(self, channel: str, result: str) -> None:
        """`result` is stored, duplicate or unavailable."""
        self._inbound.labels(channel, result).inc()

    def count_came_from(self, channel: str, source: str) -> None:
        self._came_from.labels(channel, source if source in self._sources else "other").inc()

    def count_refused(self, channel: str, reason: str) -> None:
        """`reason` is signature, malformed or cross_site."""
        self._refused.labels(channel, reason).inc()

    def count_unannounced(self) -> None:
        self._unannounced.inc()

    def time_ack(self, hook: str, seconds: float) -> None:
        self._ack.labels(hook).observe(seconds)

    def show_depth(self, depth: Mapping[str, int]) -> None:
        for queue, entries in depth.items():
            self._depth.labels(queue).set(entries)

    def render(self) -> bytes:
        """Prometheus text format."""
        return generate_latest(self.registry)
