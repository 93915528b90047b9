"""What every act beside a conversation begins and ends with: who may do it, and back to the page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from starlette.responses import RedirectResponse, Response

from channels.conversation import Reply, Sender
from channels.desk.access import WRITES, Opened, Standing, open_conversation
from channels.desk.guard import Handler, Site, posted
from channels.desk.page import not_yours, show_opened
from channels.desk.sessions import Visit
from channels.desk.teams import is_lead
from channels.errors import NotTaken
from channels.escalation import NotYours
from channels.fitting import fit
from channels.ledger.introductions import NotYet, Unread
from channels.ledger.records import Draft, PeerRecord
from channels.wording import Wording

Act: TypeAlias = Callable[[Site, Visit, Opened], Awaitable[Response]]


def act(do: Act, *standings: Standing) -> Handler:
    """`do` for those who stand so to the conversation: by default who holds it or was brought in.

    Whoever does not, or not any more, is told so with their words back; what the ledger refuses is said in words.
    """
    allowed = frozenset(standings) or WRITES

    async def handler(site: Site, visit: Visit) -> Response:
        opened = await open_conversation(site, visit)
        if opened is None or opened.standing not in allowed:
            return await not_yours(site, visit, opened)
        try:
            return await do(site, visit, opened)
        except Unread:
            return await refuse(site, visit, opened, "unread")
        except NotYet as early:
            return await refuse(site, visit, opened, f"not_yet_{early.missing}")
        except (NotYours, NotTaken):
            return await not_yours(site, visit, await open_conversation(site, visit))

    return handler


def back(opened: Opened, anchor: str = "latest", said: Iterable[str] = ()) -> Response:
    """To the page as it is now; `said` are keys of words about what has just been done."""
    query = "&".join(f"said={key}" for key in said)
    return RedirectResponse(f"{opened.page}{'?' if query else ''}{query}#{anchor}", 303)


async def refuse(site: Site, visit: Visit, opened: Opened, key: str, **values: object) -> Response:
    """The page with why nothing was done, and the words in the box."""
    again = await open_conversation(site, visit) or opened
    return await show_opened(site, visit, again, 409, refused=site.words.say("refused", key, **values))


def their_words(site: Site, opened: Opened) -> Wording:
    """What our buttons say for a peer worker, in the language of the conversation."""
    return site.wording.within(opened.person.language)


async def say(site: Site, visit: Visit, opened: Opened, reply: Reply) -> None:
    """A peer worker's words or a service, as the channel can carry it. Raises NotYours."""
    parts = fit(opened.conversation.channel, reply, their_words(site, opened), whole=True)
    drafts = [
        Draft(
            sender=Sender.PEER,
            text=part.text,
            reply=reply if part is parts[-1] and reply.cards else None,
            choices=part.choices,
        )
        for part in parts
    ]
    await site.escalations.say(opened.escalation.id, visit.peer, *drafts)


async def leads_told(site: Site) -> list[PeerRecord]:
    """Leads of ours. One who is in no team yet hears of it too: it must not reach nobody."""
    leads = [peer for peer in await site.ledger.peers() if is_lead(peer)]
    sights = [await site.escalations.sight(peer) for peer in leads]
    return [peer for peer, sight in zip(leads, sights, strict=True) if sight.home or not sight.teams]


def number_posted(visit: Visit, name: str) -> int:
    """A field that is a number; 0 for anything else."""
    value = posted(visit.request, name)
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 0


def chosen(visit: Visit, name: str) -> tuple[str, ...]:
    """Every value of a field that may be ticked more than once."""
    return tuple(str(value) for value in visit.request.state.form.getlist(name) if isinstance(value, str))
