"""Text of a feed as plain words: no markup, no control characters; a first sentence that fits a card."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

LONGEST_SUMMARY = 110
"""As `python -m knowledge check` asks: the summary goes into a text message."""
BLOCKS = {"p", "br", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4"}
SILENT = {"script", "style"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\ufeff]")
_MARKUP = re.compile(r"<\s*/?\s*[a-zA-Z!][^>]*>|&(?:[a-zA-Z]{2,8}|#\d{1,6});")


def plain_text(value: object) -> str:
    """The words alone; paragraphs stay apart."""
    text = _CONTROL.sub("", str(value)) if value is not None else ""
    if _MARKUP.search(text):
        parser = _Words()
        parser.feed(text)
        parser.close()
        text = html.unescape("".join(parser.words))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(value: object) -> str:
    return " ".join(plain_text(value).split())


def first_sentence(text: str, longest: int = LONGEST_SUMMARY) -> str:
    """The beginning that fits: whole sentences if one does, else whole words and an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    sentences = re.findall(r".+?[.!?](?=\s)", line)
    kept = ""
    for sentence in sentences:
        if len(kept) + len(sentence) > longest:
            break
        kept += sentence
    return kept.strip() or line[: longest - 3].rsplit(" ", 1)[0].rstrip(" ,;:-") + "..."


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        if tag in BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT and self._silent > 0
        if tag in BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
