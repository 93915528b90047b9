"""Texts whose webhook was lost: the real client library against the fake Twilio, a real worker, ledger and streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from channels.conversation import Channel, Holder, Inbound, Media
from channels.errors import SendFailed
from channels.intake import Intake
from channels.ledger import Ledger
from channels.ledger.records import Outcome
from channels.reconciling import FIRST_LOOK, OVERLAP, Reconciler
from channels.senders import SmsSender
from channels.settings import Settings
from channels.simulator.lines import PHONES
from channels.sms.twilio import Twilio
from channels.streams import Streams
from channels.worker_metrics import WorkerMetrics
from tests import patience
from tests.integration.serving import eventually, free_port, serving
from tests.phone_builders import OUR_NUMBER, PHONE, World, open_world, with_phones
from tests.worker_builders import Bench, without_offer

OTHER_PHONE = PHONES[1]
WRITTEN = ("cant pay my rent", "they cut off the gas as well", "is anybody there")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_phones(settings)


@dataclass(kw_only=True)
class List:
    """A provider's list, and since when it was asked."""

    messages: list[Inbound] = field(default_factory=list)
    failures: list[SendFailed] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)
    busy: asyncio.Event | None = None

    async def inbound_since(self, since: datetime) -> Sequence[Inbound]:
        self.asked.append(since)
        if self.busy is not None:
            await self.busy.wait()
        if self.failures:
            raise self.failures.pop(0)
        return self.messages

    async def complete(self, inbound: Inbound) -> Inbound:
        return inbound


@dataclass
class Desk:
    """Reconcilers on one ledger, as several workers have them."""

    ledger: Ledger
    streams: Streams
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)

    def reconciler(self, inbox: Any) -> Reconciler:
        return Reconciler(
            inbox=inbox, ledger=self.ledger, streams=self.streams, metrics=self.metrics, clock=lambda: self.now,
            intake=Intake(self.ledger, self.streams, self.metrics), every=60.0, furthest=timedelta(days=90),
        )  # fmt: skip


@pytest.fixture
def desk(ledger: Ledger, streams: Streams) -> Desk:
    return Desk(ledger, streams)


def text(number: int, **changes: Any) -> Inbound:
    values = {"address": PHONE.address, "provider_id": f"SM{number}", "text": f"text {number}", **changes}
    return Inbound(channel=Channel.SMS, **values)


# -- a whole outage, from the phone to the phone


@asynccontextmanager
async def answering(world: World, twilio: Twilio, streams: Streams) -> AsyncIterator[None]:
    """A worker that sends by the fake Twilio and reads its list once, at its start."""
    hurried = world.settings.model_copy(update={"sweep_seconds": 0.5})
    bench = Bench(settings=hurried, ledger=world.ledger, streams=streams)
    async with bench.working(senders={Channel.SMS: SmsSender(twilio)}, inbox=twilio):
        yield


async def answers(world: World, line: Any = PHONE) -> list[str]:
    """What the phone shows of our answers, oldest first."""
    bubbles = await world.phones.store.of_line(line.key)
    ours = [without_offer(bubble.text) for bubble in bubbles if bubble.side == "theirs"]
    return [text for text in ours if text.startswith("You said: ")]


def outage(kind: str, settings: Settings) -> tuple[Settings, Settings]:
    """What we believe, and what Twilio believes."""
    if kind == "nobody listens":
        return settings, settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})
    if kind == "wrong public address":
        return settings.model_copy(update={"public_url": "https://help.example"}), settings
    return settings, settings.model_copy(update={"twilio_auth_token": SecretStr("rotated")})


@pytest.mark.parametrize("kind", ["nobody listens", "wrong public address", "rotated token"])
async def test_what_was_written_in_an_outage_is_answered_once_and_in_order(
    settings: Settings, ledger: Ledger, streams: Streams, kind: str
) -> None:
    ours, network = outage(kind, settings)
    async with open_world(ours, ledger, streams, network) as world:
        for words in WRITTEN:
            await world.phones.write(PHONE, words)
        await world.phones.write(OTHER_PHONE, "me too")
        assert await world.ledger.person_at(Channel.SMS, PHONE.address) is None
        # Twilio's own list asks for the right token, so a rotated one has to be set first.
        mended = Twilio(ours.model_copy(update={"twilio_auth_token": network.twilio_auth_token}))
        async with answering(world, mended, streams):
            await eventually(lambda: counted(world, len(WRITTEN)), patience.SECONDS)
            await eventually(lambda: counted(world, 1, OTHER_PHONE), patience.SECONDS)
        async with answering(world, mended, streams):
            await asyncio.sleep(0.2)
        assert await answers(world) == [f"You said: {words}" for words in WRITTEN]
        assert await answers(world, OTHER_PHONE) == ["You said: me too"]
        mended.close()


