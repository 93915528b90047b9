"""Tables as people save them, their mappings, and data packages of several versions."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from knowledge.catalogue import Area, Location, Phone, Schedule, Service
from knowledge.errors import ImportRefused
from knowledge.exchange.listings import Incoming
from knowledge.exchange.mappings import FIELDS, read_mapping, suggest_mapping, write_mapping
from knowledge.exchange.packages import read_package
from knowledge.exchange.spreadsheets import read_spreadsheet
from knowledge.exchange.tables import read_header, read_rows
from knowledge.exchange.tabular import open_table
from tests.unit.knowledge.exchange.standard import READER


def table(folder: Path, body: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    path = table(tmp_path, f"name{separator}town\r\nCafé{separator}Hull\r\n".encode(encoding))
    assert read_header(path) == ["name", "town"]
    rows = [row.values for row in read_rows(path, "t.csv") if row.values]
    assert rows == [{"name": "Café", "town": "Hull"}]


def test_bad_rows_are_told_by_line_and_stop_nothing(tmp_path: Path) -> None:
    long = "x" * (csv.field_size_limit() + 1)
    path = table(tmp_path, f"name,town\nA,Hull,extra\n\nB,{long}\nC,York\n")
    rows = list(read_rows(path, "t.csv"))
    assert [row.values.get("name") for row in rows] == ["A", None, "C"]
    assert [str(problem).split(" (")[0] for row in rows for problem in row.problems] == [
        "error: t.csv:2: has 3 cells for 2 columns. Put quotation marks round text with separators.",
        "error: t.csv:4: cannot be read",
    ]


@pytest.mark.parametrize(
    ("body", "names", "bad"),
    [
        pytest.param('A,Hull\n"B,York\nC,Leeds\nD,"Two\nlines"\n', ["A", "C", "D"], [3], id="to the end of the file"),
        pytest.param(f'A,"Hull\nB,York\nC,{"x" * 200_000}\nD,Bath\n', ["B", "D"], [2, 4], id="too far to be read"),
        pytest.param('A,"Hull\n' + "B,York\n" * 600 + 'C,"\n', ["B"] * 600, [2, 603], id="over too many lines"),
        pytest.param('A,Hull\nB,"York', ["A"], [3], id="in the last line"),
        pytest.param('A,5" pipe\n"B"b,York\n', ["A", "Bb"], [], id="one that is only a letter"),
    ],
)
def test_a_quotation_mark_that_does_not_end_costs_its_own_row(
    tmp_path: Path, body: str, names: list[str], bad: list[int]
) -> None:
    rows = list(read_rows(table(tmp_path, f"name,town\n{body}"), "t.csv"))
    assert [row.values["name"] for row in rows if row.values] == names
    assert [problem.where for row in rows for problem in row.problems] == [f"t.csv:{line}" for line in bad]


@pytest.mark.parametrize("body", [b"", b"\x00\x00", b"\xff\xfe"])
def test_tables_with_nothing_in_them(tmp_path: Path, body: bytes) -> None:
    assert [row.values for row in read_rows(table(tmp_path, body), "t.csv") if row.values] == []


def test_a_table_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (row,) = read_rows(tmp_path / "no.csv", "no.csv")
    assert "cannot be read" in row.problems[0].text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["Organisation", "Service", "Tel", "Post Code"], {"organisation": 0, "name": 1, "phone": 2, "postcode": 3}),
        (["id", "organization", "name", "categories", "postal_code", "opening"],
         {"id": 0, "organisation": 1, "name": 2, "terms": 3, "postcode": 4, "opening": 5}),
        (["Telefone number", "Web-site", "E-mail address"], {"phone": 0, "website": 1, "email": 2}),
        (["colour", ""], {}),
        (list(FIELDS), {name: at for at, name in enumerate(FIELDS)}),
    ],
)  # fmt: skip
def test_columns_are_known_by_their_names(header: list[str], expected: dict[str, int]) -> None:
    assert suggest_mapping(header) == {name: header[at] for name, at in expected.items()}


def test_a_mapping_is_kept_as_a_file_people_can_read(tmp_path: Path) -> None:
    path = tmp_path / "mappings" / "m.yml"
    write_mapping(path, {"name": "Service", "phone": "Tel"}, ["Service", "Tel", "Fax"])
    assert "not used: Fax" in path.read_text()
    assert read_mapping(path) == {"name": "Service", "phone": "Tel"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("columns: {nme: X}", "nme: not a field"),
        ("x: 1", "columns:"),
        ("[", "cannot be read"),
        ("columns: {name: 1}", "columns:"),
    ],
)
def test_a_wrong_mapping_is_refused(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(ImportRefused, match=said):
        read_mapping(table(tmp_path, body, "m.yml"))


def read_table(folder: Path, body: str) -> list[Incoming]:
    path = table(folder, body)
    items = read_spreadsheet(open_table(path), suggest_mapping(read_header(path)), "t.csv")
    return [READER.read(item) for item in items]


def test_a_row_becomes_a_listing(tmp_path: Path) -> None:
    (incoming,) = read_table(
        tmp_path,
        "organisation,name,description,phone,sms,postcode,address,town,lat,long,opening hours,languages,needs,"
        "categories,min age,area,companion,summary,accessibility,venue\n"
        "Soup Trust,Soup,Soup for all.,01632 960001,07700 900123,wz1 2ab,1 High St,Millgate,54.1,-0.9,"
        "Mon-Tue 9am-5pm,Polish; English,food,Meals|Company,18,county,yes,Hot soup.,Step-free.,The Hall\n",
    )
    assert incoming.problems == ()
    service = incoming.service
    assert service
    assert service.phones == (Phone(number="01632 960001"), Phone(number="07700 900123", sms=True))
    assert service.locations == (
        Location(name="The Hall", address="1 High St, Millgate", postcode="WZ1 2AB", latitude=54.1, longitude=-0.9,
                 accessibility="Step-free."),
    )  # fmt: skip
    assert service.schedules == (Schedule(days=("MO", "TU"), opens="09:00", closes="17:00"),)
    assert (service.languages, service.needs, service.terms) == (("pl", "en"), ("food",), ("Meals", "Company"))
    assert (service.minimum_age, service.area, service.companion) == (18, Area.COUNTY, True)
    assert (service.summary, service.organisation.name) == ("Hot soup.", "Soup Trust")
    again = read_table(tmp_path, "organisation,name,postcode\nSoup Trust,Soup,wz1 2ab\n")[0].service
    assert again and again.id == service.id


def test_problems_name_the_column(tmp_path: Path) -> None:
    (incoming,) = read_table(tmp_path, "name,telephone,web,lat,long,hours\nSoup,ask,soup,x,1,when it rains\n")
    assert [(problem.where, problem.pointer) for problem in incoming.problems] == [
        ("t.csv:2", "hours"), ("t.csv:2", "web"), ("t.csv:2", "lat"), ("t.csv:2", "telephone"),
    ]  # fmt: skip


def test_the_mark_before_a_formula_is_taken_off_again(tmp_path: Path) -> None:
    (incoming,) = read_table(tmp_path, "name,description,summary\n'=Soup,'+1 meal,'\uff1dHot\n")
    assert incoming.service
    service = incoming.service
    assert (service.name, service.description, service.summary) == ("=Soup", "+1 meal", "\uff1dHot")


MODERN = {
    "services.csv": "id,organization_id,name,status,minimum_age,description\n"
    "s1,o1,Soup,active,18,Hot\ns2,o9,,active,,\n",
    "organizations.csv": "id,name,description,website\no1,Trust,Runs it,https://trust.example\n",
    "phones.csv": "id,service_id,location_id,number\np1,s1,,01632 960001\np2,,l1,01632 960002\n",
    "locations.csv": "id,name,location_type,latitude,longitude\nl1,Hall,physical,54.1,-0.9\n",
    "service_at_locations.csv": "id,service_id,location_id\nx1,s1,l1\n",
    "addresses.csv": "id,location_id,address_1,city,postal_code\na1,l1,1 High St,Millgate,WZ1 2AB\n",
    "schedules.csv": "id,service_id,service_at_location_id,freq,byday,opens_at,closes_at\n"
    'h1,s1,,WEEKLY,"MO,TU",09:00,17:00\nh2,,x1,WEEKLY,SA,10:00,25:00\n',
    "languages.csv": "id,service_id,name,code\ng1,s1,Polish,pl\n",
    "attributes.csv": "id,link_id,taxonomy_term_id\nt1,s1,w1\n",
    "taxonomy_terms.csv": "id,name,description\nw1,Meals,Meals\n",
    "service_areas.csv": "id,service_id,name\nr1,s1,England\n",
    "cost_options.csv": "id,service_id,amount\nc1,s1,0\n",
}
OLDER = {
    "services.csv": "id,organization_id,name,status,description\n1,7,Soup,active,Hot\n",
    "organizations.csv": "id,name,description,url\n7,Trust,Runs it,\n",
    "phone.csv": "id,service_id,number,type\n1,1,01632 960001,voice\n",
    "location.csv": "id,name,latitude,longitude\n3,Hall,54.1,-0.9\n",
    "services_at_location.csv": "id,service_id,location_id\n1,1,3\n",
    "physical_addresses.csv": "id,location_id,address_1,city,state_province,postal_code,country\n"
    "1,3,1 High St,Millgate,X,WZ1 2AB,GB\n",
    "regular_schedules.csv": "id,service_id,weekday,opens_at,closes_at\n1,1,Monday,9:00,5pm\n2,1,2,09:00,17:00\n",
    "languages.csv": "id,service_id,language\n1,1,Polish\n",
    "service_taxonomy.csv": "id,service_id,taxonomy_id\n1,1,BH-1800\n",
    "taxonomy.csv": "id,name,parent_id,vocabulary\nBH-1800,Meals,,airs\n",
    "eligibility.csv": "id,service_id,eligibility\n1,1,For everyone over 18\n",
    "accessibility_for_disabilities.csv": "id,location_id,accessibility,details\n1,3,Ramp,At the side\n",
}


def package(folder: Path, files: Mapping[str, str]) -> list[Incoming]:
    paths = {name: table(folder, body, name) for name, body in files.items()}
    scratch = folder / "scratch"
    scratch.mkdir()
    return [READER.read(item) for item in read_package(paths, scratch)]


def test_a_package_of_version_3(tmp_path: Path) -> None:
    whole, nameless = package(tmp_path, MODERN)
    service = whole.service
    assert service
    assert service.organisation.name == "Trust"
    assert [phone.number for phone in service.phones] == ["01632 960001", "01632 960002"]
    assert service.locations[0] == Location(
        name="Hall", address="1 High St, Millgate", postcode="WZ1 2AB", latitude=54.1, longitude=-0.9
    )
    assert service.schedules == (Schedule(days=("MO", "TU"), opens="09:00", closes="17:00"),)
    assert (service.languages, service.terms, service.area) == (("pl",), ("Meals",), Area.NATIONAL)
    assert (service.minimum_age, service.cost) == (18, "Free")
    assert any(
        str(problem).startswith("error: services.csv:2: schedules.csv:3: closes_at: '25:00' is not a time")
        for problem in whole.problems
    )
    assert nameless.service is None
    assert "services.csv:3" in str(nameless.problems[0])


def test_a_package_of_version_1_says_the_same(tmp_path: Path) -> None:
    (incoming,) = package(tmp_path, OLDER)
    service = incoming.service
    assert isinstance(service, Service)
    assert service.schedules == (
        Schedule(days=("MO",), opens="09:00", closes="17:00"),
        Schedule(days=("TU",), opens="09:00", closes="17:00"),
    )
    assert service.locations[0].accessibility == "Ramp At the side"
    assert (service.terms, service.languages) == (("Meals",), ("pl",))
    assert service.eligibility == "For everyone over 18"
    assert not [problem for problem in incoming.problems if problem.error]


def test_a_folder_without_services_says_so(tmp_path: Path) -> None:
    (incoming,) = package(tmp_path, {"phones.csv": "id\n1\n"})
    assert "no table of services" in incoming.problems[0].text
