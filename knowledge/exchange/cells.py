"""A cell of a workbook as people see it on their screen. Pure.

A number keeps every digit it has; only money and shares of a hundred are rounded as they are shown, because a price of
3.3333 is nobody's price and a latitude of 54.12 is another street.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

BODY = re.compile(r"[#0?](?:[#0?,. ()\-]*[#0?])?")
MONEY = re.compile(r"[£€$¥]")
GENERAL = {"", "General", "@"}
MOST_DIGITS = 15
"""What a spreadsheet keeps of a number."""


def say_cell(value: object, pattern: str) -> str:
    """`pattern` is the cell's number format. Dates are written like 2026-11-01, times like 09:30."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _say_number(value, pattern)
    if isinstance(value, date | time | timedelta):
        return _say_moment(value)
    return "" if value is None else str(value).strip()


def is_bare_number(value: object, pattern: str) -> bool:
    """Whether a 0 at its beginning would not be seen: a number without a format that fills up with zeros."""
    whole = _first_part(pattern).partition(".")[0]
    return isinstance(value, int | float) and not isinstance(value, bool) and "00" not in whole


def _say_moment(value: date | time | timedelta) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{value:%Y-%m-%d}" if isinstance(value, date) else f"{value:%H:%M}"


def _say_number(number: float, pattern: str) -> str:
    part = _first_part(pattern)
    found = BODY.search(part)
    if pattern in GENERAL or found is None or re.search(r"E[+-]|/", part):
        return _bare(number)
    before, body, after = part[: found.start()], found.group(), part[found.end() :]
    share = "%" in part
    if share:
        number *= 100
    whole, _, decimals = body.partition(".")
    text = _bare(abs(number))
    if share or MONEY.search(part):
        text = f"{abs(number):.{len(re.findall('[0#?]', decimals))}f}"
    digits, _, rest = text.partition(".")
    if not digits.isdecimal():  # too large or too small for plain digits
        return _bare(number)
    digits = f"{int(digits):,}" if "," in whole else _weave(digits, whole)
    rest = rest.ljust(decimals.count("0"), "0")
    return ("-" if number < 0 else "") + f"{before}{digits}{'.' if rest else ''}{rest}{after}".strip()


def _first_part(pattern: str) -> str:
    """The part for numbers above zero, with what is only about looks taken out."""
    part = re.sub(r'"([^"]*)"|\\(.)', r"\1\2", pattern.split(";", 1)[0])
    part = re.sub(r"\[\$([^\]-]*)[^\]]*\]", r"\1", part)
    return re.sub(r"\[[^\]]*\]|[_*].", "", part)


def _bare(number: float) -> str:
    if isinstance(number, int) or (number.is_integer() and abs(number) < 10**MOST_DIGITS):
        return str(int(number))
    return f"{number:.{MOST_DIGITS}g}"


def _weave(digits: str, mask: str) -> str:
    """Digits under a mask such as "00000 000000", from the right; those that do not fit stand before."""
    left, said = list(digits), ""
    for sign in reversed(mask):
        if sign not in "#0?":
            said = sign + said if left or "0" in mask else said
        elif left or sign == "0":
            said = (left.pop() if left else "0") + said
    return "".join(left) + said
