"""The judge of played conversations finds what is wrong, and nothing in what is right."""

from __future__ import annotations

import pytest

from tests.conversations.judging import Answer, Judge, Played, Script

JUDGE = Judge.build()
GOOD = "I hear you. Samaritans 116 123, free, any time"


def played(
    *answers: Answer, concerns: frozenset[str] = frozenset(), queued: bool = False, **expected: object
) -> Played:
    script = Script(id="a", kind="b", say=("x",) * len(answers), **expected)  # type: ignore[arg-type]  # test data
    return Played(script=script, answers=answers, concerns=concerns, queued=queued)


def said(text: str, *, queued: bool = False, phones: tuple[str, ...] = ()) -> Answer:
    return Answer(texts=(text,), queued=queued, phones=phones)


def test_a_good_answer_has_nothing_wrong() -> None:
    assert JUDGE.judge(played(said(GOOD), at=1)) == []


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (said("We can't help. Text PERSON."), "cannot_help"),
        (said("Reply YES to go on, or text PERSON."), "reserved word"),
        (said("Text PERSON. " + "word " * 80), "too long"),
        (Answer(texts=(), queued=True), "silence"),
        (said("You are welcome."), "nobody to reach"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(answer: Answer, rule: str) -> None:
    assert f"{rule} in the answer to message 1" in JUDGE.judge(played(answer))


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (played(said(GOOD), concern=frozenset({"suicide"})), "concern missed or cleared"),
        (played(said(GOOD), calm=True, concerns=frozenset({"abuse"})), "concern raised for calm words"),
        (played(said(GOOD), queue=True), "no person asked"),
        (played(said("Text PERSON."), at=1), "no crisis line in the first answer"),
        (played(Answer(texts=(GOOD,) * 3, queued=True), at=1), "a flood in the first answer to a concern"),
        (played(*[said(f"{GOOD} {JUDGE.place_questions[0]}")] * 2), "the place asked for twice"),
        (played(said(GOOD), lists=True), "no service suggested"),
    ],
)
def test_what_is_wrong_with_a_conversation_is_named(wrong: Played, rule: str) -> None:
    assert JUDGE.judge(wrong) == [rule]


def test_who_waits_for_a_person_needs_no_number() -> None:
    assert JUDGE.judge(played(said("You are next.", queued=True))) == []
