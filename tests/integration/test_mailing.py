"""Email through a mail server that speaks SMTP on this machine: taken, refused, away, and never without TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import Message

import pytest
from pydantic import SecretStr

from channels.errors import SendFailed, SettingsError
from channels.mailing import Mailer
from channels.settings import Settings, read_settings
from tests.integration.serving import free_port


class FakeMailServer:
    """Says what a server says, and keeps what it took. `answers` replace the usual ones, by command."""

    def __init__(self, **answers: str) -> None:
        self.answers = {"EHLO": "250 fake", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "QUIT": "221 bye"}
        self.answers.update(answers)
        self.commands: list[str] = []
        self.taken: list[Message] = []

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 fake\r\n")
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            answer = self.answers.get(line[:4].upper(), "500 what")
            writer.write(f"{answer}\r\n".encode())
            if answer.startswith("354"):
                body = await reader.readuntil(b"\r\n.\r\n")
                self.taken.append(message_from_bytes(body[:-3]))
                writer.write(b"250 taken\r\n")
        writer.close()


@asynccontextmanager
async def mailing(server: FakeMailServer, settings: Settings) -> AsyncIterator[Mailer]:
    port = free_port()
    listening = await asyncio.start_server(server.speak, "127.0.0.1", port)
    url = SecretStr(f"smtp://127.0.0.1:{port}")
    mailer = Mailer.from_settings(settings.model_copy(update={"smtp_url": url, "smtp_from": "help@wren.example"}))
    assert mailer is not None
    async with listening:
        yield mailer


async def test_an_email_says_who_sends_it_and_holds_the_words(settings: Settings) -> None:
    server = FakeMailServer()
    async with mailing(server, settings) as mailer:
        await mailer.send("person@example.org", "The list you asked for", "Food Bank\nA caf\u00e9 \u2013 free")
    (mail,) = server.taken
    assert mail["From"] == "No Wrong Door <help@wren.example>"
    assert (mail["To"], mail["Subject"]) == ("person@example.org", "The list you asked for")
    assert mail["Auto-Submitted"] == "auto-generated"
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().split() == ["Food", "Bank", "A", "caf\u00e9", "\u2013", "free"]


@pytest.mark.parametrize(
    ("answers", "code", "retryable"),
    [
        pytest.param({"RCPT": "550 no such person@example.org"}, "smtp_550", False, id="no such mailbox"),
        pytest.param({"RCPT": "451 later"}, "smtp_451", True, id="later"),
        pytest.param({"MAIL": "530 log in first"}, "smtp_530", False, id="log in first"),
        pytest.param({"DATA": "421 closing"}, "smtp_421", True, id="closing"),
    ],
)
async def test_what_the_server_says_is_what_can_be_done_next(
    settings: Settings, answers: dict[str, str], code: str, retryable: bool
) -> None:
    async with mailing(FakeMailServer(**answers), settings) as mailer:
        with pytest.raises(SendFailed) as failed:
            await mailer.send("person@example.org", "x", "y")
    assert (failed.value.code, failed.value.retryable) == (code, retryable)
    assert "person@example.org" not in f"{failed.value}{failed.value.__cause__}{failed.value.__context__}"


async def test_a_server_that_is_away_may_be_tried_again(settings: Settings) -> None:
    async with mailing(FakeMailServer(), settings) as mailer:
        pass
    with pytest.raises(SendFailed) as failed:
        await mailer.send("person@example.org", "x", "y")
    assert (failed.value.code, failed.value.retryable) == ("smtp_away", True)


async def test_without_tls_nothing_is_said_to_another_machine(settings: Settings) -> None:
    server = FakeMailServer()
    async with mailing(server, settings) as mailer:
        assert mailer.local
        with pytest.raises(SendFailed, match="no_tls"):
            await replace(mailer, local=False).send("person@example.org", "x", "y")
    assert not [command for command in server.commands if command.startswith(("MAIL", "RCPT", "DATA", "AUTH"))]


def test_without_a_mail_server_there_is_no_mailer(settings: Settings) -> None:
    assert Mailer.from_settings(settings) is None


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({"smtp_url": "mail.example.org", "smtp_from": "a@b.example"}, "NWD_SMTP_URL", id="no scheme"),
        pytest.param({"smtp_url": "http://mail.example.org"}, "NWD_SMTP_URL", id="another scheme"),
        pytest.param({"smtp_url": "smtp://h:99999", "smtp_from": "a@b.example"}, "NWD_SMTP_URL", id="no port"),
        pytest.param({"smtp_url": "smtp://name:canary@mail.example.org"}, "NWD_SMTP_FROM", id="no sender"),
    ],
)
def test_a_wrong_mail_setting_is_named_at_start_and_no_password_shown(values: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as wrong:
        read_settings(**values)
    assert "canary" not in str(wrong.value)


def test_a_password_is_not_in_what_is_printed_of_a_mailer(settings: Settings) -> None:
    url = SecretStr("smtps://name:p%40ss@mail.example.org")
    mailer = Mailer.from_settings(settings.model_copy(update={"smtp_url": url, "smtp_from": "a@b.example"}))
    assert mailer is not None
    assert (mailer.port, mailer.login, mailer.password) == (465, "name", "p@ss")
    assert "p@ss" not in repr(mailer)
