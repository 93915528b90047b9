"""The phones and accounts of the simulator: invented people, numbers that Ofcom keeps free for drama."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Line:
    """A phone with text messages, or a Telegram account. `address` is a number in E.164 or a chat id."""

    kind: str
    """sms or telegram"""
    number: int
    address: str
    label: str
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.number}"

    @property
    def page(self) -> str:
        part = "phone" if self.kind == "sms" else "telegram"
        return f"/simulator/{part}/{self.number}"


PHONES: Final = tuple(
    Line(
        kind="sms",
        number=number,
        address=f"+4477009000{number:02}",
        label=f"07700 9000{number:02}",
        name=f"Phone {number}",
    )
    for number in range(1, 7)
)
ACCOUNTS: Final = tuple(
    Line(kind="telegram", number=number, address=str(770_090_000 + number), label=name, name=name)
    for number, name in enumerate(("Ash", "Bryn", "Carys", "Dev"), 1)
)


def line_at(kind: str, number: int) -> Line | None:
    return next((line for line in PHONES + ACCOUNTS if (line.kind, line.number) == (kind, number)), None)


def line_of(kind: str, address: str) -> Line | None:
    return next((line for line in PHONES + ACCOUNTS if (line.kind, line.address) == (kind, address)), None)
