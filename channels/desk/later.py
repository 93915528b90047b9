"""Later, and only as the person wants it: a message at a time, a look put off, and what is safe to text."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from channels.conversation import Reply
from channels.desk.access import ID, Opened, newest
from channels.desk.acting import back, number_posted, refuse, say, their_words
from channels.desk.guard import Site, posted
from channels.desk.page import LONGEST_REPLY
from channels.desk.sessions import Visit
from channels.ledger.talk_records import NoteKind, PlanKind

SNOOZES: Final = (5, 15, 30, 60, 240, 1440)
"""Minutes."""
FURTHEST: Final = timedelta(days=60)
LONGEST_REASON: Final = 200


async def snooze(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../snooze with minutes and reason: a reminder to this peer worker; nobody waits for it."""
    minutes = number_posted(visit, "minutes")
    if minutes not in SNOOZES:
        return await refuse(site, visit, opened, "no_time")
    reason = " ".join(posted(visit.request, "reason").split())[:LONGEST_REASON]
    due = site.now() + timedelta(minutes=minutes)
    await site.ledger.planned.plan(opened.conversation.id, visit.peer, PlanKind.SNOOZE, due, reason)
    return back(opened, said=["snoozed"])


async def plan(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../plan with later, when and agreed: sent at that time, if the person has said that it is fine."""
    text = posted(visit.request, "later").strip()[:LONGEST_REPLY]
    due = read_moment(posted(visit.request, "when"), site)
    if not text:
        return await refuse(site, visit, opened, "empty")
    if due is None:
        return await refuse(site, visit, opened, "no_time")
    if not posted(visit.request, "agreed"):
        return await refuse(site, visit, opened, "not_agreed_to_text")
    if key := unsafe_at(site, opened, due):
        return await refuse(site, visit, opened, key)
    await site.ledger.planned.plan(opened.conversation.id, visit.peer, PlanKind.MESSAGE, due, text)
    return back(opened, "later", said=["planned"])


def read_moment(value: str, site: Site) -> datetime | None:
    """What a form's date and time mean here; None for what is over, too far away, or no time at all."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=site.zone) if moment.tzinfo is None else moment
    return moment if site.now() < moment <= site.now() + FURTHEST else None


def unsafe_at(site: Site, opened: Opened, due: datetime) -> str:
    """Why a text at that time is not safe, by what the person has said; empty when it is fine."""
    safe = newest(opened.notes, NoteKind.SAFE_CONTACT)
    if safe is None:
        return ""
    if safe.body.get("ok") == "no":
        return "not_safe"
    earliest, latest = int(safe.body.get("from", 0)), int(safe.body.get("to", 24))
    return "" if earliest <= due.astimezone(site.zone).hour < latest else "not_that_time"


async def change_plan(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../plans/PLAN: other words while it waits, or with `withdraw` none at all."""
    plan_id = visit.request.path_params["plan"]
    if not ID.fullmatch(plan_id):
        return await refuse(site, visit, opened, "gone")
    if posted(visit.request, "withdraw"):
        done = await site.ledger.planned.withdraw(plan_id, opened.conversation.id, visit.peer.id)
        return back(opened, "later", said=["plan_withdrawn"]) if done else await refuse(site, visit, opened, "gone")
    text = posted(visit.request, "later").strip()[:LONGEST_REPLY]
    if not text or not await site.ledger.planned.change(plan_id, opened.conversation.id, text):
        return await refuse(site, visit, opened, "too_late")
    return back(opened, "later", said=["plan_changed"])


async def keep_safe_contact(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../safe-contact: may we text first, when, and in words that give nothing away. `ask` asks the person."""
    if posted(visit.request, "ask"):
        words = their_words(site, opened).say("safe_contact_ask", name=visit.peer.name)
        await say(site, visit, opened, Reply(text=words))
        return back(opened)
    ok = posted(visit.request, "ok")
    if ok not in {"yes", "no"}:
        return await refuse(site, visit, opened, "no_answer")
    earliest, latest = number_posted(visit, "from"), number_posted(visit, "to") or 24
    if not 0 <= earliest < latest <= 24:
        return await refuse(site, visit, opened, "no_hours")
    body = {"ok": ok, "from": earliest, "to": latest, "neutral": bool(posted(visit.request, "neutral"))}
    await site.ledger.talk.add(opened.conversation.id, NoteKind.SAFE_CONTACT, visit.peer.id, body)
    return back(opened, "later", said=["safe_kept"])
