"""Several needs in one conversation: the most urgent first, the others kept until they have had their turn. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz

from bot.actions.heard import Heard
from bot.actions.sayings import fold
from bot.actions.toolbox import Toolbox
from knowledge.needs import NeedGuess

MOST_KEPT = 6
LONGEST_NAMING = 8
"""Words. "the rent thing", "ok what about the rent then"; a longer message is a new one."""
SAME_WORD = 86
"""Of 100: "mortgge" is mortgage."""
SAID_AROUND_A_NEED = """
a about also and as at bit can could do first for go guess help i id in is issue it its just lets like look
maybe me move my next now of ok okay on one other our please pls probably problem rather said see side spose
stuff suppose sort talk tell that the then thing things think this to u want we what well whats with yeah yes
yh you mentioned worries problems
"""
AROUND_A_NEED = frozenset(SAID_AROUND_A_NEED.split())


def keep_rest(heard: Heard, needs: Sequence[NeedGuess], tools: Toolbox) -> tuple[str, ...]:
    """What is still to be looked at once the first of `needs` has been: of this message and of those before."""
    now = needs[0].id if needs else heard.need
    kept = dict.fromkeys(each for each in (*(guess.id for guess in needs), *heard.basket) if each != now)
    return tuple(sorted(kept, key=lambda need: -tools.urgency.get(need, 1)))[:MOST_KEPT]


def name_kept(need: str, tools: Toolbox) -> str:
    """How a kept need is said; empty when it is better not said aloud."""
    if need in tools.wording.needs_not_named:
        return ""
    return tools.wording.name_need(need, tools.labels.get(need, need.replace("_", " ")))


def ask_next(basket: Sequence[str], tools: Toolbox) -> str:
    """ "You also mentioned feeling low. Shall we look at that next?"; nothing when nothing is kept."""
    if not basket:
        return ""
    name = name_kept(basket[0], tools)
    return tools.wording.say("also_mentioned", need=name) if name else tools.wording.say("also_unnamed")


def pick_kept(text: str, basket: Sequence[str], tools: Toolbox) -> str | None:
    """The kept need that a short message names: "the rent thing". Every telling word must be one of its name."""
    words = fold(text).split()
    telling = [word for word in words if word not in AROUND_A_NEED]
    if not telling or len(words) > LONGEST_NAMING:
        return None
    for need in basket:
        named = fold(f"{need.replace('_', ' ')} {tools.labels.get(need, '')} {name_kept(need, tools)}").split()
        own = [word for word in named if word not in AROUND_A_NEED]
        if all(any(fuzz.ratio(word, each) >= SAME_WORD for each in own) for word in telling):
            return need
    return None
