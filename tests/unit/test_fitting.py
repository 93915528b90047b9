"""Replies on each channel, written as a specification."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import Channel, Choice, Reply, ServiceCard
from channels.fitting import Fitted, cut, fit, fits_sms, fits_telegram, pack, split
from channels.gsm7 import is_gsm7, plain, segments
from channels.wording import Wording

WORDING = Wording.load()
HINT = f"\n{WORDING.say('reply_more')}"
RENT = ServiceCard(
    service_id="svc-rent", name="Rent Rescue drop-in", phone="01632 960112", summary="Sit down with someone."
)
DEBT = ServiceCard(service_id="svc-debt", name="Wrenbridge Debt Line", phone="0808 157 0011")
WALK = ServiceCard(service_id="svc-walk", name="Harbour walkers", phone="01632 960333")
MORE, PERSON = Choice(title="Show me more", payload="more"), Choice(title="Talk to a person", payload="person")
YES, NO = Choice(title="Erase it all", payload="forget:yes"), Choice(title="Keep it", payload="forget:no")
FULL = ServiceCard(
    service_id="svc-full",
    name="Wrenbridge Tenancy and Money Advice Shop",
    phone="01632 960112",
    summary="Sit down with someone who will help you talk to your landlord and sort out rent arrears, bill by bill.",
    hours="open now until 5pm (Monday to Friday 9:30am to 5pm, Saturday 10am to 1pm)",
    place="Advice Shop, 12 Bell Street, WZ1 2AB; 0.4 miles",
    cost="Free",
    good_to_know="For people in Wrenshire; others can ring 01632 960999. Someone can come with you the first time.",
    how_to="Just turn up, or ring first if you can. Bring your letters if you have them, but it is fine not to.",
    checked="checked 14 October 2026",
    website="https://advice.wrenbridge.example/tenancy-and-money",
    email="hello@advice.wrenbridge.example",
)


def sms(reply: Reply) -> tuple[Fitted, ...]:
    return fit(Channel.SMS, reply, WORDING)


# -- letters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“It’s here”", '"It\'s here"'),
        ("9am – 5pm — daily", "9am - 5pm - daily"),
        ("wait…", "wait..."),
        ("caf\u00e9", "café"),
        ("Se\u00e1n, Zo\u00eb, fianc\u00e7", "Sean, Zoe, fiancc"),
        ("a\u00a0b\u200bc", "a bc"),
        ("• one", "- one"),
        ("tŷ bach, dŵr", "tŷ bach, dŵr"),
        ("مرحبا", "مرحبا"),
        ("ok \U0001f44d", "ok \U0001f44d"),
    ],
    ids=[
        "quotes",
        "dashes",
        "dots",
        "é is GSM-7",
        "accents GSM-7 lacks",
        "odd spaces",
        "bullet",
        "Welsh stays",
        "Arabic stays",
        "emoji stays",
    ],
)
def test_plain_letters(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ŷ" * 70, 1),
        ("ŷ" * 71, 2),
        ("ŷ" * 134, 2),
        ("ŷ" * 135, 3),
        ("\U0001f44d" * 35, 1),
        ("\U0001f44d" * 36, 2),
    ],
    ids=[
        "nothing",
        "160",
        "161",
        "306",
        "307",
        "80 euros",
        "81 euros",
        "a euro fits whole",
        "a euro is never divided",
        "70 Welsh",
        "71 Welsh",
        "134 Welsh",
        "135 Welsh",
        "35 emoji",
        "36 emoji",
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count


# -- text messages -----------------------------------------------------------------------------------------------


def test_a_list_is_numbered_lines_with_phones_and_how_to_reply() -> None:
    reply = Reply(text="These can help:", cards=(RENT, DEBT), choices=(PERSON,))
    (message,) = sms(reply)
    assert message.text == (
        "These can help:\n"
        "1 Rent Rescue drop-in 01632 960112\n"
        "2 Wrenbridge Debt Line 0808 157 0011\n"
        "Reply 1 or 2 for more, or PERSON to talk to someone."
    )
    assert [choice.payload for choice in message.choices] == ["details:svc-rent", "details:svc-debt", "person"]


def test_a_list_stays_in_one_message_by_leaving_out_the_other_choices_first() -> None:
    words = "w" * (306 - len("\n1 Rent Rescue drop-in 01632 960112\nReply 1, or PERSON.") - 1)
    (message,) = sms(Reply(text=words, cards=(RENT,), choices=(MORE, PERSON)))
    assert message.text.endswith("1 Rent Rescue drop-in 01632 960112\nReply 1, or PERSON.")
    assert [choice.payload for choice in message.choices] == ["details:svc-rent", "more", "person"]


def test_other_choices_are_numbered_after_the_cards_and_a_person_is_a_word() -> None:
    details = Choice(title="Rent Rescue", payload="details:svc-rent")
    (message,) = sms(Reply(text="This can help:", cards=(RENT,), choices=(PERSON, MORE, details)))
    assert message.text.splitlines()[1:] == [
        "1 Rent Rescue drop-in 01632 960112",
        "2 Show me more",
        "Reply 1 or 2, or PERSON to talk to someone.",
    ]
    assert [choice.payload for choice in message.choices] == ["details:svc-rent", "more", "person"]


def test_a_question_with_choices() -> None:
    (message,) = sms(Reply(text="Erase all you have written?", choices=(YES, NO)))
    assert message.text == "Erase all you have written?\n1 Erase it all\n2 Keep it\nReply 1 or 2."


def test_only_a_person_on_offer() -> None:
    (message,) = sms(Reply(text="I got your picture.", choices=(PERSON,)))
    assert message.text == "I got your picture.\nReply PERSON to talk to someone."


def test_nothing_to_say_is_no_message() -> None:
    assert sms(Reply()) == ()


def test_three_long_names_still_fit_one_message_with_whole_phone_numbers() -> None:
    cards = tuple(
        ServiceCard(service_id=f"svc-{n}", name="Wrenbridge Community Advice and Support", phone=f"01632 96011{n}")
        for n in range(3)
    )
    text = "That is a lot to deal with. For rent and mortgage worries, these are near you. Which area are you in?"
    messages = sms(Reply(text=text, cards=cards, choices=(MORE, PERSON)))
    assert len(messages) == 1
    assert all(card.phone in messages[0].text for card in cards)


def test_a_list_too_long_for_one_message_is_cut_and_keeps_its_choices() -> None:
    cards = tuple(
        ServiceCard(service_id=f"svc-{n}", name=f"Service number {n} of the town", phone=f"01632 96011{n}")
        for n in range(8)
    )
    (message,) = sms(Reply(text="All of these can help you today.", cards=cards, choices=(PERSON,)))
    assert message.text.endswith(HINT)
    assert fits_sms(message.text)
    assert len(message.choices) == 9
    assert "8 Service number 7 of the town 01632 960117" in message.rest


def test_details_are_two_messages_at_most_with_everything_that_matters() -> None:
    messages = sms(Reply(text="Of course. Here is more:", cards=(FULL,), choices=(MORE, PERSON), detail=True))
    assert 1 <= len(messages) <= 2
    text = "\n".join(message.text for message in messages)
    assert all(fits_sms(message.text) for message in messages)
    for fact in (
        FULL.name,
        FULL.phone,
        "pen now until 5pm",
        "12 Bell Street",
        "Good to know",
        "hecked 14 October 2026",
    ):
        assert fact in text
    assert messages[-1].choices == (MORE, PERSON)


def test_details_that_are_short_keep_every_fact() -> None:
    card = ServiceCard(
        service_id="svc-a",
        name="Quiet Room",
        phone="01632 960100",
        summary="A calm place.",
        hours="open now until 9pm",
        place="Bell Street",
        cost="Free",
        good_to_know="Step-free.",
        how_to="Just turn up.",
        checked="checked 1 May 2026",
        website="https://quiet.example",
        email="hi@quiet.example",
    )
    (message,) = sms(Reply(cards=(card,), detail=True))
    assert message.text == (
        "Quiet Room 01632 960100\nA calm place.\nOpen now until 9pm\nBell Street\nFree\nGood to know: Step-free.\n"
        "Just turn up.\nhttps://quiet.example\nhi@quiet.example\nChecked 1 May 2026"
    )


def test_details_in_another_script_keep_name_and_phone() -> None:
    card = ServiceCard(
        service_id="svc-a", name="مركز المساعدة", phone="01632 960100", summary="كلمات " * 40, hours="الآن " * 30
    )
    messages = sms(Reply(cards=(card,), detail=True))
    assert all(fits_sms(message.text) for message in messages)
    assert "01632 960100" in messages[0].text


def test_details_far_too_long_for_two_messages_keep_name_phone_and_date() -> None:
    long = "Words that an import brought in and nobody made shorter. " * 12
    card = ServiceCard(
        service_id="svc-a", name="Quiet Room", phone="01632 960100", summary=long, hours=long, place=long, cost=long,
        good_to_know=long, how_to=long, checked="checked 1 May 2026",
    )  # fmt: skip
    messages = sms(Reply(text="Here is more:", cards=(card,), choices=(PERSON,), detail=True))
    assert len(messages) <= 2
    assert "Quiet Room 01632 960100" in messages[0].text
    assert "Checked 1 May 2026" in messages[-1].text


def test_more_choices_than_two_messages_hold_are_all_sent() -> None:
    choices = tuple(
        Choice(title=f"Another way to go on, number {n}, in many words", payload=f"way_{n}") for n in range(20)
    )
    messages = sms(Reply(cards=(RENT,), choices=choices, detail=True))
    assert all(fits_sms(message.text) for message in messages)
    assert messages[-1].choices == choices


def test_nothing_packs_into_nothing() -> None:
    assert pack((), fits_sms) == ()


def test_details_without_facts_or_choices() -> None:
    assert sms(Reply(cards=(ServiceCard(service_id="s", name="A", phone=""),), detail=True)) == (Fitted(text="A"),)


@pytest.mark.parametrize(
    ("text", "letters", "expected"),
    [("short", 10, "short"), ("one two three four", 12, "one two..."), ("unbreakable", 3, "u..."), ("a b", 0, "")],
    ids=["as it is", "at a word", "one long word", "nothing left"],
)
def test_cut(text: str, letters: int, expected: str) -> None:
    assert cut(text, letters) == expected


# -- splitting ---------------------------------------------------------------------------------------------------


def test_a_long_text_is_divided_at_sentences() -> None:
    sentence = "I hear you and I am going to look into what we can do about the rent. "
    parts = split(sentence * 9, fits_sms)
    assert len(parts) > 1
    assert all(part.endswith("rent.") and fits_sms(part) for part in parts)


def test_paragraphs_stay_on_their_own_lines() -> None:
    assert split("One.\nTwo. Three.", fits_sms) == ("One.\nTwo. Three.",)
    assert (
        "\nSecond" in split("First " + "word " * 40 + ".\nSecond " + "word " * 10 + "." + " More. " * 30, fits_sms)[0]
    )


@pytest.mark.parametrize("number", ["01632 960 112", "116 123", "0808 2000 247", "+44 1632 960112"])
@pytest.mark.parametrize("filler", range(270, 306, 3))
def test_never_divides_a_number(number: str, filler: int) -> None:
    text = "a" * 20 + " b" * ((filler - 20) // 2) + f" {number} " + "c " * 60
    assert any(number in part for part in split(text, fits_sms))


def test_never_divides_a_link_even_a_very_long_one() -> None:
    link = "https://advice.wrenbridge.example/" + "a" * 400
    assert link in split(f"Look here: {link} and then ring us.", fits_sms)


def test_one_endless_word_is_divided() -> None:
    parts = split("a" * 700, fits_sms)
    assert "".join(parts) == "a" * 700
    assert all(fits_sms(part) for part in parts)


@given(st.text(alphabet=string.ascii_letters + string.digits + " .!?\n€ŵ\U0001f44d", max_size=1500))
def test_splitting_loses_no_letter_and_every_part_fits(text: str) -> None:
    parts = split(text, fits_sms)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(fits_sms(part) and part.strip() for part in parts)


# -- Telegram and web ----------------------------------------------------------------------------------------------


def test_telegram_shows_cards_with_summaries_and_keeps_choices_for_the_keyboard() -> None:
    (message,) = fit(Channel.TELEGRAM, Reply(text="These can help:", cards=(RENT, DEBT), choices=(PERSON,)), WORDING)
    assert message.text == (
        "These can help:\n\n"
        "1. Rent Rescue drop-in, 01632 960112\nSit down with someone.\n\n"
        "2. Wrenbridge Debt Line, 0808 157 0011"
    )
    assert [choice.title for choice in message.choices] == [
        "Rent Rescue drop-in",
        "Wrenbridge Debt Line",
        "Talk to a person",
    ]


def test_telegram_details_keep_every_fact() -> None:
    (message,) = fit(Channel.TELEGRAM, Reply(cards=(FULL,), detail=True), WORDING)
    for fact in (FULL.summary, FULL.place, FULL.website, FULL.email, FULL.how_to):
        assert fact in message.text


def test_telegram_has_words_even_when_there_are_only_choices() -> None:
    assert fit(Channel.TELEGRAM, Reply(choices=(YES, NO)), WORDING)[0].text == "Reply 1 or 2."


def test_telegram_messages_stay_under_its_limit() -> None:
    parts = fit(Channel.TELEGRAM, Reply(text="A sentence of some length. " * 400, choices=(MORE,)), WORDING)
    assert len(parts) > 1
    assert all(fits_telegram(part.text) for part in parts)
    assert parts[-1].choices == (MORE,)


def test_the_web_page_draws_cards_and_choices_itself() -> None:
    (message,) = fit(Channel.WEB, Reply(text="“These” can help:", cards=(RENT, WALK), choices=(MORE,)), WORDING)
    assert message.text == "“These” can help:"
    assert [choice.payload for choice in message.choices] == ["details:svc-rent", "details:svc-walk", "more"]


def test_the_web_page_gets_cards_without_words_and_nothing_for_nothing() -> None:
    assert fit(Channel.WEB, Reply(cards=(RENT,)), WORDING)[0].text == ""
    assert fit(Channel.WEB, Reply(), WORDING) == ()


def test_text_messages_use_plain_letters() -> None:
    (message,) = sms(Reply(text="It’s “open” – ring…"))
    assert message.text == 'It\'s "open" - ring...'
    assert is_gsm7(message.text)


def test_with_much_to_say_the_services_come_and_the_rest_is_what_waits() -> None:
    text = (
        "I am so sorry for your loss. Let us start with grief and loss. We can look at damp, repairs and housing"
        " problems next. These can help. You also mentioned damp, repairs and housing problems. Shall we look at that"
        " next?"
    )
    reply = Reply(text=text, cards=(RENT, DEBT, WALK), choices=(MORE, PERSON))
    (first,) = fit(Channel.SMS, reply, WORDING)
    assert [card.name for card in reply.cards if f"{card.name} {card.phone}" not in first.text] == []
    assert first.text.startswith("I am so sorry for your loss. Let us start with grief and loss.")
    assert first.text.endswith(HINT.strip())
    assert "Shall we look at that next?" in first.rest
    assert fits_sms(first.text)


def test_a_first_sentence_that_is_very_long_is_cut_and_nothing_of_it_is_lost() -> None:
    reply = Reply(text="so many words " * 40, cards=(RENT,), choices=(PERSON,))
    (first,) = fit(Channel.SMS, reply, WORDING)
    assert fits_sms(first.text)
    assert RENT.phone in first.text + first.rest
