"""Several organisations at one desk: what one may not see it cannot tell from what is not there."""

from __future__ import annotations

import re

import pytest

from channels.conversation import Concern
from channels.ledger import Ledger
from channels.ledger.duties import Duty
from channels.settings import Settings
from channels.staff import add_demo_peers
from channels.streams import Streams
from channels.teams import Sight, Teams
from tests.desk_builders import Browser, Clock, Office, open_office, person_asks, staff_named, words_of
from tests.queue_builders import shared

pytest_plugins = ["tests.desk_fixtures"]
NOBODY = "f" * 24


@pytest.fixture
async def partners(ledger: Ledger, streams: Streams, settings: Settings, clock: Clock) -> Office:
    return open_office(ledger, streams, shared(ledger, streams, settings, clock), settings)


async def sit_in(office: Office, name: str, *teams: str, role: str = "peer") -> Browser:
    browser = await office.sit_down(name, role)
    peer = await staff_named(office, name)
    await office.ledger.queue.keep_duty(Duty(peer_id=peer.id, teams=frozenset(teams)), "test")
    return browser


def addresses(office: Office) -> list[tuple[str, str]]:
    """Every address that names a conversation, with what else it names made up."""
    return sorted(
        (method, route.path)
        for route in office.app.routes
        if "{conversation}" in getattr(route, "path", "")
        for method in (getattr(route, "methods", None) or ())
        if method in {"GET", "POST"}
    )


def at(path: str, conversation_id: str) -> str:
    return re.sub(r"{\w+}", "0", path.replace("{conversation}", conversation_id))


async def test_what_is_forbidden_is_answered_as_what_is_not_there(partners: Office) -> None:
    pat = await sit_in(partners, "Pat", "peers")
    visitors = [await sit_in(partners, "Lou", "legal"), await sit_in(partners, "Rae", "legal", role="coordinator")]
    waits, held = await person_asks(partners, 1), await person_asks(partners, 2, concerns=(Concern.SUICIDE,))
    assert (await pat.post(f"{held.page}/take")).status_code == 303
    found = addresses(partners)
    assert len(found) > 30
    for visitor in visitors:
        token = await visitor.token()
        for method, path in found:
            answers = []
            for conversation_id in (NOBODY, waits.conversation_id, held.conversation_id):
                address = at(path, conversation_id)
                answer = await (visitor.get(address) if method == "GET" else visitor.post(address, token, text="hello"))
                answers.append((answer.status_code, answer.text.replace(conversation_id, NOBODY)))
            assert answers[0] == answers[1] == answers[2], (method, path)
            # The frame of a page without scripts says in words that the conversation is not theirs.
            assert answers[0][0] in {404, 409} or path.endswith("/keep"), (method, path)
    state = await partners.ledger.escalation(waits.escalation_id)
    assert state is not None and state.claimed_by is None


async def test_a_name_beside_a_conversation_opens_it_to_nobody_the_person_did_not_agree_to(partners: Office) -> None:
    pat = await sit_in(partners, "Pat", "peers")
    lou, bea = await sit_in(partners, "Lou", "legal"), await sit_in(partners, "Bea", "peers")
    person = await person_asks(partners, 1)
    await pat.post(f"{person.page}/take")
    await pat.post(f"{person.page}/note", note="@Lou @Bea can you look?")
    assert "Pat" in words_of((await bea.get("/desk/for-you")).text)
    assert "Pat" not in words_of((await lou.get("/desk/for-you")).text)
    assert (await lou.get(person.page)).status_code == 404


async def test_another_organisation_knows_its_own_colleagues_and_nobody_elses(partners: Office) -> None:
    for name, team in (("Pat", "peers"), ("Kim", "legal"), ("Del", "debt"), ("Nix", "misspelt")):
        await sit_in(partners, name, team)
    lou = await sit_in(partners, "Lou", "legal")
    page = words_of((await lou.get("/desk/debrief")).text)
    assert "Kim" in page
    assert not [name for name in ("Pat", "Del", "Nix") if name in page]
    for name, asked in (("Kim", True), ("Pat", False), ("Del", False)):
        peer = await staff_named(partners, name)
        await lou.post("/desk/debrief", buddy=peer.id)
        assert bool(await partners.ledger.care.pings(peer.id)) is asked, name


