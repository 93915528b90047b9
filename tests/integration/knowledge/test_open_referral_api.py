"""The public interface, as other programs ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from knowledge.catalogue import Location
from knowledge.editor import create_app
from knowledge.exchange.api import PREFIX, TOGETHER
from knowledge.exchange.identity import as_uuid, need_uuid
from knowledge.exchange.importing import Choices, Importer
from knowledge.exchange.listings import Item
from knowledge.exchange.register import Register
from knowledge.publish import open_store
from knowledge.settings import Settings, read_settings
from tests.integration.knowledge.databases import BOTH, empty_catalogue
from tests.unit.knowledge.exchange.standard import READER, example, minimal, wrong_by_schema

SHOP = as_uuid("svc-advice-shop")


@pytest.fixture(scope="module", params=BOTH)
def settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A catalogue of its own: this file changes it. No index is needed."""
    folder = tmp_path_factory.mktemp("api")
    with empty_catalogue(request, folder) as url:
        yield read_settings(data_dir=folder, demo=True, country="GB", catalogue_url=url)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as opened:
        yield opened


def ask(client: TestClient, path: str, **given: Any) -> Any:
    answer = client.get(PREFIX + path, params=given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(page: Any) -> set[str]:
    return {body["name"] for body in page["contents"]}


def test_it_says_what_it_is(client: TestClient) -> None:
    assert ask(client, "/")["version"] == "HSDS-UK-3.0"


def test_every_page_of_every_list_is_whole_and_valid(client: TestClient) -> None:
    seen: set[str] = set()
    number, last = 1, False
    while not last:
        page = ask(client, "/services", full="true", per_page=100, page=number)
        assert [wrong for body in page["contents"] for wrong in wrong_by_schema(body)] == []
        assert (page["page_number"], page["size"]) == (number, len(page["contents"]))
        assert page["first_page"] is (number == 1)
        seen |= {body["id"] for body in page["contents"]}
        number, last = number + 1, page["last_page"]
    assert len(seen) == page["total_items"] > 199
    assert page["total_pages"] == number - 1
    assert not any("no_wrong_door" in body for body in page["contents"])


def test_lists_have_heads_and_one_service_is_whole(client: TestClient) -> None:
    found = ask(client, "/services", search="bell street advice shop")["contents"]
    (head,) = [body for body in found if body["id"] == SHOP]
    assert wrong_by_schema(head) == []
    assert head["organization"]["name"] == "Bell Street Advice Shop"
    assert "schedules" not in head
    whole = ask(client, f"/services/{head['id']}")
    assert wrong_by_schema(whole) == []
    assert whole["id"] == SHOP
    assert whole["schedules"][0]["byday"] == "MO,TU,WE,TH,FR"
    assert whole["phones"][0]["number"] == "01632 960210"


def test_only_ids_and_moments(client: TestClient) -> None:
    page = ask(client, "/services", minimal="true", per_page=1)
    assert set(page["contents"][0]) == {"id", "modified_date"}


@pytest.mark.parametrize(
    ("given", "count"),
    [
        pytest.param({"taxonomy_term_id": need_uuid("gambling")}, "some", id="a need by its id"),
        pytest.param({"taxonomy_term_id": "gambling"}, "some", id="a need by its name"),
        pytest.param({"taxonomy_term_id": "nothing"}, "none", id="a need nobody has"),
        pytest.param({"organization_id": as_uuid("org-bell-street-advice")}, "some", id="an organisation"),
        pytest.param({"minimum_age": 18}, "some", id="for adults"),
        pytest.param({"maximum_age": 25}, "some", id="for the young"),
        pytest.param({"day": "SU", "start_time": "12:00"}, "some", id="Sunday afternoons"),
        pytest.param({"day": "Sunday", "end_time": "00:01"}, "none", id="never"),
        pytest.param({"postcode": "WZ1 2AB"}, "some", id="round a postcode, and whoever reaches it"),
        pytest.param({"postcode": "WZ1 2AB", "proximity": "1500"}, "some", id="within a walk"),
        pytest.param({"postcode": "TR18 2AB", "proximity": "1500"}, "none", id="far away"),
        pytest.param({"modified_after": "2020-01-01T00:00:00Z"}, "all", id="since 2020"),
        pytest.param({"modified_after": "2100-01-01T00:00:00+01:00"}, "none", id="in the future"),
        pytest.param({"text": "CHOIR"}, "some", id="words"),
        pytest.param({"search": ""}, "all", id="an empty filter"),
        pytest.param({"format": "JSON"}, "all", id="the one format there is"),
        pytest.param({"page": 100_000}, "all", id="a page after the last"),
    ],
)
def test_filters(client: TestClient, given: dict[str, Any], count: str) -> None:
    everything = ask(client, "/services")["total_items"]
    page = ask(client, "/services", **given)
    total = page["total_items"]
    assert {"none": total == 0, "some": 0 < total < everything, "all": total == everything}[count]
    assert page["empty"] is (not page["contents"])


def test_a_postcode_never_hides_national_help(client: TestClient) -> None:
    near = ask(client, "/services", postcode="TR18 2AB", per_page=100)
    assert any("Samaritans" in name for name in names(near))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"page": "0"}, "page"),
        ({"page": "x"}, "page"),
        ({"page": "9" * 400}, "page"),
        ({"per_page": "101"}, "per_page"),
        ({"per_page": "-1"}, "per_page"),
        ({"minimum_age": "nan"}, "minimum_age"),
        ({"maximum_age": "old"}, "maximum_age"),
        ({"day": "someday"}, "day"),
        ({"start_time": "9"}, "start_time"),
        ({"modified_after": "soon"}, "modified_after"),
        ({"postcode": "zz"}, "postcode"),
        ({"proximity": "5"}, "postcode"),
        ({"full": "perhaps"}, "full"),
        ({"postcode": "WZ1 2AB", "proximity": "far"}, "proximity"),
        ({"colour": "red"}, "colour"),
        ({"format": "ndjson"}, "format"),
        ({"search": "x" * 201}, "search"),
        ({"text": "x" * 201}, "text"),
        ({"postcode": "WZ1 2AB and a good deal more"}, "postcode"),
        ({"page": ["1", "2"]}, "page"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(client: TestClient, given: dict[str, Any], field: str) -> None:
    answer = client.get(f"{PREFIX}/services", params=given)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_services_at_their_places(client: TestClient) -> None:
    seen, number, last = {}, 1, False
    while not last:
        page = ask(client, "/service_at_locations", full="true", per_page=100, page=number)
        seen |= {body["id"]: body for body in page["contents"]}
        number, last = number + 1, page["last_page"]
    assert len(seen) == page["total_items"] > 150
    assert [wrong for body in seen.values() for wrong in wrong_by_schema(body["service"])] == []
    for service in {body["service"]["id"] for body in list(seen.values())[:20]}:
        for place in ask(client, f"/services/{service}")["service_at_locations"]:
            assert seen[place["id"]]["location"] == place["location"]
    (place,) = [body for body in seen.values() if body["service"]["id"] == SHOP]
    assert ask(client, f"/service_at_locations/{place['id']}") == place
    assert "schedules" in place["service"]
    found = ask(client, "/service_at_locations", search="bell street advice shop")["contents"]
    (head,) = [body for body in found if body["id"] == place["id"]]
    assert head["location"]["latitude"] == place["location"]["latitude"]
    assert "addresses" not in head["location"]
    assert "schedules" not in head["service"]


@pytest.mark.parametrize("given", [{"postcode": "WZ1 2AB", "proximity": "1500"}, {"day": "SU"}, {"minimum_age": 18}])
def test_filters_of_places(client: TestClient, given: dict[str, Any]) -> None:
    everything = ask(client, "/service_at_locations")["total_items"]
    assert 0 < ask(client, "/service_at_locations", **given)["total_items"] < everything
    assert client.get(f"{PREFIX}/service_at_locations", params={"colour": "red"}).status_code == 400


def test_an_imported_place_keeps_its_id_until_it_is_changed(settings: Settings) -> None:
    body = example("service_full.json")
    theirs = body["service_at_locations"][0]["id"]
    with closing(open_store(settings)[0]) as store:
        importer = Importer(store, Register(store), READER, None, Choices(source="feed"))
        importer.run([Item(where="feed", body=body)], lambda: True, lambda _outcome: None)
        listing = store.listing(body["id"])
        assert listing
        store.save(listing.service, by="Sam")
        with TestClient(create_app(settings)) as client:
            assert ask(client, f"/service_at_locations/{theirs}")["service"]["name"] == "Community Counselling"
            moved = replace(listing.service, locations=(Location(name="Elsewhere"),))
            store.save(moved, by="Sam")
        with TestClient(create_app(settings)) as client:
            assert client.get(f"{PREFIX}/service_at_locations/{theirs}").status_code == 404
            (place,) = ask(client, "/service_at_locations", search="community counselling")["contents"]
            assert place["location"]["name"] == "Elsewhere"
            assert place["id"] == ask(client, f"/services/{body['id']}")["service_at_locations"][0]["id"]


@pytest.mark.parametrize(("north", "found"), [(54.5, True), (53.0, False)])
def test_an_area_that_was_drawn_is_taken_as_drawn(tmp_path: Path, north: float, found: bool) -> None:
    settings = read_settings(data_dir=tmp_path, demo=True, country="GB")
    square = [[-1.5, 52.0], [-0.5, 52.0], [-0.5, north], [-1.5, north]]
    drawn = json.dumps({"type": "Polygon", "coordinates": [square]})
    body = minimal(service_areas=[{"name": "Wrenshire", "extent": drawn, "extent_type": "geojson"}])
    with closing(open_store(settings)[0]) as store:
        importer = Importer(store, Register(store), READER, None, Choices(source="feed"))
        importer.run([Item(where="feed", body=body)], lambda: True, lambda _outcome: None)
        listing = store.listing(body["id"])
        assert listing
        store.save(listing.service, by="Sam")
    with TestClient(create_app(settings)) as client:
        page = ask(client, "/services", postcode="WZ1 2AB", search="soup kitchen")
        assert ("Soup kitchen" in names(page)) is found


def test_organisations_and_the_taxonomy(client: TestClient) -> None:
    page = ask(client, "/organizations", per_page=100)
    assert [wrong for body in page["contents"] for wrong in wrong_by_schema(body, "schema_organization.json")] == []
    first = page["contents"][0]
    assert ask(client, f"/organizations/{first['id']}") == first
    (taxonomy,) = ask(client, "/taxonomies")["contents"]
    assert ask(client, f"/taxonomies/{taxonomy['id']}") == taxonomy
    terms = ask(client, "/taxonomy_terms", taxonomy_id=taxonomy["id"], per_page=100)
    assert terms["total_items"] > 50
    assert ask(client, f"/taxonomy_terms/{terms['contents'][0]['id']}") == terms["contents"][0]
    assert ask(client, "/taxonomy_terms", taxonomy_id="x")["empty"]
    assert client.get(f"{PREFIX}/organizations", params={"day": "MO"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "given", "count"),
    [
        pytest.param("/organizations", {"search": "bell STREET"}, "some", id="organisations by their words"),
        pytest.param("/organizations", {"text": "zebra"}, "none", id="an organisation that is not there"),
        pytest.param("/taxonomies", {"search": "own words"}, "all", id="the taxonomy by its words"),
        pytest.param("/taxonomies", {"search": "zebra"}, "none", id="another taxonomy"),
        pytest.param("/taxonomy_terms", {"search": "rent"}, "some", id="terms by their words"),
        pytest.param("/taxonomy_terms", {"top_only": "true"}, "all", id="terms at the top"),
        pytest.param("/taxonomy_terms", {"parent_id": need_uuid("gambling")}, "none", id="terms under another"),
    ],
)
def test_filters_of_the_other_lists(client: TestClient, path: str, given: dict[str, Any], count: str) -> None:
    everything, total = ask(client, path)["total_items"], ask(client, path, **given)["total_items"]
    assert {"none": total == 0, "some": 0 < total < everything, "all": total == everything}[count]


@pytest.mark.parametrize(
    ("path", "given", "field"),
    [
        ("/taxonomy_terms", {"top_only": "perhaps"}, "top_only"),
        ("/organizations", {"full_service": "true"}, "full_service"),
        ("/organizations", {"format": "csv"}, "format"),
        (f"/services/{SHOP}", {"colour": "red"}, "colour"),
        (f"/services/{SHOP}", {"full": "false"}, "full"),
        (f"/services/{SHOP}", {"format": "csv"}, "format"),
    ],
)
def test_what_is_wrong_is_said_elsewhere_too(client: TestClient, path: str, given: dict[str, Any], field: str) -> None:
    answer = client.get(f"{PREFIX}{path}", params=given)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert client.get(f"{PREFIX}/services/{SHOP}", params={"full": "true"}).status_code == 200


@pytest.mark.parametrize("kind", ["services", "service_at_locations", "organizations", "taxonomies", "taxonomy_terms"])
@pytest.mark.parametrize("identity", ["nothing", "%00", "..%2f..", "'; drop table services"])
def test_what_is_not_there_is_404(client: TestClient, kind: str, identity: str) -> None:
    assert client.get(f"{PREFIX}/{kind}/{identity}").status_code == 404


def test_nothing_is_sent_again_that_has_not_changed(client: TestClient) -> None:
    answer = client.get(f"{PREFIX}/services")
    assert answer.headers["cache-control"] == "public, max-age=60"
    again = client.get(f"{PREFIX}/services", headers={"if-none-match": f"W/{answer.headers['etag']}"})
    assert (again.status_code, again.content) == (304, b"")


def test_any_page_may_read_and_none_may_write(client: TestClient) -> None:
    asked = {"origin": "https://other.example", "access-control-request-method": "GET"}
    assert client.options(f"{PREFIX}/services", headers=asked).headers["access-control-allow-origin"] == "*"
    assert client.get(f"{PREFIX}/services", headers=asked).headers["access-control-allow-origin"] == "*"
    refused = client.options(f"{PREFIX}/services", headers={**asked, "access-control-request-method": "DELETE"})
    assert refused.status_code == 400
    assert client.post(f"{PREFIX}/services", json={}).status_code == 405
    assert "access-control-allow-origin" not in client.get("/", headers=asked).headers


def test_drafts_are_not_there(settings: Settings) -> None:
    store, _notes = open_store(settings)
    listing = store.listing("svc-free-law-evening")
    assert listing
    store.save(replace(listing.service, name="Free law evening, changed"), by="Sam", published=False)
    store.close()
    with TestClient(create_app(settings)) as client:
        assert client.get(f"{PREFIX}/services/{as_uuid('svc-free-law-evening')}").status_code == 404
        assert ask(client, "/services", search="free law evening")["empty"]


def test_only_so_many_are_answered_at_once(settings: Settings) -> None:
    from knowledge.exchange.api import OpenReferral

    interface = OpenReferral(settings)
    for _each in range(TOGETHER):
        assert interface._busy.acquire(blocking=False)
    from starlette.applications import Starlette

    with TestClient(Starlette(routes=[interface.mount()])) as client:
        answer = client.get(f"{PREFIX}/services")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
