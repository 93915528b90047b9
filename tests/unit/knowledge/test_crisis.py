"""Which lines come first, by country."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.catalogue import Kind, Phone, Service
from knowledge.crisis import CrisisLine, lines_as_services, load_crisis_lines, order_crisis_lines
from knowledge.errors import CatalogueFileError
from knowledge.settings import PACKAGE_DATA
from tests.unit.knowledge.builders import line, service

HELPERS = CrisisLine(
    id="helpers", name="Helpers", say="Helpers 116 000", phone="116 000", kinds=("suicide", "self_harm")
)
TEXTERS = CrisisLine(id="texters", name="Texters", say="Text YES to 85000", phone="85000", kinds=("suicide",))
CHILD = CrisisLine(id="child", name="Child", say="Child 0800 1111", phone="0800 1111", kinds=("child_at_risk",))
LINES = (HELPERS, TEXTERS, CHILD)


def ringing(name: str, number: str, *needs: str, crisis: bool = True) -> Service:
    return line(name, *needs, crisis=crisis, phones=(Phone(number=number),))


def test_lines_are_offered_in_the_countrys_order() -> None:
    listed = [ringing("Texters", "85000", "suicidal_thoughts"), ringing("Helpers", "116000", "suicidal_thoughts")]
    assert order_crisis_lines(listed, LINES, ["suicidal_thoughts"]) == {"suicidal_thoughts": ("helpers", "texters")}


def test_a_line_made_for_the_need_comes_before_one_for_everything() -> None:
    listed = [
        ringing("Helpers", "116 000", "low_mood", "suicidal_thoughts"),
        ringing("Texters", "85000", "suicidal_thoughts"),
        ringing("Emergency", "999", "suicidal_thoughts"),
    ]
    order = order_crisis_lines(listed, LINES, ["suicidal_thoughts"])
    assert order["suicidal_thoughts"] == ("texters", "helpers", "emergency")


def test_a_listed_number_counts_even_where_nobody_marked_it() -> None:
    listed = [
        ringing("Helpers", "116 000", "self_harm", crisis=False),
        ringing("Other", "0800 9", "self_harm", crisis=False),
    ]
    assert order_crisis_lines(listed, LINES, ["self_harm"]) == {"self_harm": ("helpers",)}


def test_only_lines_and_only_crisis_needs_are_ordered() -> None:
    listed = [service("Group", "suicidal_thoughts", crisis=True), line("Debtline", "debt", crisis=True)]
    assert order_crisis_lines(listed, LINES, ["suicidal_thoughts", "debt"]) == {}


def test_a_country_known_only_by_its_lines_still_has_listings() -> None:
    helpers, texters, child = lines_as_services(LINES, "IE")
    assert helpers.id == "line-ie-helpers"
    assert helpers.needs == ("suicidal_thoughts", "self_harm")
    assert (helpers.kind, helpers.crisis, helpers.phones[0].number) == (Kind.LINE, True, "116 000")
    assert texters.phones[0].sms
    assert child.needs == ("young_people",)


@pytest.mark.parametrize("country", ["GB", "IE"])
def test_the_countries_we_ship_are_read(country: str) -> None:
    lines = load_crisis_lines(PACKAGE_DATA / "crisis_lines.yml", country)
    assert any("suicide" in each.kinds for each in lines)
    assert any("abuse" in each.kinds for each in lines)


@pytest.mark.parametrize(
    "content", ["", "GB: {}", "GB: {lines: [{id: a}]}", "GB: [", "FR: {lines: []}"],
    ids=["empty", "no lines", "half a line", "not YAML", "another country"],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "crisis_lines.yml"
    path.write_text(content)
    with pytest.raises(CatalogueFileError, match="set NWD_COUNTRY"):
        load_crisis_lines(path, "GB")
