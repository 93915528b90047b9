"""Plain ways to take back a yes, and what only looks like one."""

from __future__ import annotations

import pytest

from channels.conversation import Consent
from channels.taking_back import TakingBack

READER = TakingBack.load()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("dont share that any more", Consent.SHARING, id="do not share"),
        pytest.param("Please don't share it anymore, thanks", Consent.SHARING, id="with courtesies"),
        pytest.param("stop sharing my messages with them", Consent.SHARING, id="stop sharing, with whom"),
        pytest.param("I\u2019ve changed my mind about sharing", Consent.SHARING, id="a curly apostrophe"),
        pytest.param("i dont want them reading this any more", Consent.SHARING, id="reading"),
        pytest.param("i take back my ok", Consent.SHARING, id="taken back"),
        pytest.param("stop checking in on me", Consent.CHECK_INS, id="stop checking in"),
        pytest.param("no more check-ins please", Consent.CHECK_INS, id="no more of them"),
        pytest.param("i changed my mind about the check in", Consent.CHECK_INS, id="a changed mind"),
        pytest.param("dont write to me first", Consent.CHECK_INS, id="writing first"),
    ],
)
def test_plain_words_take_back_a_yes(text: str, what: Consent) -> None:
    assert READER.read(text) is what


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("please", id="a courtesy alone"),
        pytest.param("stop", id="STOP is STOP"),
        pytest.param("dont share this with my mum", id="somebody is named: for whoever reads it"),
        pytest.param("can i share a flat", id="another kind of sharing"),
        pytest.param("how do i stop them sharing my photos online", id="somebody else shares"),
        pytest.param("dont tell anyone", id="a confidence"),
        pytest.param("the jobcentre keeps checking up on me", id="somebody else checks"),
        pytest.param("dont share that any more, and cant pay my rent. " * 3, id="says more than that"),
    ],
)
def test_other_words_take_back_nothing(text: str) -> None:
    assert READER.read(text) is None
