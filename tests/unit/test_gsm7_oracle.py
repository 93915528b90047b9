"""Our count of segments against the npm package sms-segments-calculator, which Twilio publishes.

Only with NWD_TEST_NPM=1: the package is then fetched into the tests' own temporary folder.
"""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from channels.gsm7 import BASIC, EXTENSION, segments
from tests.npm import fetch

PACKAGE = "sms-segments-calculator@1.3.0"
COUNT = 10_000
COUNTER = """
const { SegmentedMessage } = require("sms-segments-calculator");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => new SegmentedMessage(text).segmentsCount)));
"""
KINDS = (
    sorted(BASIC - {"\r"}),
    [*sorted(BASIC - {"\r"}), *sorted(EXTENSION)],
    sorted(EXTENSION),
    list("abc  \u0175\u0177\u00e2 dei"),
    list("Zażółć gęślą jaźń 0123456789 "),
    list("мне нужна помощь Ελλάδα مساعدة 助けて"),
    list("ab \U0001f614\U0001f4a9\U0001f600"),
    list("it\u2019s \u201cok\u201d \u2013 \u2026 `"),
)
EDGES = (1, 67, 68, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 305, 306, 307, 459, 460, 600)


def texts() -> list[str]:
    """Every kind of alphabet at every length where the count changes, and about as many at random lengths.

    Never empty: Twilio would charge one segment for nothing, which we never send.
    """
    chance = random.Random(20261123)
    found = []
    for number in range(COUNT):
        letters = KINDS[number % len(KINDS)]
        length = max(1, chance.choice(EDGES) + chance.randint(-1, 1)) if number % 2 else chance.randint(1, 700)
        text = "".join(chance.choices(letters, k=length))
        if number % 11 == 0:
            text += chance.choice("\u0175€^é")
        found.append(text)
    return found


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which node finds the package."""
    return fetch(PACKAGE, tmp_path_factory.mktemp("oracle"))


def test_segments_are_counted_as_twilio_counts_them(modules: Path) -> None:
    given = texts()
    done = subprocess.run(
        ["node", "-e", COUNTER], cwd=modules, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    counted = json.loads(done.stdout)
    assert len(counted) == COUNT
    differing = [(text, segments(text), theirs) for text, theirs in zip(given, counted, strict=True)
                 if segments(text) != theirs]  # fmt: skip
    assert not differing, f"{len(differing)} of {COUNT} differ, such as {differing[0]!r}"
