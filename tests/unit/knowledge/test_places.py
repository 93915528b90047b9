"""Where somebody is, in the tables that the product ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.catalogue import Place
from knowledge.errors import CatalogueFileError
from knowledge.places import Places, load_places, middle_of, miles_between
from knowledge.settings import PACKAGE_DATA

LEEDS = Place(name="Leeds", latitude=53.7965, longitude=-1.5478)


@pytest.fixture(scope="module")
def places() -> Places:
    return load_places(PACKAGE_DATA / "places", demo=True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("food bank near Millgate", "Millgate", id="a neighbourhood"),
        pytest.param("NETHER MARSH", "Nether Marsh", id="capitals"),
        pytest.param("near Harbourside please", "Harbour Side", id="another spelling"),
        pytest.param("im in foxley, wrenbridge", "Foxley", id="a part before the whole town"),
        pytest.param("anything in wrenbridge", "Wrenbridge", id="the whole town"),
        pytest.param("my postcode is wz2 4ab", "Millgate", id="a postcode in small letters"),
        pytest.param("WZ24AB", "Millgate", id="a postcode without the space"),
        pytest.param("wz3", "Harbour Side", id="a district as the whole message"),
        pytest.param("i live in m14 and need help with my rent", "M14", id="a district after in"),
        pytest.param("help with rent LS6 area", "LS6", id="a district in capitals"),
        pytest.param("im in leeds and need help", "Leeds", id="a town after in"),
        pytest.param("i live in Newcastle upon Tyne", "Newcastle upon Tyne", id="a town of three words"),
        pytest.param("help in manchestr", "Manchester", id="a town with a typing error"),
        pytest.param("King's Lynn", "King's Lynn", id="an apostrophe"),
        pytest.param("i live in Reading", "Reading", id="a town that is a word, with a capital"),
        pytest.param("i love reading", None, id="a word that is a town"),
        pytest.param("help with reading", None, id="a word that is a town, after with"),
        pytest.param("i am in debt and in pain", None, id="in something that is no place"),
        pytest.param("i take b12 vitamins", None, id="a vitamin that is a district"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_places_in_messages(places: Places, text: str, name: str | None) -> None:
    found = places.find(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("near", "name"),
    [
        pytest.param("milgate", "Millgate", id="an alias"),
        pytest.param("fxoley", "Foxley", id="letters swapped"),
        pytest.param("reading", "Reading", id="no capital needed when a place is asked for"),
        pytest.param("my flat, Foxley, Wrenbridge", "Foxley", id="an address"),
        pytest.param("SW1A 1AA", "SW1A", id="a postcode"),
        pytest.param("no idea", None, id="no place"),
        pytest.param("?", None, id="nothing"),
    ],
)
def test_answers_to_where_are_you(places: Places, near: str, name: str | None) -> None:
    found = places.resolve(near)
    assert (found.name if found else None) == name


def test_the_fictional_town_exists_only_in_the_demo() -> None:
    real = load_places(PACKAGE_DATA / "places", demo=False)
    assert real.find("in Millgate WZ2 4AB") is None
    assert real.find("in Leeds") is not None


def test_of_two_towns_with_one_name_the_one_near_home_is_meant() -> None:
    south, north = (Place(name="Newtown", latitude=latitude, longitude=-1.0) for latitude in (50.0, 54.0))
    towns = {"newtown": (south, north)}
    assert Places({}, towns, {}).find("in newtown") == south
    assert Places({}, towns, {}, home=LEEDS).find("in newtown") == north
    assert Places({}, {"newtown": (south,)}, {}, home=LEEDS).find("in newtown") == south


def test_miles() -> None:
    york = Place(name="York", latitude=53.9576, longitude=-1.0827)
    assert miles_between(york, LEEDS.latitude, LEEDS.longitude) == pytest.approx(22, abs=1)
    assert miles_between(york, york.latitude, york.longitude) == 0


def test_the_middle_is_the_median_of_the_services() -> None:
    middle = middle_of([(54.0, -1.0), (54.2, -1.2), (60.0, 5.0)])
    assert middle is not None
    assert (middle.latitude, middle.longitude) == (54.2, -1.0)
    assert middle_of([]) is None


def test_tables_that_are_missing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueFileError, match="cannot be read"):
        load_places(tmp_path, demo=True)


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        pytest.param(54.150, -0.900, {"Wrenbridge", "Town Centre"}, id="in the middle of town"),
        pytest.param(54.172, -0.879, {"Foxley"}, id="beside a part of town"),
        pytest.param(53.797, -1.548, {"LS1"}, id="another city, by its postcode district"),
        pytest.param(56.0, 3.0, {None}, id="out at sea"),
    ],
)
def test_a_point_is_called_after_what_is_near(
    places: Places, latitude: float, longitude: float, name: set[str | None]
) -> None:
    found = places.nearest(latitude, longitude)
    assert (found.name if found else None) in name


def test_what_a_point_is_called_after_is_found_again_by_that_name(places: Places) -> None:
    for point in ((54.150, -0.900), (54.172, -0.879), (53.797, -1.548)):
        found = places.nearest(*point)
        assert found is not None
        again = places.resolve(found.name)
        assert again is not None
        assert miles_between(again, found.latitude, found.longitude) < 1
