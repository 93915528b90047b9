"""What a short message means after what was said before. Runs ahead of the action that Rasa chose for the words alone.

Only messages that are wholly such an act are taken; buttons, erasure, rights and asking for a person are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from rapidfuzz import fuzz

from bot.actions.answer import Answer
from bot.actions.asking import answer_courtesy
from bot.actions.basket import pick_kept
from bot.actions.call_for_me import call_for_me
from bot.actions.find_support import find_support
from bot.actions.go_on import go_on
from bot.actions.heard import Heard
from bot.actions.language import Reading
from bot.actions.let_be import keep_place, let_be
from bot.actions.put_right import put_right
from bot.actions.refine_list import refine_list, undo_preferences
from bot.actions.say_again import say_again
from bot.actions.say_hello import say_hello
from bot.actions.sayings import Act, fold
from bot.actions.show_details import show_details, tell_all
from bot.actions.show_more import show_alike, show_different, show_more
from bot.actions.take_thanks import take_thanks
from bot.actions.tell_fact import tell_fact
from bot.actions.toolbox import Toolbox

Decision: TypeAlias = Callable[[Heard, Toolbox], Answer]

OPEN = frozenset(
    {
        "action_find_support", "action_show_more", "action_show_details", "action_give_place", "action_start_again",
        "action_go_on", "action_let_be", "action_take_thanks", "action_say_again", "action_put_right",
        "action_refine_list",
    }
)  # fmt: skip
"""Actions whose words may mean something else in context."""
ERASES: Final = "action_forget_me"
NEVER_MIND = frozenset(
    {"forget it", "just forget it", "oh forget it", "ok forget it", "forget about it", "forget that"}
)
"""Rasa may hear FORGET ME in it; it is said by those who give up asking, and nothing of theirs is to go for that."""
GREETS: Final = "action_say_hello"
"""A greeting and a need in another language, "Helo, dwi angen help", is more than the greeting that Rasa hears."""
LONGEST_GREETING: Final = 2
"""Words."""
NUMBER: Final = re.compile(r"[0-9]{1,2}[.)]?")
"""Of no choice that there was: the worker has read those that were."""
LEAVES_PLACE = frozenset({Act.RATHER_NOT, Act.DECLINE, Act.UNSURE, Act.ANYTHING})
SAME_WORD = 80


def in_context(name: str, decision: Decision) -> Decision:
    """The decision, unless what was said means something else here."""
    if name == GREETS:
        return greet_or_read
    if name == ERASES:
        return lambda heard, tools: (let_be if fold(heard.text) in NEVER_MIND else decision)(heard, tools)
    if name not in OPEN:
        return decision

    def decide(heard: Heard, tools: Toolbox) -> Answer:
        courtesy = answer_courtesy(heard, tools) if heard.text else None
        if courtesy is not None:
            return courtesy
        chosen = choose_plainly(heard, tools) or choose_by_context(heard, tools) if heard.text else None
        return (chosen or decision)(heard, tools)

    return decide


def greet_or_read(heard: Heard, tools: Toolbox) -> Answer:
    """The greeting, unless it opens a message in another language."""
    courtesy = answer_courtesy(heard, tools) if heard.text else None
    if courtesy is not None:
        return courtesy
    longer = len(heard.text.split()) > LONGEST_GREETING
    other = longer and tools.languages.read(heard.text, heard.language) is Reading.OTHER
    return (find_support if other else say_hello)(heard, tools)


def choose_by_context(heard: Heard, tools: Toolbox) -> Decision | None:
    """What answers the message here, or None when its words alone say enough."""
    act = tools.sayings.read_act(heard.text)
    leaves = heard.asked == "place" and act in LEAVES_PLACE
    if leaves or (heard.offered and tools.sayings.read_question(heard.text)):
        return keep_place if leaves else tell_fact
    if act is not None:
        return choose_by_act(act, heard)
    if pick_kept(heard.text, (*([heard.need] if heard.need else ()), *heard.basket), tools):
        return go_on
    if not heard.last_query:
        return None
    if tools.sayings.says_only_preferences(heard.text):
        return refine_list
    return put_right if corrects(heard, tools) else None


def choose_plainly(heard: Heard, tools: Toolbox) -> Decision | None:
    """What a model would have to guess at."""
    if heard.concerns:
        return None
    if tools.sayings.minds_somebody(heard.text):
        return help_carer
    if tools.sayings.feels_it(heard.text):
        return find_support
    if tools.sayings.keeps_secret(heard.text):
        return tell_privacy
    return show_details if len(heard.offered) > 1 and NUMBER.fullmatch(heard.text.strip()) else None


def tell_privacy(heard: Heard, tools: Toolbox) -> Answer:
    return Answer(response="utter_privacy")


def help_carer(heard: Heard, tools: Toolbox) -> Answer:
    return find_support(replace(heard, text=tools.sayings.minds_as), tools)


def choose_by_act(act: Act, heard: Heard) -> Decision | None:
    """An act without anything it could be about is left to Rasa."""
    listed, remembers = bool(heard.offered), bool(heard.last_query)
    always: dict[Act, Decision] = {Act.ACCEPT: go_on, Act.DECLINE: let_be, Act.THANKS: take_thanks}
    if act is Act.RATHER_NOT:
        return let_be
    if act is Act.NEXT:
        return go_on if heard.basket else show_more if remembers else None
    if act is Act.ANYTHING:
        return undo_preferences if remembers and heard.preferences else say_again if listed else None
    if act is Act.BOTH:
        return go_on if heard.asked == "next" else tell_all if len(heard.offered) > 1 else None
    about_list: dict[Act, Decision] = {
        Act.UNSURE: say_again,
        Act.SAY_AGAIN: say_again,
        Act.CALL_FOR_ME: call_for_me,
        Act.LIKE_THIS: show_alike,
        Act.SOMETHING_ELSE: show_different,
        Act.NEAREST: refine_list,
        Act.CORRECT: put_right,
    }
    asked = bool(heard.asked) and act in {Act.UNSURE, Act.SAY_AGAIN}
    return always.get(act) or (about_list.get(act) if (listed and remembers) or asked else None)


def corrects(heard: Heard, tools: Toolbox) -> bool:
    """Whether a message puts us right. One that says what it is not, has to name what we took it for."""
    meant = tools.sayings.read_meant(heard.text)
    if meant is None:
        return False
    if not meant.instead_of:
        return True
    taken = fold(f"{heard.last_query} {tools.labels.get(heard.need or '', '')} {heard.need or ''}").split()
    return any(fuzz.ratio(word, each) >= SAME_WORD for word in meant.instead_of.split() for each in taken)
