"""The wall and the reports: for coordinators, true, and the same answer as nothing for everybody else."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import insert

from channels.conversation import Channel, Concern
from channels.desk.sessions import Sessions
from channels.desk.wall import CHART
from channels.ledger.database import Work
from channels.ledger.follow_up_tables import told
from tests.chromium import open_chromium, violations
from tests.desk_builders import Browser, Office, person_asks, serving, staff_named, words_of
from tests.ledger_builders import peer_named

pytest_plugins = ["tests.desk_fixtures"]
PAGES = (
    "/desk/wall",
    "/desk/wall/now",
    "/desk/reports",
    "/desk/reports.csv",
    "/desk/closed-doors.csv",
    "/desk/helped.csv",
)
LOOKS = [
    pytest.param({"viewport": {"width": 360, "height": 780}}, id="phone"),
    pytest.param({"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}, id="desktop, dark"),
]


@pytest.fixture
async def robin(office: Office) -> Browser:
    return await office.sit_down("Robin", "coordinator")


@pytest.mark.parametrize("path", PAGES)
async def test_only_a_coordinator_sees_them(office: Office, jo: Browser, robin: Browser, path: str) -> None:
    assert (await jo.get(path)).status_code == 404
    assert (await robin.get(path)).status_code == 200
    assert "/desk/wall" not in (await jo.get("/desk")).text


async def test_the_wall_shows_how_it_stands(office: Office, jo: Browser, robin: Browser) -> None:
    for number in range(5):
        person = await person_asks(office, 20 + number)
        await office.escalations.claim(person.escalation_id, await peer_named(office.ledger, f"P{number}"))
    await person_asks(office, 1)
    await person_asks(office, 2, concerns=[Concern.SUICIDE])
    await jo.get("/desk")
    words = words_of((await robin.get("/desk/wall/now")).text)
    assert words.startswith("Waiting, and something worries us 1 longest less than a minute Waiting, all 2")
    assert "within 1 minute 100 %" in words
    assert "With a person now 5" in words
    assert "Peer workers here 1" in words


async def test_a_report_counts_by_day_and_channel_and_taking_it_along_is_recorded(
    office: Office, robin: Browser
) -> None:
    for number in range(6):
        person = await person_asks(office, number, channel=Channel.TELEGRAM)
        peer = await peer_named(office.ledger, f"P{number}")
        await office.escalations.claim(person.escalation_id, peer)
        await office.escalations.close(person.escalation_id, peer)
    await person_asks(office, 30)
    answer = await robin.get("/desk/reports.csv")
    assert answer.headers["content-disposition"].endswith('.csv"')
    rows = {row["channel"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    known = {name: rows["telegram"][name] for name in ("contacts", "asked", "answered", "answer_rate", "connected")}
    assert known == {"contacts": "6", "asked": "6", "answered": "6", "answer_rate": "100", "connected": "6"}
    assert rows["sms"]["asked"] == "fewer than 5"
    last = (await office.ledger.audit_log(1))[0]
    assert (last.action, last.actor) == ("report_exported", (await staff_named(office, "Robin")).id)


async def test_a_single_day_is_drawn_at_its_place_in_the_fortnight(office: Office, robin: Browser) -> None:
    for number in range(6):
        await person_asks(office, number)
    page = (await robin.get("/desk/reports")).text
    assert re.search(r'<th scope="row" class="nowrap">[A-Z][a-z]{2} [0-9]{1,2} [A-Z][a-z]{2}</th>', page), (
        "a day in words"
    )
    found = re.search(r'class="bar" x="([0-9.]+)" y="[0-9.]+" width="([0-9.]+)"', page)
    assert found is not None
    left, width = (float(part) / CHART[0] for part in found.groups())
    assert left > 13 / 14
    assert width < 1 / 14


async def test_closed_doors_are_counted_by_service_and_need(office: Office, robin: Browser) -> None:
    """As people told us: 6 times of one service, once of another."""

    async def tell(work: Work) -> None:
        for at, (name, need) in enumerate([("Rent Rescue", "rent_arrears")] * 6 + [("Food Bank", "food")]):
            service = {"service_id": name.lower(), "service_name": name, "need": need}
            await work.run(insert(told).values(id=f"{at:024}", answer="no", told_on=work.now, **service))
        await work.run(insert(told).values(id="f" * 24, answer="helped", need="food", told_on=work.now))

    await office.ledger._database.write(tell)
    page = words_of((await robin.get("/desk/reports")).text)
    assert "Rent Rescue" in page and "Food Bank" in page
    assert "Food for today fewer than 5 0" in page
    helped = (await robin.get("/desk/helped.csv")).text
    assert list(csv.DictReader(io.StringIO(helped))) == [
        {"need": "Food for today", "helped": "fewer than 5", "partly": "0"}
    ]
    assert (await office.ledger.audit_log(1))[0].action == "helped_exported"
    answer = await robin.get("/desk/closed-doors.csv")
    rows = [(row["service"], row["said_no"]) for row in csv.DictReader(io.StringIO(answer.text))]
    assert rows == [("Rent Rescue", "6"), ("Food Bank", "fewer than 5")]
    assert (await office.ledger.audit_log(1))[0].action == "closed_doors_exported"
    (early,) = list(csv.reader(io.StringIO((await robin.get("/desk/closed-doors.csv?to=2025-01-31")).text)))
    assert early == ["service", "need", "said_no"]


@pytest.mark.parametrize(
    "asked", ["from=yesterday", "to=9999-12-31", "from=2026-13-01", "from=2030-01-01&to=2026-01-01"]
)
async def test_days_that_make_no_sense_show_days_that_do(robin: Browser, asked: str) -> None:
    assert (await robin.get(f"/desk/reports?{asked}")).status_code == 200


@pytest.mark.browser
@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_accessible_and_fits_a_phone(
    office: Office, robin: Browser, look: dict[str, object]
) -> None:
    for number in range(6):
        await person_asks(office, number)
    cookie = Sessions(office.ledger, office.settings).cookie
    async with serving(office) as address, open_chromium() as chromium:
        context = await chromium.new_context(**look)
        token = robin.client.cookies.get(cookie)
        assert token
        await context.add_cookies([{"name": cookie, "value": token, "url": address}])
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if "Refused" in said.text else None)
        for path in ("/desk", "/desk/wall", "/desk/reports"):
            await page.goto(address + path)
            if path == "/desk":
                await page.click("#shift-more summary")
                await page.wait_for_selector("[data-alert-bar]:not([hidden])")
            assert not await violations(page, path)
            assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert not complaints
