"""Whom "Take next" leaves waiting, because the peer worker should rest or somebody else speaks their language: said
with how many they are and who can take them, for a worry that nobody names is passed over twice.
"""

from __future__ import annotations

from typing import Final

from channels.desk.guard import Site
from channels.desk.knowing import may_be_asked
from channels.desk.sessions import Visit
from channels.errors import StreamsUnavailable
from channels.ledger.duties import DutyState
from channels.ledger.queue_order import rank_of
from channels.ledger.records import EscalationRecord, PeerRecord
from channels.matching import may_be_kept
from channels.resting import NeedsRest, check_rested, tired_of

SAID: Final = "passed_over"
LOOKED_AT: Final = 100
"""At the front of the line: worries come first."""


async def front(site: Site, visit: Visit, limit: int) -> list[EscalationRecord]:
    """Of the line, the first whom they may see."""
    sight = await site.escalations.sight(visit.peer)
    return await (site.escalations.waiting(limit) if sight.home else site.escalations.waiting_for(sight))


async def before(site: Site, visit: Visit, taken: EscalationRecord) -> list[EscalationRecord]:
    """Those whose words worry us, whom they may see, and who wait in front of the one they have."""
    line = await front(site, visit, LOOKED_AT)
    mine = rank_of(taken.opened_at, urgent=bool(taken.concerns))
    return [one for one in line if one.concerns and rank_of(one.opened_at, urgent=True) < mine]


async def in_words(site: Site, visit: Visit, taken: EscalationRecord) -> str:
    """Empty where nobody was passed over, or nobody is any more."""
    left = await before(site, visit, taken)
    if not left:
        return ""
    tired = tired_of(await site.ledger.care.of(visit.peer.id), site.now()) is not None
    why = "rest" if tired else "language"
    if not tired and not any(one.language for one in left):
        return ""  # Somebody has come in front since.
    count = site.words.say("passed_over", "one" if len(left) == 1 else "many", count=len(left))
    return f"{count} {site.words.say('passed_over', why)} {await who_can(site, visit, left[0])}"


async def who_can(site: Site, visit: Visit, waiting: EscalationRecord | None) -> str:
    """Colleagues at the desk who are free for them, by name."""
    names = await free_for(site, visit, waiting) if waiting else []
    if not names:
        return site.words.say("passed_over", "nobody_else")
    named = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return site.words.say("passed_over", "others", names=named)


async def free_for(site: Site, visit: Visit, waiting: EscalationRecord) -> list[str]:
    try:
        here = frozenset(await site.streams.presence())
    except StreamsUnavailable:
        return []
    asked = [peer for peer in await may_be_asked(site, visit, waiting) if peer.id in here]
    return [peer.name for peer in asked if await is_free(site, peer, waiting)]


async def is_free(site: Site, peer: PeerRecord, waiting: EscalationRecord) -> bool:
    """Whether they would be given this one if they took the next now."""
    duty = await site.ledger.queue.duty(peer.id)
    if duty.state is not DutyState.ON or may_be_kept(waiting, duty.languages, site.now()):
        return False
    try:
        check_rested(await site.ledger.care.of(peer.id), site.now(), hard=True)
    except NeedsRest:
        return False
    held = await site.ledger.queue.held_by(peer.id)
    return len(held) < duty.most and not any(one.concerns for one in held)
