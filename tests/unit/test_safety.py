"""The questions after a concern: what counts as an answer, and what follows it."""

from __future__ import annotations

from typing import cast

import pytest

from channels.conversation import Concern, Sender
from channels.ledger.records import MessageRecord
from channels.safety import HERE, SCRIPT, Answer, follow_up, last_asked, opening, read_answer
from channels.wording import Wording, fields_of

WORDING = Wording.load()
OPENINGS = {key: opening(WORDING.messages[key]) for key in SCRIPT}


class Said:
    """As much of a message as the script looks at."""

    def __init__(self, sender: Sender, text: str, outcome: str = "") -> None:
        self.sender, self.text, self.outcome, self.choices = sender, text, outcome, ()


def after(*said: Said) -> list[MessageRecord]:
    return cast("list[MessageRecord]", list(said))


def asking(key: str) -> Said:
    return Said(Sender.ASSISTANT, OPENINGS[key] + "\n\nand somewhere to turn")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("yeah", Answer.YES, id="yeah"),
        pytest.param("Yes, I think so", Answer.YES, id="yes with more"),
        pytest.param("sometimes", Answer.YES, id="sometimes"),
        pytest.param("tonight", Answer.YES, id="a time"),
        pytest.param("nah", Answer.NO, id="nah"),
        pytest.param("no im fine, not suicidal", Answer.NO, id="denial"),
        pytest.param("I don't", Answer.NO, id="apostrophe"),
        pytest.param("I'd rather not say", Answer.ENOUGH, id="rather not"),
        pytest.param("no more questions please", Answer.ENOUGH, id="no more"),
        pytest.param("lol only joking", Answer.NO, id="only joking"),
        pytest.param("honestly its fine", Answer.NO, id="it is fine"),
        pytest.param("forget i said anything", Answer.NO, id="forget it"),
        pytest.param("its not that bad really", Answer.NO, id="not that bad"),
        pytest.param("dont worry about it", Answer.NO, id="do not worry"),
        pytest.param("fine i took the tablets", None, id="begins like taken back"),
        pytest.param("ydw", Answer.YES, id="Welsh yes"),
        pytest.param("nac ydw", Answer.NO, id="Welsh no"),
        pytest.param("where is the food bank?", None, id="a question"),
        pytest.param("food bank", None, id="a need"),
        pytest.param("nowhere to sleep", None, id="begins like no"),
        pytest.param("", None, id="nothing"),
        pytest.param("yes and also my landlord wants me out on friday with the kids", None, id="a story"),
    ],
)
def test_what_counts_as_an_answer(text: str, answer: Answer | None) -> None:
    assert read_answer(text) is answer


def test_somebody_who_says_yes_is_asked_how_with_what_and_when_and_then_no_more() -> None:
    asked, path = "concern_suicide", []
    while asked in SCRIPT:
        step = follow_up("yes", after(asking(asked)), OPENINGS, worried=False)
        assert step is not None
        asked = step.key
        path.append(asked)
    assert path == ["safety_plan", "safety_means", "safety_time", "safety_soon"]


@pytest.mark.parametrize("asked", ["concern_suicide", "safety_plan", "safety_means", "safety_time"])
def test_whoever_would_rather_not_is_asked_no_more(asked: str) -> None:
    step = follow_up("rather not say", after(asking(asked)), OPENINGS, worried=False)
    assert step is not None
    assert step.key == "safety_heard"


def test_where_it_is_not_safe_to_write_nobody_texts_first() -> None:
    step = follow_up("no", after(asking("concern_abuse")), OPENINGS, worried=False)
    assert step is not None
    assert step.quiet


@pytest.mark.parametrize(
    ("asked", "answer", "key"),
    [
        ("concern_self_harm", "yeah", "safety_hurt"),
        ("concern_self_harm", "lol only joking", "safety_heard"),
        ("concern_attempt", "no one", "safety_ring_now"),
        ("concern_attempt", "yes my mum", "safety_ring_now"),
        ("concern_child_at_risk", "yes", "safety_child_now"),
        ("concern_danger_now", "no", "safety_hidden"),
    ],
)
def test_every_question_about_a_body_in_danger_has_answers(asked: str, answer: str, key: str) -> None:
    step = follow_up(answer, after(asking(asked)), OPENINGS, worried=False)
    assert step is not None
    assert step.key == key


