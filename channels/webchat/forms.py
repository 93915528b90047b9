"""Reading what a form or an address of the chat holds. Strange values are no error: they count as nothing."""

from __future__ import annotations

import re

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


def from_elsewhere() -> Response:
    return PlainTextResponse("Please write from the chat page itself.", status_code=403)


def from_script(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def text_in(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def number_in(word: str | None) -> int:
    """A small number out of an address or a form; 0 for anything else."""
    return int(word) if word and re.fullmatch(r"[0-9]{1,9}", word) else 0
