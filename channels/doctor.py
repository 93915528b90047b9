"""`python -m channels doctor`: is this deployment fit for people? Each complaint comes with what to do.

Exit code 0 when nothing failed (warnings allowed), 1 otherwise. Nothing is changed and no secret is shown.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

import httpx
import redis.asyncio
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from channels.demo import demo_environment
from channels.errors import ChannelsError, SettingsError, StreamsUnavailable
from channels.ledger import Ledger, migration_state, open_ledger
from channels.ledger.sealing import KeyState
from channels.settings import Settings, read_settings
from channels.streams import Streams
from channels.valkey import Valkey

INDEX_STALE_AFTER = timedelta(days=30)
FREE_MB_WANTED = 1024
MOST_LOOKED_AT = 10_000
"""People in line."""
MOST_NAMED = 20
ADD_KEYS = "Add the newest copy of the keys to those here: 'A key for each person' in channels/README.md says how."


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was looked at, what was seen, and what to do about it."""

    what: str
    level: Level
    seen: str
    fix: str = ""


Check: TypeAlias = Callable[[Settings], Awaitable[list[Finding]]]


def ok(what: str, seen: str) -> Finding:
    return Finding(what=what, level=Level.OK, seen=seen)


def warning(what: str, seen: str, fix: str) -> Finding:
    return Finding(what=what, level=Level.WARNING, seen=seen, fix=fix)


def failed(what: str, seen: str, fix: str) -> Finding:
    return Finding(what=what, level=Level.FAILED, seen=seen, fix=fix)


REQUIRED = {
    "encryption_keys": 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"',
    "person_key_secret": "openssl rand -hex 32",
    "rasa_token": "openssl rand -hex 32",
    "actions_token": "openssl rand -hex 32",
}

DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def is_set(settings: Settings, name: str) -> bool:
    value: Any = getattr(settings, name)
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


async def check_settings(settings: Settings) -> list[Finding]:
    found = []
    if settings.demo:
        found.append(
            warning("mode", "demo: simulator on, demo sign-in on", "Set NWD_DEMO=0 before anyone real writes.")
        )
    missing = [name for name in REQUIRED if not is_set(settings, name)]
    found += [
        failed("settings", f"NWD_{n.upper()} is not set", f"Set it to the output of: {REQUIRED[n]}") for n in missing
    ]
    if not missing:
        found.append(ok("settings", "keys and tokens are set"))
    if not settings.fallback_number:
        fix = "Set NWD_FALLBACK_NUMBER to a phone that somebody answers."
        found.append(warning("fallback number", "none: crisis lines only when the service itself is down", fix))
    return found


async def check_channels(settings: Settings) -> list[Finding]:
    found = []
    if settings.sms_provider == "vonage":
        names = ("vonage_api_key", "vonage_api_secret", "vonage_signature_secret", "vonage_from")
        missing = ", ".join(f"NWD_{name.upper()}" for name in names if not is_set(settings, name))
        found.append(
            failed("SMS", "Vonage is not set up", f"Set {missing}.") if missing else ok("SMS", "Vonage is set up")
        )
    elif not is_set(settings, "twilio_account_sid"):
        found.append(warning("SMS", "off", "Set NWD_TWILIO_ACCOUNT_SID and NWD_TWILIO_AUTH_TOKEN to turn it on."))
    elif not is_set(settings, "twilio_auth_token"):
        found.append(failed("SMS", "no auth token: every webhook would be refused", "Set NWD_TWILIO_AUTH_TOKEN."))
    elif not (settings.twilio_messaging_service_sid or settings.twilio_from):
        found.append(failed("SMS", "nothing to send from", "Set NWD_TWILIO_MESSAGING_SERVICE_SID or NWD_TWILIO_FROM."))
    else:
        found.append(ok("SMS", "account, token and sender are set"))
    if not is_set(settings, "telegram_token"):
        found.append(warning("Telegram", "off", "Set NWD_TELEGRAM_TOKEN and NWD_TELEGRAM_SECRET to turn it on."))
    elif settings.telegram_polling:
        found.append(
            warning("Telegram", "updates are asked for: one copy of the app", "Unset NWD_TELEGRAM_POLLING to go live.")
        )
    elif not is_set(settings, "telegram_secret"):
        found.append(failed("Telegram", "no secret: anybody could write as anybody", "Set NWD_TELEGRAM_SECRET."))
    else:
        found.append(ok("Telegram", "token and secret are set"))
    return found


