"""What somebody at the desk is asked for by colleagues, by people they were with, and by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from channels.desk.guard import Site
from channels.desk.sessions import Visit
from channels.desk.teams import is_asked
from channels.desk.words import age_in_words, moment_in_words
from channels.own_peer import own_peer_of
from channels.resting import is_debrief_due


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing. `key` picks its words; `path` is where its button goes, by POST when `posts`."""

    key: str
    id: str
    name: str = ""
    about: str = ""
    age: str = ""
    path: str = ""
    posts: bool = False


@dataclass(frozen=True, kw_only=True)
class ForYou:
    """In the order they should be looked at."""

    asked: tuple[Asked, ...]
    debrief_due: bool
    resting_until: str
    single_keys: bool


async def show_part(site: Site, visit: Visit) -> Response:
    """GET /desk/for-you: for an open page."""
    return site.page_for(visit, "_for_you.html", for_you=await gather(site, visit))


async def gather(site: Site, visit: Visit) -> ForYou:
    care = await site.ledger.care.of(visit.peer.id)
    now = site.now()
    resting = care.resting_until if care.resting_until and care.resting_until > now else None
    asked = [
        *await introductions(site, visit),
        *await pings(site, visit),
        *await returns(site, visit),
        *await snoozes(site, visit),
    ]
    return ForYou(
        asked=tuple(asked),
        debrief_due=is_debrief_due(care, now),
        resting_until=moment_in_words(resting, now, site.zone) if resting else "",
        single_keys=care.single_keys,
    )


async def introductions(site: Site, visit: Visit) -> list[Asked]:
    """Asked to come, and where somebody is a guest now."""
    sight = await site.escalations.sight(visit.peer)
    found = [one for one in await site.ledger.introductions.offered() if is_asked(one, visit.peer, sight)]
    guest = await site.ledger.introductions.guest_of(visit.peer.id)
    return [
        Asked(
            key="lead" if key == "introduction" and one.to_kind == "lead" else key,
            id=one.id,
            name=one.from_name,
            age=age_in_words(one.offered_at, site.now()),
            path=f"/desk/conversations/{one.conversation_id}",
        )
        for key, many in (("introduction", found), ("guest", guest))
        for one in many
    ]


async def pings(site: Site, visit: Visit) -> list[Asked]:
    return [
        Asked(
            key=ping.kind,
            id=ping.id,
            name=ping.from_name,
            age=age_in_words(ping.at, site.now()),
            path=f"/desk/pings/{ping.id}",
            posts=True,
        )
        for ping in await site.ledger.care.pings(visit.peer.id)
    ]


async def returns(site: Site, visit: Visit) -> list[Asked]:
    """People who wait again, and who were with this peer worker, or want to be."""
    return [
        Asked(
            key="back",
            id=one.id,
            age=age_in_words(one.opened_at, site.now()),
            path=f"/desk/conversations/{one.conversation_id}",
        )
        for one in await site.ledger.talk.waiting_again(visit.peer.id)
        if await own_peer_of(site.ledger, one) == visit.peer.id and await site.escalations.may_see(visit.peer, one)
    ]


async def snoozes(site: Site, visit: Visit) -> list[Asked]:
    return [
        Asked(
            key="snooze",
            id=plan.id,
            about=plan.text,
            age=age_in_words(plan.due_at, site.now()),
            path=f"/desk/snoozes/{plan.id}",
            posts=True,
        )
        for plan in await site.ledger.planned.snoozes(visit.peer.id, site.now())
    ]
