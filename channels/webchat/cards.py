"""How a service is drawn: what a tap on its number does, and hours that are still true when they are read. Pure."""

from __future__ import annotations

import re
from typing import Final

from channels.conversation import ServiceCard
from channels.pages import tel

TAPPED: Final = re.compile(r"tel:\+?\d{3,15}|sms:\+?\d{3,15}(\?&body=[A-Z]{3,20})?")
DIALLED: Final = re.compile(r"\+?\d[\d ]{2,18}")


def call_address(card: ServiceCard) -> str:
    """A tel: or sms: link, or nothing where a phone could not make sense of it ("text SHOUT to 85258")."""
    if TAPPED.fullmatch(card.call):
        return card.call
    return tel(card.phone) if DIALLED.fullmatch(card.phone) else ""


def hours_to_show(card: ServiceCard, *, same_day: bool) -> str:
    """ "Open now until 5pm" is read on the day it was said; later the whole week says more than a day gone by."""
    return card.hours if same_day else card.usual_hours
