"""The desk's words, stories and small rules, without a page around them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest

from channels.conversation import Channel, Choice, Concern, Delivery, EscalationState, Media, Reply, Sender, ServiceCard
from channels.desk.attempts import MOST_FAILURES, WINDOW, Attempts, network
from channels.desk.queue import need_words
from channels.desk.sessions import form_token
from channels.desk.sign_in import way_back
from channels.desk.story import Line, Telling
from channels.desk.words import Words, age_in_words, day_in_words, moment_in_words
from channels.ledger.records import MessageRecord
from knowledge.needs import load_needs
from knowledge.settings import PACKAGE_DATA

WORDS = Words.load()
LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
"""A Friday evening."""


# -- words


@pytest.mark.parametrize(
    ("group", "nouns"),
    [
        ("concern", Concern),
        ("channel", Channel),
        ("address", Channel),
        ("delivery", Delivery),
        ("sender", Sender),
        ("state", EscalationState),
    ],
)
def test_every_noun_has_words(group: str, nouns: type[StrEnum]) -> None:
    assert {noun.value for noun in nouns} <= WORDS.groups[group].keys()


@pytest.mark.parametrize("reason", ["asked", "complaint", "nothing_found", "silent", "language", "concern"])
def test_every_reason_has_words(reason: str) -> None:
    assert reason in WORDS.groups["reason"]


def test_every_need_is_called_what_people_read_themselves() -> None:
    assert WORDS.groups["need"] == {need.id: need.label for need in load_needs(PACKAGE_DATA / "needs.yml")}


def test_a_need_that_a_concern_says_already_is_not_said_twice() -> None:
    needs = ("suicidal_thoughts", "food", "food")
    assert need_words(WORDS, needs, {Concern.SUICIDE}) == ("Food for today",)
    assert need_words(WORDS, needs, {Concern.ABUSE}) == ("Thoughts of suicide", "Food for today")


def test_what_has_no_words_yet_is_readable_all_the_same() -> None:
    assert WORDS.say("need", "of_their_own") == "of their own", "an organisation may have needs of its own"
    assert WORDS.say("reason", "{0.__class__}") == "{0.  class  }"


def test_no_words_of_the_desk_score_anybody() -> None:
    texts = " ".join(text for group in WORDS.groups.values() for text in group.values()).lower()
    assert not [word for word in ("risk score", "high risk", "low risk", "level", "priority") if word in texts]


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        pytest.param(Channel.SMS, "+447700900123", "number ending 123", id="a number shows 3 digits"),
        pytest.param(Channel.TELEGRAM, "987654321", "chat ending 321", id="a chat too"),
        pytest.param(Channel.TELEGRAM, "12345", "chat ending ...", id="too short to show any"),
        pytest.param(Channel.WEB, "b7e1c0ffee", "no number", id="a visitor's id opens their chat: nothing"),
        pytest.param(Channel.SMS, "", "erased", id="forgotten"),
    ],
)
def test_an_address_is_masked(channel: Channel, address: str, shown: str) -> None:
    assert WORDS.address(channel, address) == shown


@pytest.mark.parametrize(
    ("media", "shown"),
    [
        (Media(kind="picture", content_type="image/jpeg", size=120_000), "a picture (image/jpeg, 117 kB)"),
        (Media(kind="voice", size=10), "a voice message (1 kB)"),
        (Media(kind="location", reference="https://x.example/secret"), "a location"),
        (Media(kind="hologram"), "hologram"),
    ],
    ids=["picture", "voice", "nothing known, no address shown", "new kind"],
)
def test_media_is_mentioned(media: Media, shown: str) -> None:
    assert WORDS.media(media) == shown


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=2, minutes=1), "2 hours 1 minute"),
        (timedelta(hours=13, minutes=40), "13 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=9, hours=5), "9 days"),
    ],
    ids=str,
)
def test_how_long_ago(ago: timedelta, words: str) -> None:
    assert age_in_words(NOW - ago, NOW) == words


@pytest.mark.parametrize(
    ("at", "day", "moment"),
    [
        (NOW, "Today", "9:30pm"),
        (NOW.replace(hour=0, minute=5), "Today", "12:05am"),
        (NOW - timedelta(hours=22), "Yesterday", "yesterday 11:30pm"),
        (NOW - timedelta(days=4), "Monday 16 November", "Monday 16 November 9:30pm"),
        (datetime(2025, 7, 1, 8, 0, tzinfo=UTC), "Tuesday 1 July 2025", "Tuesday 1 July 2025 9am"),
    ],
    ids=["now", "just after midnight", "yesterday", "this month", "another year, in summer time"],
)
def test_when(at: datetime, day: str, moment: str) -> None:
    assert day_in_words(at, NOW, LONDON) == day
    assert moment_in_words(at, NOW, LONDON) == moment


# -- stories

CARD = ServiceCard(service_id="svc-rent", name="Rent Rescue", phone="01632 960112", why="cant pay my rent")
SAID = MessageRecord(
    id="m1",
    conversation_id="c1",
    seq=1,
    sender=Sender.PERSON,
    sender_name="",
    text="cant pay my rent",
    reply=None,
    choices=(),
    payload=None,
    media=(),
    opt_out=None,
    language=None,
    episode="e1",
    answered=True,
    outcome="bot",
    delivery=None,
    attempts=0,
    sending_since=None,
    provider_id="SM1",
    error_code="",
    error_text="",
    created_at=NOW,
)
ANSWER = replace(
    SAID,
    id="m2",
    sender=Sender.ASSISTANT,
    text="These can help:",
    reply=Reply(text="These can help:", cards=(CARD,)),
    choices=(
        Choice(title="Rent Rescue", payload="details:svc-rent"),
        Choice(title="Talk to a person", payload="person"),
    ),
    delivery=Delivery.DELIVERED,
    outcome="",
)


def tell(*messages: MessageRecord, channel: Channel = Channel.SMS) -> list[Line]:
    return Telling(words=WORDS, zone=LONDON, now=NOW, channel=channel).lines(messages)


@pytest.mark.parametrize(
    ("message", "who"),
    [
        (SAID, "They wrote"),
        (ANSWER, "Assistant"),
        (replace(ANSWER, sender=Sender.PEER, sender_name="Ana"), "Ana, peer worker"),
        (replace(ANSWER, sender=Sender.PEER), "peer worker"),
        (replace(ANSWER, sender=Sender.NOTICE, sender_name="Sam"), "Notice"),
    ],
    ids=["person", "assistant", "peer worker", "erased name", "notice"],
)
def test_who_said_it(message: MessageRecord, who: str) -> None:
    assert tell(message)[0].who == who


def test_a_new_day_is_marked_where_it_begins() -> None:
    before = replace(SAID, created_at=NOW - timedelta(days=1))
    assert [line.day for line in tell(before, SAID, ANSWER)] == ["Yesterday", "Today", ""]


def test_a_suggestion_shows_why() -> None:
    (line,) = tell(ANSWER)
    assert line.cards == (CARD,)
    assert line.choices == ("Talk to a person",), "the card is a choice already"
    assert line.delivery == "Delivered"


def test_a_pressed_button_is_told_in_its_words() -> None:
    pressed = replace(SAID, text="", payload="details:svc-rent")
    assert tell(ANSWER, pressed)[1].pressed == "Rent Rescue"
    assert tell(pressed)[0].pressed == "", "its offer is further back than what is shown"


@pytest.mark.parametrize(
    ("message", "channel", "delivery"),
    [
        (replace(ANSWER, delivery=Delivery.QUEUED), Channel.SMS, "On its way"),
        (
            replace(ANSWER, delivery=Delivery.FAILED, error_code="30003"),
            Channel.SMS,
            "Not delivered: The phone is switched off or out of reach.",
        ),
        (
            replace(ANSWER, delivery=Delivery.FAILED, error_code="403", error_text="They have blocked us."),
            Channel.TELEGRAM,
            "Not delivered: They have blocked us.",
        ),
        (replace(ANSWER, delivery=Delivery.FAILED, error_code="403"), Channel.TELEGRAM, "Not delivered: Error 403."),
        (replace(ANSWER, delivery=Delivery.FAILED), Channel.WEB, "Not delivered"),
        (SAID, Channel.SMS, ""),
    ],
    ids=["queued", "a receipt's code", "the sender's words", "an unknown code", "nothing known", "inbound"],
)
def test_what_became_of_it(message: MessageRecord, channel: Channel, delivery: str) -> None:
    (line,) = tell(message, channel=channel)
    assert line.delivery == delivery
    assert line.failed is (message.delivery is Delivery.FAILED)


@pytest.mark.parametrize(
    ("message", "remark"),
    [
        (replace(SAID, opt_out="STOP"), "Wrote STOP: they do not want to be texted first. Answering is fine."),
        (replace(SAID, text=""), "No words in it."),
        (replace(SAID, text="", media=(Media(kind="voice"),)), ""),
        (replace(SAID, outcome="fallback"), "The assistant had no answer to this."),
        (SAID, ""),
    ],
    ids=["opted out", "empty", "only media", "fallback", "ordinary"],
)
def test_what_else_to_know(message: MessageRecord, remark: str) -> None:
    assert tell(message)[0].remark == remark


# -- signing in


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("/desk/conversations/abc123", "/desk/conversations/abc123"),
        ("/desk", "/desk"),
        ("/desk/reports", "/desk/reports"),
        ("/desk/replies", "/desk/replies"),
        ("/desk/wall", "/desk/wall"),
        ("", "/desk"),
        ("https://evil.example/desk", "/desk"),
        ("//evil.example", "/desk"),
        ("/desk/../hooks", "/desk"),
        ("/desk/conversations/a\r\nSet-Cookie: x=1", "/desk"),
        ("/desk/sign-out", "/desk"),
    ],
)
def test_the_way_back_leads_to_the_desk_only(asked: str, given: str) -> None:
    assert way_back(asked) == given


def test_a_forms_token_belongs_to_one_session_and_hides_it() -> None:
    assert form_token("one") != form_token("two")
    assert "one" not in form_token("one")


class Stopwatch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_tries_are_counted_for_one_login_from_one_place() -> None:
    attempts = Attempts(Stopwatch())
    assert all(attempts.begin("sam", "203.0.113.9") for _ in range(MOST_FAILURES))
    assert not attempts.begin("sam", "203.0.113.9")
    assert attempts.begin("sam", "203.0.113.10"), "the same login from elsewhere"
    assert attempts.begin("ana", "203.0.113.9"), "somebody else from there"


def test_a_series_of_tries_ends_by_itself_or_with_success() -> None:
    watch = Stopwatch()
    attempts = Attempts(watch)
    for _ in range(MOST_FAILURES):
        attempts.begin("sam", "::1")
    watch.now += WINDOW - 1
    assert not attempts.begin("sam", "::1")
    watch.now += 1
    assert attempts.begin("sam", "::1")
    for _ in range(MOST_FAILURES - 2):
        attempts.begin("sam", "::1")
    attempts.succeed("sam", "::1")
    assert all(attempts.begin("sam", "::1") for _ in range(MOST_FAILURES))


def test_what_guessing_leaves_in_memory_is_bounded() -> None:
    attempts = Attempts(Stopwatch())
    for number in range(5_050):
        attempts.begin(f"login{number}", "::1")
    assert len(attempts._series) == 5_000


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
    ids=["IPv4", "IPv6: one subscriber has many", "a name", "none"],
)
def test_where_somebody_is(address: str, place: str) -> None:
    assert network(address) == place
