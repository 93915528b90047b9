"""Every Redis key name there is. Ids only: never a word, number or name of a person."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("inbound", "outbound", "urgent")
"""`urgent` is outbound work that goes first (a concern, a fallback)."""


@dataclass(frozen=True)
class Keys:
    """Names under one prefix, so that several services can share a server."""

    prefix: str

    def stream(self, kind: str, shard: int) -> str:
        return f"{self.prefix}:{kind}:{shard}"

    def lock(self, name: str) -> str:
        return f"{self.prefix}:lock:{name}"

    def lease(self, escalation_id: str) -> str:
        return f"{self.prefix}:lease:{escalation_id}"

    def first(self, name: str) -> str:
        return f"{self.prefix}:first:{name}"

    def read(self, conversation_id: str) -> str:
        return f"{self.prefix}:read:{conversation_id}"

    def changed(self, name: str) -> str:
        return f"{self.prefix}:changed:{name}"

    @property
    def queue(self) -> str:
        return f"{self.prefix}:queue"

    @property
    def canary(self) -> str:
        return f"{self.prefix}:canary"

    @property
    def presence(self) -> str:
        return f"{self.prefix}:presence"
