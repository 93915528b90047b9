"""Every setting of the processes in `knowledge`, one line of help each.

Values come from the environment (`NWD_...`). Names that `channels` has too mean the same there.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.errors import SettingsError

EDITOR_PORT_OFFSET = 1
ACTIONS_PORT_OFFSET = 6
PACKAGE_DATA = Path(__file__).resolve().parent / "data"


class Settings(BaseSettings):
    """Read once, in the composition root of each process, and passed on."""

    model_config = SettingsConfigDict(env_prefix="NWD_", frozen=True, extra="ignore")

    demo: bool = Field(True, description="Demo mode: the catalogue of the fictional town. Turn off to go live.")
    service_name: str = Field("No Wrong Door", description="The name people see in the first message and on pages.")
    country: str = Field(
        "GB", description="Country profile: crisis lines, emergency number, clock, languages (GB, IE)."
    )
    timezone: str = Field("Europe/London", description="Time zone of times people read; empty means the country's.")
    data_dir: Path = Field(Path(".data"), description="Folder for everything that must be kept.")
    build_dir: Path = Field(Path(".build"), description="Folder for what set-up makes and can make again.")
    content_dir: Path = Field(PACKAGE_DATA, description="Folder with needs, places and the demo catalogue.")
    catalogue_url: SecretStr = Field(SecretStr(""), description="SQL catalogue; empty means SQLite in the data folder.")
    embedding_model_path: Path | None = Field(
        None, description="Folder of all-MiniLM-L6-v2; empty means the copy in an installed package."
    )
    second_reader: bool = Field(
        True,
        description="Whether a larger model reads messages too; off saves about 310 MB in each process that searches.",
    )
    second_person: bool = Field(True, description="Whether somebody else must publish what an editor wrote.")
    reports_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of POST /reports; empty means that nobody may report there."
    )
    staff_token: SecretStr = Field(
        SecretStr(""), description="Bearer token with which the editor asks who is signed in; empty: it may not ask."
    )
    desk_url: str = Field("", description="Where the editor asks the desk; empty means loopback, the web app's port.")
    actions_url: str = Field("", description="Where the assistant's actions listen; empty means loopback, port + 6.")
    actions_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of the assistant's actions; empty means that pages do not ask it."
    )
    stale_days: int = Field(365, ge=1, description="Days after which a listing nobody checked is not called open.")
    host: str = Field("127.0.0.1", description="Address the catalogue pages listen on.")
    port: int = Field(8000, description="Port of the web app; the catalogue pages use the next one.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR. No level prints personal data.")

    import_hosts: str = Field(
        "", description="Hosts, with commas, that imports may ask although they are private or without https."
    )

    @model_validator(mode="before")
    @classmethod
    def _country_has_a_clock(cls, values: dict[str, object]) -> dict[str, object]:
        return {**values, "timezone": values.get("timezone") or zone_of(str(values.get("country") or "GB"))}

    def import_hosts_named(self) -> tuple[str, ...]:
        return tuple(host.strip() for host in self.import_hosts.split(",") if host.strip())

    @property
    def database_url(self) -> str:
        """SQLAlchemy's address of the catalogue; a plain Postgres address gets our driver."""
        url = self.catalogue_url.get_secret_value()
        if not url:
            return f"sqlite:///{(self.data_dir / 'catalogue.sqlite').resolve()}"
        if url.startswith(("postgres://", "postgresql://")):
            return "postgresql+psycopg://" + url.split("://", 1)[1]
        return url

    @property
    def desk_address(self) -> str:
        return self.desk_url.rstrip("/") or f"http://127.0.0.1:{self.port}"

    @property
    def index_dir(self) -> Path:
        return self.data_dir / "index"

    @property
    def encoder_dir(self) -> Path:
        """Where `export-encoder` puts the query encoder; the assistant reads the same folder."""
        return self.build_dir / "minilm"

    @property
    def strong_encoder_dir(self) -> Path:
        """Where `export-encoder` puts the larger model that reads messages too."""
        return self.build_dir / "mpnet"

    @property
    def assistant_url(self) -> str:
        return self.actions_url.rstrip("/") or f"http://127.0.0.1:{self.port + ACTIONS_PORT_OFFSET}"

    @property
    def editor_port(self) -> int:
        return self.port + EDITOR_PORT_OFFSET


def zone_of(country: str) -> str:
    """The time zone of a country. One without crisis lines is named where they are loaded."""
    profiles = yaml.load((PACKAGE_DATA / "crisis_lines.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return str(profiles.get(country, profiles["GB"])["timezone"])


def read_settings(**overrides: object) -> Settings:
    """Read the environment; `overrides` win, for tests and command-line options.

    Raises SettingsError naming each variable that is wrong and what it is for.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0])
            field = Settings.model_fields.get(name)
            lines.append(f"NWD_{name.upper()}: {problem['msg']}. It is: {field.description if field else 'unknown'}")
        raise SettingsError("\n".join(lines)) from None
