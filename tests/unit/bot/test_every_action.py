"""What holds for every action, whatever was heard."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.actions.answer import write_messages
from bot.actions.context import in_context
from bot.actions.heard import Heard
from bot.actions.shells import ACTIONS
from bot.actions.wording import NEED_OPENING, WORDING_FILE
from channels.assistant import read_turn
from channels.conversation import ForgetMe, HandOver, MyInfo, Withdraw
from knowledge.preferences import Preference
from tests.unit.bot.fakes import LISTENERS, RENT_RESCUE, FakeSearch, load_words, make_tools

DOMAIN = yaml.safe_load((WORDING_FILE.parents[2] / "domain.yml").read_text(encoding="utf-8"))
RESPONSES = set(DOMAIN["responses"])
SHORT = (
    "yeah", "nah", "idk", "?", "both", "which ones nearest", "ring them for me", "cant talk on phone", "free and open",
    "no not that", "i meant my mum", "something else", "more like this", "rather not say", "anything", "next", "ta",
)  # fmt: skip
IDS = st.sampled_from(["svc-rent-help", "svc-debt", "nat-listeners", "svc-gone", ""])
HEARD = st.builds(
    Heard,
    text=st.sampled_from(["", "???", "rent", "WZ4", "the second one", "necesito ayuda por favor", *SHORT])
    | st.text(max_size=60),
    intent=st.sampled_from(["", "nlu_fallback", "forget", "affirm", "deny", "complaint", "place", "need_crisis"]),
    value=st.none() | IDS | st.sampled_from(["yes", "no"]) | st.text(max_size=60),
    need=st.none() | st.just("debt"),
    place=st.none() | st.sampled_from(["Foxley", "nowhere we know"]),
    shown=st.lists(IDS, max_size=4).map(tuple),
    offered=st.lists(IDS, max_size=4).map(tuple),
    last_query=st.sampled_from(["", "my rent is late"]),
    basket=st.lists(st.sampled_from(["low_mood", "suicidal_thoughts", "rent_arrears"]), max_size=2).map(tuple),
    about=st.sampled_from(["", "someone", "worker"]),
    preferences=st.lists(st.sampled_from([*(str(each) for each in Preference), "x"]), max_size=3).map(tuple),
    asked=st.sampled_from(["", "place", "next", "which", "topic"]),
    place_asked=st.booleans(),
    silence=st.sampled_from([0.0, 7200.0]),
    channel=st.sampled_from(["sms", "telegram", "web", ""]),
    turns=st.integers(0, 100),
    concerns=st.sampled_from([frozenset[str](), frozenset({"abuse"})]),
    previous_action=st.sampled_from(["", "action_forget_me", "action_find_support"]),
)
SEARCHES = st.builds(
    FakeSearch,
    services=st.sampled_from([(), (RENT_RESCUE,), FakeSearch.services]),
    needs=st.sampled_from([(), FakeSearch.needs]),
    line=st.sampled_from([None, LISTENERS]),
    strength=st.sampled_from(["good", "maybe"]),
)


@pytest.mark.parametrize("action", sorted(ACTIONS))
@settings(max_examples=40, deadline=None)
@given(heard=HEARD, finder=SEARCHES)
def test_an_answer_always_holds_a_contact_or_a_person(action: str, heard: Heard, finder: FakeSearch) -> None:
    """Product rule 1, and a form that `channels` can read: it takes anything else for a failure."""
    answer = in_context(action, ACTIONS[action])(heard, make_tools(finder))
    said = [{"text": answer.response, "buttons": []}] if answer.response else []
    read_turn({"messages": [*said, *({"custom": message} for message in write_messages(answer))]})
    for reply in answer.replies:
        reachable = any(card.phone for card in reply.cards) or "person" in {each.payload for each in reply.choices}
        assert reachable or any(isinstance(request, HandOver) for request in answer.requests)
    requested = any(isinstance(each, HandOver | ForgetMe | MyInfo | Withdraw) for each in answer.requests)
    assert answer.replies or requested or answer.response in RESPONSES, "a text of the domain offers a person"


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_names_follow_the_rule(action: str) -> None:
    assert re.fullmatch(r"action_[a-z]+_[a-z_]+", action)
    assert ACTIONS[action].__name__ == action.removeprefix("action_")


def test_every_text_is_used_and_every_text_used_exists() -> None:
    code = "".join(path.read_text() for path in WORDING_FILE.parent.glob("*.py"))
    stems = ("near", "help", "unnamed", "maybe", "wider", "preferred", "closest", "nearest")
    built = {f"{stem}_{count}" for stem in stems for count in ("one", "many")} | {"heard_someone", "heard_worker"}
    built |= {key for key in load_words().texts if key.startswith(NEED_OPENING)}
    named = {key for key in load_words().texts if re.search(rf"[\"']{key}[\"']", code)}
    assert set(load_words().texts) == named | built
    used = set(re.findall(r'\.say\("([a-z_]+)"', code)) | set(
        re.findall(r'(?:key|opening)(?:: str = |=)"([a-z_]+)"', code)
    )
    assert used <= set(load_words().texts)