async def counted(world: World, wanted: int, line: Any = PHONE) -> bool:
    return len(await answers(world, line)) == wanted


async def test_texts_that_came_by_webhook_are_left_alone(
    settings: Settings, ledger: Ledger, streams: Streams, desk: Desk
) -> None:
    async with open_world(settings, ledger, streams) as world:
        for words in WRITTEN:
            await world.texted(words)
        assert await desk.reconciler(world.twilio).reconcile() == 0
        assert [message.text for message in await world.stored(Channel.SMS, PHONE.address)] == list(WRITTEN)
    assert b"nwd_inbound_total{" not in desk.metrics.render()


async def test_our_own_texts_and_those_to_another_number_are_none_of_ours(
    settings: Settings, ledger: Ledger, streams: Streams
) -> None:
    async with open_world(settings, ledger, streams) as world:
        await world.texted("hello")
        await world.twilio.send(PHONE.address, "hello to you")
        elsewhere = Twilio(settings.model_copy(update={"twilio_from": "+441632960999"}))
        nowhere = Twilio(settings.model_copy(update={"twilio_from": "", "twilio_messaging_service_sid": "MG1"}))
        since = datetime.now(UTC) - timedelta(minutes=1)
        assert [found.text for found in await world.twilio.inbound_since(since)] == ["hello"]
        assert await elsewhere.inbound_since(since) == await nowhere.inbound_since(since) == []
        assert await world.twilio.inbound_since(datetime.now(UTC) + timedelta(minutes=1)) == []
        elsewhere.close(), nowhere.close()


async def test_more_texts_than_fit_on_a_page_come_in_the_order_they_were_written(
    settings: Settings, ledger: Ledger, streams: Streams
) -> None:
    dead = settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})
    async with open_world(settings, ledger, streams, dead) as world:
        world.phones.twilio.largest_page = 3
        for number in range(8):
            await world.phones.write(PHONE, f"{number}")
        found = await world.twilio.inbound_since(datetime.now(UTC) - timedelta(minutes=1))
    assert [inbound.text for inbound in found] == [f"{number}" for number in range(8)]


# -- what is compared with what


async def test_only_what_the_ledger_lacks_is_stored_and_announced(desk: Desk) -> None:
    await desk.ledger.store_inbound(text(2))
    with capture_logs() as lines:
        assert await desk.reconciler(List(messages=[text(1), text(2), text(3)])).reconcile() == 2
    assert [line["count"] for line in lines if line["event"] == "texts_recovered"] == [2]
    assert (await desk.streams.depth())["inbound"] == 2
    assert b'nwd_reconciled_total{channel="sms",result="found"} 2.0' in desk.metrics.render()
    assert PHONE.address not in str(lines)
    assert "text 1" not in str(lines)


async def test_somebody_forgotten_is_not_brought_back(desk: Desk) -> None:
    await desk.ledger.store_inbound(text(1))
    person = await desk.ledger.person_at(Channel.SMS, PHONE.address)
    assert person is not None
    await desk.ledger.forget(person.id)
    assert await desk.reconciler(List(messages=[text(1)])).reconcile() == 0
    assert await desk.ledger.person_at(Channel.SMS, PHONE.address) is None


async def test_words_that_have_expired_are_not_taken_again(desk: Desk) -> None:
    stored = await desk.ledger.store_inbound(text(1))
    await desk.ledger.commit(Outcome(message_id=stored.message_id, expected_holder=Holder.BOT, kind="ignored"))
    assert await desk.ledger.expire(datetime.now(UTC) + timedelta(days=1)) >= 1
    assert await desk.reconciler(List(messages=[text(1)])).reconcile() == 0


async def test_a_thousand_ids_are_looked_up(desk: Desk) -> None:
    await desk.ledger.store_inbound(text(700))
    ids = [f"SM{number}" for number in range(1100)]
    assert await desk.ledger.unknown(Channel.SMS, ids) == set(ids) - {"SM700"}
    assert await desk.ledger.unknown(Channel.TELEGRAM, ["SM700"]) == {"SM700"}


# -- since when


