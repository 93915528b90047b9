"""What it costs and the languages spoken, in the catalogue's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from knowledge.exchange.languages import code_of
from knowledge.exchange.problems import Findings, shown
from knowledge.exchange.prose import one_line, plain_text

ENGLISH = ("en",)


def read_cost(clean: Mapping[str, Any]) -> str:
    """The listing's own words; without them, its cost options: "35 per 1 hour session (under 18s)"."""
    words = plain_text(clean.get("fees") or clean.get("fees_description"))
    return words or "; ".join(filter(None, map(_option, clean.get("cost_options", ()))))


def _option(entry: Mapping[str, Any]) -> str:
    amount, words = entry.get("amount"), one_line(entry.get("amount_description"))
    who = one_line(entry.get("option"))
    if amount == 0:
        said = "Free"
    elif amount is not None:
        said = f"{amount:g} {one_line(entry.get('currency')) or 'pounds'} {words}".strip()
    else:
        said = words
    return f"{said} ({who})" if said and who else said or who


def read_languages(clean: Mapping[str, Any], findings: Findings) -> tuple[str, ...]:
    """Codes; English when nothing is said."""
    found = []
    for number, entry in enumerate(clean.get("languages", ())):
        said = one_line(entry.get("code") or entry.get("name") or entry.get("language"))
        code = code_of(said) or code_of(one_line(entry.get("name")))
        if code:
            found.append(code)
        elif said:
            findings.warn(f"languages[{number}]", f"{shown(said)} is not a language we know. Write Polish, or pl.")
    return tuple(dict.fromkeys(found)) or ENGLISH
