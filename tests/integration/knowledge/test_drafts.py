"""Drafts: saving never loses, two editors on one listing, and what becomes of the listing meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from knowledge.editing.drafts import OPEN, Draft, Drafts, Gone, State
from knowledge.editing.forms import Form, write_form
from knowledge.store import Store
from tests.unit.knowledge.builders import service

RENT = service("Rent Rescue", "rent", cost="Free")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    opened.seed([RENT.organisation], [RENT], "one")
    yield opened
    opened.close()


@pytest.fixture
def drafts(store: Store) -> Drafts:
    return Drafts(store)


def changed(**fields: Any) -> Form:
    return {**write_form(RENT), **fields}


def opened(drafts: Drafts) -> Draft:
    draft = drafts.open(RENT.id)
    assert draft is not None
    return draft


def test_a_first_save_opens_a_draft_and_leaves_the_listing_alone(drafts: Drafts, store: Store) -> None:
    saved = drafts.save(RENT.id, changed(name="Rent Help"), based_on="r1", by="ada")
    assert saved.draft is not None
    assert (saved.draft.form["name"], saved.draft.base_revision, saved.draft.state) == ("Rent Help", 1, State.DRAFT)
    assert store.published() == (RENT,)


def test_saving_what_is_there_changes_nothing(drafts: Drafts) -> None:
    assert drafts.save(RENT.id, changed(), based_on="r1", by="ada").draft is None
    first = drafts.save(RENT.id, changed(name="New"), based_on="r1", by="ada").draft
    assert first is not None
    again = drafts.save(RENT.id, first.form, based_on=first.based_on, by="ada").draft
    assert again == first


def test_what_two_editors_change_in_different_fields_goes_together(drafts: Drafts) -> None:
    drafts.save(RENT.id, changed(name="Rent Help"), based_on="r1", by="ada")
    saved = drafts.save(RENT.id, changed(cost="2 pounds"), based_on="r1", by="ben")
    assert saved.aside is None
    assert saved.taken
    form = opened(drafts).form
    assert (form["name"], form["cost"]) == ("Rent Help", "2 pounds")
    assert drafts.writers(opened(drafts).id) == {"ada", "ben"}


def test_when_both_changed_a_field_the_second_is_set_aside_until_somebody_chooses(drafts: Drafts) -> None:
    drafts.save(RENT.id, changed(name="Adas"), based_on="r1", by="ada")
    saved = drafts.save(RENT.id, changed(name="Bens", cost="2 pounds"), based_on="r1", by="ben")
    assert saved.aside is not None
    assert opened(drafts).form["name"] == "Adas"
    (aside,) = drafts.asides(opened(drafts).id)
    assert (aside.form["name"], aside.form["cost"], aside.saved_by) == ("Bens", "2 pounds", "ben")
    assert not drafts.choose(opened(drafts), saved.aside, {}, by="ben")
    assert drafts.choose(opened(drafts), saved.aside, {"name": "mine"}, by="ben")
    form = opened(drafts).form
    assert (form["name"], form["cost"]) == ("Bens", "2 pounds")
    assert not drafts.asides(opened(drafts).id)
    with pytest.raises(Gone, match="chosen already"):
        drafts.choose(opened(drafts), saved.aside, {"name": "theirs"}, by="ada")


def test_a_save_that_clashes_with_the_live_listing_waits_beside_it(drafts: Drafts, store: Store) -> None:
    store.save(replace(RENT, name="Published Meanwhile"), by="cy")
    saved = drafts.save(RENT.id, changed(name="Mine"), based_on="r1", by="ada")
    assert saved.aside is not None
    assert opened(drafts).form["name"] == "Published Meanwhile"
    assert drafts.choose(opened(drafts), saved.aside, {"name": "mine"}, by="ada")
    assert opened(drafts).form["name"] == "Mine"


def test_every_save_is_kept(drafts: Drafts) -> None:
    based_on = "r1"
    for name in ("One", "Two", "Three"):
        saved = drafts.save(RENT.id, changed(name=name), based_on=based_on, by="ada")
        assert saved.draft is not None
        based_on = saved.draft.based_on
    kept = [version.form["name"] for version in drafts.versions(opened(drafts).id)]
    assert kept == ["Three", "Two", "One"]


def test_a_page_of_a_draft_that_is_gone_still_saves(drafts: Drafts) -> None:
    first = drafts.save(RENT.id, changed(name="One"), based_on="r1", by="ada").draft
    assert first is not None
    drafts.move(first, State.DISCARDED, by="ben")
    drafts.save(RENT.id, {**first.form, "cost": "2 pounds"}, based_on=first.based_on, by="ada")
    form = opened(drafts).form
    assert form["cost"] == "2 pounds"
    assert opened(drafts).id != first.id


@pytest.mark.parametrize("based_on", ["", "r9", "7v1", "1v9", "r-1", "x", "r1; drop"])
def test_what_no_page_showed_is_refused(drafts: Drafts, based_on: str) -> None:
    with pytest.raises(Gone, match="Open the listing again"):
        drafts.save(RENT.id, changed(name="One"), based_on=based_on, by="ada")


def test_saving_takes_a_draft_back_from_review(drafts: Drafts) -> None:
    first = drafts.save(RENT.id, changed(name="One"), based_on="r1", by="ada").draft
    assert first is not None
    drafts.move(first, State.REVIEW, by="ada")
    assert opened(drafts).state is State.REVIEW
    drafts.save(RENT.id, {**first.form, "cost": "9"}, based_on=first.based_on, by="ben")
    assert opened(drafts).state is State.DRAFT


def test_a_draft_that_changed_meanwhile_is_not_moved(drafts: Drafts) -> None:
    seen = drafts.save(RENT.id, changed(name="One"), based_on="r1", by="ada").draft
    assert seen is not None
    drafts.save(RENT.id, {**seen.form, "cost": "9"}, based_on=seen.based_on, by="ben")
    with pytest.raises(Gone, match="Look at it again"):
        drafts.move(seen, State.REVIEW, by="ada")


def test_what_becomes_of_the_listing_is_merged_into_a_draft_and_leaves_it_in_review(
    drafts: Drafts, store: Store
) -> None:
    draft = drafts.save(RENT.id, changed(name="One"), based_on="r1", by="ada").draft
    assert draft is not None
    drafts.move(draft, State.REVIEW, by="ada")
    store.save(replace(RENT, cost="2 pounds"), by="cy")
    now = drafts.catch_up(opened(drafts))
    assert (now.form["name"], now.form["cost"], now.base_revision, now.state) == ("One", "2 pounds", 2, State.REVIEW)
    assert drafts.writers(now.id) == {"ada"}
    assert drafts.catch_up(now) == now


def test_what_clashes_with_a_draft_is_for_somebody_to_choose(drafts: Drafts, store: Store) -> None:
    draft = drafts.save(RENT.id, changed(name="One"), based_on="r1", by="ada").draft
    assert draft is not None
    store.save(replace(RENT, name="Live"), by="cy")
    now = drafts.catch_up(draft)
    assert now.form["name"] == "One"
    (aside,) = drafts.asides(now.id)
    assert aside.form["name"] == "Live"
    assert drafts.choose(now, aside.version, {"name": "theirs"}, by="ada")
    assert opened(drafts).form["name"] == "One"


def test_once_somebody_works_on_it_the_content_files_leave_the_catalogue_alone(drafts: Drafts, store: Store) -> None:
    assert not store.edited()
    drafts.save(RENT.id, changed(name="One"), based_on="r1", by="ada")
    assert store.edited()
    assert not store.seed([], [], "two")


def test_a_new_listing_begins_as_a_draft(drafts: Drafts, store: Store) -> None:
    drafts.save("svc-new", changed(name="New"), based_on="r0", by="ada")
    assert [draft.service_id for draft in drafts.open_new(OPEN)] == ["svc-new"]
    assert store.listing("svc-new") is None


def test_ten_people_saving_at_once_lose_nothing(drafts: Drafts) -> None:
    """Each changes a field of their own, or all of them the same one."""
    own = ["summary", "description", "email", "website", "how_to", "eligibility", "cost", "alert", "minimum_age",
           "maximum_age"]  # fmt: skip

    def save(at: int) -> Any:
        for _ in range(20):
            try:
                return drafts.save(
                    RENT.id, changed(**{own[at]: f"by {at}", "name": f"name {at}"}), based_on="r1", by=f"editor{at}"
                )
            except Gone:
                continue
        return None

    with ThreadPoolExecutor(10) as people:
        saved = list(people.map(save, range(10)))
    assert all(saved)
    kept = drafts.versions(opened(drafts).id)
    assert {version.form["name"] for version in kept} >= {f"name {at}" for at in range(10)}
    assert sum(version.aside for version in kept) == 9
