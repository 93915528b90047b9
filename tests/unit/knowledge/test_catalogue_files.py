"""Content files: what is right is read whole, what is wrong is named with its fix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge.catalogue import Area, Kind, Schedule
from knowledge.catalogue_files import catalogue_paths, files_hash, read_catalogue_files
from knowledge.errors import CatalogueFileError

GOOD = """\
organisations:
- id: org-a
  name: A
services:
- id: svc-a
  organisation: org-a
  name: Rent Rescue
  summary: Help with rent.
  description: You talk.
  needs: [rent]
  kind: line
  phones: [{number: "01632 960112", sms: true}]
  area: national
  schedules:
  - {days: [MO, TU], opens: "09:30", closes: "24:00"}
  assured_date: 2026-10-14
"""


def write(folder: Path, content: str, name: str = "a.yml") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    read = read_catalogue_files([write(tmp_path, GOOD)], {"rent"})
    (listed,) = read.services
    assert (listed.organisation.name, listed.kind, listed.area) == ("A", Kind.LINE, Area.NATIONAL)
    assert listed.schedules == (Schedule(days=("MO", "TU"), opens="09:30", closes="24:00"),)
    assert listed.assured_date == date(2026, 10, 14)
    assert listed.phones[0].sms
    assert listed.languages == ("en",)
    assert read.origins == {"svc-a": "a.yml:5"}


def test_an_organisation_may_be_in_another_file(tmp_path: Path) -> None:
    owners, listings = GOOD.split("services:")
    paths = [write(tmp_path, "services:" + listings, "a.yml"), write(tmp_path, owners, "b.yml")]
    assert read_catalogue_files(paths, {"rent"}).services


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            "  name: Rent Rescue\n", "", "a.yml:5: svc-a: name: Field required. Add it.", id="a missing field"
        ),
        pytest.param(
            "  name: Rent", "  nme: Rent", "svc-a: nme: Extra inputs are not permitted. Remove it", id="misspelt"
        ),
        pytest.param(
            "kind: line", "kind: shop", "svc-a: kind: Input should be 'service', 'community'", id="unknown kind"
        ),
        pytest.param(
            "[MO, TU]", "[MO, Tue]", "svc-a: schedules[0].days[1]: Value error, 'Tue' is not one of", id="a day"
        ),
        pytest.param(
            '"09:30"',
            '"9.30"',
            "svc-a: schedules[0].opens: Value error, '9.30' is not a time",
            id="a time",
        ),
        pytest.param(
            '"01632 960112"',
            "1632960112",
            "phones[0].number: Input should be a valid string. Put it in quotation",
            id="a number as a number",
        ),
        pytest.param("2026-10-14", "October", "svc-a: assured_date: Input should be a valid date", id="a date"),
        pytest.param("needs: [rent]", "needs: []", "svc-a: needs: List should have at least 1 item", id="no needs"),
        pytest.param(
            "needs: [rent]",
            "needs: [rnt]",
            "a.yml:5: svc-a: needs: 'rnt' is not a need",
            id="unknown need",
        ),
        pytest.param(
            "organisation: org-a", "organisation: org-b", "svc-a: organisation: 'org-b' is in no file", id="owner"
        ),
        pytest.param("id: svc-a", "id: SVC A", "SVC A: id: String should match pattern", id="a bad id"),
        pytest.param("id: svc-a", "id: org-a", "org-a: id: already used at a.yml:2", id="an id used twice"),
        pytest.param("services:\n- id", "sevices:\n- id", "sevices: not expected", id="an unknown section"),
        pytest.param("  area: national\n", "  area: town\n  area: town\n", "area is given twice", id="a field twice"),
        pytest.param(
            "- id: org-a\n  name: A", "- just words", "organisations: item 1: must begin with '- id:'", id="no item"
        ),
        pytest.param("organisations:", "[", "a.yml: cannot be read as YAML", id="not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in GOOD
    with pytest.raises(CatalogueFileError) as refusal:
        read_catalogue_files([write(tmp_path, GOOD.replace(before, after, 1))], {"rent"})
    assert any(said in problem for problem in refusal.value.problems), refusal.value.problems


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "words"], ids=["empty", "a list", "words"])
def test_a_file_of_another_shape_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(CatalogueFileError, match="must have 'organisations:' and 'services:'"):
        read_catalogue_files([write(tmp_path, content)], {"rent"})


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace("kind: line", "kind: shop").replace('"09:30"', "soon")
    with pytest.raises(CatalogueFileError) as refusal:
        read_catalogue_files([write(tmp_path, broken), tmp_path / "missing.yml"], {"rent"})
    assert len(refusal.value.problems) == 3


def test_a_section_may_be_empty(tmp_path: Path) -> None:
    assert read_catalogue_files([write(tmp_path, "organisations:\nservices: []\n")], set()).services == ()


def test_the_hash_follows_the_files(tmp_path: Path) -> None:
    first, second = write(tmp_path, "a", "a.yml"), write(tmp_path, "b", "b.yml")
    before = files_hash([first, second])
    assert files_hash([first]) != before
    write(tmp_path, "c", "b.yml")
    assert files_hash([first, second]) != before


def test_the_demo_town_is_there_only_in_demo_mode(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    town, lines = write(tmp_path / "demo", GOOD), write(tmp_path, GOOD, "national_lines.yml")
    assert catalogue_paths(tmp_path, demo=True) == (town, lines)
    assert catalogue_paths(tmp_path, demo=False) == (lines,)
