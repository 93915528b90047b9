"""Imports into a real catalogue: again, with edits, with gaps, and when something breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from knowledge.catalogue import Phone
from knowledge.exchange.importing import TOGETHER
from knowledge.exchange.listings import Item, Reader
from knowledge.exchange.outcome import Outcome
from knowledge.exchange.problems import Problem
from knowledge.exchange.register import Entry
from knowledge.exchange.writing import Writer
from knowledge.publish import read_content
from knowledge.settings import read_settings
from tests.integration.knowledge.exchange_builders import Catalogue, identity, soup
from tests.unit.knowledge.exchange.standard import TODAY


@pytest.fixture
def catalogue(url: str) -> Iterator[Catalogue]:
    opened = Catalogue(url)
    yield opened
    opened.store.close()


def counts(outcome: Outcome) -> tuple[int, int, int, int, int]:
    return outcome.added, outcome.changed, outcome.unchanged, outcome.gone, outcome.skipped


def entry_of(catalogue: Catalogue, number: int) -> Entry:
    entry = catalogue.register.entry(identity(number))
    assert entry
    return entry


def test_new_listings_are_drafts_unless_they_are_to_be_published(catalogue: Catalogue) -> None:
    outcome = catalogue.bring([soup(1), soup(2, name="Tea"), soup(3, phones=[])])
    assert counts(outcome) == (3, 0, 0, 0, 0)
    assert outcome.drafts == 3
    assert catalogue.published() == set()
    assert entry_of(catalogue, 1).reasons == ()
    assert entry_of(catalogue, 1).suggested == ("food",)
    assert "no needs" in entry_of(catalogue, 2).reasons[0]
    assert "no phone number" in entry_of(catalogue, 3).reasons[0]


def test_whole_listings_can_be_published_at_once(catalogue: Catalogue) -> None:
    text = "Ring 0161 496 0000 for a meal."
    outcome = catalogue.bring([soup(1), soup(2, name="Tea"), soup(3, phones=[], description=text)], publish=True)
    assert catalogue.published() == {identity(1)}
    assert outcome.drafts == 2
    assert "the text has 0161 496 0000: is it theirs?" in entry_of(catalogue, 3).reasons[0]


def test_a_crisis_line_by_its_own_word_waits_for_a_person(catalogue: Catalogue) -> None:
    catalogue.bring([soup(1, no_wrong_door={"crisis": True})], publish=True)
    assert catalogue.published() == set()
    assert entry_of(catalogue, 1).reasons == ("it says that it is for a crisis",)


def test_the_second_import_changes_nothing_and_asks_nobody(catalogue: Catalogue) -> None:
    bodies = [soup(number) for number in range(TOGETHER + 10)]
    catalogue.bring(bodies)
    asked = catalogue.recogniser.asked
    assert counts(catalogue.bring(bodies)) == (0, 0, TOGETHER + 10, 0, 0)
    assert catalogue.recogniser.asked == asked
    listing = catalogue.store.listing(identity(1))
    assert listing and (listing.revision, listing.updated_by) == (1, "import: feed")


def test_what_the_source_changes_is_changed_and_stays_published(catalogue: Catalogue) -> None:
    catalogue.bring([soup(1)], publish=True)
    outcome = catalogue.bring([soup(1, description="Cold soup.")])
    assert counts(outcome) == (0, 1, 0, 0, 0)
    assert outcome.names["changed"][0]["fields"] == ["summary", "description"]
    assert catalogue.service(identity(1)).description == "Cold soup."
    assert catalogue.published() == {identity(1)}


def test_edits_made_here_win_and_are_told(catalogue: Catalogue) -> None:
    catalogue.bring([soup(1)])
    edited = replace(catalogue.service(identity(1)), phones=(Phone(number="01632 960777"),), needs=("debt",))
    catalogue.store.save(edited, by="Sam")
    changed = soup(1, phones=[{"number": "01632 960999"}], url="https://soup.example")
    outcome = catalogue.bring([changed])
    service = catalogue.service(identity(1))
    assert service.phones == (Phone(number="01632 960777"),)
    assert service.needs == ("debt",)
    assert service.website == "https://soup.example"
    assert outcome.names["kept"] == [{"id": identity(1), "name": "Soup 1", "fields": ["phones"]}]
    assert entry_of(catalogue, 1).suggested == ()
    assert counts(catalogue.bring([changed])) == (0, 0, 1, 0, 0)
    assert catalogue.published() == {identity(1)}


@pytest.mark.parametrize(
    ("theirs", "edited", "kept", "told"),
    [
        pytest.param("2026-10-01", False, "2026-11-20", [], id="theirs is older"),
        pytest.param("2026-11-22", False, "2026-11-22", [], id="theirs is newer, of the same words"),
        pytest.param("2026-11-22", True, "2026-11-20", ["assured_date"], id="theirs is newer, of other words"),
        pytest.param("2026-10-01", True, "2026-11-20", [], id="theirs is older, and of other words"),
    ],
)
def test_of_two_checks_the_later_one_of_these_words_counts(
    catalogue: Catalogue, theirs: str, edited: bool, kept: str, told: list[str]
) -> None:
    catalogue.bring([soup(1, assured_date="2026-01-05")], publish=True)
    checked = replace(catalogue.service(identity(1)), assured_date=date(2026, 11, 20), assured_by="Ana")
    catalogue.store.save(replace(checked, cost="Free, and tea") if edited else checked, by="ana")
    outcome = catalogue.bring([soup(1, assured_date=theirs)])
    service = catalogue.service(identity(1))
    assert service.assured_date == date.fromisoformat(kept)
    assert service.assured_by == ("Ana" if kept == "2026-11-20" else "")
    assert service.cost == ("Free, and tea" if edited else "")
    assert [each["fields"] for each in outcome.names["kept"]] == ([told] if told else [])
    assert catalogue.published() == {identity(1)}


def test_a_date_nobody_checked_here_follows_the_source(catalogue: Catalogue) -> None:
    catalogue.bring([soup(1, assured_date="2026-01-05")])
    outcome = catalogue.bring([soup(1, assured_date="2026-10-01")])
    assert catalogue.service(identity(1)).assured_date == date(2026, 10, 1)
    assert outcome.names["changed"][0]["fields"] == ["assured_date"]


def test_an_edit_alone_is_not_undone(catalogue: Catalogue) -> None:
    catalogue.bring([soup(1)])
    catalogue.store.save(replace(catalogue.service(identity(1)), name="Our soup"), by="Sam")
    assert counts(catalogue.bring([soup(1, funding=[{"source": "A grant"}])])) == (0, 0, 1, 0, 0)
    assert catalogue.service(identity(1)).name == "Our soup"
    assert entry_of(catalogue, 1).kept["funding"] == [{"source": "A grant"}]


def test_what_is_gone_is_kept_but_not_offered_until_it_is_back(catalogue: Catalogue) -> None:
    bodies = [soup(number) for number in range(4)]
    catalogue.bring(bodies, publish=True)
    outcome = catalogue.bring(bodies[:3])
    assert (outcome.gone, outcome.names["gone"][0]["id"]) == (1, identity(3))
    assert catalogue.published() == {identity(0), identity(1), identity(2)}
    assert catalogue.service(identity(3)).name == "Soup 3"
    assert "does not list it any more" in entry_of(catalogue, 3).reasons[0]
    assert catalogue.bring(bodies[:3]).gone == 0
    catalogue.bring(bodies)
    assert identity(3) in catalogue.published()
    assert not entry_of(catalogue, 3).gone


def test_a_source_that_is_suddenly_nearly_empty_is_not_believed(catalogue: Catalogue) -> None:
    bodies = [soup(number) for number in range(20)]
    catalogue.bring(bodies, publish=True)
    outcome = catalogue.bring(bodies[:2])
    assert outcome.gone == 0
    assert "--accept-gone" in outcome.problems[0].text
    assert len(catalogue.published()) == 20
    assert catalogue.bring(bodies[:2], accept_gone=True).gone == 18
    assert len(catalogue.published()) == 2


def broken(text: str = "cannot be read") -> Item:
    return Item(where="feed.json:9", problems=(Problem(where="feed.json:9", pointer="", text=text),))


@pytest.mark.parametrize("whole", [True, False])
def test_nothing_is_gone_when_something_could_not_be_read(catalogue: Catalogue, whole: bool) -> None:
    catalogue.bring([soup(1), soup(2)], publish=True)
    outcome = catalogue.bring([soup(1), *([broken()] if whole else [])], whole=whole)
    assert outcome.gone == 0
    assert catalogue.published() == {identity(1), identity(2)}
    assert any("nothing was marked as gone" in line for line in outcome.lines())


def test_a_bad_listing_stops_and_damages_nothing(catalogue: Catalogue) -> None:
    bad = [soup(1, name=""), broken(), soup(2, schedules="always"), soup(3, description="x" * 20_000), soup(4)]
    outcome = catalogue.bring(bad, publish=True)
    assert (outcome.added, outcome.skipped, outcome.errors) == (3, 2, 4)
    assert catalogue.published() == {identity(2), identity(3), identity(4)}


def test_an_id_used_twice_counts_once(catalogue: Catalogue) -> None:
    outcome = catalogue.bring([soup(1), soup(1, name="Another soup")])
    assert counts(outcome) == (1, 0, 0, 0, 1)
    assert catalogue.service(identity(1)).name == "Soup 1"


def test_a_listing_of_another_source_or_of_ours_is_left_alone(catalogue: Catalogue) -> None:
    catalogue.bring([soup(1)])
    catalogue.store.save(replace(catalogue.service(identity(1)), id="ours"), by="Sam")
    outcome = catalogue.bring([soup(1, name="Their soup"), soup(2, id="ours")], source="other")
    assert counts(outcome) == (0, 0, 0, 0, 2)
    assert catalogue.service(identity(1)).name == "Soup 1"
    assert [problem.error for problem in outcome.problems][-2:] == [False, False]


def test_a_dry_run_tells_all_and_changes_nothing(catalogue: Catalogue) -> None:
    bodies = [soup(number) for number in range(3)]
    catalogue.bring(bodies, publish=True)
    before = [(each.service, each.revision, each.published) for each in catalogue.store.listings()]
    outcome = catalogue.bring([soup(0), soup(1, name="New soup"), soup(9)], dry_run=True)
    assert counts(outcome) == (1, 1, 1, 1, 0)
    assert [(each.service, each.revision, each.published) for each in catalogue.store.listings()] == before
    assert catalogue.register.entry(identity(9)) is None
    assert "would be 1 added" in next(outcome.lines())
    assert outcome.to_dict()["listings"]["gone"][0]["id"] == identity(2)


def test_the_demo_catalogue_goes_out_and_comes_into_an_empty_one_the_same(catalogue: Catalogue) -> None:
    needs, content = read_content(read_settings(demo=True, country="GB"))
    reader = Reader(needs=[need.id for need in needs], today=TODAY)
    writer = Writer(needs={need.id: need for need in needs}, reader=reader)
    bodies = [writer.write(service, kept=None, modified=None) for service in content.services]
    catalogue.reader = reader
    outcome = catalogue.bring(bodies, publish=True)
    assert (outcome.errors, outcome.warnings) == (0, 0)
    for service in content.services:
        assert catalogue.service(service.id) == service
    assert catalogue.bring(bodies).unchanged == len(bodies)
