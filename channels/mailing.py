"""Email, through the charity's own mail server (SMTP). Only for what somebody has just asked to be sent."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formataddr, formatdate, make_msgid
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from channels.errors import SendFailed
from channels.settings import Settings

SECONDS: Final = 15.0
PORTS: Final = {"smtp": 587, "smtps": 465}
EXPLANATION: Final = "The mail server did not take it."


@dataclass(frozen=True, kw_only=True)
class Mailer:
    """`smtps` speaks TLS from the first byte; `smtp` changes to it, and sends nothing where the server cannot.

    Only a server on this very machine (`local`) may go without.
    """

    scheme: str
    host: str
    port: int
    sender: str
    sender_name: str
    local: bool = False
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """Nothing when no mail server is set."""
        url = urlsplit(settings.smtp_url.get_secret_value())
        if not url.hostname:
            return None
        return cls(
            scheme=url.scheme,
            host=url.hostname,
            port=url.port or PORTS[url.scheme],
            sender=settings.smtp_from,
            sender_name=settings.service_name,
            local=is_this_machine(url.hostname),
            login=unquote(url.username or ""),
            password=unquote(url.password or ""),
        )

    async def send(self, address: str, subject: str, text: str) -> None:
        """Raises SendFailed, without a cause: what the mail library says holds the address."""
        message = EmailMessage()
        message["From"] = formataddr((self.sender_name, self.sender))
        message["To"] = address
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        failed: SendFailed | None = None
        try:
            await asyncio.to_thread(self._hand_over, message)
        except smtplib.SMTPResponseException as problem:
            code = f"smtp_{problem.smtp_code}"
            failed = SendFailed(code, EXPLANATION, retryable=problem.smtp_code < 500)
        except smtplib.SMTPRecipientsRefused as problem:
            codes = [code for code, _ in problem.recipients.values()]
            failed = SendFailed(f"smtp_{codes[0]}", EXPLANATION, retryable=min(codes) < 500)
        except smtplib.SMTPNotSupportedError:
            failed = SendFailed("no_tls", EXPLANATION, retryable=False)
        except (smtplib.SMTPException, OSError):
            failed = SendFailed("smtp_away", EXPLANATION, retryable=True)
        if failed is not None:
            raise failed

    def _hand_over(self, message: EmailMessage) -> None:
        context = ssl.create_default_context()
        if self.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        with server:
            if self.scheme == "smtp" and not self.local:
                server.starttls(context=context)
            if self.login:
                server.login(self.login, self.password)
            server.send_message(message)


def is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