async def test_the_home_organisation_can_bring_in_whoever_can_help(partners: Office) -> None:
    pat = await sit_in(partners, "Pat", "peers")
    await sit_in(partners, "Lou", "legal")
    person = await person_asks(partners, 1)
    await pat.post(f"{person.page}/take")
    assert "Lou" in words_of((await pat.get(person.page)).text)


async def test_whoever_is_in_no_team_knows_nobody(partners: Office) -> None:
    await sit_in(partners, "Pat", "peers")
    nobody = await sit_in(partners, "Nix", "misspelt")
    assert "Pat" not in words_of((await nobody.get("/desk/debrief")).text)


@pytest.mark.parametrize(
    "teams", [pytest.param((), id="in none"), pytest.param(("misspelt",), id="in one that is none")]
)
async def test_whoever_is_in_no_team_is_told_what_to_do_wherever_they_look(
    partners: Office, teams: tuple[str, ...]
) -> None:
    nix = await sit_in(partners, "Nix", *teams, role="admin")
    await person_asks(partners, 1)
    fix = "python -m channels team nix peers"
    page = words_of((await nix.get("/desk")).text)
    assert fix in page
    assert "Waiting (0)" in page
    for path in ("wall", "reports", "reports.csv", "closed-doors.csv", "colleagues", "audit", "rights"):
        answer = await nix.get(f"/desk/{path}")
        assert (answer.status_code, fix in words_of(answer.text)) == (403, True), path
    lou, pat = await sit_in(partners, "Lou", "legal", role="admin"), await sit_in(partners, "Pat", "peers")
    for path in ("", "/reports", "/colleagues"):
        assert "in no team" not in (await lou.get(f"/desk{path}")).text + (await pat.get(f"/desk{path}")).text


async def test_a_coordinator_puts_colleagues_in_teams_and_says_what_they_speak(partners: Office) -> None:
    robin = await sit_in(partners, "Robin", "peers", role="coordinator")
    nix = await sit_in(partners, "Nix")
    peer = await staff_named(partners, "Nix")
    await person_asks(partners, 1)
    page = (await robin.get("/desk/colleagues")).text
    assert "Teams and languages of Nix" in page
    form = {"peer": peer.id, "what": "teams", "languages": "PL, ro en !"}
    done = await robin.post("/desk/colleagues/change", team="peers", **form)
    assert done.headers["location"] == "/desk/colleagues?said=teams"
    duty = await partners.ledger.queue.duty(peer.id)
    assert (duty.teams, duty.languages) == ({"peers"}, {"pl", "ro"})
    assert "Waiting (1)" in words_of((await nix.get("/desk")).text)
    assert 'value="Polish, Romanian"' in (await robin.get("/desk/colleagues")).text
    named = await robin.post("/desk/colleagues/change", team="peers", **{**form, "languages": "Welsh, polish"})
    assert named.status_code == 303
    assert (await partners.ledger.queue.duty(peer.id)).languages == {"cy", "pl"}
    unknown = await robin.post("/desk/colleagues/change", team="debt", **{**form, "languages": "Elvish"})
    assert (unknown.status_code, "elvish" in words_of(unknown.text)) == (422, True)
    assert (await partners.ledger.queue.duty(peer.id)).languages == {"cy", "pl"}
    trail = [row for row in await partners.ledger.audit_log(20) if row.action == "teams_changed"]
    assert (trail[0].actor, trail[0].subject) == ((await staff_named(partners, "Robin")).id, peer.id)
    for refused in (
        await robin.post("/desk/colleagues/change", team="misspelt", **form),
        await robin.post("/desk/colleagues/change", team="legal", **{**form, "peer": "f" * 24}),
        await nix.post("/desk/colleagues/change", team="legal", **form),
    ):
        assert refused.status_code == 403
    ada = await partners.hire("Ada", "admin")
    assert (await robin.post("/desk/colleagues/change", team="legal", **{**form, "peer": ada.id})).status_code == 403
    assert (await partners.ledger.queue.duty(peer.id)).teams == {"peers"}


