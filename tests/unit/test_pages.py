"""Words made into links, and nothing else made into anything."""

from __future__ import annotations

from datetime import datetime

import pytest

from channels.pages import clock, tel, web_address, with_links


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Ring 01632 960112.", 'Ring <a href="tel:01632960112">01632 960112</a>.', id="a local number"),
        pytest.param("0808 157 0011", '<a href="tel:08081570011">0808 157 0011</a>', id="a free number"),
        pytest.param("0800 1111", '<a href="tel:08001111">0800 1111</a>', id="a short free number"),
        pytest.param("+44 7700 900123", '<a href="tel:+447700900123">+44 7700 900123</a>', id="with the country"),
        pytest.param("Samaritans 116 123, free", 'Samaritans <a href="tel:116123">116 123</a>, free', id="116 123"),
        pytest.param("Ring 999.", 'Ring <a href="tel:999">999</a>.', id="999"),
        pytest.param(
            "See https://x.example/a?b=1&c=2.",
            'See <a href="https://x.example/a?b=1&amp;c=2" rel="nofollow noreferrer">https://x.example/a?b=1&amp;c=2</a>.',
            id="an address, without the full stop after it",
        ),
        pytest.param(
            "<b>01632 960112</b>",
            '&lt;b&gt;<a href="tel:01632960112">01632 960112</a>&lt;/b&gt;',
            id="markup around it",
        ),
        pytest.param("<i>x</i>", "&lt;i&gt;x&lt;/i&gt;", id="markup alone"),
        pytest.param("Text SHOUT to 85258", "Text SHOUT to 85258", id="a number to text is not rung"),
        pytest.param("pay 999.50 or £111", "pay 999.50 or £111", id="money"),
        pytest.param("on 2026-10-14 at 09:30", "on 2026-10-14 at 09:30", id="dates and times"),
        pytest.param("javascript:alert(1)", "javascript:alert(1)", id="not an address of the web"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_numbers_and_addresses_become_links_and_markup_stays_text(text: str, expected: str) -> None:
    assert str(with_links(text)) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://advice.wrenbridge.example", "https://advice.wrenbridge.example"),
        ("HTTP://advice.wrenbridge.example", "HTTP://advice.wrenbridge.example"),
        ("javascript:alert(1)", ""),
        (" javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("advice.wrenbridge.example", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_are_linked_to(address: str, expected: str) -> None:
    assert web_address(address) == expected


def test_a_number_loses_all_but_its_digits_in_a_link() -> None:
    assert tel('+44 (0)1632 960-112" onclick=x') == "tel:+4401632960112"


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [(0, 0, "12am"), (9, 0, "9am"), (12, 0, "12pm"), (12, 5, "12:05pm"), (14, 30, "2:30pm"), (23, 59, "11:59pm")],
)
def test_times_are_told_on_the_12_hour_clock(hour: int, minute: int, expected: str) -> None:
    assert clock(datetime(2026, 11, 23, hour, minute)) == expected
