"""The pictures in the READMEs, taken anew from the product itself: `make shots`.

Real pages of the real web process in a real Chromium, on an empty data folder, with the words of the demo. What was
said is always the same, and times are painted over, so that a picture changes only when the product does.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet
from playwright.async_api import Browser, Page
from pydantic import SecretStr

from channels.app import create_app
from channels.conversation import Channel, Choice, Concern, Holder, Reply, Sender
from channels.ledger import Ledger, migrate, open_ledger
from channels.ledger.records import Draft, OpenEscalation, Outcome, PersonRecord
from channels.settings import Settings, read_settings
from channels.sms.twilio import Twilio
from channels.valkey import Valkey
from knowledge.editor import create_app as create_editor
from knowledge.settings import Settings as CatalogueSettings
from tests.chat_builders import OFFER, RENT
from tests.chat_visits import PHONE, says, visit
from tests.chromium import open_chromium
from tests.integration.serving import eventually, free_port, serving
from tests.phone_builders import with_phones

FOLDER: Final = Path(__file__).resolve().parent.parent / "channels" / "pictures"
LARGEST: Final = 150_000
"""Bytes of one picture."""
DESKTOP: Final = {"width": 1000, "height": 560}
WIDE: Final = {"width": 1080, "height": 720}
TALL: Final = {"width": 390, "height": 930}
STAND_STILL: Final = """() => {
  document.querySelectorAll('time').forEach((one, at) => { one.textContent = `9:0${Math.min(at, 9)}am`; });
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const now = words.currentNode.nodeValue;
    const still = now.replace(/open now until [^·]+ ·|opens [^·]+ ·/, 'open now until 5pm ·');
    if (still !== now) { words.currentNode.nodeValue = still; }
  }
  document.activeElement.blur();
  window.scrollTo(0, 0);
}"""
DEBT: Final = replace(
    RENT,
    service_id="svc-debt",
    name="Wrenbridge Debt Line",
    phone="0808 157 0011",
    call="tel:08081570011",
    summary="Free help with debts and bills, by phone.",
    hours="open now until 8pm",
    place="",
    good_to_know="",
)
MORE_DEBT: Final = Choice(title=DEBT.name, payload=f"details:{DEBT.service_id}")
WORDS: Final = "Thank you for telling me. That sounds really hard. These can help with rent:"
CHOICES: Final = (*OFFER.choices[:1], MORE_DEBT, *OFFER.choices[1:])
HELP: Final = Draft(
    sender=Sender.ASSISTANT, text=WORDS, reply=Reply(text=WORDS, cards=(RENT, DEBT), choices=CHOICES), choices=CHOICES
)
ARABIC: Final = ("لا أستطيع دفع الإيجار هذا الشهر", "شكرا لأنك أخبرتني. سأطلب من شخص يتكلم العربية أن ينضم إليك هنا.")
TEXT: Final = (
    "Thank you for telling me. These can help:\n1 Rent Rescue drop-in 01632 960112\n2 Wrenbridge Debt Line "
    "0808 157 0011\nReply 1 or 2 for more, or PERSON to talk to someone."
)


@dataclass(frozen=True, kw_only=True)
class Studio:
    """The web process on its feet, and a browser in front of it."""

    address: str
    settings: Settings
    ledger: Ledger
    browser: Browser

    async def chat(self, name: str, *drafts: Draft, said: str, **look: Any) -> None:
        streams = Silent()
        here = await visit(self.browser, self.address, self.ledger, streams, viewport=TALL, **look)  # type: ignore[arg-type]
        await here.begins(said)
        await self.answer(await here.conversation_id(), drafts)
        await here.page.reload()
        await take(here.page, name)

    async def answer(self, conversation_id: str, drafts: tuple[Draft, ...], **outcome: Any) -> None:
        """What the worker does, without a worker."""
        message = await self.ledger.next_unanswered(conversation_id)
        assert message is not None
        done = Outcome(message_id=message.id, expected_holder=Holder.BOT, kind="bot", drafts=drafts, **outcome)
        assert await self.ledger.commit(done)

    async def phone(self) -> None:
        await self.text_from(1, "cant pay my rent this month and im so down")
        twilio = Twilio(self.settings)
        await twilio.send("+447700900001", TEXT)
        twilio.close()
        page = await self._open("/simulator/phone/1", viewport={"width": 390, "height": 720})
        await page.get_by_text("delivered").wait_for()
        await take(page, "phone")

    async def desk(self) -> None:
        """Somebody whose words worry us, and somebody who wrote before them and asked for a person."""
        for number, words, need, concerns in (
            (2, "can i talk to someone about my benefits", "benefits", ()),
            (3, "i dont want to be here any more", "", (Concern.SUICIDE,)),
        ):
            conversation_id = await self.text_from(number, words)
            asked = OpenEscalation(reason="concern" if concerns else "asked")
            needs = (need,) if need else ()
            await self.answer(conversation_id, (), concerns=frozenset(concerns), needs=needs, escalation=asked)
        await take(await self._open("/desk", viewport=DESKTOP), "desk")

    async def talk(self) -> None:
        """Sam with somebody: what they said, what they were given, and what can be done beside it."""
        conversation_id = await self.text_from(4, "cant pay my rent this month and im so down")
        asked = OpenEscalation(reason="asked")
        await self.answer(conversation_id, (HELP,), needs=("rent_arrears", "low_mood"), escalation=asked)
        page = await self._open("/desk", viewport=WIDE)
        await page.goto(f"{self.address}/desk/conversations/{conversation_id}")
        await page.get_by_role("button", name="Take", exact=True).click()
        await page.get_by_label("Write to them").fill("Hi, I'm glad you wrote. What worries you most about the rent?")
        await page.get_by_role("button", name="Send", exact=True).click()
        await page.locator(".line.peer").wait_for()
        await take(page, "talk")

    async def text_from(self, number: int, words: str) -> str:
        """Write on a simulated phone; gives the conversation that it began."""
        page = await self._open(f"/simulator/phone/{number}", viewport=PHONE)
        await page.get_by_label("Your message").fill(words)
        await page.get_by_role("button", name="Send").click()

        async def arrived() -> PersonRecord | None:
            return await self.ledger.person_at(Channel.SMS, f"+44770090000{number}")

        person = await eventually(arrived)
        await page.context.close()
        assert isinstance(person, PersonRecord)
        return (await self.ledger.conversation_of(person.id)).id

    async def _open(self, path: str, **look: Any) -> Page:
        page = await (await self.browser.new_context(**look)).new_page()
        await page.goto(self.address + path)
        return page


class Silent:
    """Nobody is told of changes: each page is opened anew."""


async def take(page: Page, name: str) -> None:
    await page.evaluate(STAND_STILL)
    path = FOLDER / f"{name}.png"
    await page.screenshot(path=path, animations="disabled")
    await page.context.close()
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes")
    assert size < LARGEST, f"{path.name} is too large for a README"


@asynccontextmanager
async def open_studio(folder: Path, browser: Browser) -> AsyncIterator[Studio]:
    redis = Valkey(folder)
    redis.start()
    keys = {"encryption_keys": Fernet.generate_key().decode(), "person_key_secret": "of the pictures"}
    settings = with_phones(read_settings(demo=True, data_dir=folder, **keys)).model_copy(
        update={"redis_url": SecretStr(redis.url)}
    )
    migrate(settings.ledger_url)
    ledger = await open_ledger(settings)
    await ledger.add_peer(name="Sam", login="sam", role="peer", password_hash="x")
    try:
        async with serving(create_app(settings), settings.port) as address:
            yield Studio(address=address, settings=settings, ledger=ledger, browser=browser)
    finally:
        await ledger.close()
        redis.stop()


async def take_catalogue(folder: Path, browser: Browser) -> None:
    async with serving(create_editor(CatalogueSettings(data_dir=folder)), free_port()) as address:
        page = await (await browser.new_context(viewport=DESKTOP)).new_page()
        await page.goto(address)
        await take(page, "catalogue")


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    # Not a long path: that of a unix socket must be short.
    with tempfile.TemporaryDirectory(prefix="nwd-pictures-") as name:
        folder = Path(name)
        async with open_chromium() as browser:
            async with open_studio(folder, browser) as studio:
                said = "cant pay my rent this month and im so down"
                await studio.chat("chat", HELP, said=said)
                await studio.chat("chat-dark", HELP, said=said, color_scheme="dark")
                await studio.chat("chat-right-to-left", says(ARABIC[1]), said=ARABIC[0])
                await studio.phone()
                await studio.desk()
                await studio.talk()
            await take_catalogue(folder, browser)


if __name__ == "__main__":
    asyncio.run(main())
