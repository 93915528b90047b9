"""Help for the one who helps: beside what is for the other person, one suggestion for the writer."""

from __future__ import annotations

from dataclasses import replace

from bot.actions.heard import Heard
from bot.actions.listing import MOST_CARDS, sort_needs
from bot.actions.toolbox import Toolbox
from knowledge.search import Found

SUPPORTING, SUPPORTING_NEEDS = "support for family and friends who look out for someone", ("carers",)
"""What is searched with on behalf of somebody who writes about another person."""
POOL = 5


def add_supporter(heard: Heard, tools: Toolbox, found: Found) -> tuple[Found, str]:
    """The last of the list gives way to help for the writer, and a sentence says so.

    Only where it is a relative or a friend, it is a trouble and not a wish, and the list does not hold it already.
    """
    needs = {guess.id for guess in sort_needs(found.needs, tools)}
    light = tools.wording.needs_plain | tools.wording.needs_either
    if heard.about != "someone" or not needs - light or needs & set(SUPPORTING_NEEDS):
        return found, ""
    near = found.place.name if found.place else heard.place
    looked = tools.finder.find(SUPPORTING, near=near, now=tools.now(), limit=POOL, needs=SUPPORTING_NEEDS)
    given = found.matches[: MOST_CARDS - 1]
    taken = {match.service.id for match in given}
    fitting = (match for match in looked.matches if match.strength != "wider" and match.service.id not in taken)
    for match in fitting:
        if set(match.service.needs) & set(SUPPORTING_NEEDS):
            strength = given[0].strength if given else match.strength
            return replace(found, matches=(*given, replace(match, strength=strength))), tools.wording.say("supporter")
    return found, ""
