"""Plain words say that it is safe again, or not any more; what could mean something else is asked about."""

from __future__ import annotations

import pytest

from channels.safe_again import Safe, SafeAgain

SAFE_AGAIN = SafeAgain.load()


@pytest.mark.parametrize(
    "text",
    [
        "it's safe now", "its saf now", "Its safe to txt me agen", "you can text me again", "u can msg me now",
        "he's gone now, safe to write", "shes moved out its safe now", "ok its safe to write now thanks", "im safe now",
        "yes its safe he is at work", "its safe hes out now",
        "safe to text", "ok to write to me again", "text me again", "you can write to me again",
        "mae'n saff nawr", "Mae hi'n ddiogel eto", "gallwch decstio eto", "dwi'n saff rwan",
    ],
)  # fmt: skip
def test_it_is_safe(text: str) -> None:
    assert SAFE_AGAIN.read(text) is Safe.SAFE


@pytest.mark.parametrize(
    "text",
    [
        "hes gone now",
        "he has moved out",
        "im alone now",
        "ive left him",
        "new phone",
        "its ok now",
        "safe",
        "Mae e wedi mynd nawr",
    ],
)
def test_it_may_be(text: str) -> None:
    assert SAFE_AGAIN.read(text) is Safe.PERHAPS


@pytest.mark.parametrize(
    "text",
    [
        "NOT SAFE", "its not safe any more", "it isnt safe", "not safe to txt", "dont text me", "hes back now",
        "unsafe", "dydy hi ddim yn saff", "nid yw'n ddiogel nawr", "im not safe", "its no longer safe",
    ],
)  # fmt: skip
def test_it_is_not(text: str) -> None:
    assert SAFE_AGAIN.read(text) is Safe.UNSAFE


@pytest.mark.parametrize(
    "text",
    [
        "he reads my phone dont text me", "he checks my phone", "she goes through my messages", "my mum took my phone",
        "he's always looking at my phone", "if he sees this hes gonna go mad", "pls dont txt me back",
        "my husband can see my texts", "hell see this", "someone is reading my messages", "he tracks my phone",
        "its not safe to text me at night", "he knows the pin to my phone", "maen darllen fy ffon",
        "he hit me again last night and took the car keys. what can i do? he reads my messages so be careful",
    ],
)  # fmt: skip
def test_somebody_reads_along(text: str) -> None:
    assert SAFE_AGAIN.tells_watched(text)


@pytest.mark.parametrize(
    "text",
    [
        "can he see my texts", "does he read my phone", "he doesnt read my phone", "he never checks my messages",
        "he has my phone number", "she got the phone bill in my name", "they dont text back", "you dont reply",
        "i dont text much", "dont text my mum", "dont write to him", "he used to read my messages", "its safe to text",
        "he reads the paper", "we found the chat helpful",
    ],
)  # fmt: skip
def test_nobody_reads_along(text: str) -> None:
    assert not SAFE_AGAIN.tells_watched(text)


@pytest.mark.parametrize(
    "text",
    [
        "is it safe now?", "is it safe to text you", "you cant text me", "i need somewhere safe to stay", "stop",
        "is there a safe place near me", "he says its safe to drink", "just looking for a recipe lol",
        "my mate is safe", "my son is safe now", "you can write a letter for me", "can you text me the number",
        "hes gone to get the bread knife", "im fine", "a safe way to leave him", "hes gone mad", "i left my job", "",
    ],
)  # fmt: skip
def test_anything_else_is_read_as_it_is(text: str) -> None:
    assert SAFE_AGAIN.read(text) is None