async def test_whoever_is_put_in_a_team_of_another_organisation_leaves_their_people_at_home(partners: Office) -> None:
    robin = await sit_in(partners, "Robin", "peers", role="coordinator")
    nix, person = await sit_in(partners, "Nix", "peers"), await person_asks(partners, 1)
    await nix.post(f"{person.page}/take")
    peer = await staff_named(partners, "Nix")
    await robin.post("/desk/colleagues/change", peer=peer.id, what="teams", team="legal")
    assert (await nix.get(person.page)).status_code == 404
    assert [one.id for one in await partners.escalations.waiting()] == [person.escalation_id]


async def test_the_wall_of_another_organisation_counts_who_said_yes_to_it(partners: Office) -> None:
    rae = await sit_in(partners, "Rae", "legal", role="coordinator")
    robin = await sit_in(partners, "Robin", "peers", role="coordinator")
    people = [await person_asks(partners, end) for end in range(3)]
    queue = partners.ledger.queue
    await partners.escalations.claim(people[0].escalation_id, await staff_named(partners, "Robin"))
    await queue.agree(people[0].conversation_id, "lawhouse")
    await partners.escalations.transfer(people[0].escalation_id, await staff_named(partners, "Robin"), "legal")
    assert 'data-waiting="3"' in (await robin.get("/desk/wall/now")).text
    assert 'data-waiting="1"' in (await rae.get("/desk/wall/now")).text


@pytest.mark.parametrize("path", ["/desk/reports", "/desk/reports.csv"])
async def test_reports_are_of_whoever_runs_the_service(partners: Office, path: str) -> None:
    rae = await sit_in(partners, "Rae", "legal", role="coordinator")
    lou, robin = await sit_in(partners, "Lou", "legal"), await sit_in(partners, "Robin", "peers", role="coordinator")
    assert (await rae.get(path)).status_code == (await lou.get(path)).status_code == 404
    assert (await robin.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/desk/colleagues", "/desk/audit", "/desk/rights"])
@pytest.mark.parametrize("role", ["coordinator", "admin"])
async def test_so_are_accounts_the_audit_and_rights(partners: Office, path: str, role: str) -> None:
    rae = await sit_in(partners, "Rae", "legal", role=role)
    lou, robin = await sit_in(partners, "Lou", "legal"), await sit_in(partners, "Robin", "peers", role=role)
    refused = [await rae.get(path), await lou.get(path)]
    assert [one.status_code for one in refused] == [403, 403]
    assert (await robin.get(path)).status_code == 200


@pytest.mark.parametrize("role", ["peer", "lead", "editor", "coordinator", "admin"])
@pytest.mark.parametrize(
    "teams",
    [pytest.param(("peers",), id="ours"), pytest.param(("legal",), id="others"), pytest.param((), id="in none")],
)
async def test_every_link_one_is_shown_opens(partners: Office, role: str, teams: tuple[str, ...]) -> None:
    rae = await sit_in(partners, "Rae", *teams, role=role)
    pages = [await rae.get(f"/desk{path}") for path in ("", "/account", "/wall")]
    links = {link for page in pages for link in re.findall(r'href="(/desk(?:/(?!static)[^"#?]*)?)"', page.text)}
    answers = {link: (await rae.get(link)).status_code for link in links}
    assert set(answers.values()) == {200}, answers
    ours = {"/desk/colleagues", "/desk/audit", "/desk/rights", "/desk/reports"}
    assert links & ours == (ours if role in {"coordinator", "admin"} and teams == ("peers",) else set())


async def test_the_demo_has_two_teams_so_that_sharing_can_be_tried(ledger: Ledger, settings: Settings) -> None:
    await add_demo_peers(settings)
    teams = Teams.of(settings)
    assert [(team.id, team.home) for team in teams.all] == [("peers", True), ("debt", False)]
    at_home = {}
    for login in ("sam", "ana", "robin", "dee"):
        peer = await ledger.peer_by_login(login)
        assert peer is not None
        at_home[login] = Sight.of(teams, (await ledger.queue.duty(peer.id)).teams).home
    assert at_home == {"sam": True, "ana": True, "robin": True, "dee": False}
    assert Sight.of(teams, ()).home, "somebody new to the demo sees who asks"
    assert not Sight.of(teams, ("misspelt",)).home


def test_outside_the_demo_there_are_no_made_up_teams(settings: Settings) -> None:
    assert Teams.of(settings.model_copy(update={"demo": False})).all == ()
