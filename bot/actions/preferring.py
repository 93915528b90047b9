"""A search that keeps to how somebody would rather have it, and says so honestly where nothing does. Pure but for it.

The ladder: what fits the need and every preference; else what fits the need and most of them, with the missing ones
named. The need always comes before a preference, and a crisis line before both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from knowledge.preferences import Preference, met
from knowledge.search import Found, Match

POOL = 30
"""How many that fit the need are looked through for the preferences."""
SHOWN = 3
OPPOSITES = (
    (Preference.IN_PERSON, {Preference.REMOTE, Preference.ONLINE}),
    (Preference.REMOTE, {Preference.IN_PERSON, Preference.WRITTEN}),
    (Preference.ONLINE, {Preference.IN_PERSON}),
    (Preference.WRITTEN, {Preference.REMOTE}),
)
"""What somebody says last replaces what it is the opposite of."""


@dataclass(frozen=True, kw_only=True)
class Quest:
    """What to search for."""

    query: str
    near: str | None = None
    needs: Sequence[str] = ()
    exclude: Collection[str] = ()
    wanted: Collection[Preference] = ()


def read_wanted(names: Iterable[str]) -> tuple[Preference, ...]:
    """The preferences that a slot holds; a name that means nothing is left out."""
    known = {str(each): each for each in Preference}
    return tuple(known[name] for name in names if name in known)


def add_wanted(before: Iterable[Preference], added: Collection[Preference]) -> tuple[Preference, ...]:
    """All that is wanted now: "online" after "face to face" replaces it, "free" comes beside it."""
    gone = {each for newest, others in OPPOSITES if newest in added for each in others} - set(added)
    return tuple(dict.fromkeys((*(each for each in before if each not in gone), *sorted(added))))


def search_preferred(heard: Heard, tools: Toolbox, quest: Quest) -> tuple[Found, str]:
    """What was found, and the sentence that introduces it; that is empty when nothing was preferred."""
    if not quest.wanted:
        found = tools.finder.find(
            quest.query, near=quest.near, now=tools.now(), needs=quest.needs, exclude=quest.exclude
        )
        return found, ""
    found = tools.finder.find(
        quest.query, near=quest.near, now=tools.now(), limit=POOL, needs=quest.needs, exclude=quest.exclude
    )
    first = [each for each in found.matches if each.service.crisis and is_grave(heard, found)][: SHOWN - 1]
    rest = [each for each in found.matches if each not in first]
    chosen, missing = choose_preferred(rest, quest.wanted)
    chosen = (*first, *chosen)[:SHOWN]
    return replace(found, matches=chosen), introduce_preferred(len(chosen), quest.wanted, missing, tools)


def is_grave(heard: Heard, found: Found) -> bool:
    """Whether crisis lines stay in front, whatever else somebody would like."""
    return bool(heard.concerns) or any(match.service.crisis for match in found.matches[:1])


def choose_preferred(
    matches: Sequence[Match], wanted: Collection[Preference]
) -> tuple[tuple[Match, ...], frozenset[Preference]]:
    """Those that meet most, all of the same preferences, and the ones they do not meet."""
    fitting = [match for match in matches if match.strength != "wider"] or list(matches)
    if not fitting:
        return (), frozenset()
    meets = {match.service.id: met(match.service, match.opening, wanted) for match in fitting}
    best = max(fitting, key=lambda match: len(meets[match.service.id]))
    chosen = [match for match in fitting if meets[match.service.id] == meets[best.service.id]]
    if Preference.NEAR in wanted:
        chosen.sort(key=lambda match: (match.miles is None, match.miles or 0.0))
    return tuple(chosen[:SHOWN]), frozenset(wanted) - meets[best.service.id]


def introduce_preferred(
    count: int, wanted: Collection[Preference], missing: Collection[Preference], tools: Toolbox
) -> str:
    """ "I looked for help that is free and open now. These fit:", or what comes closest and what it lacks."""
    many = "one" if count == 1 else "many"
    names = tools.wording.preferences
    if missing:
        lacking = tools.wording.join([names[each] for each in wanted if each in missing])
        return tools.wording.say(f"closest_{many}", missing=lacking)
    if set(wanted) == {Preference.NEAR}:
        return tools.wording.say(f"nearest_{many}")
    return tools.wording.say(f"preferred_{many}", wishes=tools.wording.join([names[each] for each in wanted]))
