"""A copy of a person's list, sent where they ask: to a mobile or a mailbox.

What they typed is used once and kept nowhere. Copies are counted before they are sent, so that nobody can use us to
flood a stranger, and a number that asked us never to text first gets none, without whoever asked learning why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import phonenumbers
import structlog

from channels.conversation import Channel, ServiceCard
from channels.errors import SendFailed
from channels.fitting import facts_of, fits_sms, split
from channels.gsm7 import plain
from channels.ledger.lists import CopyLimits
from channels.ledger.records import PersonRecord, SavedService
from channels.settings import Settings
from channels.wording import Wording

MOST_TEXTS: Final = 3
HOME: Final = frozenset({"GB", "IE", "JE", "GG", "IM"})
"""The United Kingdom with the islands that share its numbers, and Ireland: not a way to write to all the world."""
MOBILE: Final = frozenset({phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE})
DRAMA: Final = "+447700900"
"""Numbers that Ofcom keeps free for drama: the simulated phones have some."""
MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")


class Texts(Protocol):
    """Whoever carries text messages. Raises SendFailed."""

    async def send(self, address: str, text: str) -> str: ...


class Mail(Protocol):
    """Raises SendFailed."""

    async def send(self, address: str, subject: str, text: str) -> None: ...


class CopyCounter(Protocol):
    async def count_copy(self, conversation_id: str, destination: str, limits: CopyLimits) -> str | None: ...

    async def uncount_copy(self, copy_id: str) -> None: ...


class CopyLedger(Protocol):
    """The ledger, as far as copies need it. Raises LedgerUnavailable."""

    @property
    def lists(self) -> CopyCounter: ...

    async def person_at(self, channel: Channel, address: str) -> PersonRecord | None: ...


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Each way to send says in one word what became of it: sent, not_a_mobile, not_a_mailbox, too_many, failed."""

    ledger: CopyLedger
    wording: Wording
    settings: Settings
    texts: Texts | None = None
    mail: Mail | None = None

    async def text(self, conversation_id: str, typed: str, kept: Sequence[SavedService]) -> str:
        number = read_mobile(typed, self.settings)
        if number is None or self.texts is None:
            return "not_a_mobile"
        copy_id = await self._count(conversation_id, f"tel:{number}")
        if copy_id is None:
            return "too_many"
        person = await self.ledger.person_at(Channel.SMS, number)
        if person is not None and person.do_not_text_first:
            return "sent"
        sent = 0
        try:
            for words in write_texts([one.card for one in kept], self.wording):
                await self.texts.send(number, words)
                sent += 1
        except SendFailed as failure:
            return await self._fail(copy_id, failure, certain=sent == 0 and not failure.retryable)
        return "sent"

    async def email(self, conversation_id: str, typed: str, kept: Sequence[SavedService]) -> str:
        address = typed.strip()
        if self.mail is None or len(address) > 254 or not MAILBOX.fullmatch(address):
            return "not_a_mailbox"
        copy_id = await self._count(conversation_id, f"mailto:{address.lower()}")
        if copy_id is None:
            return "too_many"
        words = write_email([one.card for one in kept], self.wording)
        try:
            await self.mail.send(address, self.wording.say("copy_subject"), words)
        except SendFailed as failure:
            return await self._fail(copy_id, failure, certain=not failure.retryable)
        return "sent"

    async def _count(self, conversation_id: str, destination: str) -> str | None:
        limits = CopyLimits(together=self.settings.list_copies_per_day)
        return await self.ledger.lists.count_copy(conversation_id, destination, limits)

    async def _fail(self, copy_id: str, failure: SendFailed, *, certain: bool) -> str:
        """Only what certainly was not sent may be tried again without counting."""
        structlog.get_logger().warning("list_copy_failed", code=failure.code, certain=certain)
        if certain:
            await self.ledger.lists.uncount_copy(copy_id)
        return "failed"


def read_mobile(typed: str, settings: Settings) -> str | None:
    """A mobile number of the United Kingdom or Ireland, as +447700900123; None for anything else."""
    try:
        number = phonenumbers.parse(typed[:40], settings.country)
    except phonenumbers.NumberParseException:
        return None
    if number.extension is not None:
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if settings.demo and written.startswith(DRAMA) and phonenumbers.is_possible_number(number):
        return written
    is_home = phonenumbers.region_code_for_number(number) in HOME
    is_mobile = phonenumbers.number_type(number) in MOBILE and phonenumbers.is_valid_number(number)
    return written if is_home and is_mobile else None


def write_texts(cards: Sequence[ServiceCard], wording: Wording) -> tuple[str, ...]:
    """Names and numbers in three texts at most; what does not fit is counted, and stays in the chat."""
    lines = [plain(f"{card.name} {card.phone}".strip()) for card in cards]
    for shown in range(len(lines), 0, -1):
        left = len(lines) - shown
        ending = [*([wording.say("copy_more", count=left)] if left else []), wording.say("copy_end")]
        texts = split("\n".join([wording.say("copy_opening"), *lines[:shown], *ending]), fits_sms)
        if len(texts) <= MOST_TEXTS:
            return texts
    return ()


def write_email(cards: Sequence[ServiceCard], wording: Wording) -> str:
    """Everything about each service, with hours that are true on any day."""
    whole = ["\n".join(facts_of(replace(card, hours=card.usual_hours))) for card in cards]
    return "\n\n".join([wording.say("copy_opening_email"), *whole, wording.say("copy_end_email")])
