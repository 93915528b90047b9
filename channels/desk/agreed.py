"""What a person has agreed to, gathered for the page of their conversation. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from channels.conversation import Consent
from channels.desk.access import Opened, newest
from channels.desk.guard import Site
from channels.ledger.check_ins import AGREED
from channels.ledger.talk_records import NoteKind, PlanKind


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """One kind of yes, with what it covers now, in words."""

    what: Consent
    covers: tuple[str, ...]


async def agreed_of(site: Site, opened: Opened) -> tuple[Agreed, ...]:
    """Nothing for whoever is of another organisation: what else was agreed is not theirs to read."""
    if opened.partly:
        return ()
    kinds = ((Consent.SHARING, await _sharing(site, opened)), (Consent.CHECK_INS, await _check_ins(site, opened)))
    return tuple(Agreed(what=what, covers=tuple(covers)) for what, covers in kinds if covers)


async def _sharing(site: Site, opened: Opened) -> list[str]:
    conversation_id, words = opened.conversation.id, site.words
    organisations = (await site.ledger.queue.agreed([conversation_id])).get(conversation_id, frozenset())
    teams = [site.escalations.teams.partner(one) for one in sorted(organisations)]
    covers = [words.say("agreed", "organisation", name=team.organisation_name) for team in teams if team]
    summary, earlier = newest(opened.notes, NoteKind.SUMMARY), newest(opened.notes, NoteKind.EARLIER)
    if summary and summary.body.get("state") == "agreed":
        covers.append(words.say("agreed", "summary"))
    if earlier and earlier.body.get("agreed"):
        covers.append(words.say("agreed", "earlier"))
    return covers


async def _check_ins(site: Site, opened: Opened) -> list[str]:
    conversation_id, words = opened.conversation.id, site.words
    plans = {plan.kind for plan in await site.ledger.planned.waiting(conversation_id)}
    agreed = bool(await site.ledger.check_ins.state(conversation_id))
    held = {
        "check_in": agreed or PlanKind.CHECK_IN in plans,
        "check": await site.ledger.check_ins.concern_state(conversation_id) == AGREED,
        "message": PlanKind.MESSAGE in plans,
        "when_here": opened.escalation.follow_up,
    }
    return [words.say("agreed", key) for key, yes in held.items() if yes]
