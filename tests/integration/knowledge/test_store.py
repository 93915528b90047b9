"""The catalogue in SQL: one contract, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from knowledge.errors import StoreError
from knowledge.store import SEED, Store, facts
from tests.unit.knowledge.builders import service

RENT, FOOD = service("Rent Rescue", "rent"), service("Food Share", "food", schedules=())
OWNERS = (RENT.organisation, FOOD.organisation)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def test_an_empty_catalogue_says_so(store: Store) -> None:
    assert store.published() == ()
    assert store.listings() == ()
    assert store.seed_stamp() is None
    assert not store.edited()
    assert store.listing("rent-rescue") is None


def test_what_is_seeded_comes_back_the_same(store: Store) -> None:
    assert store.seed(OWNERS, [RENT, FOOD], "one")
    assert store.published() == (FOOD, RENT)
    assert store.seed_stamp() == "one"
    kept = store.listing("rent-rescue")
    assert kept is not None
    assert (kept.service, kept.published, kept.revision, kept.updated_by) == (RENT, True, 1, SEED)
    assert kept.updated_at.tzinfo is not None


def test_seeding_again_replaces_what_came_from_files(store: Store) -> None:
    store.seed(OWNERS, [RENT, FOOD], "one")
    assert store.seed(OWNERS[:1], [replace(RENT, summary="New words.")], "two")
    assert [each.summary for each in store.published()] == ["New words."]
    assert store.seed_stamp() == "two"


def test_an_edit_is_the_next_revision_and_is_never_overwritten_by_files(store: Store) -> None:
    store.seed(OWNERS, [RENT, FOOD], "one")
    assert store.save(replace(RENT, summary="Edited."), by="ada") == 2
    assert store.edited()
    assert not store.seed(OWNERS, [RENT, FOOD], "two")
    assert store.seed_stamp() == "one"
    kept = store.listing("rent-rescue")
    assert kept is not None
    assert (kept.service.summary, kept.revision, kept.updated_by) == ("Edited.", 2, "ada")


def test_what_is_withdrawn_is_kept_but_not_offered(store: Store) -> None:
    store.seed(OWNERS, [RENT, FOOD], "one")
    store.save(RENT, by="ada", published=False)
    assert store.published() == (FOOD,)
    assert [listing.published for listing in store.listings()] == [True, False]


def test_a_new_service_brings_its_organisation(store: Store) -> None:
    assert store.save(RENT, by="ada") == 1
    renamed = replace(RENT, organisation=replace(RENT.organisation, name="Renamed Trust"))
    assert store.save(renamed, by="ada") == 2
    assert store.published()[0].organisation.name == "Renamed Trust"


def test_it_is_all_there_after_opening_again(url: str, store: Store) -> None:
    store.seed(OWNERS, [RENT], "one")
    again = Store.open(url)
    assert again.published() == (RENT,)
    again.close()


def test_a_catalogue_of_another_version_is_refused(url: str, store: Store) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.update(facts).where(facts.c.name == "schema_version").values(value="99"))
    engine.dispose()
    with pytest.raises(StoreError, match="another version"):
        Store.open(url)


def test_a_database_that_cannot_be_reached_is_said_without_its_address(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="Check NWD_CATALOGUE_URL") as refusal:
        Store.open(f"sqlite:///{tmp_path / 'file' / 'catalogue.sqlite'}")
    assert str(tmp_path) not in str(refusal.value)
