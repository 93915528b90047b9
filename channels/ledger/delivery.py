"""What becomes of an outbound message, whatever order the news arrives in. Pure.

States are ranked and only the highest counts, so receipts can come twice, late or backwards. A message that one
report says failed and another says arrived did arrive: it outranks FAILED.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.conversation import Delivery

RANK = {
    state: rank
    for rank, state in enumerate(
        (Delivery.QUEUED, Delivery.SENDING, Delivery.SENT, Delivery.FAILED, Delivery.DELIVERED)
    )
}


@dataclass(frozen=True)
class Known:
    """A delivery state, and the provider's code if it is a failure."""

    state: Delivery
    error_code: str = ""


def forward(known: Known, news: Known) -> Known:
    """The same answer for `forward(a, b)` and `forward(b, a)`; of two failure codes the alphabetically last is kept."""
    state = max(known.state, news.state, key=RANK.__getitem__)
    if state is not Delivery.FAILED:
        return Known(state)
    codes = (item.error_code for item in (known, news) if item.state is Delivery.FAILED)
    return Known(state, max(codes))
