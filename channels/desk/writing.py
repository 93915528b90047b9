"""Help with writing: look something up, a saved reply, a service in one press, a draft that is kept."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from channels.catalogue import CatalogueAway
from channels.conversation import Reply, ServiceCard
from channels.desk.access import Opened
from channels.desk.acting import back, refuse, say
from channels.desk.guard import Site, posted, unsent_words
from channels.desk.page import LONGEST_REPLY, Extra, show_opened
from channels.desk.replies import fill, fill_all
from channels.desk.reply_pages import language_of, replies_now
from channels.desk.sessions import Visit
from channels.fitting import facts_of

LONGEST_LOOK = 200


async def look(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../look with find: services and saved replies. What is in the box stays in it."""
    words = posted(visit.request, "find")[:LONGEST_LOOK].strip()
    services, away = await find_services(site, opened, words)
    language = language_of(site, opened.person.language)
    extra = Extra(
        text=unsent_words(visit.request),
        looked=words,
        services=tuple(services),
        replies=fill_all((await replies_now(site)).find(words, language), values_of(site, visit, opened)),
        catalogue_away=away,
    )
    return await show_opened(site, visit, opened, extra=extra)


async def find_services(site: Site, opened: Opened, words: str) -> tuple[list[ServiceCard], bool]:
    """What fits, and whether the catalogue could not be asked."""
    if not words:
        return [], False
    if site.catalogue is None:
        return [], True
    try:
        return await site.catalogue.find(words, opened.conversation.place), False
    except CatalogueAway:
        return [], True


def values_of(site: Site, visit: Visit, opened: Opened) -> dict[str, str]:
    """For the variables of a saved reply."""
    wording = site.wording.within(opened.person.language)
    concerns = opened.escalation.concerns | opened.conversation.concerns
    return {
        "name": visit.peer.name,
        "emergency": wording.crisis.emergency,
        "line": wording.lines(concerns, limit=1),
    }


async def insert(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../insert: a saved reply, or a service in words, put into the box after what is there."""
    words = ""
    language = language_of(site, opened.person.language)
    saved = (await replies_now(site)).one(posted(visit.request, "saved"), language)
    if saved is not None:
        words = fill(saved, values_of(site, visit, opened)).text
    elif card := await chosen_service(site, visit, opened):
        words = "\n".join(facts_of(card))
    text = "\n".join(part for part in (unsent_words(visit.request).strip(), words) if part)
    return await show_opened(site, visit, opened, extra=Extra(text=text[:LONGEST_REPLY]))


async def send_service(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../send-service: everything about one service, as a card where there are cards. The box is left alone."""
    card = await chosen_service(site, visit, opened)
    if card is None:
        return await refuse(site, visit, opened, "service_gone")
    await say(site, visit, opened, Reply(cards=(replace(card, why=""),), detail=True))
    if unsent_words(visit.request).strip():
        await site.ledger.talk.keep_draft(opened.conversation.id, visit.peer.id, unsent_words(visit.request))
    return back(opened, said=["card_sent"])


async def chosen_service(site: Site, visit: Visit, opened: Opened) -> ServiceCard | None:
    """Looked up again by the same words, so that a page that was open for long sends no old facts."""
    wanted = posted(visit.request, "service")
    services, _ = await find_services(site, opened, posted(visit.request, "find")[:LONGEST_LOOK].strip())
    return next((card for card in services if card.service_id == wanted), None)


async def keep_draft(site: Site, visit: Visit, opened: Opened) -> Response:
    """POST .../draft: what is in the box, kept for this peer worker. A script that saves by itself gets 204."""
    text = unsent_words(visit.request)[:LONGEST_REPLY]
    await site.ledger.talk.keep_draft(opened.conversation.id, visit.peer.id, text)
    return Response(status_code=204) if posted(visit.request, "quiet") else back(opened, said=["draft_kept"])
