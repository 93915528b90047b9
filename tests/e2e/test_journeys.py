"""The three journeys of the README, over HTTP, on the whole product: SMS, Telegram and web chat, with a peer worker."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import Product
from tests.e2e.people import PeerWorker, SimulatedPhone, WebVisitor

pytestmark = pytest.mark.stack

PHONE_NUMBER = re.compile(r"\b0\d{2,4} ?\d{3} ?\d{3,4}\b|\b116 123\b")


def take_and_answer(peer: PeerWorker, story: str, answer: str) -> str:
    conversation = peer.wait_for_somebody()
    assert story in peer.read(conversation)
    peer.act(conversation, "take")
    peer.act(conversation, "reply", text=answer)
    return conversation


def test_text_messages(product: Product) -> None:
    phone, peer = SimulatedPhone(product.url, 1), PeerWorker(product.url)

    phone.write("cant pay my rent this month and im so down")
    offered = phone.wait_for("Reply 1")
    assert "automated" in offered.lower() or "answers by itself" in offered, "the first exchange says what this is"
    assert 1 <= len(PHONE_NUMBER.findall(offered)) <= 4
    assert "PERSON" in offered

    phone.write("1")
    details = phone.wait_for("checked")
    assert PHONE_NUMBER.search(details)

    phone.write("can i talk to someone")
    phone.wait_for("next")  # the truth about the queue: nobody else is waiting

    conversation = take_and_answer(
        peer, "cant pay my rent this month and im so down", "Hello, shall we look at the letter together?"
    )
    assert "Sam" in phone.wait_for("letter together")

    phone.write("yes please")
    peer_sees = lambda: "yes please" in peer.read(conversation)  # noqa: E731 - read like the sentence it is
    for _ in range(200):
        if peer_sees():
            break
    assert peer_sees()
    assert phone.new_bubbles() == [], "the assistant is silent while a peer worker has the conversation"

    peer.act(conversation, "hand-back")
    phone.wait_for("automatic helper")
    phone.write("where can i get some food")
    assert PHONE_NUMBER.search(phone.wait_for("Reply 1"))


def test_telegram_with_buttons(product: Product) -> None:
    account, peer = SimulatedPhone(product.url, 1, kind="telegram"), PeerWorker(product.url)

    account.write("cant pay my rent this month and im so down")
    account.wait_for("1.")
    assert account.buttons(), "services come with buttons"
    account.press(account.buttons()[0][2])
    account.wait_for("checked")

    account.press("person")
    account.wait_for("next")
    conversation = take_and_answer(peer, "im so down", "Hi there, I am reading what you wrote.")
    account.wait_for("reading what you wrote")
    account.write("thank you for coming")
    peer.act(conversation, "hand-back")
    answered = account.wait_for("automatic helper")
    assert "Glad" not in answered, "nothing from the assistant between the two"


def test_web_chat_without_script(product: Product) -> None:
    visitor, peer = WebVisitor(product.url), PeerWorker(product.url)

    visitor.write("cant pay my rent this month and im so down")
    assert PHONE_NUMBER.search(visitor.wait_for("Ring"))
    visitor.press("More about")
    visitor.wait_for("Checked")
    visitor.write("can i talk to someone")
    visitor.wait_for("next")
    conversation = take_and_answer(peer, "im so down", "Hello from the desk.")
    visitor.wait_for("Hello from the desk.")
    assert "Sam" in visitor.page()
    peer.act(conversation, "hand-back")
    visitor.wait_for("automatic helper")
