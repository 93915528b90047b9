"""What every decision may use. Built once, in the composition root, and passed in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.actions.first_contact import FirstContact
from bot.actions.language import Languages
from bot.actions.replies import CardMaker
from bot.actions.wording import Wording
from channels.conversation import Channel
from knowledge.catalogue import Place, Service
from knowledge.needs import NeedGuess
from knowledge.search import Found


class Finder(Protocol):
    """The part of knowledge.search.Search that decisions use."""

    def find(
        self,
        text: str,
        *,
        near: str | None = None,
        now: datetime | None = None,
        limit: int = 3,
        needs: Sequence[str] = (),
        exclude: Collection[str] = (),
    ) -> Found: ...

    def service(self, service_id: str) -> Service | None: ...


class PlaceFinder(Protocol):
    """The part of knowledge.places.Places that decisions use."""

    def find(self, text: str) -> Place | None: ...

    def resolve(self, near: str) -> Place | None: ...

    def nearest(self, latitude: float, longitude: float) -> Place | None: ...


class ForeignReader(Protocol):
    """The part of knowledge.foreign_needs.ForeignNeeds that decisions use."""

    def guess(self, text: str, language: str) -> tuple[NeedGuess, ...]: ...


class Counts(Protocol):
    """Where it is counted, without anybody's words, what was asked for and what was suggested."""

    def note(self, needs: Collection[str] | None, place: str | None, well: bool, services: Collection[str]) -> None: ...


class NotCounted:
    """Keeps no counts."""

    def note(self, needs: Collection[str] | None, place: str | None, well: bool, services: Collection[str]) -> None:
        return None


@dataclass(frozen=True, kw_only=True)
class Toolbox:
    """The catalogue's search, the words, and the clock."""

    finder: Finder
    wording: Wording
    languages: Languages
    places: PlaceFinder
    urgency: Mapping[str, int]
    """Of each need: 3 is today, 1 is when somebody is ready. Orders several needs in one message."""
    now: Callable[[], datetime]
    """The time, with its zone."""
    zone: str = "Europe/London"
    """Where the people are: opening hours are in its time."""
    first_contact: Mapping[str, FirstContact] = field(default_factory=dict)
    foreign: ForeignReader | None = None
    """Reads other languages where it is sure; without it they all go to a person unread."""
    counts: Counts = field(default_factory=NotCounted)

    def make_cards(self, near: Place | None, channel: str = "") -> CardMaker:
        """Cards for this moment: `near` is where the person is, if known."""
        return CardMaker(wording=self.wording, now=self.now(), zone=self.zone, near=near, short=channel == Channel.SMS)
