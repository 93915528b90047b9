"""Every setting of the action server. What the catalogue needs is in knowledge.settings."""

from __future__ import annotations

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from knowledge.settings import zone_of

PORT_OFFSET = 6
"""The action server listens on the product's port + 6 unless it is told otherwise."""


class ActionsSettingsError(Exception):
    """A setting is missing or wrong. The text names the variable and what it is for."""


class ActionsSettings(BaseSettings):
    """Read once, in __main__, and passed on."""

    model_config = SettingsConfigDict(env_prefix="NWD_", frozen=True, extra="ignore")

    actions_token: SecretStr = Field(description="Bearer token that Rasa sends with each action call.", min_length=1)
    actions_host: str = Field("127.0.0.1", description="Address the action server listens on. Keep it on loopback.")
    actions_port: int | None = Field(None, description="Port of the action server; empty means the product's port + 6.")
    port: int = Field(8000, description="Port of the product's web app.")
    country: str = Field("GB", description="Country profile; it says which clock is read.")
    timezone: str = Field("Europe/London", description="Time zone of times people read; empty means the country's.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR. No level prints personal data.")

    @model_validator(mode="before")
    @classmethod
    def _country_has_a_clock(cls, values: dict[str, object]) -> dict[str, object]:
        return {**values, "timezone": values.get("timezone") or zone_of(str(values.get("country") or "GB"))}

    @property
    def listen_port(self) -> int:
        return self.port + PORT_OFFSET if self.actions_port is None else self.actions_port


def read_settings(**overrides: object) -> ActionsSettings:
    """Read the environment; `overrides` win.

    Raises ActionsSettingsError naming each variable that is wrong, never its value.
    """
    try:
        return ActionsSettings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0])
            lines.append(
                f"NWD_{name.upper()}: {problem['msg']}. It is: {ActionsSettings.model_fields[name].description}"
            )
        raise ActionsSettingsError("\n".join(lines)) from None
