"""What the worker counts: channels and outcomes, never people."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from channels.conversation import Channel, Concern
from channels.metrics import Metrics

TURN_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Seconds; the assistant's deadline is 10."""


class WorkerMetrics(Metrics):
    """Labels come from fixed lists, so their number cannot grow."""

    def __init__(self) -> None:
        super().__init__()
        self._turns = Counter("nwd_turns", "Messages dealt with.", ["channel", "outcome"], registry=self.registry)
        self._turn_seconds = Histogram(
            "nwd_turn_seconds",
            "Time from taking a message to having its outcome in the ledger.",
            ["outcome"],
            buckets=TURN_BUCKETS,
            registry=self.registry,
        )
        self._silent = Counter("nwd_assistant_silent", "Turns without an answer.", ["cause"], registry=self.registry)
        self._concerns = Counter("nwd_concerns", "Concerns the check has found.", ["concern"], registry=self.registry)
        self._unnoticed = Counter(
            "nwd_concern_classifier_silent", "Messages read by the patterns alone.", ["cause"], registry=self.registry
        )
        self._sent = Counter("nwd_sent", "Messages to people.", ["channel", "result"], registry=self.registry)
        self._announced = Counter("nwd_swept", "Conversations announced again.", ["kind"], registry=self.registry)
        self._reconciled = Counter(
            "nwd_reconciled",
            "What only the provider knew: texts and receipts that had not reached us, and looks that failed.",
            ["channel", "result"],
            registry=self.registry,
        )
        self._canary = Counter("nwd_canary", "Our own test messages.", ["result"], registry=self.registry)
        self._canary_seconds = Gauge(
            "nwd_canary_seconds", "Time from storing the last test message to its answer.", registry=self.registry
        )
        self._canary_success = Gauge(
            "nwd_canary_last_success_timestamp",
            "When a test message was last answered, be it with the fixed words; Unix time, 0 before the first.",
            registry=self.registry,
        )
        self._canary_ok = Gauge(
            "nwd_canary_ok", "0 when test messages were not answered several times in a row.", registry=self.registry
        )
        self._canary_ok.set(1)
        self._slowed = Counter(
            "nwd_slowed",
            "Messages answered together, put off or left to a person: pieces of one thought, or very many.",
            ["result"],
            registry=self.registry,
        )
        self._failed = Counter("nwd_work_failed", "Work that broke off.", ["kind"], registry=self.registry)

    def count_turn(self, channel: Channel, outcome: str, seconds: float) -> None:
        self._turns.labels(channel, outcome).inc()
        self._turn_seconds.labels(outcome).observe(seconds)

    def count_silence(self, cause: str) -> None:
        self._silent.labels(cause).inc()

    def count_concerns(self, concerns: Iterable[Concern]) -> None:
        for concern in concerns:
            self._concerns.labels(concern).inc()

    def count_unnoticed(self, cause: str) -> None:
        """`cause` is timeout, unreachable, refused or malformed."""
        self._unnoticed.labels(cause).inc()

    def count_sent(self, channel: Channel, result: str) -> None:
        """`result` is sent, found, retry or failed."""
        self._sent.labels(channel, result).inc()

    def count_swept(self, kind: str, conversations: int) -> None:
        self._announced.labels(kind).inc(conversations)

    def count_reconciled(self, channel: Channel, result: str, count: int = 1) -> None:
        """`result` is found or receipt (a webhook did not do its work), or failed (nobody can tell)."""
        self._reconciled.labels(channel, result).inc(count)

    def count_canary(self, result: str, seconds: float, *, well: bool) -> None:
        """`result` is passed, degraded or failed."""
        self._canary.labels(result).inc()
        self._canary_ok.set(well)
        if result != "failed":
            self._canary_seconds.set(seconds)
            self._canary_success.set_to_current_time()

    def count_slowed(self, result: str) -> None:
        """`result` is merge, hold, wait, hand_over or keep_quiet."""
        self._slowed.labels(result).inc()

    def count_failure(self, kind: str) -> None:
        self._failed.labels(kind).inc()
