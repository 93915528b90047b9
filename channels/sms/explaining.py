"""A provider's code in the words that a peer worker reads, whichever provider it came from."""

from __future__ import annotations

from channels.sms import twilio, vonage


def explain(code: str) -> str:
    problem = vonage.explain(code) if code.startswith(vonage.CODE) else twilio.explain(code)
    return problem.explanation
