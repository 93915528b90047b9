"""An index made from the one before is the index that a whole build would make."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.catalogue import Kind, Location, Service
from knowledge.crisis import order_crisis_lines
from knowledge.index import Index, Source, all_texts, build_index, load_index, write_index
from knowledge.needs import label_text
from knowledge.offer_head import Heads
from knowledge.patching import Change, Patch
from knowledge.splicing import Splice
from knowledge.trail import KEY_BYTES
from tests.unit.knowledge.builders import (
    MONDAY_NOON,
    NEEDS,
    SERVICES,
    WordEncoder,
    line,
    make_index,
    make_search,
    service,
)

LATER = datetime(2026, 12, 1, tzinfo=UTC)
MESSAGES = ("owe rent and hungry", "want to die", "gay choir", "kettle club", "zebra crossing", "")
ABOUT_A_DIGIT = {"carried.npy"}
"""What may differ in its last digit: see `knowledge.patching`."""


@pytest.fixture(scope="module")
def heads() -> Heads:
    index = make_index()
    return Heads(messages=index.head, listings=index.offers)


def order(listed: Iterable[Service]) -> Mapping[str, tuple[str, ...]]:
    return order_crisis_lines(listed, (), [need.id for need in NEEDS])


def build_whole(services: Sequence[Service], heads: Heads) -> Index:
    keys = np.zeros((len(services), KEY_BYTES), np.uint8)
    source = Source(services=tuple(services), needs=NEEDS, crisis=order(services), encoder=WordEncoder.id, keys=keys)
    return build_index(source, WordEncoder().encode(all_texts(source)), heads, version="v", now=MONDAY_NOON)


def patch(index: Index, services: Sequence[Service], encoder: WordEncoder) -> Index:
    before = {each.id: each for each in index.services}
    change = Change(
        ids=[each.id for each in services],
        fresh={each.id: each for each in services if before.get(each.id) != each},
        keys=np.zeros((len(services), KEY_BYTES), np.uint8),
    )
    return Patch(index, change, WordEncoder.id, order).build(encoder.encode, version="v", now=MONDAY_NOON)


@dataclass(frozen=True)
class Made:
    """A drawn listing; which of a few ids it has decides whether it is new or an edit."""

    at: int
    listing: Service


VOCABULARY = ("rent", "food", "tea", "company", "walk", "gay", "letters", "zebra", "unicorn")
words = st.lists(st.sampled_from(VOCABULARY), max_size=5).map(" ".join)
listings = st.builds(
    lambda at, summary, needs, terms, places, phone: Made(
        at,
        (line if phone else service)(
            f"Place {at}", *needs, summary=summary, terms=tuple(terms), locations=tuple(places), crisis=phone
        ),
    ),
    st.integers(0, 9),
    words,
    st.lists(st.sampled_from([need.id for need in NEEDS]), max_size=2, unique=True),
    st.lists(st.sampled_from(["Choirs", "Food parcels"]), max_size=2, unique=True),
    st.lists(st.builds(Location, latitude=st.floats(50, 51), longitude=st.floats(-1, 0)), max_size=2),
    st.booleans(),
)
rounds = st.lists(
    st.tuples(st.lists(listings, max_size=4), st.sets(st.integers(0, len(SERVICES) - 3), max_size=3)),
    min_size=1,
    max_size=3,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds)
def test_after_any_edits_additions_and_removals_the_files_and_answers_are_those_of_a_whole_build(
    heads: Heads, drawn: list[tuple[list[Made], set[int]]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        kept = {each.id: each for each in SERVICES}
        served = write(build_whole(ordered(kept), heads), Path(name) / "0")
        for number, (written, removed) in enumerate(drawn, start=1):
            for at in removed:
                kept.pop(SERVICES[at].id, None)
            kept |= {made.listing.id: made.listing for made in written}
            whole = write(build_whole(ordered(kept), heads), Path(name) / f"{number}-whole")
            served = write(patch(served, ordered(kept), WordEncoder()), Path(name) / f"{number}")
            assert_same_files(Path(name) / f"{number}", Path(name) / f"{number}-whole")
            np.testing.assert_allclose(served.carried, whole.carried, atol=1e-6)
            assert answers(served) == answers(whole)


def ordered(kept: Mapping[str, Service]) -> list[Service]:
    return [kept[key] for key in sorted(kept)]


def write(index: Index, folder: Path) -> Index:
    folder.mkdir()
    write_index(index, folder)
    return load_index(folder)


def assert_same_files(one: Path, other: Path) -> None:
    names = {str(path.relative_to(one)) for path in one.rglob("*") if path.is_file()}
    assert names == {str(path.relative_to(other)) for path in other.rglob("*") if path.is_file()}
    differing = {name for name in names if (one / name).read_bytes() != (other / name).read_bytes()}
    assert differing <= ABOUT_A_DIGIT


def answers(index: Index) -> list[list[tuple[str, str, float]]]:
    search = make_search(index)
    found = [search.find(message, now=MONDAY_NOON, limit=5).matches for message in MESSAGES]
    return [[(match.service.id, match.reason, round(match.score, 2)) for match in matches] for matches in found]


def test_only_what_changed_is_encoded(heads: Heads, tmp_path: Path) -> None:
    served, encoder = write(build_whole(SERVICES, heads), tmp_path / "0"), WordEncoder()
    edited = [replace(each, summary="Unicorns.") if each.name == "Pantry" else each for each in SERVICES]
    patch(served, edited, encoder)
    assert set(encoder.asked) == {"Pantry", "Pantry. Unicorns.", *(label(need) for need in ("food", "debt"))}


def label(need_id: str) -> str:
    return next(label_text(need) for need in NEEDS if need.id == need_id)


def test_a_line_that_becomes_a_crisis_line_is_offered_as_one(heads: Heads, tmp_path: Path) -> None:
    served = write(build_whole(SERVICES, heads), tmp_path / "0")
    edited = [
        replace(each, crisis=True, needs=("suicidal_thoughts",)) if each.kind is Kind.LINE else each
        for each in SERVICES
    ]
    assert patch(served, edited, WordEncoder()).crisis == {"suicidal_thoughts": ("debtline", "samaritans", "shout")}


def test_nothing_changed_is_the_same_stamp(heads: Heads, tmp_path: Path) -> None:
    served = write(build_whole(SERVICES, heads), tmp_path / "0")
    assert patch(served, SERVICES, WordEncoder()).stamp == served.stamp


@given(st.integers(0, 6), st.lists(st.integers(0, 12), max_size=12))
def test_a_splice_is_what_picking_row_by_row_gives(old: int, sources: list[int]) -> None:
    before, fresh = np.arange(old) * 10, -1 - np.arange(13 - old)
    both = np.concatenate([before, fresh])
    counts = np.arange(old) % 3, np.arange(13 - old) % 4
    several = [np.repeat(values, each) for values, each in zip((before, fresh), counts, strict=True)]
    splice = Splice.of(old, sources)
    picked = both[np.array(sources, dtype=np.int64)]
    assert splice.rows(before, fresh).tolist() == picked.tolist()
    assert splice.values(before.tolist(), fresh.tolist()) == tuple(picked.tolist())
    all_counts = np.concatenate(counts)[np.array(sources, dtype=np.int64)]
    got = splice.several((several[0], counts[0]), (several[1], counts[1]))
    assert got.tolist() == np.repeat(picked, all_counts).tolist()
