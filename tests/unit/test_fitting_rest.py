"""What does not fit one text message: where it is cut, and that none of it is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Channel, Reply
from channels.fitting import Fitted, cut_short, fit, fits_sms
from channels.wording import Wording

WORDING = Wording.load()
HINT = f"\n{WORDING.say('reply_more')}"


def sms(reply: Reply) -> tuple[Fitted, ...]:
    return fit(Channel.SMS, reply, WORDING)


WORD = st.sampled_from(["we", "hear", "you", "rent", "tomorrow", "Wrenbridge", "open", "bring", "letters"])
NUMBER = st.sampled_from(["116 123", "0808 157 0011", "(01632) 960 112", "+44 1632 960112", "85258"])
ADDRESS = st.sampled_from(["https://advice.wrenbridge.example/tenancy?id=1.2", "www.wrenbridge.example/a,b"])
SENTENCE = st.lists(st.one_of(WORD, WORD, WORD, NUMBER, ADDRESS), min_size=1, max_size=30).map(" ".join)
SAYING = st.lists(SENTENCE, min_size=1, max_size=20).map(lambda sentences: ". ".join(sentences) + ".")


@given(SAYING)
def test_a_reply_is_one_text_and_the_rest_is_all_that_it_left_out(words: str) -> None:
    (message,) = sms(Reply(text=words))
    assert fits_sms(message.text)
    shown = message.text.removesuffix(HINT)
    assert f"{shown} {message.rest}".split() == words.split()
    assert bool(message.rest) == (shown != message.text)


@given(SAYING, st.integers(min_value=1, max_value=3))
def test_numbers_and_links_are_never_divided(words: str, most: int) -> None:
    messages = cut_short(words, (), WORDING, most)
    pieces = [*(message.text for message in messages), messages[-1].rest]
    for whole in (
        "116 123",
        "0808 157 0011",
        "(01632) 960 112",
        "+44 1632 960112",
        "https://advice.wrenbridge.example",
    ):
        assert sum(piece.count(whole) for piece in pieces) == words.count(whole)


@given(SAYING)
def test_asking_for_the_rest_again_and_again_brings_every_word_once(words: str) -> None:
    said: list[str] = []
    rest = words
    while rest:
        messages = cut_short(rest, (), WORDING, 2)
        said += [message.text.removesuffix(HINT) for message in messages]
        assert len(messages[-1].rest) < len(rest)
        rest = messages[-1].rest
    assert " ".join(said).split() == words.split()


def test_it_is_cut_at_a_sentence() -> None:
    sentence = "I hear you and I am going to look into what we can do about the rent."
    (message,) = sms(Reply(text=f"{sentence} " * 9))
    assert message.text.removesuffix(HINT).endswith("about the rent.")


def test_a_peer_workers_words_are_never_kept_back() -> None:
    messages = fit(Channel.SMS, Reply(text="I hear you. " * 60), WORDING, whole=True)
    assert len(messages) > 1
    assert not any(message.rest for message in messages)
