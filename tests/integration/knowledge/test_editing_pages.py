"""An editor's work from the first letter to people's phones, as a browser without scripts does it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from starlette.testclient import TestClient

from knowledge.editing.accounts import Role
from knowledge.publish import open_store
from knowledge.search import Search
from knowledge.settings import Settings
from knowledge.store import Store
from tests.integration.knowledge.browsing import add_editor, browser, send, sign_in

SHOP = "/listings/svc-advice-shop"


@pytest.fixture
def client(own: Settings) -> Iterator[TestClient]:
    with browser(own) as opened:
        opened.get("/?as=ana")
        yield opened


def fields_of(page: str) -> dict[str, list[str]]:
    """What a browser would send for the form of a listing as it is shown."""
    form = page[page.index('<form id="edit"') :]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form[: form.index("</form>")]):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            fields.setdefault(name[1], []).append(html.unescape(value[1] if value else "on"))
    for name, options in re.findall(r'<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        fields[name] = [html.unescape(chosen[1])] if chosen else []
    for name, text in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        fields[name] = [html.unescape(text)]
    return fields


def save(client: TestClient, path: str, then: str = "save", **changes: object) -> httpx.Response:
    fields = fields_of(client.get(f"{path}/edit").text)
    typed = {name: value if isinstance(value, list) else [str(value)] for name, value in changes.items()}
    return client.post(f"{path}/edit", data={**fields, **typed, "then": then})


def be(client: TestClient, login: str) -> None:
    client.get(f"/?as={login}")


def decide(client: TestClient, path: str, then: str, **more: str) -> httpx.Response:
    based_on = re.search(r'name="based_on" value="([^"]+)"', client.get(f"{path}/review").text)
    assert based_on
    return send(client, f"{path}/review", based_on=based_on[1], then=then, **more)


def test_a_form_that_is_saved_as_it_is_changes_nothing(client: TestClient, own: Settings) -> None:
    assert save(client, SHOP).url.path == SHOP
    assert "Go on with the draft" not in client.get(SHOP).text


def test_from_an_edit_to_a_search_with_a_second_person(client: TestClient, own: Settings) -> None:
    search = Search.open(own)
    page = save(client, SHOP, then="review", name="Bell Street Rights Shop")
    assert page.url.path == f"{SHOP}/review"
    assert "Bell Street Advice Shop" in page.text
    assert "<ins>Bell Street Rights Shop</ins>" in page.text
    assert "another publisher has to look at it" in page.text
    assert decide(client, SHOP, "publish").status_code == 409
    assert not search.refresh()
    be(client, "robin")
    waiting = client.get("/?show=review").text
    assert "1 of " in waiting
    assert 'waiting for review<span class="hidden"> of Bell Street Advice Shop' in waiting
    published = decide(client, SHOP, "publish")
    assert published.status_code == 200
    assert "it is live" in published.text
    assert "written by Ana, published by Robin" in " ".join(published.text.split())
    assert search.refresh()
    found = search.service("svc-advice-shop")
    assert found is not None
    assert found.name == "Bell Street Rights Shop"
    history = client.get(f"{SHOP}/history").text
    assert "Revision 2" in history
    assert "<del>Bell Street Advice Shop</del>" in history

    assert "live again" in send(client, "/published/1/roll-back").text
    assert search.refresh()
    again = search.service("svc-advice-shop")
    assert again is not None
    assert again.name == "Bell Street Advice Shop"
    assert send(client, "/published/1/roll-back").status_code == 409


def test_what_two_wrote_together_is_published_by_the_one_who_did_not_send_it(client: TestClient, own: Settings) -> None:
    save(client, SHOP, name="Bell Street Rights Shop")
    be(client, "robin")
    save(client, SHOP, then="review", cost="Free for all")
    assert "another publisher has to look at it" in decide(client, SHOP, "publish").text
    be(client, "ana")
    assert "written by Ana and Robin, published by Ana" in " ".join(decide(client, SHOP, "publish").text.split())


def test_an_editor_may_not_publish_and_one_person_may_when_the_house_says_so(own: Settings) -> None:
    add_editor(own, "eve", Role.EDITOR)
    add_editor(own, "pia", Role.PUBLISHER)
    alone = own.model_copy(update={"second_person": False})
    with browser(alone) as client:
        sign_in(client, "eve")
        save(client, SHOP, then="review", cost="Free for all")
        assert "A publisher has to look" in decide(client, SHOP, "publish").text
        sign_in(client, "pia")
        save(client, SHOP, then="review", cost="Free for everybody")
        assert "it is live" in decide(client, SHOP, "publish").text


def test_what_is_wrong_is_kept_and_said_beside_the_field(client: TestClient) -> None:
    page = save(client, SHOP, then="review", name="", minimum_age="teen", **{"schedules-0-opens": "nine ish"})
    assert page.status_code == 422
    assert 'value="nine ish"' in page.text
    assert 'value="teen"' in page.text
    assert 'href="#schedules-0-opens"' in page.text
    assert re.search(
        r'id="minimum_age"[^>]*aria-describedby="minimum_age-hint minimum_age-said-1"[^>]*aria-invalid', page.text
    )
    assert "must be put right first" in page.text
    again = client.get(f"{SHOP}/edit").text
    assert 'value="nine ish"' in again
    fixed = save(client, SHOP, then="review", name="Advice Shop", minimum_age="", **{"schedules-0-opens": "9:30am"})
    assert fixed.url.path == f"{SHOP}/review"


def test_opening_times_are_read_back(client: TestClient) -> None:
    page = save(
        client, SHOP, **{"schedules-3-days": ["MO", "TH"], "schedules-3-opens": "5pm", "schedules-3-closes": "7.30pm"}
    )
    assert "Mondays and Thursdays 5pm to 7:30pm" in page.text


def test_two_editors_on_one_listing(client: TestClient, own: Settings) -> None:
    seen = fields_of(client.get(f"{SHOP}/edit").text)
    client.post(f"{SHOP}/edit", data={**seen, "name": ["Name of Ana"], "cost": ["Free tea"], "then": "save"})
    with browser(own) as other:
        token = fields_of(other.get("/?as=robin") and other.get(f"{SHOP}/edit").text)["form_token"]
        mine = {**seen, "form_token": token, "name": ["Name of Robin"], "how_to": ["Ring first."], "then": "save"}
        page = other.post(f"{SHOP}/edit", data=mine)
        assert "/merge/" in page.url.path
        assert re.search(r"Robin \([^)]*\) and the draft \(last saved by Ana,", page.text)
        assert "Name of Ana" in page.text
        assert "Name of Robin" in page.text
        assert "Ring first." in page.text
        assert send(other, page.url.path).status_code == 422
        refused = decide(client, SHOP, "review")
        assert "Choose between their versions first" in refused.text
        settled = send(other, page.url.path, **{"choose-name": "mine"})
        assert 'value="Name of Robin"' in settled.text
        assert 'value="Free tea"' in settled.text
        assert 'value="Ring first."' in settled.text


@pytest.mark.parametrize(
    ("path", "status"), [("/published/{}/roll-back", 409), ("/problems/{}/done", 200), (f"{SHOP}/merge/{{}}", 409)]
)
def test_a_number_that_no_row_has_is_nothing_worse(client: TestClient, path: str, status: int) -> None:
    assert send(client, path.format(10**20)).status_code == status


def test_a_draft_can_be_sent_back_discarded_and_an_old_version_restored(client: TestClient) -> None:
    save(client, SHOP, then="review", name="First Name")
    be(client, "robin")
    decide(client, SHOP, "back", note="Say why it is free")
    assert "Sent back: Say why it is free" in client.get(f"{SHOP}/edit").text
    be(client, "ana")
    decide(client, SHOP, "review")
    be(client, "robin")
    decide(client, SHOP, "publish")
    save(client, SHOP, name="Thrown Away")
    assert decide(client, SHOP, "discard").url.path == "/"
    assert "First Name" in client.get(SHOP).text
    restored = send(client, f"{SHOP}/restore", revision="1")
    assert 'value="Bell Street Advice Shop"' in restored.text
    assert 'value="First Name"' not in restored.text


def test_a_revision_that_says_what_is_live_is_said_to_be_the_same(client: TestClient) -> None:
    send(client, f"{SHOP}/still-right")
    restored = send(client, f"{SHOP}/restore", revision="1")
    assert restored.url.path == SHOP
    assert "nothing to change" in restored.text


def test_a_new_listing_of_a_new_organisation(client: TestClient, own: Settings) -> None:
    assert "Choose who runs it" in send(client, "/listings/new", name="Kite Club").text
    assert "Begin with https://" in send(client, "/organisations/new", name="Kites", website="kites").text
    page = send(client, "/organisations/new", name="Kites of Wrenbridge", website="", description="")
    assert page.url.path == "/listings/new"
    assert send(client, "/organisations/new", name="Kites of Wrenbridge", website="", description="").status_code == 422
    page = send(client, "/listings/new", name="Kite Club", organisation="org-kites-of-wrenbridge")
    assert page.url.path == "/listings/svc-kite-club/edit"
    assert "Before it can go for review" in page.text
    page = save(
        client, "/listings/svc-kite-club", then="review", summary="Fly a kite with friends on Sundays.",
        description="Come to the hill. We bring the kites.",
        **{"needs-0": "loneliness", "phones-0-number": "01632 960777"},
    )  # fmt: skip
    assert page.url.path.endswith("/review"), page.text
    assert "Kite Club" in client.get("/?show=drafts").text
    be(client, "robin")
    assert "it is live" in decide(client, "/listings/svc-kite-club", "publish").text
    assert Search.open(own).service("svc-kite-club") is not None
    send(client, "/published/1/roll-back")
    assert Search.open(own).service("svc-kite-club") is None


def test_trying_a_sentence_with_a_draft(client: TestClient, own: Settings) -> None:
    page = save(client, SHOP, then="try", sentence="xylophone lessons please", name="Xylophone lessons",
                summary="Xylophone lessons for anybody.", description="Learn the xylophone.")  # fmt: skip
    assert page.status_code == 200
    assert "This listing comes" in page.text
    assert "because" in page.text
    assert "1 " in page.text
    assert "segment" in page.text
    for heading in ("Text message", "Telegram, in a list", "Web chat"):
        assert heading in page.text
    assert 'value="xylophone lessons please"' in page.text
    live = Search.open(own).service("svc-advice-shop")
    assert live is not None
    assert live.name == "Bell Street Advice Shop"


def test_needs_are_suggested_from_the_words(client: TestClient) -> None:
    page = save(client, SHOP, summary="Help to stop gambling and betting.", description="We talk about gambling.")
    assert re.search(r'Gambling.* \(\d+ %\): close to "', page.text, re.I)


def test_sign_off_belongs_to_the_words(client: TestClient) -> None:
    assert send(client, f"{SHOP}/sign-off", who="").status_code == 422
    page = send(client, f"{SHOP}/sign-off", who="Wrenbridge readers")
    assert page.text.count("signed off by Wrenbridge readers") == 5
    changed = save(client, SHOP, summary="New words for the same help.")
    assert changed.text.count("signed off by Wrenbridge readers") == 4


def test_one_click_says_that_a_listing_is_still_right(client: TestClient, own: Settings) -> None:
    be(client, "robin")
    page = send(client, f"{SHOP}/still-right")
    assert "Marked as checked today" in page.text
    assert client.app.state.site.live.wait(60)  # type: ignore[attr-defined]  # the app of this test
    store, _notes = open_store(own)
    listing = store.listing("svc-advice-shop")
    store.close()
    found = Search.open(own).service("svc-advice-shop")
    assert listing is not None
    assert found is not None
    assert found.assured_by == listing.service.assured_by == "Robin"


def test_what_nobody_is_offered_yet_is_published_as_it_is(client: TestClient, own: Settings) -> None:
    with closing(Store.open(own.database_url)) as store:
        listing = store.listing("svc-advice-shop")
        assert listing
        store.save(listing.service, by="import: feed", published=False)
        sent = save(client, SHOP, then="review")
        assert "publishing it offers the listing to people" in sent.text
        be(client, "robin")
        decide(client, SHOP, "publish")
        listing = store.listing("svc-advice-shop")
        assert listing
        assert listing.published
    assert "Nobody is offered this yet" not in client.get(SHOP).text


def test_reports_reach_the_queue(anywhere: Settings) -> None:
    token = {"authorization": "Bearer secret-of-the-test"}
    body = {"service": "svc-advice-shop", "wrong": "phone", "source": "person"}
    secret = anywhere.reports_token.__class__("secret-of-the-test")
    with browser(anywhere.model_copy(update={"reports_token": secret})) as client:
        assert client.post("/reports", json=body).status_code == 401
        assert client.post("/reports", json=body, headers=token).status_code == 201
        for wrong in ({**body, "wrong": "my words"}, {**body, "source": "me"}, {**body, "text": "I"}, [], "x"):
            assert client.post("/reports", json=wrong, headers=token).status_code == 400
        assert client.post("/reports", json={**body, "service": "no"}, headers=token).status_code == 404
        client.get("/?as=ana")
        send(client, f"{SHOP}/report", wrong="hours")
        page = client.get("/problems").text
        assert "The phone number is wrong" in page
        assert "The opening times are wrong" in page
        assert "Bell Street Advice Shop" in client.get("/?show=problems").text
        for number in (1, 2):
            send(client, f"/problems/{number}/done")
        assert "Nothing is reported" in client.get("/problems").text
    with browser(anywhere) as client:
        assert client.post("/reports", json=body, headers={"authorization": "Bearer "}).status_code == 401


def test_what_was_published_when_the_process_ended_goes_live_at_the_next_start(own: Settings) -> None:
    with browser(own) as client:
        client.get("/?as=ana")
        save(client, SHOP, then="review", name="Left Behind")
        site = client.app.state.site  # type: ignore[attr-defined]  # the app of this test
        robin = site.accounts.find("robin")
        (own.index_dir / "current").rename(own.index_dir / "kept")
        (own.index_dir / "current").mkdir()  # the pointer cannot be replaced: the index cannot be switched
        with pytest.raises(OSError, match="current"):
            site.publisher.publish_draft(site.drafts.open("svc-advice-shop"), robin)
        assert site.publisher.waiting()
        (own.index_dir / "current").rmdir()
        (own.index_dir / "kept").rename(own.index_dir / "current")
    with browser(own) as client:
        assert client.app.state.site.live.wait(60)  # type: ignore[attr-defined]  # the app of this test
    found = Search.open(own).service("svc-advice-shop")
    assert found is not None
    assert found.name == "Left Behind"
