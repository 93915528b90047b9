"""The desk's own words, from words.yml, and times and ages as people say them. Pure once loaded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import yaml

from channels.conversation import Channel, Media
from channels.pages import clock

FILE: Final = Path(__file__).parent / "words.yml"
SHOWN_OF_ADDRESS: Final = 3
"""Enough to tell two people apart, not enough to ring one."""

KILOBYTE: Final = 1024


class Words:
    """Texts by group and key. What has none (a new reason, another need) is shown with spaces for underscores."""

    def __init__(self, groups: Mapping[str, Mapping[str, str]]) -> None:
        self.groups = groups

    @classmethod
    def load(cls, path: Path = FILE) -> Words:
        return cls(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))

    def say(self, group: str, key: str, **values: object) -> str:
        text = self.groups.get(group, {}).get(key)
        return key.replace("_", " ") if text is None else text.format(**values)

    def address(self, channel: Channel, address: str) -> str:
        """The end of a number, or nothing at all when there is too little of it to hide."""
        if not address:
            return self.say("address", "none")
        end = address[-SHOWN_OF_ADDRESS:] if len(address) > 2 * SHOWN_OF_ADDRESS else "..."
        return self.say("address", channel, end=end)

    def media(self, media: Media) -> str:
        """'a picture (image/jpeg, 120 kB)': mentioned, never fetched."""
        size = f"{max(1, media.size // KILOBYTE)} kB" if media.size else ""
        about = ", ".join(part for part in (media.content_type, size) if part)
        return self.say("media", media.kind) + (f" ({about})" if about else "")


def age_in_words(since: datetime, now: datetime) -> str:
    """How long ago, to the nearest thing that matters: 'just now', '4 minutes', '2 hours 10 minutes', '3 days'."""
    minutes = max(0, int((now - since) / timedelta(minutes=1)))
    if minutes == 0:
        return "less than a minute"
    if minutes < 60:
        return counted(minutes, "minute")
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return counted(hours, "hour") + (f" {counted(rest, 'minute')}" if rest and hours < 6 else "")
    return counted(hours // 24, "day")


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def day_in_words(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """'Today', 'Yesterday', 'Tuesday 21 November', with the year when it is another one."""
    day, today = at.astimezone(zone).date(), now.astimezone(zone).date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return named_day(day) + ("" if day.year == today.year else f" {day.year}")


def named_day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def moment_in_words(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """'9:05pm', 'yesterday 9:05pm', 'Tuesday 21 November 9:05pm'."""
    day = day_in_words(at, now, zone)
    time = clock(at.astimezone(zone))
    if day == "Today":
        return time
    return f"{day.lower() if day == 'Yesterday' else day} {time}"
