"""Workbooks as people save them and as nobody should: what is seen is read, nothing is run, nothing swells."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from knowledge.catalogue import Phone, Schedule
from knowledge.errors import ImportRefused
from knowledge.exchange.cells import is_bare_number, say_cell
from knowledge.exchange.limits import Limits
from knowledge.exchange.listings import Incoming
from knowledge.exchange.mappings import read_mapping, read_sheet_name, suggest_mapping, write_mapping
from knowledge.exchange.spreadsheets import read_spreadsheet
from knowledge.exchange.tabular import open_table
from knowledge.exchange.workbooks import sheet_names
from tests.unit.knowledge.exchange.standard import READER
from tests.unit.knowledge.exchange.workbook_builders import raw_workbook, text_cells, workbook


@pytest.mark.parametrize(
    ("value", "pattern", "said"),
    [
        pytest.param("  Soup ", "General", "Soup", id="text"),
        pytest.param(12.0, "General", "12", id="a whole number"),
        pytest.param(0.1 + 0.2, "General", "0.3", id="no noise of the machine"),
        pytest.param(54.123456, "0.00", "54.123456", id="no digit is lost"),
        pytest.param(5, '"£"#,##0.00', "£5.00", id="money"),
        pytest.param(1234.567, "[$£-809]#,##0.00;[Red]-[$£-809]#,##0.00", "£1,234.57", id="money, rounded as shown"),
        pytest.param(-3, "0", "-3", id="below zero"),
        pytest.param(0.5, "0%", "50%", id="a share"),
        pytest.param(1632960001, "00000000000", "01632960001", id="filled up with zeros"),
        pytest.param(7700900123, "00000 000000", "07700 900123", id="a mask"),
        pytest.param(1632960001, "(00000) 000000", "(01632) 960001", id="a mask with brackets"),
        pytest.param(123456, "0-00", "1234-56", id="more digits than the mask"),
        pytest.param(7, '0 "minutes"', "7 minutes", id="words round it"),
        pytest.param(12, "# ?/?", "12", id="a fraction's format"),
        pytest.param(1e20, "0", "1e+20", id="too large for digits"),
        pytest.param(True, "General", "TRUE", id="yes"),
        pytest.param(datetime(2026, 11, 1), "dd/mm/yyyy", "2026-11-01", id="a date"),
        pytest.param(datetime(2026, 11, 1, 9, 30), "dd/mm/yyyy hh:mm", "2026-11-01 09:30", id="a moment"),
        pytest.param(date(2026, 11, 1), "d mmm", "2026-11-01", id="a day"),
        pytest.param(time(9, 30), "hh:mm", "09:30", id="a time"),
        pytest.param(timedelta(hours=26, minutes=5), "[h]:mm", "26:05", id="hours"),
        pytest.param(None, "General", "", id="nothing"),
    ],
)
def test_a_cell_is_read_as_it_is_seen(value: object, pattern: str, said: str) -> None:
    assert say_cell(value, pattern) == said


@pytest.mark.parametrize(
    ("value", "pattern", "bare"),
    [
        (1632960001, "General", True),
        (1632960001, "0.00", True),
        (1632960001, "00000000000", False),
        ("01632", "@", False),
        (True, "General", False),
    ],
)
def test_a_number_that_may_have_lost_its_beginning_is_known(value: object, pattern: str, bare: bool) -> None:
    assert is_bare_number(value, pattern) is bare


def read(path: Path, sheet: str = "") -> list[Incoming]:
    table = open_table(path, sheet=sheet)
    return [READER.read(item) for item in read_spreadsheet(table, suggest_mapping(table.header), "book")]


def test_rows_become_listings_under_a_title_and_empty_rows(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "book.xlsx",
        {
            "Services": [
                ["What there is in Millgate"],
                [],
                ["Provider", "Service", "Telephone", "Opening hours", "Last checked", None],
                ["Soup Trust", "Soup", "01632 960001", "Mon-Tue 9am-5pm", datetime(2026, 11, 1)],
                [None, None],
                ["Soup Trust", "Tea", "01632 960002", None, None],
            ]
        },
    )
    soup, tea = read(path)
    assert soup.problems == tea.problems == ()
    assert soup.service and tea.service
    assert (soup.service.name, soup.service.organisation.name) == ("Soup", "Soup Trust")
    assert soup.service.schedules == (Schedule(days=("MO", "TU"), opens="09:00", closes="17:00"),)
    assert soup.service.assured_date == date(2026, 11, 1)
    assert tea.item.where == "book.xlsx: sheet 'Services', row 6"


def test_a_problem_names_sheet_row_and_column(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "book.xlsx", {"Services": [["Service", "Web", "Hours"], ["Soup", "soup", "when it rains"]]}
    )
    (incoming,) = read(path)
    assert [str(each).split(": ", 1)[1][:55] for each in incoming.problems] == [
        "book.xlsx: sheet 'Services', row 2: Hours (column C): '",
        "book.xlsx: sheet 'Services', row 2: Web (column B): 'so",
    ]


@pytest.mark.parametrize(
    ("cell", "pattern", "number", "warned"),
    [
        pytest.param(1632960001, "General", "01632960001", True, id="the 0 is gone"),
        pytest.param(447700900123, "0", "+447700900123", True, id="the + is gone"),
        pytest.param(1632960001, "00000 000000", "01632 960001", False, id="the format keeps the 0"),
        pytest.param("01632 960001", "@", "01632 960001", False, id="text"),
        pytest.param(116123, "General", "116123", False, id="a short number has no 0"),
    ],
)
def test_phone_numbers_kept_as_numbers(tmp_path: Path, cell: object, pattern: str, number: str, warned: bool) -> None:
    path = workbook(tmp_path / "book.xlsx", {"S": [["Service", "Telephone"], ["Soup", cell]]}, {"B2": pattern})
    (incoming,) = read(path)
    assert incoming.service
    assert incoming.service.phones == (Phone(number=number),)
    said = [each for each in incoming.problems if "loses a 0" in each.text]
    assert [each.pointer for each in said] == (["Telephone (column B)"] if warned else [])
    assert not any(each.error for each in incoming.problems)


def test_formulas_are_read_as_their_results_and_told_when_there_is_none(tmp_path: Path) -> None:
    header = text_cells(1, "Service", "Description", "Email")
    row = (
        '<row r="2"><c r="A2" t="str"><f>HYPERLINK("https://evil.example","Soup")</f><v>Soup</v></c>'
        '<c r="B2"><f>WEBSERVICE("https://evil.example")</f></c><c r="C2" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    (incoming,) = read(raw_workbook(tmp_path / "book.xlsx", header + row))
    assert incoming.service
    assert (incoming.service.name, incoming.service.description, incoming.service.email) == ("Soup", "", "")
    assert [(each.pointer, each.text.split(".")[0]) for each in incoming.problems if each.error] == [
        ("Description (column B)", "is a formula without a saved result"),
        ("Email (column C)", "shows the error #DIV/0!"),
    ]


def test_several_sheets_are_chosen_by_name(tmp_path: Path) -> None:
    grid = [["Service", "Telephone"], ["Soup", "01632 960001"]]
    path = workbook(tmp_path / "book.xlsx", {"Read me": [["Hello"]], "Services": grid})
    with pytest.raises(ImportRefused, match=r"several sheets.*--sheet: 'Read me', 'Services'"):
        read(path)
    with pytest.raises(ImportRefused, match=r"has no sheet 'Help'.*'Services'"):
        read(path, "Help")
    assert [each.service.name for each in read(path, "services") if each.service] == ["Soup"]
    assert sheet_names(path) == ["Read me", "Services"]


def test_the_sheet_is_kept_with_the_mapping(tmp_path: Path) -> None:
    kept = tmp_path / "m.yml"
    write_mapping(kept, {"name": "Service"}, ["Service", "Fax"], "Our services")
    assert read_sheet_name(kept) == "Our services"
    assert read_mapping(kept) == {"name": "Service"}


def test_a_row_far_down_or_a_sheet_that_lies_about_its_size_is_no_harm(tmp_path: Path) -> None:
    rows = text_cells(1, "Service", "Telephone") + text_cells(2, "Soup", "01632 960001")
    far = '<row r="999999999"><c r="A999999999" t="inlineStr"><is><t>Far</t></is></c></row>'
    assert [each.service.name for each in read(raw_workbook(tmp_path / "b.xlsx", rows + far)) if each.service] == [
        "Soup"
    ]


def test_what_breaks_in_the_middle_is_told_and_what_came_before_is_read(tmp_path: Path) -> None:
    rows = text_cells(1, "Service", "Telephone") + text_cells(2, "Soup", "01632 960001")
    read_, broken = read(raw_workbook(tmp_path / "b.xlsx", f'{rows}<row r="3"><c r="A3" t="s"><v>9</v></c></row>'))
    assert read_.service
    assert broken.problems[0].where == "b.xlsx: sheet 'Services', row 3"
    assert "cannot be read from here on" in broken.problems[0].text


def test_hostile_workbooks_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    limits = Limits(sheet_elements=1_000, workbook_bytes=2_000_000, ratio_from=100_000)
    entities = '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>'
    raw_workbook(tmp_path / "entities.xlsx", "", **{"xl/worksheets/sheet1.xml": entities})
    raw_workbook(tmp_path / "stray.xlsx", "<x/>" * 2_000)
    raw_workbook(tmp_path / "deep.xlsx", "<x>" * 40 + "</x>" * 40)
    raw_workbook(tmp_path / "wide.xlsx", f'<row r="1">{"<c/>" * 2_000}</row>')
    raw_workbook(tmp_path / "bomb.xlsx", " " * 1_500_000)
    raw_workbook(tmp_path / "large.xlsx", "", **{f"xl/media/{n}.png": str(n).zfill(90_000) for n in range(30)})
    raw_workbook(tmp_path / "outside.xlsx", "", **{"../../evil.xml": "<x/>"})
    for path in sorted(tmp_path.glob("*.xlsx")):
        with pytest.raises(ImportRefused):
            open_table(path, limits=limits)


def test_a_picture_in_a_workbook_is_no_harm(tmp_path: Path) -> None:
    pictures = {"xl/media/image1.svg": "<!DOCTYPE svg><svg/>", "xl/media/image2.png": "\x89PNG"}
    rows = text_cells(1, "Service", "Telephone") + text_cells(2, "Soup", "01632 960001")
    path = raw_workbook(tmp_path / "b.xlsx", rows, **pictures)
    assert [each.service.name for each in read(path) if each.service] == ["Soup"]


def test_what_is_no_workbook_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.xlsx").write_text("name,phone\n")
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as archive:
        archive.writestr("services.csv", "name\n")
    with zipfile.ZipFile(tmp_path / "half.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    for path in tmp_path.iterdir():
        with pytest.raises(ImportRefused, match="XLSX"):
            open_table(path)