@pytest.mark.parametrize(
    ("asked", "answer", "key"),
    [
        pytest.param("safety_plan", "jump off the bridge", "safety_means", id="how"),
        pytest.param("safety_time", "friday night", "safety_soon", id="when"),
        pytest.param("safety_time", "no", "safety_heard", id="no time in mind"),
        pytest.param("concern_eating_disorder", "since i was 15", "safety_eating", id="how long"),
        pytest.param("concern_eating_disorder", "idk", "safety_eating", id="how long, not sure"),
        pytest.param("concern_eating_disorder", "rather not say", "safety_heard", id="how long, rather not"),
        pytest.param("safety_eating", "my sister maybe", None, id="a name is more than yes or no"),
        pytest.param("safety_eating", "yes my sister", "safety_eating_told", id="somebody to tell"),
        pytest.param("safety_eating", "no one", "safety_eating_alone", id="nobody to tell"),
        pytest.param("safety_plan", "need food for the kids", None, id="something else"),
    ],
)
def test_a_question_takes_the_answer_it_asks_for(asked: str, answer: str, key: str | None) -> None:
    step = follow_up(answer, after(asking(asked)), OPENINGS, worried=False)
    assert (step.key if step else None) == key


@pytest.mark.parametrize("text", ["ok", "ok thanks", "Right.", "thank you so much", "iawn diolch"])
def test_after_the_last_question_a_short_thanks_is_met_quietly(text: str) -> None:
    told = after(Said(Sender.PERSON, "tonight", "safety"), Said(Sender.ASSISTANT, WORDING.say("safety_soon")))
    step = follow_up(text, told, OPENINGS, worried=False)
    assert step is not None
    assert step.key == "safety_here"


@pytest.mark.parametrize(
    ("text", "outcome"), [("need help with rent", "safety"), ("ok", "bot")], ids=["a need", "after something else"]
)
def test_whatever_else_is_said_then_is_left_to_the_assistant(text: str, outcome: str) -> None:
    told = after(Said(Sender.PERSON, "tonight", outcome), Said(Sender.ASSISTANT, WORDING.say("safety_soon")))
    assert follow_up(text, told, OPENINGS, worried=False) is None


def test_eating_is_met_without_numbers_a_name_for_it_or_tips() -> None:
    words = " ".join(WORDING.messages[key] for key in WORDING.messages if key.startswith("safety_eating")).casefold()
    assert not any(word in words for word in ("calor", "weigh", "kilo", "diet", "disorder", "anorex", "bulimi", "meal"))
    assert not any(letter.isdigit() for letter in words)


@pytest.mark.parametrize("country", ["GB", "IE"])
def test_eating_brings_the_line_that_knows_about_it_first(country: str) -> None:
    wording = Wording.load(country=country)
    assert wording.crisis.choose([Concern.EATING_DISORDER])[0].id in {"beat", "bodywhys"}


def test_the_same_worry_again_answers_the_question() -> None:
    step = follow_up("i want to end it", after(asking("concern_suicide")), OPENINGS, worried=True)
    assert step is not None
    assert step.key == "safety_plan"


def test_an_old_question_is_not_taken_up_again() -> None:
    before = after(asking("concern_suicide"), Said(Sender.PERSON, "food"), Said(Sender.ASSISTANT, "Here is one"))
    assert last_asked(before, OPENINGS) is None


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("key", sorted(SCRIPT))
def test_every_question_can_be_known_again(key: str, language: str) -> None:
    openings = {each: opening(WORDING.within(language).messages[each]) for each in SCRIPT}
    assert "?" in openings[key]
    assert not fields_of(openings[key])
    assert all(openings[other] not in openings[key] for other in SCRIPT if other != key)


@pytest.mark.parametrize("key", sorted({HERE.key} | {step.key for steps in SCRIPT.values() for step in steps.values()}))
def test_every_step_holds_somewhere_to_turn(key: str) -> None:
    assert any(line.say in WORDING.say(key) for line in WORDING.crisis.lines)