async def test_the_first_look_goes_a_day_back_and_the_next_ones_only_an_overlap(desk: Desk) -> None:
    inbox = List()
    reconciler, began = desk.reconciler(inbox), desk.now
    await reconciler.reconcile()
    desk.now += timedelta(minutes=1)
    await reconciler.reconcile()
    assert inbox.asked == [began - FIRST_LOOK, began - OVERLAP]


@pytest.mark.parametrize(
    ("silent", "back"),
    [
        pytest.param(timedelta(hours=1), FIRST_LOOK, id="a text came an hour ago"),
        pytest.param(timedelta(days=5), timedelta(days=5) + OVERLAP, id="nothing for five days"),
        pytest.param(timedelta(days=200), timedelta(days=90), id="longer than words are kept"),
    ],
)
async def test_a_long_silence_is_looked_through_from_the_newest_text(
    desk: Desk, silent: timedelta, back: timedelta
) -> None:
    await desk.ledger.store_inbound(text(1))
    newest = await desk.ledger.newest_inbound(Channel.SMS)
    assert newest is not None
    desk.now = newest + silent
    inbox = List()
    await desk.reconciler(inbox).reconcile()
    assert inbox.asked == [desk.now - back]


async def test_a_look_that_failed_is_told_and_the_next_one_begins_where_it_did(desk: Desk) -> None:
    inbox = List(messages=[text(1)])
    reconciler, began = desk.reconciler(inbox), desk.now
    await reconciler.reconcile()
    inbox.failures = [SendFailed("20003", "Twilio does not accept our account details.", retryable=False)]
    desk.now += timedelta(minutes=30)
    with capture_logs() as lines:
        assert await reconciler.reconcile() == 0
    assert [(line["event"], line["code"]) for line in lines] == [("reconcile_failed", "20003")]
    assert b'nwd_reconciled_total{channel="sms",result="failed"} 1.0' in desk.metrics.render()
    inbox.messages.append(text(2))
    assert await reconciler.reconcile() == 1
    assert inbox.asked[1:] == [began - OVERLAP] * 2


# -- several workers


async def test_one_worker_looks_at_a_time(desk: Desk) -> None:
    inbox = List(messages=[text(1)], busy=asyncio.Event())
    assert inbox.busy is not None
    first = asyncio.create_task(desk.reconciler(inbox).reconcile())
    await eventually(lambda: inbox.asked)
    async with asyncio.timeout(patience.SECONDS):
        assert await desk.reconciler(inbox).reconcile() == 0
    assert len(inbox.asked) == 1
    inbox.busy.set()
    assert await first == 1


async def test_without_redis_texts_are_found_all_the_same(desk: Desk, settings: Settings) -> None:
    desk.streams = Streams.connect(f"unix://{settings.data_dir}/nobody.sock", "test", settings.shards)
    assert await desk.reconciler(List(messages=[text(1)])).reconcile() == 1
    await desk.streams.close()


# -- pictures, and Twilio's list as it comes


SID = "MM0123456789abcdef0123456789abcdef"


async def test_a_listed_picture_is_kept_as_a_reference() -> None:
    """The list only counts pictures; if they cannot be had, the words come alone."""
    account = "/2010-04-01/Accounts/AC1/Messages"
    message = {
        "sid": SID, "from": "+447700900123", "to": OUR_NUMBER, "body": None, "num_media": "1", "direction": "inbound",
        "date_sent": "Mon, 23 Nov 2026 07:00:00 +0000", "status": "received",
    }  # fmt: skip
    media = {"sid": "ME1", "content_type": "image/jpeg", "uri": f"{account}/{SID}/Media/ME1.json"}
    broken = False

    async def listed(_request: Request) -> Response:
        return JSONResponse({"messages": [message], "next_page_uri": None})

    async def pictures(_request: Request) -> Response:
        return Response(status_code=500) if broken else JSONResponse({"media_list": [media], "next_page_uri": None})

    app = Starlette(routes=[Route(f"{account}.json", listed), Route(f"{account}/{SID}/Media.json", pictures)])
    async with serving(app, free_port()) as address:
        twilio = Twilio(
            Settings(twilio_account_sid="AC1", twilio_auth_token="x", twilio_from=OUR_NUMBER, twilio_api_url=address)
        )
        (found,) = await twilio.inbound_since(datetime(2026, 11, 23, tzinfo=UTC))
        assert (found.provider_id, found.text) == (SID, "")
        whole = await twilio.complete(found)
        assert whole.media == (
            Media(kind="picture", reference=f"{address}{account}/{SID}/Media/ME1", content_type="image/jpeg"),
        )
        broken = True
        assert (await twilio.complete(found)).media == (Media(kind="file"),)
        twilio.close()
