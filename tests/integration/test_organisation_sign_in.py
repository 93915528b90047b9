"""Signing in through an organisation's OpenID Connect issuer: who it vouches for, and what it cannot do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import httpx2
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from starlette.applications import Starlette

from channels import desk
from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.organisation import Organisation
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import HASH, Browser, Office
from tests.integration.fake_issuer import ADDRESS, FakeIssuer

pytest_plugins = ["tests.desk_fixtures"]


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
async def joined(
    ledger: Ledger, streams: Streams, settings: Settings, escalations: Escalations, issuer: FakeIssuer
) -> AsyncIterator[Office]:
    """The desk of a charity that has its own sign-in, where Jo's login is her address there."""
    known = {"oidc_issuer": ADDRESS, "oidc_client_id": "desk", "oidc_client_secret": SecretStr("between us")}
    chosen = settings.model_copy(update=known)
    organisation = Organisation(chosen, issuer.transport())
    routes = desk.routes(
        ledger=ledger, streams=streams, escalations=escalations, settings=chosen, organisation=organisation
    )
    office = Office(Starlette(routes=routes), ledger, escalations, chosen)
    await ledger.add_peer(name="Jo", login="jo@charity.example", role="peer", password_hash=HASH)
    yield office
    await office.close()


async def come_back(browser: Browser, issuer: FakeIssuer, query: str | None = None) -> httpx.Response:
    left = await browser.get("/desk/sign-in/organisation")
    assert left.status_code == 303
    assert left.headers["location"].startswith(f"{ADDRESS}/authorize?")
    found = issuer.consent(left.headers["location"])
    return await browser.get(f"/desk/sign-in/organisation/back?{found if query is None else query}")


async def test_somebody_the_issuer_vouches_for_comes_in_and_is_known_by_subject_from_then_on(
    joined: Office, issuer: FakeIssuer
) -> None:
    browser = joined.browser()
    assert "Hello Jo" in (await come_back(browser, issuer)).text
    assert (await browser.get("/desk/queue")).status_code == 200
    issuer.claims = {"email": "jo.married@charity.example"}
    again = joined.browser()
    assert "Hello Jo" in (await come_back(again, issuer)).text


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another desk"},
        {"iss": "https://elsewhere.example"},
        {"nonce": "from another time"},
        {"exp": 1_700_000_000},
        {"email_verified": False},
        {"email": "nobody@charity.example"},
        {"email_verified": "true"},
    ],
    ids=["audience", "issuer", "nonce", "over", "address not verified", "not invited", "verified as a word"],
)
async def test_what_proves_nothing_opens_nothing(joined: Office, issuer: FakeIssuer, claims: dict[str, Any]) -> None:
    issuer.claims = claims
    browser = joined.browser()
    assert (await come_back(browser, issuer)).status_code == 403
    assert (await browser.get("/desk/queue")).status_code == 401


async def test_a_token_signed_by_somebody_else_opens_nothing(joined: Office, issuer: FakeIssuer) -> None:
    issuer.published = RSAKey.generate_key(2048, {"kid": "one"})
    assert (await come_back(joined.browser(), issuer)).status_code == 403


@pytest.mark.parametrize("query", ["code=the-code&state=another", "state=x", "", "error=access_denied"])
async def test_coming_back_with_something_else_opens_nothing(joined: Office, issuer: FakeIssuer, query: str) -> None:
    browser = joined.browser()
    assert (await come_back(browser, issuer, query)).status_code == 403
    assert (await browser.get("/desk/queue")).status_code == 401


async def test_a_way_back_in_another_browser_opens_nothing(joined: Office, issuer: FakeIssuer) -> None:
    left = await joined.browser().get("/desk/sign-in/organisation")
    query = issuer.consent(left.headers["location"])
    other = joined.browser()
    answer = await other.get(f"/desk/sign-in/organisation/back?{query}")
    assert answer.headers["location"] == "/desk/sign-in"


async def test_whoever_left_is_not_let_in_by_the_organisation_either(joined: Office, issuer: FakeIssuer) -> None:
    await come_back(joined.browser(), issuer)
    robin = await joined.hire("Robin", "coordinator")
    jo = await joined.ledger.peer_by_login("jo@charity.example")
    assert jo is not None
    await joined.ledger.accounts.end_access(robin, jo.id)
    assert (await come_back(joined.browser(), issuer)).status_code == 403


async def test_an_issuer_that_does_not_answer_leaves_the_other_ways(streams: Streams, joined: Office) -> None:
    def away(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(502)

    chosen = joined.settings
    silent = Organisation(chosen, httpx2.MockTransport(away))
    routes = desk.routes(
        ledger=joined.ledger,
        streams=streams,
        escalations=joined.escalations,
        settings=chosen,
        organisation=silent,
    )
    office = Office(Starlette(routes=routes), joined.ledger, joined.escalations, chosen)
    answer = await office.browser().get("/desk/sign-in/organisation")
    assert answer.status_code == 403
    assert "did not say who you are" in answer.text
    await office.close()
