"""Settings fail early, name the variable, and do not leak."""

from __future__ import annotations

import pytest

from bot.actions.settings import ActionsSettingsError, read_settings

SECRET = "s3cret-value"


def test_listens_six_above_the_products_port() -> None:
    assert read_settings(actions_token=SECRET, port=8100).listen_port == 8106


def test_its_own_port_wins() -> None:
    assert read_settings(actions_token=SECRET, port=8100, actions_port=9000).listen_port == 9000


@pytest.mark.parametrize("token", [None, ""])
def test_a_missing_token_is_named(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NWD_ACTIONS_TOKEN", raising=False)
    overrides = {} if token is None else {"actions_token": token}
    with pytest.raises(ActionsSettingsError, match=r"NWD_ACTIONS_TOKEN.*Bearer token"):
        read_settings(**overrides)


def test_a_wrong_port_is_named() -> None:
    with pytest.raises(ActionsSettingsError, match="NWD_PORT"):
        read_settings(actions_token=SECRET, port="eight")


def test_the_token_does_not_print() -> None:
    assert SECRET not in repr(read_settings(actions_token=SECRET))
