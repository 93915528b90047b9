"""What holds for every action, whatever was heard."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.actions.answer import write_messages
from bot.actions.heard import Heard
from bot.actions.shells import ACTIONS
from bot.actions.wording import WORDING_FILE
from channels.assistant import read_turn
from channels.conversation import ForgetMe, HandOver, MyInfo
from tests.unit.bot.fakes import LISTENERS, RENT_RESCUE, FakeSearch, load_words, make_tools

IDS = st.sampled_from(["svc-rent-help", "svc-debt", "nat-listeners", "svc-gone", ""])
HEARD = st.builds(
    Heard,
    text=st.sampled_from(["", "???", "rent", "WZ4", "the second one", "necesito ayuda por favor"])
    | st.text(max_size=60),
    intent=st.sampled_from(["", "nlu_fallback", "forget", "affirm", "deny", "complaint", "place", "need_crisis"]),
    value=st.none() | IDS | st.sampled_from(["yes", "no"]) | st.text(max_size=60),
    need=st.none() | st.just("debt"),
    place=st.none() | st.sampled_from(["Foxley", "nowhere we know"]),
    shown=st.lists(IDS, max_size=4).map(tuple),
    offered=st.lists(IDS, max_size=4).map(tuple),
    last_query=st.sampled_from(["", "my rent is late"]),
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
    answer = ACTIONS[action](heard, make_tools(finder))
    read_turn({"messages": [{"custom": message} for message in write_messages(answer)]})
    for reply in answer.replies:
        reachable = any(card.phone for card in reply.cards) or "person" in {each.payload for each in reply.choices}
        assert reachable or any(isinstance(request, HandOver) for request in answer.requests)
    assert answer.replies or any(isinstance(each, HandOver | ForgetMe | MyInfo) for each in answer.requests)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_names_follow_the_rule(action: str) -> None:
    assert re.fullmatch(r"action_[a-z]+_[a-z_]+", action)
    assert ACTIONS[action].__name__ == action.removeprefix("action_")


def test_every_text_is_used_and_every_text_used_exists() -> None:
    code = "".join(path.read_text() for path in WORDING_FILE.parent.glob("*.py"))
    built = {f"{stem}_{count}" for stem in ("near", "help", "unnamed", "maybe", "wider") for count in ("one", "many")}
    named = {key for key in load_words().texts if f'"{key}"' in code or key == "new_topic"}
    assert set(load_words().texts) == named | built
    used = set(re.findall(r'\.say\("([a-z_]+)"', code)) | set(re.findall(r'key="([a-z_]+)"', code))
    assert used <= set(load_words().texts)
