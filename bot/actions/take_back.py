"""The person takes back a yes: to sharing, or to being written to first. The worker does it and says so."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Consent, Withdraw

CHECK_INS = "withdraw_check_ins"


def take_back(heard: Heard, _tools: Toolbox) -> Answer:
    """Whatever is not about check-ins is about sharing: of the two it is the one that others read."""
    what = Consent.CHECK_INS if heard.intent == CHECK_INS else Consent.SHARING
    return Answer(requests=(Withdraw(what=what),))
