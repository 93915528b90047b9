"""The rules for content: each broken on purpose."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from knowledge.catalogue import Location, Phone
from knowledge.catalogue_files import CatalogueFiles
from knowledge.checks import check_content, check_needs, check_services
from knowledge.settings import PACKAGE_DATA, Settings, read_settings
from tests.unit.knowledge.builders import OFFICE, need, service

TODAY = date(2026, 11, 23)
HERE = Location(name="Hall", postcode="WZ1 2AB", latitude=54.0, longitude=-1.0)


def found(file: str = "housing.yml", **fields: Any) -> list[str]:
    listed = replace(service("Rent Rescue", "rent"), **fields)
    files = CatalogueFiles(organisations=(), services=(listed,), origins={listed.id: f"{file}:5"})
    return [str(finding) for finding in check_services(files, Settings(), TODAY)]


def test_a_good_listing_has_no_findings() -> None:
    assert found(locations=(HERE,), schedules=OFFICE, website="https://a.example/b", email="hello@a.example") == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            {"name": "x" * 41}, "error: housing.yml:5: rent-rescue: name: 41 characters, at most 40", id="long name"
        ),
        pytest.param({"summary": "x" * 111}, "summary: 111 characters", id="long summary"),
        pytest.param({"how_to": "x" * 101}, "how_to: 101 characters", id="long how to"),
        pytest.param({"name": "Café “Ros”"}, "name: “ ” cannot be sent", id="not GSM-7"),
        pytest.param(
            {"eligibility": "Students are not eligible."},
            "'not eligible' sends people away",
            id="a refusal",
        ),
        pytest.param({"needs": ("rent", "rent")}, "needs: give 1 to 5, each once", id="a need twice"),
        pytest.param({"minimum_age": 30, "maximum_age": 18}, "minimum_age: is above maximum_age", id="ages swapped"),
        pytest.param({"phones": (Phone(number="ring us"),)}, "phones: 'ring us' is not a number", id="no number"),
        pytest.param(
            {"phones": (Phone(number="01604 123456"),)}, "could be somebody's", id="a real number in the demo"
        ),
        pytest.param({"website": "www.a.example"}, "website: 'www.a.example' is not one", id="no https"),
        pytest.param({"website": "https://a.org"}, "website: 'https://a.org' could be somebody's", id="a real site"),
        pytest.param({"email": "hello"}, "email: 'hello' is not one", id="no address"),
        pytest.param({"email": "hello@a.org"}, "email: 'hello@a.org' could be somebody's", id="a real address"),
        pytest.param(
            {"locations": (Location(postcode="LS1 1AA", latitude=1, longitude=1),)},
            "postcode 'LS1 1AA'",
            id="a real postcode",
        ),
        pytest.param({"locations": (Location(postcode="WZ1 2AB"),)}, "add latitude and longitude", id="no position"),
        pytest.param({"assured_date": date(2026, 11, 24)}, "assured_date: is in the future", id="checked tomorrow"),
        pytest.param(
            {"assured_date": date(2025, 1, 1)},
            "warning: housing.yml:5: rent-rescue: assured_date: overdue",
            id="overdue",
        ),
        pytest.param({"locations": (HERE,)}, "warning: housing.yml:5: rent-rescue: schedules: none", id="no hours"),
    ],
)
def test_each_rule(fields: dict[str, Any], said: str) -> None:
    assert any(said in text for text in found(**fields)), found(**fields)


def test_real_lines_have_real_numbers_and_sites() -> None:
    real = {"phones": (Phone(number="116 123"),), "website": "https://www.samaritans.org"}
    assert found(file="national_lines.yml", **real) == []


def test_needs_are_checked() -> None:
    few = need("rent", "owe rent", related=["debt"])
    many = need("debt", *(f"way {n} to say it" for n in range(24)), "Owe  Rent", related=["rent", "food"])
    texts = [str(finding) for finding in check_needs([few, many], [service("A", "rent")])]
    assert texts == [
        "error: needs.yml: rent: related: give at least 2: they are the next best.",
        "error: needs.yml: rent: phrasings: 1, at least 25 are needed.",
        "error: needs.yml: debt: no service carries it. Add one, or the need to a service.",
        "warning: needs.yml: debt: phrasings: 'Owe  Rent' is also under rent.",
    ]


def test_crisis_lines_are_checked(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE_DATA, tmp_path / "content")
    line = "{id: a, name: A, say: “Ring”, phone: ring us, kinds: [suicide]}"
    (tmp_path / "content" / "crisis_lines.yml").write_text(f"GB: {{lines: [{line}]}}", encoding="utf-8")
    (tmp_path / "content" / "places" / "towns.csv").unlink()
    findings = check_content(read_settings(content_dir=tmp_path / "content"), TODAY)
    said = " ".join(str(finding) for finding in findings if finding.error)
    assert "a: say: at most 110 plain letters" in said
    assert "a: phone: write digits and spaces" in said
    assert "tables of places cannot be read" in said
    assert [finding.error for finding in findings] == sorted((finding.error for finding in findings), reverse=True)
