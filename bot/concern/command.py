"""`python -m bot concern --input FILE.jsonl [--json]`: what both layers find in each line of a file.

Each line of FILE is `{"id": ..., "text": ...}`. Every line is answered with one line, in the same order:

    {"id": "a1", "kinds": ["suicide"], "layer": ["both"], "reasons": ["talks about wanting to die"]}

`layer` and `reasons` go with `kinds`, one each. A line that cannot be read is answered with its number and what is
wrong with it, and the exit code is 1; the others are answered all the same. Nothing else is written to standard
output, and never a word of a message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from bot.concern.layers import Classifier, Raised, read_layers

TOGETHER = 64
"""Lines read at once: the encoder is quicker with several."""


@dataclass(frozen=True)
class Line:
    """One line of the file: what to read, or what is wrong with it."""

    number: int
    id: str | int | None = None
    text: str = ""
    error: str = ""


def answer_file(path: Path, classifier: Classifier, out: TextIO, *, as_json: bool) -> int:
    """Answer every line. Returns the exit code: 1 when a line could not be read. Raises OSError for the file itself."""
    bad = False
    for lines in read_batches(path):
        good = [line for line in lines if not line.error]
        found = dict(zip(good, read_layers([line.text for line in good], classifier), strict=True))
        for line in lines:
            bad = bad or bool(line.error)
            out.write((write_json if as_json else write_plain)(line, found.get(line, ())) + "\n")
        out.flush()
    return 1 if bad else 0


def read_batches(path: Path) -> Iterator[list[Line]]:
    """The lines of the file, some at a time."""
    batch: list[Line] = []
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            batch.append(read_line(number, raw))
            if len(batch) == TOGETHER:
                yield batch
                batch = []
    if batch:
        yield batch


def read_line(number: int, raw: bytes) -> Line:
    """Half a character, which JSON can carry, becomes "?" in the text; an id comes back as it was."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return Line(number, error='not JSON: a line is {"id": ..., "text": "..."} in UTF-8')
    if not isinstance(body, dict):
        return Line(number, error='not an object: a line is {"id": ..., "text": "..."}')
    key, text = body.get("id"), body.get("text")
    if not isinstance(key, str | int) or isinstance(key, bool):
        return Line(number, error="id is missing: give each line a text or a whole number as its id")
    if not isinstance(text, str):
        return Line(number, id=key, error="text is missing: give the message as a string")
    return Line(number, id=key, text=text.encode("utf-8", "replace").decode())


def write_json(line: Line, raised: Sequence[Raised]) -> str:
    if line.error:
        known = {} if line.id is None else {"id": line.id}
        return json.dumps({**known, "line": line.number, "error": line.error})
    return json.dumps(
        {
            "id": line.id,
            "kinds": [str(one.concern) for one in raised],
            "layer": [one.layer for one in raised],
            "reasons": [one.reason for one in raised],
        }
    )


def write_plain(line: Line, raised: Sequence[Raised]) -> str:
    if line.error:
        return f"line {line.number}: {line.error}"
    said = "; ".join(f"{one.concern} ({one.reason}, {one.layer})" for one in raised)
    return f"{line.id}: {said or 'no concern'}".encode("ascii", "backslashreplace").decode()
