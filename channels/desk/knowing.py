"""Whom somebody at the desk knows of: colleagues by organisation. What is not known for certain is no.

Whoever runs the service (the home organisation) knows everybody, because they bring in whoever can help. People of
another organisation know each other; of everybody else only which teams there are. Somebody in no team knows nobody.
"""

from __future__ import annotations

from collections.abc import Collection

from channels.desk.guard import Site
from channels.desk.sessions import Visit
from channels.desk.teams import answers
from channels.ledger.duties import Duty
from channels.ledger.records import EscalationRecord, PeerRecord
from channels.teams import Sight


async def known_of(site: Site, visit: Visit, peer_ids: Collection[str]) -> frozenset[str]:
    """Those of these peer workers whom they know of, themselves included."""
    mine = await site.escalations.sight(visit.peer)
    if mine.home:
        return frozenset(peer_ids)
    duties = await site.ledger.queue.duties()
    theirs = {one: Sight.of(site.escalations.teams, duties.get(one, Duty(peer_id=one)).teams) for one in peer_ids}
    return frozenset(one for one, sight in theirs.items() if one == visit.peer.id or mine.knows(sight))


async def colleagues_of(site: Site, visit: Visit) -> list[PeerRecord]:
    """Who can answer people and is known to them, themselves left out."""
    others = [peer for peer in await site.ledger.peers() if peer.id != visit.peer.id and answers(peer)]
    known = await known_of(site, visit, [peer.id for peer in others])
    return [peer for peer in others if peer.id in known]


async def colleague(site: Site, visit: Visit, peer_id: str) -> PeerRecord | None:
    """The same answer for nobody and for somebody they do not know of."""
    return next((peer for peer in await colleagues_of(site, visit) if peer.id == peer_id), None)


async def may_be_asked(site: Site, visit: Visit, escalation: EscalationRecord) -> list[PeerRecord]:
    """Colleagues who may see this person: a name beside a conversation opens it to nobody the person said no to."""
    return [peer for peer in await colleagues_of(site, visit) if await site.escalations.may_see(peer, escalation)]