async def check_public_url(settings: Settings) -> list[Finding]:
    if not settings.public_url:
        level = warning if settings.demo else failed
        return [level("public address", "not set", "Set NWD_PUBLIC_URL to the https address that providers call.")]
    if not settings.public_url.startswith("https://") and not settings.demo:
        return [failed("public address", "is not https", "Put a TLS proxy in front and use its https address.")]
    status = await get_status(f"{settings.base_url}/health")
    if status == httpx.codes.OK:
        return [ok("public address", "answers, and every part it needs is there")]
    return [failed("public address", f"/health answered {status}", "Check the proxy and that the web app runs.")]


async def get_status(url: str, token: str = "") -> int | str:
    """The status code, or one word for why there was none."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            return (await client.get(url, headers=headers)).status_code
    except httpx.TimeoutException:
        return "nothing within 5 s"
    except httpx.HTTPError:
        return "nothing: no connection"


async def check_ledger(settings: Settings) -> list[Finding]:
    fix = "Check NWD_DATABASE_URL, then run: python -m channels migrate"
    try:
        state = await asyncio.to_thread(migration_state, settings.ledger_url)
        if not state.up_to_date:
            return [failed("ledger", f"tables are at {state.current or 'nothing'}, code wants {state.head}", fix)]
        ledger = await open_ledger(settings)
    except (ChannelsError, SQLAlchemyError, OSError, ValueError) as problem:
        return [failed("ledger", f"cannot be opened ({type(problem).__name__})", fix)]
    try:
        await ledger.ping()
        chain = await ledger.verify_audit()
        keys = await ledger.person_keys.state()
        opens = await opens_newest(ledger)
        closed, lost = await closed_now(ledger), await ledger.person_keys.lost()
        aside = await ledger.person_keys.count_set_aside()
    finally:
        await ledger.close()
    found = [ok("ledger", f"tables are at {state.head}"), judge_keys(keys, opens)]
    if closed:
        found.append(failed("people waiting", f"words cannot be opened: escalations {', '.join(closed)}", ADD_KEYS))
    if lost:
        named = f"{', '.join(lost[:MOST_NAMED])}{' and more' if len(lost) > MOST_NAMED else ''}"
        found.append(failed("lost keys", f"of {len(lost)} people: conversations {named}", ADD_KEYS))
    if aside:
        found.append(ok("began anew", f"{aside} people whose key was lost; what they said before stays closed"))
    if not chain:
        found.append(failed("audit", "the chain of hashes is broken", "Someone changed the audit table: keep a copy."))
    return found


async def opens_newest(ledger: Ledger) -> bool:
    """Whether the keys that are here are those of this ledger."""
    try:
        await ledger.person_keys.read_newest()
    except SettingsError:
        return False
    return True


async def closed_now(ledger: Ledger) -> list[str]:
    """Escalations of people who wait or are held, whose words cannot be opened."""
    line = await ledger.queue.first(MOST_LOOKED_AT, with_unreadable=True)
    return [one.id for one in (*line, *await ledger.held_escalations(with_unreadable=True)) if one.is_unreadable]


def judge_keys(keys: KeyState, opens: bool) -> Finding:
    what = "keys of people"
    if keys.closed:
        fix = "Put the key that wrapped them back into NWD_ENCRYPTION_KEYS, after the newest; then: channels rewrap"
        return failed(what, f"NWD_ENCRYPTION_KEYS opens {keys.kept - keys.closed} of {keys.kept}", fix)
    if not opens:
        return failed(what, "the ledger's words are under keys that are not here", ADD_KEYS)
    if keys.old:
        return warning(what, f"{keys.old} are under an older key", "Run: python -m channels rewrap")
    return ok(what, f"{keys.kept}, and {keys.destroyed} destroyed")


async def check_redis(settings: Settings) -> list[Finding]:
    url = settings.redis_url.get_secret_value() or Valkey(settings.data_dir).url
    client = redis.asyncio.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3, decode_responses=True)
    try:
        answers = {name: (await client.config_get(name)).get(name) for name in DURABLE}
    except RedisError as problem:
        return [failed("Redis", f"no answer ({type(problem).__name__})", "Start it, or check NWD_REDIS_URL.")]
    finally:
        await client.aclose()
    return [durability(name, wanted, answers[name]) for name, wanted in DURABLE.items()]


def durability(name: str, wanted: str, seen: str | None) -> Finding:
    """`everysec` lost 19 % of acknowledged writes on a slow disk and `always` none; see channels/README.md."""
    if seen == wanted:
        return ok("Redis", f"{name} {seen}")
    return warning("Redis", f"{name} is {seen}, so work may be delayed after a crash", f"CONFIG SET {name} {wanted}")


async def check_assistant(settings: Settings) -> list[Finding]:
    rasa = await get_status(f"{settings.assistant_url}/webhooks/gateway/ready", settings.rasa_token.get_secret_value())
    if rasa == httpx.codes.OK:
        return [ok("Rasa", "ready")]
    return [failed("Rasa", f"answered {rasa}", "Start it, and check NWD_RASA_URL. Meanwhile everybody gets a person.")]


async def check_actions(settings: Settings) -> list[Finding]:
    """The action server says how old its index is, and whether the catalogue has moved on since."""
    url = f"{settings.action_server_url}/ready?about=index"
    try:
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
            response = await client.get(url)
        about = response.json()
    except (httpx.HTTPError, ValueError):
        return [failed("action server", "no answer", "Start it, and check NWD_ACTIONS_URL.")]
    if response.status_code != httpx.codes.OK:
        return [failed("action server", "has no index", "Run: python -m knowledge index")]
    built = datetime.fromisoformat(about["built_at"]) if about.get("built_at") else None
    found = [ok("action server", "ready")]
    if not about.get("fresh", True):
        found.append(warning("index", "older than the catalogue", "Run: python -m knowledge index"))
    elif built and datetime.now(UTC) - built > INDEX_STALE_AFTER:
        found.append(warning("index", f"built {built:%d %B %Y}", "Check that editors still publish; then index again."))
    else:
        found.append(
            ok("index", f"{about.get('services', '?')} services" + (f", built {built:%d %B %Y}" if built else ""))
        )
    return found


async def check_canary(settings: Settings) -> list[Finding]:
    """When our own test message last came through, as the workers noted it."""
    if settings.canary_seconds <= 0:
        return [warning("canary", "off: nobody notices when answers stop", "Set NWD_CANARY_SECONDS=60.")]
    url = settings.redis_url.get_secret_value() or Valkey(settings.data_dir).url
    streams = Streams.connect(url, settings.redis_prefix, settings.shards)
    try:
        ages = await streams.canary_ages()
    except StreamsUnavailable as problem:
        return [warning("canary", f"nobody can tell ({problem})", "Start Redis, or check NWD_REDIS_URL.")]
    finally:
        await streams.close()
    return [judge_canary(ages, settings.canary_seconds)]


def judge_canary(ages: Mapping[str, float], every: float) -> Finding:
    """`ages`: seconds since each result. Fresh is what came within three rounds and the time one may take."""
    if not ages:
        return warning("canary", "no test message yet", "Start a worker, wait a minute, and look again.")
    newest = min(ages, key=lambda result: ages[result])
    passed = f"last passed {round(ages['passed'])} s ago" if "passed" in ages else "has never passed"
    if ages[newest] > 3 * every + 60:
        return failed("canary", f"nothing for {round(ages[newest])} s; {passed}", "See whether a worker runs.")
    if newest == "failed":
        return failed("canary", f"not answered; {passed}", "Look for canary_failed and work_broke_off in its log.")
    if newest == "degraded":
        fix = "Look at Rasa and the action server: meanwhile everybody waits for a person."
        return warning("canary", f"answered with the fixed words; {passed}", fix)
    return ok("canary", passed)


async def check_disk(settings: Settings) -> list[Finding]:
    free = shutil.disk_usage(settings.data_dir).free // 1024**2
    if free < FREE_MB_WANTED:
        return [
            warning("disk", f"{free} MB free for {settings.data_dir}", "Free some space: a full disk stops the queue.")
        ]
    return [ok("disk", f"{free} MB free")]


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_channels,
    check_public_url,
    check_ledger,
    check_redis,
    check_assistant,
    check_actions,
    check_canary,
    check_disk,
)


async def examine(settings: Settings) -> list[Finding]:
    """Run every check; one that breaks is itself a finding."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += await check(settings)
        except Exception as problem:
            name = check.__name__.removeprefix("check_")
            found.append(
                failed(name, f"the check itself failed ({type(problem).__name__})", "Look at the log of that part.")
            )
    return found


def run(settings: Settings) -> int:
    """Print the findings and what to fix. In demo mode the demo's own secrets are read first."""
    if settings.demo:
        settings = read_settings(**demo_environment(settings))
    findings = asyncio.run(examine(settings))
    for finding in findings:
        print(f"{finding.level.value:>7}  {finding.what}: {finding.seen}")
        if finding.fix:
            print(f"         -> {finding.fix}")
    failures = sum(finding.level is Level.FAILED for finding in findings)
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    print(f"{len(findings)} checked, {warnings} to look at, {failures} to fix")
    return 1 if failures else 0
