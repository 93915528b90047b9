"""Bringing in a colleague, a team, a lead or another organisation, and leaving once they have met."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from channels.desk.access import Opened, Standing, newest
from channels.desk.acting import back, number_posted, refuse
from channels.desk.agreeing import agreed_after
from channels.desk.beside import is_older
from channels.desk.guard import Site, posted
from channels.desk.knowing import colleague
from channels.desk.sessions import Visit
from channels.ledger.talk_records import IntroductionState, NoteKind, Whom


async def bring_in(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../bring-in with whom and read. Another organisation comes only with a summary the person agreed to."""
    whom = await find_whom(site, visit, posted(visit.request, "whom"))
    if whom is None:
        return await refuse(site, visit, opened, "nobody_chosen")
    summary = newest(opened.notes, NoteKind.SUMMARY)
    agreed = summary is not None and summary.body.get("state") == "agreed" and not is_older(summary, opened)
    if not whom.reads_all and not agreed:
        return await refuse(site, visit, opened, "summary_first", name=whom.to_name)
    await site.introducing.offer(opened.escalation, visit.peer, whom, number_posted(visit, "read"))
    return back(opened, said=["brought_in"])


async def find_whom(site: Site, visit: Visit, value: str) -> Whom | None:
    """What was chosen, if there is such a person or team."""
    kind, _, name = value.partition(":")
    if kind == "lead":
        return Whom(to_kind="lead", to_id="lead", to_name=site.words.say("bring", "lead"))
    if kind == "team" and (team := site.escalations.teams.get(name)):
        said = site.words.say("bring", "team", name=team.name if team.home else team.organisation_name)
        return Whom(to_kind="team", to_id=team.id, to_name=said, reads_all=team.home)
    peer = await colleague(site, visit, name) if kind == "person" else None
    if peer is None:
        return None
    sight = await site.escalations.sight(peer)
    return Whom(to_kind="person", to_id=peer.id, to_name=peer.name, reads_all=sight.home)


async def join(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../join: whoever was asked comes, and the person is told their name and the time."""
    if opened.introduction is None or opened.introduction.state is not IntroductionState.OFFERED:
        return await refuse(site, visit, opened, "gone")
    await site.introducing.join(opened.escalation, opened.introduction, visit.peer)
    return back(opened)


async def leave_them(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../leave-them with read: the guest holds it from here on. `agreed`: they said so in words of their own."""
    introduction = opened.introduction
    messages = await site.ledger.messages(opened.conversation.id, (introduction.spoke_seq or 0) if introduction else 0)
    spoke = introduction.spoke_seq if introduction else None
    agreed = bool(posted(visit.request, "agreed")) or (spoke is not None and agreed_after(messages, spoke))
    await site.introducing.finish(opened.escalation, visit.peer, number_posted(visit, "read"), agreed=agreed)
    await site.ledger.care.note_ended(visit.peer.id, hard=bool(opened.escalation.concerns))
    await site.shifts.freed_up(visit.peer)
    return RedirectResponse("/desk?said=introduced", 303)


async def withdraw(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../withdraw: the one who asked takes it back, or the guest leaves again."""
    await site.introducing.withdraw(opened.escalation, visit.peer)
    if opened.standing is Standing.GUEST:
        return RedirectResponse("/desk?said=left_again", 303)
    return back(opened)
