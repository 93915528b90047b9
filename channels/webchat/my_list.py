"""My list: services a person keeps, to print or to have a copy of. Plain pages; the script saves without leaving one.

A service is named by where it stands in the conversation, "message 4, second card": which one it is would say
in an address what somebody needs.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from channels.conversation import ServiceCard
from channels.errors import NotFound
from channels.ledger.records import ConversationRecord, SavedService
from channels.pages import cross_site
from channels.webchat.copies import Copies
from channels.webchat.forms import from_elsewhere, from_script, number_in, text_in
from channels.webchat.reader import Reader
from channels.webchat.visitor import Visitor

STATUS: Final = {"sent": 200, "too_many": 429, "failed": 503}
"""Anything else is something to put right in the form."""

Page = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class ListPages:
    """Every page raises LedgerUnavailable. `context` gives what every page of the chat needs."""

    reader: Reader
    copies: Copies
    templates: Jinja2Templates
    context: Callable[[Request], dict[str, Any]]

    def pages(self) -> tuple[tuple[str, str, Page], ...]:
        return (
            ("/chat/list", "GET", self.show),
            ("/chat/list/save", "POST", self.save),
            ("/chat/list/remove", "POST", self.remove),
            ("/chat/list/text", "POST", self.text),
            ("/chat/list/email", "POST", self.email),
        )

    async def show(self, request: Request) -> Response:
        return await self._page(request)

    async def save(self, request: Request) -> Response:
        return await self._change(request, keep=True)

    async def remove(self, request: Request) -> Response:
        return await self._change(request, keep=False)

    async def text(self, request: Request) -> Response:
        return await self._send(request, "number", self.copies.text)

    async def email(self, request: Request) -> Response:
        return await self._send(request, "address", self.copies.email)

    async def _change(self, request: Request, *, keep: bool) -> Response:
        """Save, or take off; both may be pressed twice. A card that is not there any more changes nothing."""
        if cross_site(request, self.copies.settings.base_url):
            return from_elsewhere()
        form = await request.form(max_fields=20, max_files=0)
        conversation = await self.reader.conversation(Visitor.of(request))
        seq, place = number_in(text_in(form, "seq")), number_in(text_in(form, "place"))
        card = await self._card(conversation, seq, place)
        if conversation is None or card is None:
            return await self._page(request, said="gone", status=404)
        if keep:
            await self._keep(conversation.id, SavedService(card=card, seq=seq, place=place))
        else:
            await self.reader.ledger.lists.remove(conversation.id, card.service_id)
        if from_script(request):
            return await self._form(request, conversation.id, card, {"seq": seq, "place": place, "kept": keep})
        return RedirectResponse(self._back(request, form, keep=keep, seq=seq, place=place), status_code=303)

    async def _keep(self, conversation_id: str, kept: SavedService) -> None:
        try:
            await self.reader.ledger.lists.save(conversation_id, kept)
        except NotFound:  # Forgotten in this very moment: then there is nobody whose list it would be.
            return

    async def _card(self, conversation: ConversationRecord | None, seq: int, place: int) -> ServiceCard | None:
        """Out of the list, which may outlive the words, or out of the conversation."""
        if conversation is None or seq < 1:
            return None
        kept = await self.reader.ledger.lists.saved(conversation.id)
        listed = next((one.card for one in kept if (one.seq, one.place) == (seq, place)), None)
        return listed or await self.reader.card_at(conversation.id, seq, place)

    async def _form(self, request: Request, conversation_id: str, card: ServiceCard, state: dict[str, int]) -> Response:
        count = len(await self.reader.ledger.lists.saved(conversation_id))
        context = {"card": card, "list_count": count, **state, **self.context(request)}
        return self.templates.TemplateResponse(request, "kept.html", context)

    def _back(self, request: Request, form: FormData, *, keep: bool, seq: int, place: int) -> str:
        """To where the button was. What was taken off the list can be put back there."""
        tail = self.context(request)["tail"]
        if text_in(form, "back") == "list":
            undo = "" if keep else f"{'&' if tail else '?'}seq={seq}&place={place}"
            return f"/chat/list{tail}{undo}"
        return f"/chat{tail}{'&' if tail else '?'}look={secrets.token_hex(8)}#m{seq}"

    async def _send(self, request: Request, field: str, send: Callable[..., Awaitable[str]]) -> Response:
        if cross_site(request, self.copies.settings.base_url):
            return from_elsewhere()
        form = await request.form(max_fields=20, max_files=0)
        typed = text_in(form, field)[:300]
        conversation = await self.reader.conversation(Visitor.of(request))
        kept = await self.reader.ledger.lists.saved(conversation.id) if conversation else []
        if conversation is None or not kept:
            return await self._page(request, status=404)
        said = await send(conversation.id, typed, kept)
        again = typed if said.startswith("not_a") else ""
        return await self._page(request, said=f"{field}_{said}", typed=again, status=STATUS.get(said, 422))

    async def _page(self, request: Request, *, said: str = "", typed: str = "", status: int = 200) -> Response:
        conversation = await self.reader.conversation(Visitor.of(request))
        kept = await self.reader.ledger.lists.saved(conversation.id) if conversation else []
        seq, place = (number_in(request.query_params.get(name)) for name in ("seq", "place"))
        removed = await self._card(conversation, seq, place) if request.method == "GET" else None
        if removed is not None and any(one.card.service_id == removed.service_id for one in kept):
            removed = None
        context = {
            "kept_services": kept,
            "removed": removed,
            "seq": seq,
            "place": place,
            "said": said,
            "typed": typed,
            "can_text": self.copies.texts is not None,
            "can_email": self.copies.mail is not None,
            **self.context(request),
        }
        return self.templates.TemplateResponse(request, "my_list.html", context, status_code=status)
