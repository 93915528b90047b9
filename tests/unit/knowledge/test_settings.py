"""Settings fail early, name the variable, and do not leak."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.errors import SettingsError
from knowledge.settings import Settings, read_settings


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", "sqlite:///"),
        ("sqlite:////tmp/x.sqlite", "sqlite:////tmp/x.sqlite"),
        ("postgres://u:p@db/c", "postgresql+psycopg://u:p@db/c"),
        ("postgresql://db/c", "postgresql+psycopg://db/c"),
    ],
)
def test_the_address_of_the_catalogue(given: str, url: str, tmp_path: Path) -> None:
    settings = read_settings(catalogue_url=given, data_dir=tmp_path)
    assert settings.database_url.startswith(url)
    if not given:
        assert settings.database_url.endswith("catalogue.sqlite")


def test_the_pages_are_on_the_port_after_the_app() -> None:
    assert read_settings(port=9000).editor_port == 9001


def test_a_wrong_value_is_named_with_what_it_is_for() -> None:
    with pytest.raises(SettingsError, match=r"NWD_PORT: .*It is: Port of the web app"):
        read_settings(port="soon")


def test_the_address_with_its_password_is_never_printed() -> None:
    assert "secret" not in repr(read_settings(catalogue_url="postgres://u:secret@db/c"))


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings().port = 1  # type: ignore[misc]  # what is tested


def test_every_setting_is_in_the_readme() -> None:
    readme = Path(__file__).parents[3] / "knowledge" / "README.md"
    missing = [name for name in Settings.model_fields if f"`NWD_{name.upper()}`" not in readme.read_text("utf-8")]
    assert missing == []
