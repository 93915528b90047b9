"""Two people change one listing: nothing that somebody typed disappears without being shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.editing.forms import FIELDS, KEPT, Form, blank_form
from knowledge.editing.merging import changed_fields, merge, settle

TYPED = [field for field in FIELDS if field not in KEPT]
values = st.sampled_from(["", "a", "b", "c"])
forms = st.fixed_dictionaries(dict.fromkeys(FIELDS, values))


def form(**fields: Any) -> Form:
    return {**blank_form(), **fields}


def test_changes_of_two_people_to_different_fields_go_together() -> None:
    merged = merge(form(name="A", cost="1"), form(name="B", cost="1"), form(name="A", cost="2"))
    assert not merged.conflicts
    assert (merged.form["name"], merged.form["cost"]) == ("B", "2")


def test_a_field_that_both_changed_is_for_somebody_to_choose() -> None:
    merged = merge(form(name="A"), form(name="B"), form(name="C"))
    (conflict,) = merged.conflicts
    assert (conflict.field, conflict.base, conflict.mine, conflict.theirs) == ("name", "A", "B", "C")
    assert settle(merged, {}) is None
    assert settle(merged, {"name": "neither"}) is None
    for choice, name in (("mine", "B"), ("theirs", "C")):
        settled = settle(merged, {"name": choice})
        assert settled is not None
        assert settled["name"] == name


def test_the_same_change_twice_is_no_conflict() -> None:
    assert not merge(form(name="A"), form(name="B"), form(name="B")).conflicts


@pytest.mark.parametrize(("mine", "theirs", "kept"), [("2026-11-02", "2026-11-01", "2026-11-02"),
                                                      ("2026-11-01", "2026-11-02", "2026-11-02"),
                                                      ("", "2026-11-02", "2026-11-02")])  # fmt: skip
def test_of_two_checks_the_later_one_counts(mine: str, theirs: str, kept: str) -> None:
    merged = merge(form(), form(assured_date=mine, assured_by="Mine"), form(assured_date=theirs, assured_by="Theirs"))
    assert not merged.conflicts
    assert merged.form["assured_date"] == kept
    assert merged.form["assured_by"] == ("Mine" if kept == mine else "Theirs")


@given(base=forms, mine=forms, theirs=forms)
def test_every_change_is_in_the_result_or_a_conflict(base: Form, mine: Form, theirs: Form) -> None:
    merged = merge(base, mine, theirs)
    open_fields = {conflict.field for conflict in merged.conflicts}
    for field in TYPED:
        changed = {form[field] for form in (mine, theirs) if form[field] != base[field]}
        assert (field in open_fields) is (len(changed) == 2)
        if field not in open_fields:
            assert merged.form[field] == (changed.pop() if changed else base[field])
    assert {conflict.field: (conflict.mine, conflict.theirs) for conflict in merged.conflicts} == {
        field: (mine[field], theirs[field]) for field in open_fields
    }


@given(base=forms, mine=forms, theirs=forms)
def test_it_does_not_matter_who_came_first(base: Form, mine: Form, theirs: Form) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert {each.field for each in one.conflicts} == {each.field for each in other.conflicts}
    for field in set(TYPED) - {each.field for each in one.conflicts}:
        assert one.form[field] == other.form[field]


@given(base=forms, mine=forms)
def test_nobody_else_changed_anything(base: Form, mine: Form) -> None:
    merged = merge(base, mine, base)
    assert not merged.conflicts
    assert not set(changed_fields(merged.form, mine)) - set(KEPT)
