"""The fakes keep a file as the real providers do, behind an account and behind a path that is looked up first."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from channels.conversation import Channel, Media
from channels.ledger import Ledger
from channels.media import MediaFetcher, MediaUnavailable
from channels.settings import Settings
from channels.simulator.store import PICTURE
from channels.streams import Streams
from tests.phone_builders import World, open_world, with_phones


@pytest.fixture
async def world(settings: Settings, ledger: Ledger, streams: Streams) -> AsyncIterator[World]:
    async with open_world(with_phones(settings), ledger, streams) as opened:
        yield opened


def sent_by_text(settings: Settings) -> Media:
    account = f"{settings.twilio_api_url}/2010-04-01/Accounts/{settings.twilio_account_sid}"
    return Media(kind="picture", reference=f"{account}/Messages/MM1/Media/ME1")


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.TELEGRAM])
async def test_the_real_way_brings_a_picture(world: World, channel: Channel) -> None:
    media = sent_by_text(world.settings) if channel is Channel.SMS else Media(kind="picture", reference="AgAC")
    fetcher = MediaFetcher(world.settings)
    file = await fetcher.fetch(channel, media)
    await fetcher.close()
    assert (file.content, file.content_type) == (PICTURE, "image/png")


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.TELEGRAM])
async def test_a_wrong_account_brings_nothing(world: World, channel: Channel) -> None:
    wrong = {"twilio_auth_token": SecretStr("wrong"), "telegram_token": SecretStr("1:wrong")}
    media = sent_by_text(world.settings) if channel is Channel.SMS else Media(kind="picture", reference="AgAC")
    fetcher = MediaFetcher(world.settings.model_copy(update=wrong))
    with pytest.raises(MediaUnavailable):
        await fetcher.fetch(channel, media)
    await fetcher.close()
