"""Accounts of staff: invited, proved by more than a password, shared with the editor, ended."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest

from channels import authenticator
from channels.authenticator import STEP, new_secret
from channels.desk.second_step import MOST_TRIES
from channels.desk.sessions import Sessions
from channels.errors import ChannelsError
from channels.ledger import Ledger
from channels.passwords import PasswordTooShort, hash_password, password_matches
from channels.roles import ROLES, Permission, grantable, may
from channels.settings import Settings
from channels.streams import Streams
from tests.desk_builders import PASSWORD, Browser, Office, open_office, words_of

pytest_plugins = ["tests.desk_fixtures"]

SECRET_SHOWN = re.compile(r"type <code>([A-Z2-7]{32})</code>")
CODE_SHOWN = re.compile(r"<li><code>([0-9a-z]{5}-[0-9a-z]{5})</code></li>")
LINK_SHOWN = re.compile(r"/desk/join\?code=([\w-]+)")


def code_of(secret: str, steps: int = 0) -> str:
    """What an app on a telephone with this secret shows, `steps` from now."""
    return str(pyotp.TOTP(secret).at(datetime.now(UTC) + steps * STEP))


async def add_app(browser: Browser) -> tuple[str, list[str]]:
    """As somebody does on their account page: the secret, and the recovery codes that were shown."""
    page = await browser.post("/desk/account/app", password=PASSWORD)
    found = SECRET_SHOWN.search(page.text)
    assert found is not None, words_of(page.text)
    done = await browser.post("/desk/account/app/confirm", code=code_of(found[1], -1))
    codes = CODE_SHOWN.findall(done.text)
    assert len(codes) == 8
    return found[1], codes


async def second_step(browser: Browser, code: str) -> httpx.Response:
    return await browser.client.post("/desk/sign-in/second", data={"code": code}, headers=browser.headers)


# -- roles


def test_no_role_may_give_what_it_may_not_do() -> None:
    for role in ROLES:
        for given in grantable(role):
            assert all(may(role, each) for each in Permission if may(given, each))
    assert grantable("peer") == grantable("editor") == grantable("nobody") == ()
    assert "admin" not in grantable("coordinator")


# -- invitations


async def test_an_invitation_makes_one_account_and_works_once(office: Office) -> None:
    robin = await office.sit_down("Robin", "coordinator")
    page = await robin.post("/desk/colleagues/invite", name="Mel", role="lead")
    code = LINK_SHOWN.findall(page.text)[0]
    mel = office.browser()
    assert "Welcome, Mel" in (await mel.get(f"/desk/join?code={code}")).text
    short = await mel.client.post(
        "/desk/join", data={"code": code, "login": "mel", "password": "short"}, headers=mel.headers
    )
    assert short.status_code == 422
    assert "15 characters" in short.text
    form = {"code": code, "login": "mel", "password": PASSWORD}
    joined = await mel.client.post("/desk/join", data=form, headers=mel.headers)
    assert joined.headers["location"].startswith("/desk/account")
    assert (await mel.get("/desk")).status_code == 200
    again = await office.browser().client.post("/desk/join", data=form, headers=mel.headers)
    assert again.status_code == 403
    peer = await office.ledger.peer_by_login("mel")
    assert peer is not None
    assert (peer.name, peer.role) == ("Mel", "lead")


@pytest.mark.parametrize(
    ("password", "accepted"),
    [
        pytest.param("fourteen signs", False, id="14 characters"),
        pytest.param("              ", False, id="spaces are characters, and these are 14"),
        pytest.param("fifteen signs ok", True, id="words with spaces"),
        pytest.param("zażółć gęślą jaźń", True, id="letters of any language"),
        pytest.param("a\u0301" * 8 + "<>&\"';--", True, id="any signs"),
        pytest.param("aaaaaaaaaaaaaaa", True, id="no rule about which"),
    ],
)
def test_passwords_are_15_characters_of_any_kind_kept_as_argon2id(password: str, accepted: bool) -> None:
    if not accepted:
        with pytest.raises(PasswordTooShort):
            hash_password(password)
        return
    kept = hash_password(password)
    assert kept.startswith("$argon2id$")
    assert password not in kept
    assert password_matches(kept, password)
    assert not password_matches(kept, password[:-1])


async def test_a_login_that_somebody_has_leaves_the_invitation_open(office: Office) -> None:
    robin = await office.sit_down("Robin", "coordinator")
    code = LINK_SHOWN.findall((await robin.post("/desk/colleagues/invite", name="Mel", role="peer")).text)[0]
    mel = office.browser()
    form = {"code": code, "login": "robin", "password": PASSWORD}
    assert (await mel.client.post("/desk/join", data=form, headers=mel.headers)).status_code == 409
    form["login"] = "mel"
    assert (await mel.client.post("/desk/join", data=form, headers=mel.headers)).status_code == 303


async def test_nobody_invites_above_their_rank_or_without_the_right(office: Office) -> None:
    robin, jo = await office.sit_down("Robin", "coordinator"), await office.sit_down("Jo")
    assert (await robin.post("/desk/colleagues/invite", name="Mel", role="admin")).status_code == 403
    assert (await jo.post("/desk/colleagues/invite", name="Mel", role="peer")).status_code == 403
    assert (await jo.get("/desk/colleagues")).status_code == 403
    assert await office.ledger.accounts.open_invitations() == []


async def test_a_withdrawn_invitation_opens_nothing(office: Office) -> None:
    robin = await office.sit_down("Robin", "coordinator")
    code = LINK_SHOWN.findall((await robin.post("/desk/colleagues/invite", name="Mel", role="peer")).text)[0]
    (open_one,) = await office.ledger.accounts.open_invitations()
    await robin.post("/desk/colleagues/withdraw", invitation=open_one.id)
    assert (await office.browser().get(f"/desk/join?code={code}")).status_code == 403


# -- colleagues


async def test_ending_somebodys_access_ends_what_is_open_at_once(office: Office) -> None:
    robin, jo = await office.sit_down("Robin", "coordinator"), await office.sit_down("Jo")
    peer = await office.ledger.peer_by_login("jo")
    assert peer is not None
    await robin.post("/desk/colleagues/change", peer=peer.id, what="end")
    assert (await jo.get("/desk/queue")).status_code == 401
    assert (await office.browser().sign_in("jo")).status_code == 403
    await robin.post("/desk/colleagues/change", peer=peer.id, what="restore")
    assert (await office.browser().sign_in("jo")).status_code == 303


@pytest.mark.parametrize("what", ["end", "role", "reset"])
async def test_a_coordinator_changes_no_administrator_and_not_themselves(office: Office, what: str) -> None:
    robin = await office.sit_down("Robin", "coordinator")
    above = await office.hire("Alex", "admin")
    self = await office.ledger.peer_by_login("robin")
    assert self is not None
    for peer in (above, self):
        answer = await robin.post("/desk/colleagues/change", peer=peer.id, what=what, role="peer")
        assert answer.status_code == 403
    assert [(each.role, each.ended) for each in await office.ledger.peers()] == [
        ("admin", False),
        ("coordinator", False),
    ]


async def test_taking_away_the_second_factors_of_somebody_is_asked_first(office: Office) -> None:
    robin, jo = await office.sit_down("Robin", "coordinator"), await office.hire("Jo")
    await office.ledger.factors.start_app(jo.id, "A" * 32)
    asked = words_of((await robin.post("/desk/colleagues/change", peer=jo.id, what="reset")).text)
    assert "Remove the app and passkeys of Jo?" in asked
    assert await office.ledger.factors.app(jo.id, confirmed=False) is not None
    done = await robin.post("/desk/colleagues/change", peer=jo.id, what="reset", sure="yes")
    assert done.headers["location"] == "/desk/colleagues?said=reset"
    assert await office.ledger.factors.app(jo.id, confirmed=False) is None


async def test_another_role_begins_with_a_new_session(office: Office) -> None:
    robin, jo = await office.sit_down("Robin", "coordinator"), await office.sit_down("Jo")
    peer = await office.ledger.peer_by_login("jo")
    assert peer is not None
    await robin.post("/desk/colleagues/change", peer=peer.id, what="role", role="lead")
    assert (await jo.get("/desk/queue")).status_code == 401
    changed = await office.ledger.peer(peer.id)
    assert changed is not None
    assert changed.role == "lead"


# -- the second step


async def test_after_an_app_was_added_a_password_alone_opens_nothing(office: Office) -> None:
    secret, _codes = await add_app(await office.sit_down("Jo"))
    browser = office.browser()
    answer = await browser.sign_in("jo")
    assert answer.headers["location"] == "/desk/sign-in/second"
    assert (await browser.get("/desk/queue")).status_code == 401
    entered = await second_step(browser, code_of(secret))
    assert entered.headers["location"] == "/desk"
    assert (await browser.get("/desk/queue")).status_code == 200


async def test_a_code_that_somebody_read_over_a_shoulder_works_once(office: Office) -> None:
    secret, _codes = await add_app(await office.sit_down("Jo"))
    code = code_of(secret)
    first, second = office.browser(), office.browser()
    await first.sign_in("jo")
    await second.sign_in("jo")
    assert (await second_step(first, code)).status_code == 303
    assert (await second_step(second, code)).status_code == 403


async def test_a_recovery_code_works_once(office: Office) -> None:
    _secret, codes = await add_app(await office.sit_down("Jo"))
    for status in (303, 403):
        browser = office.browser()
        await browser.sign_in("jo")
        assert (await second_step(browser, codes[0].upper().replace("-", " "))).status_code == status


async def test_wrong_codes_end_the_step(office: Office) -> None:
    secret, _codes = await add_app(await office.sit_down("Jo"))
    browser = office.browser()
    await browser.sign_in("jo")
    for _ in range(MOST_TRIES):
        assert "does not fit" in (await second_step(browser, "000000")).text
    late = await second_step(browser, code_of(secret))
    assert late.status_code == 403
    assert "Start again" in words_of(late.text)


async def test_an_app_counts_only_once_a_code_of_it_was_typed(office: Office) -> None:
    jo = await office.sit_down("Jo")
    await jo.post("/desk/account/app", password=PASSWORD)
    assert (await office.browser().sign_in("jo")).headers["location"] == "/desk"


async def test_what_lets_somebody_in_is_changed_with_their_password_only(office: Office) -> None:
    jo = await office.sit_down("Jo")
    for path in ("app", "recovery", "factors/remove", "passkeys/options", "password"):
        answer = await jo.post(f"/desk/account/{path}", password="not my own password", new_password="another long one")
        assert answer.status_code == 403, path
    peer = await office.ledger.peer_by_login("jo")
    assert peer is not None
    assert await office.ledger.factors.of(peer.id) == []


async def test_a_new_password_signs_out_everywhere_else(office: Office) -> None:
    await office.hire("Jo")
    here, there = office.browser(), office.browser()
    await here.sign_in("jo")
    await there.sign_in("jo")
    fresh = "four other unlikely words"
    answer = await here.post("/desk/account/password", password=PASSWORD, new_password=fresh)
    assert answer.status_code == 303
    assert (await here.get("/desk/queue")).status_code == 200
    assert (await there.get("/desk/queue")).status_code == 401
    assert (await office.browser().sign_in("jo", fresh)).status_code == 303


async def test_signing_out_elsewhere_keeps_this_one(office: Office) -> None:
    await office.hire("Jo")
    here, there = office.browser(), office.browser()
    await here.sign_in("jo")
    await there.sign_in("jo")
    await here.post("/desk/account/sign-out-elsewhere")
    assert (await here.get("/desk/queue")).status_code == 200
    assert (await there.get("/desk/queue")).status_code == 401


async def test_where_a_second_factor_is_required_the_desk_opens_after_it(
    ledger: Ledger, settings: Settings, streams: Streams, office: Office
) -> None:
    strict = settings.model_copy(update={"demo": False, "second_factor": "required"})
    strict_office = open_office(ledger, streams, office.escalations, strict)
    jo = await strict_office.sit_down("Jo")
    assert (await jo.get("/desk")).headers["location"] == "/desk/account"
    page = await jo.get("/desk/account")
    assert "add a passkey or an authenticator app" in words_of(page.text)
    token = re.findall(r'name="form_token" value="([0-9a-f]+)"', page.text)[0]
    shown = await jo.post("/desk/account/app", token, password=PASSWORD)
    secret = SECRET_SHOWN.findall(shown.text)[0]
    await jo.post("/desk/account/app/confirm", token, code=code_of(secret))
    assert (await jo.get("/desk")).status_code == 200
    await strict_office.close()


@pytest.mark.parametrize("typed", ["12 34 56", "12345", "1234567", "abcdef", "١٢٣٤٥٦", ""])
def test_only_six_digits_are_a_code(typed: str) -> None:
    secret, now = new_secret(), datetime(2026, 3, 1, tzinfo=UTC)
    assert authenticator.matching_step(secret, typed, now) is None


def test_a_telephone_may_be_half_a_minute_off() -> None:
    secret, now = new_secret(), datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
    steps = [authenticator.matching_step(secret, pyotp.TOTP(secret).at(now + n * STEP), now) for n in range(-2, 3)]
    assert [step is not None for step in steps] == [False, True, True, True, False]


# -- the audit page


async def test_the_audit_page_says_whether_the_trail_is_whole(office: Office) -> None:
    robin, jo = await office.sit_down("Robin", "coordinator"), await office.sit_down("Jo")
    page = await robin.get("/desk/audit")
    assert "The trail is whole" in page.text
    assert "Robin looked at the audit" in words_of(page.text)
    assert (await jo.get("/desk/audit")).status_code == 403


# -- one sign-in for the editor too


async def ask(office: Office, session: str, token: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await office.browser().client.post("/desk/staff-session", data={"session": session}, headers=headers)


async def test_the_editor_learns_who_is_signed_in_and_nobody_else_does(
    ledger: Ledger, settings: Settings, streams: Streams, office: Office
) -> None:
    shared = settings.model_copy(update={"staff_token": type(settings.staff_token)("known to both")})
    opened = open_office(ledger, streams, office.escalations, shared)
    sessions = Sessions(ledger, shared)
    tokens = {}
    for name, role in (("Robin", "coordinator"), ("Eve", "editor"), ("Jo", "peer")):
        peer = await opened.hire(name, role)
        tokens[name] = await ledger.open_session(peer.id, timedelta(hours=1))
    assert (await ask(opened, tokens["Robin"], "known to both")).json() == {
        "login": "robin",
        "name": "Robin",
        "edits": True,
        "publishes": True,
    }
    assert (await ask(opened, tokens["Eve"], "known to both")).json()["publishes"] is False
    may_read = (await ask(opened, tokens["Jo"], "known to both")).json()
    assert (may_read["edits"], may_read["publishes"]) == (False, False)
    assert (await ask(opened, "no session", "known to both")).status_code == 404
    assert (await ask(opened, tokens["Robin"], "a guess")).status_code == 401
    assert (await ask(office, tokens["Robin"], "")).status_code == 401, "without a token set nobody may ask"
    assert sessions.cookie
    await opened.close()


async def test_accepting_twice_at_once_makes_one_account(office: Office) -> None:
    robin = await office.hire("Robin", "coordinator")
    token = await office.ledger.accounts.invite(robin, "Mel", "peer")
    await office.ledger.accounts.accept(token, "mel", "")
    with pytest.raises(ChannelsError):
        await office.ledger.accounts.accept(token, "mel2", "")
