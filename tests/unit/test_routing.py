"""Where a message goes, and what a typed answer means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels.conversation import Channel, Choice, Concern, EscalationState, Holder, Media, Sender
from channels.ledger.records import ConversationRecord, EscalationRecord, MessageRecord
from channels.routing import AskHelp, AskPerson, NoWords, OptIn, OptOut, Route, ToBot, ToPeer, decide, resolve_choice

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
RENT, DEBT = (
    Choice(title="Rent Rescue", payload="details:svc-rent"),
    Choice(title="Debt Line", payload="details:svc-debt"),
)
MORE, PERSON = Choice(title="Show me more", payload="more"), Choice(title="Talk to a person", payload="person")
LIST = (RENT, DEBT, MORE, PERSON)
ERASE, KEEP = Choice(title="Erase it all", payload="forget:yes"), Choice(title="Keep it", payload="forget:no")


def a_conversation(channel: Channel = Channel.SMS, holder: Holder = Holder.BOT) -> ConversationRecord:
    return ConversationRecord(
        id="c1", person_id="p1", channel=channel, holder=holder, shard=0, episode="e1", episode_turns=0, turns=1,
        concerns=frozenset(), needs=(), place=None, last_inbound_at=NOW, created_at=NOW, last_seq=1,
    )  # fmt: skip


def a_message(
    text: str = "", *, payload: str | None = None, media: tuple[Media, ...] = (), opt_out: str | None = None
) -> MessageRecord:
    return MessageRecord(
        id="m1", conversation_id="c1", seq=1, sender=Sender.PERSON, sender_name="", text=text, reply=None, choices=(),
        payload=payload, media=media, opt_out=opt_out, language=None, episode="e1", answered=False, outcome="",
        delivery=None, attempts=0, sending_since=None, provider_id="", error_code="", error_text="", created_at=NOW,
    )  # fmt: skip


def an_escalation(state: EscalationState = EscalationState.WAITING) -> EscalationRecord:
    return EscalationRecord(
        id="x1", conversation_id="c1", state=state, reason="asked", concerns=frozenset(), needs=(), language=None,
        opened_at=NOW, claimed_by=None, claimed_name="", claimed_at=None, lease_until=None, closed_at=None,
    )  # fmt: skip


def route_of(message: MessageRecord, channel: Channel = Channel.SMS, choices: tuple[Choice, ...] = ()) -> Route:
    return decide(a_conversation(channel), message, (), None, choices)


@pytest.mark.parametrize(
    "message",
    [
        a_message("hello"),
        a_message("2"),
        a_message(""),
        a_message(media=(Media(kind="picture"),)),
        a_message("person"),
        a_message(payload="person"),
        a_message("i want to die"),
    ],
    ids=["words", "a number", "nothing", "a picture", "PERSON", "a button", "a concern"],
)
def test_a_peer_who_holds_the_conversation_gets_everything(message: MessageRecord) -> None:
    conversation = a_conversation(holder=Holder.PEER)
    assert decide(conversation, message, (Concern.SUICIDE,), an_escalation(EscalationState.HELD), LIST) == ToPeer()


@pytest.mark.parametrize("message", [a_message("STOP"), a_message("end"), a_message("ARRET", opt_out="STOP")])
def test_stop_reaches_the_peer_and_is_known_for_what_it_is(message: MessageRecord) -> None:
    conversation = a_conversation(holder=Holder.PEER)
    assert decide(conversation, message, (), an_escalation(EscalationState.HELD)) == ToPeer(opted_out=True)


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop ",
        "stop.",
        "STOP!",
        '"stop"',
        "opt out",
        "STOPALL",
        "Unsubscribe",
        "CANCEL",
        "end",
        "QUIT",
        "revoke",
        "optout",
    ],
)
def test_a_reserved_word_alone_opts_out_of_texts(text: str) -> None:
    assert route_of(a_message(text)) == OptOut()


def test_the_providers_own_marker_opts_out() -> None:
    assert route_of(a_message("ARRET", opt_out="STOP")) == OptOut()


@pytest.mark.parametrize(
    "text",
    [
        "I want it to stop",
        "stop hitting me",
        "make it stop",
        "please stop texting my ex",
        "this has to end",
        "quit my job",
    ],
)
def test_a_sentence_with_a_reserved_word_is_words(text: str) -> None:
    assert route_of(a_message(text)) == ToBot()


@pytest.mark.parametrize("text", ["end", "cancel", "quit"])
def test_where_nobody_intercepts_them_end_and_cancel_are_words(text: str) -> None:
    assert route_of(a_message(text), Channel.WEB) == ToBot()


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.TELEGRAM])
def test_stop_opts_out_on_every_channel(channel: Channel) -> None:
    assert route_of(a_message("Stop"), channel) == OptOut()


@pytest.mark.parametrize("text", ["START", "unstop", "/start"])
def test_start_opts_in(text: str) -> None:
    assert route_of(a_message(text)) == OptIn()


@pytest.mark.parametrize("message", [a_message("HELP"), a_message("info"), a_message("AIDE", opt_out="HELP")])
def test_help_is_a_request_for_help(message: MessageRecord) -> None:
    assert route_of(message) == AskHelp()


def test_help_in_a_sentence_is_words() -> None:
    assert route_of(a_message("need help with rent")) == ToBot()


def test_yes_answers_a_question_even_though_providers_read_it_as_start() -> None:
    assert route_of(a_message("YES", opt_out="START"), choices=(ERASE, KEEP)) == ToBot("forget:yes")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (a_message(media=(Media(kind="voice"),)), "voice"),
        (a_message("  \n ", media=(Media(kind="picture"), Media(kind="video"))), "picture"),
        (a_message(""), ""),
    ],
    ids=["voice note", "two things and blanks", "nothing at all"],
)
def test_a_message_without_words(message: MessageRecord, kind: str) -> None:
    assert route_of(message) == NoWords(kind)


def test_where_they_are_goes_to_the_assistant_as_a_place() -> None:
    here = (Media(kind="location", reference="54.150,-0.900"),)
    assert route_of(a_message(media=here)) == ToBot("place")


def test_words_beside_a_picture_are_read() -> None:
    assert route_of(a_message("damp in my flat", media=(Media(kind="picture"),))) == ToBot()


@pytest.mark.parametrize(
    "text",
    [
        "PERSON",
        "person please",
        "/person",
        "a human",
        "real person",
        "can i talk to someone",
        "speak to a real person pls",
        "I'd like to talk to a human now",
    ],
)
def test_a_plain_request_for_a_person_needs_no_assistant(text: str) -> None:
    assert route_of(a_message(text)) == AskPerson()


@pytest.mark.parametrize(
    "text", ["someone stole my bike", "the person upstairs is loud", "need someone to fix my boiler"]
)
def test_talking_about_a_person_is_not_asking_for_one(text: str) -> None:
    assert route_of(a_message(text)) == ToBot()


@pytest.mark.parametrize("state", [EscalationState.WAITING, EscalationState.LAPSED])
def test_asking_again_while_waiting_is_known(state: EscalationState) -> None:
    assert decide(a_conversation(), a_message("person"), (), an_escalation(state)) == AskPerson(again=True)


@pytest.mark.parametrize(
    "text",
    [
        "how long", "how long will it be", "How much longer?", "are they coming", "are you there?", "is anyone coming",
        "anyone there", "hello is anybody there", "when will someone be here", "where are they", "im still waiting",
        "am i next", "so how long do i have to wait", "where are you",
    ],
)  # fmt: skip
def test_asking_how_it_goes_while_waiting_is_answered_with_how_it_stands(text: str) -> None:
    assert decide(a_conversation(), a_message(text), (), an_escalation()) == AskPerson(again=True)
    assert decide(a_conversation(), a_message(text), (), None) == ToBot()


@pytest.mark.parametrize(
    "text", ["how long can i stay in the hostel", "im here with my kids", "when will they evict me", "are they free"]
)
def test_other_questions_while_waiting_are_for_the_assistant(text: str) -> None:
    assert decide(a_conversation(), a_message(text), (), an_escalation()) == ToBot()


def test_a_pressed_button_for_a_person() -> None:
    assert route_of(a_message("Talk to a person", payload="person")) == AskPerson()


def test_any_other_pressed_button_goes_to_the_assistant_as_it_is() -> None:
    assert route_of(a_message("Rent Rescue", payload="details:svc-rent")) == ToBot("details:svc-rent")


def test_a_number_is_what_it_stood_for_in_the_last_list() -> None:
    assert route_of(a_message("2"), choices=LIST) == ToBot("details:svc-debt")


@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize(
    ("text", "choices"),
    [("4", LIST), ("number 4 please", LIST), ("2", (MORE, PERSON)), ("2", (RENT, PERSON)), ("1", (PERSON,))],
    ids=["after a list", "in words", "after one choice", "after one service", "after none"],
)
def test_a_number_that_stood_beside_nothing_is_words_and_asks_for_nobody(
    channel: Channel, text: str, choices: tuple[Choice, ...]
) -> None:
    assert route_of(a_message(text), channel, choices) == ToBot()


@pytest.mark.parametrize("channel", [Channel.WEB, Channel.TELEGRAM])
def test_buttons_have_no_numbers_and_services_in_a_list_do(channel: Channel) -> None:
    assert route_of(a_message("2"), channel, LIST) == ToBot("details:svc-debt")
    assert route_of(a_message("3"), channel, LIST) == ToBot()
    assert route_of(a_message("1"), channel, (ERASE, KEEP)) == ToBot()
    assert route_of(a_message("erase it all"), channel, (ERASE, KEEP)) == ToBot("forget:yes")


def test_by_text_message_every_choice_but_the_word_person_has_a_number() -> None:
    assert route_of(a_message("3"), choices=LIST) == ToBot("more")
    assert route_of(a_message("1"), choices=(MORE, PERSON)) == ToBot("more")
    assert route_of(a_message("the last one"), choices=(MORE, PERSON)) == ToBot("more")


def test_with_a_concern_words_are_never_read_as_a_choice() -> None:
    assert decide(a_conversation(), a_message("1"), (Concern.SUICIDE,), None, LIST) == ToBot()


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("2", DEBT),
        ("2.", DEBT),
        (" 2 ", DEBT),
        ("(2)", DEBT),
        ("#2", DEBT),
        ("2\ufe0f\u20e3", DEBT),
        ("option 2", DEBT),
        ("Number two", DEBT),
        ("two", DEBT),
        ("TWO!!", DEBT),
        ("the second one", DEBT),
        ("2nd", DEBT),
        ("no 2 pls", DEBT),
        ("i'd like 2 please", DEBT),
        ("can i have the first one thanks", RENT),
        ("tell me about number 1", RENT),
        ("one", RENT),
        ("the last one", DEBT),
        ("Debt Line", DEBT),
        ("rent rescue", RENT),
        ("more", MORE),
        ("more please", MORE),
        ("person", PERSON),
    ],
)
def test_a_typed_answer_means_a_choice(text: str, choice: Choice) -> None:
    assert resolve_choice(text, LIST, Channel.SMS) == choice


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "5",
        "12",
        "2 kids and no home",
        "1 and 2",
        "both",
        "none of them",
        "i have been waiting 2 weeks",
        "i have 2",
        "one more thing",
        "no",
        "no thanks",
        "thanks",
        "22",
        "1 or 2",
        "the rent",
        "took 2 pills",
        "2" * 61,
        "²³",
    ],
)
def test_anything_more_than_a_choice_is_words(text: str) -> None:
    assert resolve_choice(text, LIST, Channel.SMS) is None


def test_without_choices_a_number_is_words() -> None:
    assert resolve_choice("2", (), Channel.SMS) is None


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("yes", ERASE),
        ("Yeah", ERASE),
        ("yes please", ERASE),
        ("no", KEEP),
        ("No thanks", KEEP),
        ("nah", KEEP),
        ("1", ERASE),
        ("keep it", KEEP),
        ("maybe", None),
        ("yes but my rent", None),
    ],
)
def test_yes_and_no_answer_a_question_that_has_them(text: str, choice: Choice | None) -> None:
    assert resolve_choice(text, (ERASE, KEEP), Channel.SMS) == choice
