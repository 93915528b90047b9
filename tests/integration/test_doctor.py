"""The doctor on deployments that are well and on ones that are not: real ledger, real Valkey, real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis
from cryptography.fernet import Fernet
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels import doctor
from channels.doctor import Finding, Level
from channels.ledger import migrate
from channels.settings import Settings, read_settings
from tests.integration.serving import free_port, serving


def level_of(findings: list[Finding], what: str) -> Level:
    """The worst level among the findings about this part."""
    order = [Level.FAILED, Level.WARNING, Level.OK]
    return min((finding.level for finding in findings if finding.what == what), key=order.index)


class Companions:
    """Rasa's and the action server's ready addresses, with an answer that a test can change."""

    def __init__(self) -> None:
        self.status = 200
        self.about: dict[str, object] = {"ready": True, "services": 3, "fresh": True}

    async def answer(self, request: Request) -> Response:
        return JSONResponse(self.about, status_code=self.status)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/ready", self.answer), Route("/webhooks/gateway/ready", self.answer)])


@pytest.fixture
def companions() -> Companions:
    return Companions()


@pytest.fixture
async def well(settings: Settings, valkey_url: str, companions: Companions) -> AsyncIterator[Settings]:
    migrate(settings.ledger_url)
    async with serving(companions.app(), free_port()) as url:
        yield read_settings(
            demo=False, data_dir=settings.data_dir, redis_url=valkey_url, rasa_url=url, actions_url=url,
            encryption_keys=Fernet.generate_key().decode(), person_key_secret="x" * 32,
            rasa_token="t", actions_token="t",
            public_url=url, fallback_number="01632 960000", twilio_account_sid="AC" + "0" * 32, twilio_auth_token="t",
            twilio_from="+441632960000", telegram_token="1:t", telegram_secret="s",
        )  # fmt: skip


async def test_a_deployment_that_is_well_fails_nothing_but_https(well: Settings) -> None:
    findings = await doctor.examine(well)
    assert {finding.what for finding in findings if finding.level is Level.FAILED} == {"public address"}
    assert level_of(findings, "Redis") is Level.OK
    assert level_of(findings, "ledger") is Level.OK
    assert level_of(findings, "Rasa") is Level.OK


async def test_no_secret_is_shown(well: Settings) -> None:
    shown = repr(await doctor.examine(well))
    assert well.encryption_keys.get_secret_value() not in shown
    assert well.person_key_secret.get_secret_value() not in shown


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param({"encryption_keys": ""}, "settings", id="no encryption key"),
        pytest.param({"rasa_url": "http://127.0.0.1:9"}, "Rasa", id="Rasa is down"),
        pytest.param({"actions_url": "http://127.0.0.1:9"}, "action server", id="the action server is down"),
        pytest.param({"redis_url": "redis://127.0.0.1:9/0"}, "Redis", id="Redis is down"),
        pytest.param({"twilio_from": ""}, "SMS", id="nothing to send from"),
        pytest.param({"telegram_secret": ""}, "Telegram", id="no secret token"),
        pytest.param({"public_url": ""}, "public address", id="no public address"),
        pytest.param({"database_url": "sqlite+aiosqlite:////nonexistent/ledger.sqlite"}, "ledger", id="no ledger"),
    ],
)
async def test_what_is_wrong_is_named_with_a_fix(well: Settings, change: dict[str, str], what: str) -> None:
    settings = well.model_copy(update={name: type(getattr(well, name))(value) for name, value in change.items()})
    findings = await doctor.examine(settings)
    assert level_of(findings, what) is Level.FAILED
    assert all(finding.fix for finding in findings if finding.level is not Level.OK)


async def test_asking_telegram_for_updates_needs_no_secret_and_is_for_development(well: Settings) -> None:
    polling = well.model_copy(update={"telegram_secret": SecretStr(""), "telegram_polling": True})
    assert level_of(await doctor.examine(polling), "Telegram") is Level.WARNING


async def test_weak_durability_is_a_warning(well: Settings, valkey_url: str) -> None:
    server = redis.Redis.from_url(valkey_url)
    server.config_set("appendfsync", "everysec")
    try:
        findings = await doctor.examine(well)
    finally:
        server.config_set("appendfsync", "always")
    assert level_of(findings, "Redis") is Level.WARNING
    assert any("CONFIG SET appendfsync always" in finding.fix for finding in findings)


async def test_an_index_older_than_the_catalogue(well: Settings, companions: Companions) -> None:
    companions.about["fresh"] = False
    assert level_of(await doctor.examine(well), "index") is Level.WARNING


async def test_an_action_server_without_an_index(well: Settings, companions: Companions) -> None:
    companions.status = 503
    assert level_of(await doctor.examine(well), "action server") is Level.FAILED
