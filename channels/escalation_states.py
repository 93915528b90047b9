"""Where an escalation can stand and how it moves on: the one table that code, README and tests go by. Pure.

HELD goes with holder PEER, every other state with BOT. What is not in the table does not happen: whoever tries it
is told how things stand now, and nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from channels.conversation import EscalationState

WAITING, HELD, LAPSED, CLOSED = EscalationState


class Move(StrEnum):
    """What can happen to an escalation."""

    OPEN = "open"
    CLAIM = "claim"
    CLOSE = "close"
    LAPSE = "lapse"
    ASK_AGAIN = "ask again"
    HAND_ON = "pass on"
    TRANSFER = "transfer"
    LEASE_RAN_OUT = "lease ran out"
    SHARING_ENDED = "sharing ended"
    FORGET = "forget"


@dataclass(frozen=True)
class Step:
    """`start` holds no state for what begins an escalation."""

    start: tuple[EscalationState, ...]
    end: EscalationState
    meaning: str


MOVES: Final[dict[Move, Step]] = {
    Move.OPEN: Step((), WAITING, "somebody asks for a person, something worries us, or the assistant has no answer"),
    Move.CLAIM: Step((WAITING, LAPSED), HELD, "a peer worker takes them, or is given them; the person hears who it is"),
    Move.CLOSE: Step((HELD,), CLOSED, "the talk is over, or goes back to the assistant"),
    Move.LAPSE: Step((WAITING,), LAPSED, "nobody came in time: told so, with who can help now; keeps the place"),
    Move.ASK_AGAIN: Step((LAPSED,), WAITING, "they ask again, or wanted to hear from us when somebody is here"),
    Move.HAND_ON: Step((HELD,), WAITING, "the peer worker asks for somebody else, or goes home; the place is kept"),
    Move.TRANSFER: Step((HELD,), WAITING, "on to a team that the person agreed to; the place is kept"),
    Move.LEASE_RAN_OUT: Step((HELD,), WAITING, "the holder's pages have gone quiet; the place is kept"),
    Move.SHARING_ENDED: Step((HELD,), WAITING, "their yes to the holder's organisation is over; the place is kept"),
    Move.FORGET: Step((WAITING, HELD, LAPSED), CLOSED, "the person asked to be forgotten"),
}

IN_QUEUE: Final = MOVES[Move.CLAIM].start
"""The states of somebody who can be taken."""


def may(move: Move, state: EscalationState | str) -> bool:
    return EscalationState(state) in MOVES[move].start


def end_of(move: Move) -> EscalationState:
    return MOVES[move].end


def as_markdown() -> str:
    """The table as the README shows it."""
    rows = ["| move | from | to | when |", "|---|---|---|---|"]
    for move, step in MOVES.items():
        start = ", ".join(state.name for state in step.start) or "-"
        rows.append(f"| {move} | {start} | {step.end.name} | {step.meaning} |")
    return "\n".join(rows)
