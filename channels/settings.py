"""Every setting of the processes in `channels`, one line of help each.

Values come from the environment (`NWD_...`, and `REDIS_URL`, which hosting services set by that name).
Secrets never print. A value that is missing where it is needed is named in the error.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.errors import SettingsError

PROFILES: Final = Path(__file__).parent / "data" / "crisis_lines.yml"
RASA_PORT_OFFSET = 5
ACTIONS_PORT_OFFSET = 6
EDITOR_PORT_OFFSET = 1
WORKER_PORT_OFFSET = 2
EXIT_TO: Final = "https://www.bbc.co.uk/weather"
"""A page that anybody might have open."""
WEB_PAGE: Final = re.compile(r"(https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{1,5})?)(?:/[^\s\"';,]*)?")
ORIGIN: Final = re.compile(r"https?://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?")
"""What a browser calls an origin. It goes into a header as it stands, so nothing else may pass."""


class Settings(BaseSettings):
    """Read once, in the composition root of each process, and passed on."""

    model_config = SettingsConfigDict(env_prefix="NWD_", frozen=True, extra="ignore")

    demo: bool = Field(
        True, description="Demo mode: phone simulator, demo peer worker, demo keys. Turn off to go live."
    )
    service_name: str = Field("No Wrong Door", description="The name people see in the first message and on pages.")
    country: str = Field(
        "GB", description="Country profile: crisis lines, emergency number, clock, languages (GB, IE)."
    )
    timezone: str = Field("Europe/London", description="Time zone of times people read; empty means the country's.")

    data_dir: Path = Field(Path(".data"), description="Folder for everything that must be kept.")
    host: str = Field("127.0.0.1", description="Address the web app listens on.")
    port: int = Field(8000, description="Port of the web app; the next ten ports are used by its companions.")
    public_url: str = Field("", description="Address that people and providers reach us at, without a final slash.")

    embed_sites: str = Field(
        "", description="Sites that may show the chat as a widget: origins (https://www.example.org), comma separated."
    )

    exit_url: str = Field(
        EXIT_TO, description="Where 'Leave this page' goes: an ordinary page, by its final address (no redirect)."
    )

    database_url: SecretStr = Field(SecretStr(""), description="SQL ledger; empty means SQLite in the data folder.")
    redis_url: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("NWD_REDIS_URL", "REDIS_URL"),
        description="Redis or Valkey; empty means the embedded one in the data folder.",
    )
    redis_prefix: str = Field(
        "nwd", description="First part of every Redis key, so that two services can share a server."
    )
    shards: int = Field(8, description="Inbound and outbound streams; a conversation always uses the same one.")

    encryption_keys: SecretStr = Field(
        SecretStr(""),
        description="Fernet keys, comma separated, newest first; every one can read, the first one writes.",
    )
    person_key_secret: SecretStr = Field(
        SecretStr(""), description="Secret for the keyed hash that stands for a person's number. Never change it."
    )

    rasa_url: str = Field("", description="Where Rasa listens; empty means loopback, port + 5.")
    rasa_token: SecretStr = Field(SecretStr(""), description="Bearer token that Rasa's gateway channel asks for.")
    rasa_python: Path = Field(
        Path(".venv-rasa/bin/python"),
        description="Interpreter of Rasa's own environment, for `python -m channels run`.",
    )
    build_dir: Path = Field(Path(".build"), description="Folder with what set-up built: encoder and trained assistant.")
    actions_url: str = Field("", description="Where the action server listens; empty means loopback, port + 6.")
    actions_token: SecretStr = Field(SecretStr(""), description="Bearer token that the action server asks for.")
    editor_url: str = Field("", description="Where the catalogue's editor listens; empty means loopback, port + 1.")
    reports_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of the editor's POST /reports; empty keeps reports until there is one."
    )
    concern_deadline: float = Field(
        1.0, description="Seconds to wait for the concern classifier before the patterns stand alone."
    )
    assistant_deadline: float = Field(10.0, description="Seconds to wait for the assistant before a person takes over.")

    sms_provider: Literal["twilio", "vonage"] = Field("twilio", description="Who carries text messages.")
    vonage_api_key: str = Field("", description="Vonage account key.")
    vonage_api_secret: SecretStr = Field(SecretStr(""), description="Vonage account secret: sends texts.")
    vonage_signature_secret: SecretStr = Field(SecretStr(""), description="Vonage signature secret: signs webhooks.")
    vonage_from: str = Field("", description="Our number at Vonage in E.164 (+44...).")
    vonage_api_url: str = Field("", description="Base address of Vonage's API; empty means the real one.")

    twilio_account_sid: str = Field("", description="Twilio account, starts with AC.")
    twilio_auth_token: SecretStr = Field(
        SecretStr(""), description="Twilio auth token: signs webhooks and sends texts."
    )
    twilio_signing_secret: SecretStr = Field(
        SecretStr(""), description="Secret of a Twilio webhook signing key (SHA-256); empty means the auth token signs."
    )
    twilio_from: str = Field("", description="Our number in E.164 (+44...), if no Messaging Service is used.")
    twilio_messaging_service_sid: str = Field(
        "", description="Messaging Service, starts with MG; wins over the number."
    )
    twilio_api_url: str = Field("", description="Base address of Twilio's API; empty means the real one.")

    telegram_token: SecretStr = Field(SecretStr(""), description="Bot token from BotFather.")
    telegram_secret: SecretStr = Field(SecretStr(""), description="Secret token that Telegram sends with each update.")
    telegram_api_url: str = Field("", description="Base address of the Bot API; empty means the real one.")
    telegram_polling: bool = Field(
        False, description="Ask Telegram for updates instead of being called: development without a public address."
    )
    telegram_sources: str = Field(
        "", description="Names of links (t.me/bot?start=NAME) that metrics count one by one, comma separated."
    )

    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server for copies of 'My list': smtp://name:password@host or smtps://...; empty: no email.",
    )
    smtp_from: str = Field("", description="The address such email comes from.")
    list_copies_per_day: int = Field(
        200, description="Most copies of 'My list' sent by text and email in 24 hours, all people together."
    )

    fallback_number: str = Field("", description="A phone number of the service itself, given when nothing else works.")
    lease_seconds: float = Field(
        60.0, description="How long a peer worker keeps a conversation without a sign of life."
    )
    lapse_minutes: float = Field(720.0, description="How long somebody waits before the escalation is marked lapsed.")
    staffed_hours: str = Field(
        "", description="When peer workers are there, e.g. 'Mo-Fr 09:00-21:00'; empty means always."
    )
    second_factor: Literal["offered", "required"] = Field(
        "offered", description="Whether staff must add an authenticator app or a passkey before they see the desk."
    )
    oidc_issuer: str = Field("", description="The organisation's own sign-in: OpenID Connect issuer; empty means none.")
    oidc_client_id: str = Field("", description="What the issuer knows the desk as.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="The desk's secret at the issuer.")
    oidc_name: str = Field("your organisation", description="What the button on the sign-in page calls it.")
    catalogue_pages_url: str = Field(
        "", description="Where staff reach the catalogue pages: the same host as the desk. In the demo it is known."
    )
    staff_token: SecretStr = Field(
        SecretStr(""), description="Bearer token with which the editor asks who is signed in; empty: it may not ask."
    )
    hours_file: Path = Field(
        Path(), description="File of hours by channel, holidays and other days that differ (YAML); empty: none differ."
    )
    wait_update_minutes: float = Field(
        10.0, description="Minutes after which somebody who waits hears how it stands; 0 turns it off."
    )
    wait_updates: int = Field(3, description="Most such updates for one person until somebody comes.")
    concern_check_hours: float = Field(
        4.0, ge=0, description="Silent hours after an unanswered concern, until one text to whoever agreed. 0: none."
    )
    teams_file: Path = Field(
        Path(), description="File of the teams and organisations that share the queue (YAML); empty means one team."
    )
    retention_days: int = Field(90, ge=1, description="Days after which message texts are erased by themselves.")
    retention_notes_days: int = Field(90, ge=1, description="The same for what peer workers wrote beside a talk.")
    retention_safeguarding_days: int = Field(365, ge=1, description="The same for safeguarding notes.")
    retention_delivery_days: int = Field(
        30, ge=1, description="Days that providers' ids, receipts and refused requests are kept."
    )
    retention_consent_days: int = Field(365, ge=1, description="Days after which a yes to sharing is none any more.")
    retention_audit_days: int = Field(1095, ge=1, description="Days that who did what is kept.")
    retention_report_days: int = Field(730, ge=1, description="Days that what reports are counted from is kept.")
    sweep_seconds: float = Field(5.0, description="How often the worker looks for anything that has not progressed.")
    sms_per_second: float = Field(
        10.0, description="Most SMS segments a worker hands to the provider in a second; 0 means as fast as it can."
    )
    reconcile_seconds: float = Field(
        60.0, description="How often the worker asks the SMS provider for texts that never reached us; 0 turns it off."
    )
    canary_seconds: float = Field(
        60.0, description="How often the worker sends itself a test message through everything; 0 turns it off."
    )
    person_per_minute: int = Field(
        12,
        description="Messages a minute from one person that are answered singly; more go together. 0: no limit.",
    )
    pieces_seconds: float = Field(
        2.5, ge=0, description="Seconds that a text or Telegram message which looks unfinished waits for the next one."
    )
    slow_reply_seconds: float = Field(
        10.0, description="Least seconds between two answers to somebody who writes more than that."
    )
    replies_per_hour: int = Field(
        120, description="Automatic messages to one person in an hour; then a person is asked to look. 0: no limit."
    )
    media_megabytes: float = Field(
        10.0, description="Largest picture or other file that the desk fetches from a provider when asked, in MB."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR. No level prints personal data.")

    @model_validator(mode="before")
    @classmethod
    def _country_has_a_clock(cls, values: dict[str, object]) -> dict[str, object]:
        return {**values, "timezone": values.get("timezone") or zone_of(str(values.get("country") or "GB"))}

    @field_validator("embed_sites")
    @classmethod
    def _are_origins(cls, sites: str) -> str:
        wrong = [site for site in _listed(sites) if not ORIGIN.fullmatch(site)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is not an origin like https://www.example.org (no path, no star)")
        return sites

    @field_validator("exit_url")
    @classmethod
    def _is_web_page(cls, address: str) -> str:
        if not WEB_PAGE.fullmatch(address):
            raise ValueError("it is not the address of a page, like https://www.bbc.co.uk/weather")
        return address

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, address: SecretStr) -> SecretStr:
        try:
            url = urlsplit(address.get_secret_value())
            if (url.scheme in ("smtp", "smtps") and url.hostname and url.port != 0) or not url.geturl():
                return address
        except ValueError:
            pass
        raise ValueError("it is not a mail server's address, like smtp://name:password@mail.example.org:587")

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Settings:
        if self.smtp_url.get_secret_value() and not re.fullmatch(r"[^@\s]+@[^@\s]+", self.smtp_from):
            raise ValueError("NWD_SMTP_FROM: needed with NWD_SMTP_URL, the address that email comes from")
        return self

    @property
    def embed_origins(self) -> tuple[str, ...]:
        return _listed(self.embed_sites)

    @property
    def known_sources(self) -> tuple[str, ...]:
        return _listed(self.telegram_sources)

    @property
    def base_url(self) -> str:
        """The public address; demo mode may leave it out and uses the local one."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def assistant_url(self) -> str:
        return self.rasa_url.rstrip("/") or f"http://127.0.0.1:{self.port + RASA_PORT_OFFSET}"

    @property
    def action_server_url(self) -> str:
        return self.actions_url.rstrip("/") or f"http://127.0.0.1:{self.port + ACTIONS_PORT_OFFSET}"

    @property
    def editor_address(self) -> str:
        return self.editor_url.rstrip("/") or f"http://127.0.0.1:{self.port + EDITOR_PORT_OFFSET}"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy's asynchronous form of the ledger's address."""
        url = self.database_url.get_secret_value()
        if not url:
            return f"sqlite+aiosqlite:///{(self.data_dir / 'ledger.sqlite').resolve()}"
        if url.startswith(("postgres://", "postgresql://")):
            return "postgresql+psycopg://" + url.split("://", 1)[1]
        return url


def zone_of(country: str) -> str:
    """The time zone of a country's profile. One without a profile is named where its crisis lines are loaded."""
    profiles = yaml.load(PROFILES.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return str(profiles.get(country, profiles["GB"])["timezone"])


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def read_settings(**overrides: object) -> Settings:
    """Read the environment; `overrides` win, for tests and command-line options.

    Raises SettingsError naming each variable that is wrong and what it is for.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            if not problem["loc"]:  # Two settings that do not go together: its text names them.
                lines.append(problem["msg"].removeprefix("Value error, "))
                continue
            name = str(problem["loc"][0])
            field = Settings.model_fields.get(name)
            lines.append(f"NWD_{name.upper()}: {problem['msg']}. It is: {field.description if field else 'unknown'}")
        raise SettingsError("\n".join(lines)) from None
