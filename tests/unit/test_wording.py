"""House rules for every text that the channels send, and for the crisis lines. A content designer can read this."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from channels.conversation import Concern, Media
from channels.errors import SettingsError
from channels.fitting import fits_sms
from channels.gsm7 import is_gsm7
from channels.wording import URGENCY, CrisisLines, Wording, fields_of, most_urgent

COUNTRIES = ("GB", "IE")
LONG = {
    "place": "number 27",
    "hours": "Monday to Friday 9am to 9:30pm, Saturday and Sunday 10am to 4pm",
    "opens": "10:30am on Wednesday",
    "when": "14 September 2026",
    "name": "Bartholomew",
    "wait": "120 minutes",
    "team": "Wrenshire Debt Advice",
    "thing": "the contact you sent",
    "messages": 1204,
    "since": "14 September 2026",
    "until": "31 December 2026",
    "link": "https://t.me/wrenshire_together_support_bot",
    "code": "K7D 4QX",
    "summary": "I lost my job in March and I cannot pay the rent. My landlord wants me out by Friday.",
    "to": "someone from Wrenshire Together",
    "time": "10:25pm",
    "ends": "10:30am on Wednesday",
    "topics": (
        " We keep a note of what it was about. We keep the area you gave. We keep your list. People here made notes."
    ),
}
WORDING = Wording.load()
IN_COUNTRY = {country: Wording.load(country, "Wrenshire Together Support") for country in COUNTRIES}
TEXTS = sorted(WORDING.messages)
SOURCE = "\n".join(path.read_text() for path in (Path(__file__).parents[2] / "channels").rglob("*.py"))
RESERVED = (
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "START",
    "UNSTOP",
    "YES",
    "HELP",
    "INFO",
)
REFUSALS = (
    "can't help", "cannot help", "can not help", "unable to", "not able to", "unfortunately", "not eligible",
    "do not qualify", "not available", "try again later", "contact your", "you must",
    "you need to", "only offer", "not a crisis service",
    "we don't", "we do not", "no longer", "block", "refuse", "policy", "i didn't understand", "invalid",
)  # fmt: skip


def filled(key: str, country: str = "GB") -> str:
    wording = IN_COUNTRY[country]
    if key.startswith("concern_") and key.removeprefix("concern_") in set(Concern):
        return wording.concern([Concern(key.removeprefix("concern_"))])
    return wording.say(key, **LONG)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("key", TEXTS)
class TestEveryText:
    def test_is_plain_letters_that_every_phone_has(self, key: str, country: str) -> None:
        assert is_gsm7(filled(key, country))

    def test_fits_one_text_message_when_filled_in(self, key: str, country: str) -> None:
        assert fits_sms(filled(key, country)), len(filled(key, country))

    def test_holds_a_way_to_reach_somebody(self, key: str, country: str) -> None:
        text = filled(key, country)
        phones = [line.phone for line in IN_COUNTRY[country].crisis.lines]
        here = ("PERSON", "a person", "Text PERSON", "talking to me")
        assert any(phone in text for phone in phones) or any(words in text for words in here)

    def test_reads_easily(self, key: str, country: str) -> None:
        """Reading age 9 to 11 is about grade 4 to 6."""
        assert grade(without_lines(filled(key, country), country)) <= 6.0


@pytest.mark.parametrize("key", TEXTS)
class TestEveryTextBeforeItIsFilled:
    def test_never_asks_for_a_word_that_networks_keep(self, key: str) -> None:
        text = WORDING.messages[key].replace("MY INFO", "").replace("FORGET ME", "")
        assert not [word for word in RESERVED if re.search(rf"\b{word}\b", text)]

    def test_never_refuses(self, key: str) -> None:
        text = WORDING.messages[key].casefold()
        assert not [phrase for phrase in REFUSALS if phrase in text]

    def test_asks_one_thing_at_most(self, key: str) -> None:
        text = re.sub(r"(?:In danger now|Feeling very unwell)\? Ring", "", WORDING.messages[key])
        assert text.count("?") <= 1

    def test_says_times_numbers_and_marks_plainly(self, key: str) -> None:
        text = WORDING.messages[key]
        assert not re.search(r"\b\d{1,2}:\d{2}\b|%|!!|\bASAP\b|\be\.g\.|&", text)

    def test_is_true_on_every_channel(self, key: str) -> None:
        """Nobody texts on Telegram or in the web chat; only `pieces` may belong to one channel."""
        for language in (WORDING, WORDING.within("cy")):
            text = re.sub(r"(?:Telegram|Telegram,) (?:or a text|neu neges destun)", "", language.messages[key])
            assert not re.search(r"\b(?:text|texts|texting|tecst\w*)\b", text, re.IGNORECASE)

    def test_is_used(self, key: str) -> None:
        """A text that nothing says any more would rot."""
        stem = key.removesuffix("_with_concern") if key.endswith("_with_concern") else key
        lived = {"waiting", "nobody_here_now", "nobody_at_desk"}
        dynamic = key.startswith(("concern_", "told_")) or stem in lived
        assert dynamic or f'"{key}"' in SOURCE


def without_lines(text: str, country: str) -> str:
    """Names and numbers of services read as one easy word each."""
    for line in IN_COUNTRY[country].crisis.lines:
        text = text.replace(line.say, "Ring this line")
    return re.sub(r"\d[\d ]+\d", "9", text)


def grade(text: str) -> float:
    """Flesch-Kincaid, with syllables counted as groups of vowels."""
    sentences = [part for part in re.split(r"[.?!:\n]+", text) if re.search(r"\w", part)]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    word = word.casefold().strip("'")
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


@pytest.mark.parametrize(
    ("easy", "hard"),
    [
        ("You can write here any time.", "Correspondence is acceptable irrespective of administrative considerations."),
        (
            "We keep what you wrote. You can see it.",
            "Information retention is governed by applicable organisational policies.",
        ),
    ],
)
def test_the_reading_grade_tells_easy_from_hard(easy: str, hard: str) -> None:
    assert grade(easy) < 6 < grade(hard)


@pytest.mark.parametrize("key", sorted(WORDING.pieces))
def test_parts_of_messages_are_plain_letters(key: str) -> None:
    assert is_gsm7(WORDING.pieces[key])


def test_the_first_message_names_the_service_says_it_is_a_machine_and_its_limit() -> None:
    text = filled("first_message")
    for words in (
        "Wrenshire Together Support",
        "answers by itself",
        "private unless a life is in danger",
        "FORGET ME",
        "999",
    ):
        assert words in text


@pytest.mark.parametrize("country", COUNTRIES)
def test_words_to_somebody_who_is_hurt_at_home_name_nothing_that_a_glance_could_give_away(country: str) -> None:
    text = filled("concern_abuse", country).casefold()
    assert not [word for word in ("abuse", "domestic", "violen", "victim", "aid", "partner", "husband") if word in text]


@pytest.mark.parametrize("key", ["joined", "left", "back_with_assistant", "passed_on", "lease_ran_out", "lapse"])
def test_texts_for_the_desk_need_only_what_the_desk_gives(key: str) -> None:
    always = {"service", "emergency", "line", "lines"}
    assert fields_of(WORDING.messages[key]) - always <= {"name", "place"}


def test_a_missing_value_or_an_unknown_key_is_an_error_and_never_a_gap_in_a_text() -> None:
    with pytest.raises(KeyError):
        WORDING.say("joined")
    with pytest.raises(KeyError):
        WORDING.say("no_such_text")


@pytest.mark.parametrize(("number", "words"), [(0, "next"), (1, "next"), (2, "number 2"), (31, "number 31")])
def test_places_in_the_queue(number: int, words: str) -> None:
    assert WORDING.place(number) == words


@pytest.mark.parametrize(
    "kind", ["picture", "voice", "video", "sticker", "location", "contact", "file", "something new"]
)
def test_every_kind_of_media_has_a_name(kind: str) -> None:
    assert WORDING.thing(Media(kind=kind).kind)


# -- crisis lines ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "lines"),
    [
        (
            "GB",
            {
                "samaritans": "116 123", "shout": "85258", "nhs_111": "111", "childline": "0800 1111",
                "domestic_abuse": "0808 2000 247", "mens_advice": "0808 801 0327", "beat": "0808 801 0677",
                "papyrus": "0800 068 4141",
            },
        ),
        (
            "IE",
            {
                "bodywhys": "01 210 7906", "samaritans": "116 123", "pieta": "1800 247 247", "text_about_it": "50808",
                "childline": "1800 66 66 66", "womens_aid": "1800 341 900",
            },
        ),
    ],
)  # fmt: skip
def test_numbers_change_only_on_purpose(country: str, lines: dict[str, str]) -> None:
    assert {line.id: line.phone for line in CrisisLines.load(country).lines} == lines


@pytest.mark.parametrize("country", COUNTRIES)
class TestCrisisLines:
    def test_each_fits_its_place_and_holds_its_number(self, country: str) -> None:
        for line in CrisisLines.load(country).lines:
            assert len(line.say) <= 60
            assert is_gsm7(line.say)
            assert line.phone in line.say
            assert set(line.kinds) <= {*Concern, "any"}

    @pytest.mark.parametrize("concern", list(Concern))
    def test_every_concern_has_one(self, country: str, concern: Concern) -> None:
        chosen = CrisisLines.load(country).choose([concern])
        assert 1 <= len(chosen) <= 2
        assert all(concern in line.kinds for line in chosen)

    def test_without_a_concern_there_is_one_for_anybody(self, country: str) -> None:
        assert CrisisLines.load(country).choose()[0].id == "samaritans"


def test_two_concerns_are_each_served_before_one_gets_a_second_line() -> None:
    chosen = CrisisLines.load("GB").choose([Concern.ABUSE, Concern.SUICIDE])
    assert [line.id for line in chosen] == ["samaritans", "domestic_abuse"]


def test_a_country_without_a_profile_is_named_with_those_that_have_one() -> None:
    with pytest.raises(SettingsError, match="NWD_COUNTRY: no crisis lines for FR; there are profiles for GB, IE"):
        Wording.load("FR")


def test_words_go_to_the_most_urgent_concern() -> None:
    assert set(URGENCY) == set(Concern)
    assert most_urgent([Concern.SOMEONE_ELSE, Concern.ATTEMPT, Concern.SUICIDE]) is Concern.ATTEMPT
    wording = Wording.load()
    assert wording.concern([Concern.SELF_HARM, Concern.ATTEMPT]).startswith("I'm glad you told me. Please ring 999 now")
