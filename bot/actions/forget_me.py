"""Erase everything the person wrote: asked once, then requested from the worker.

A yes counts only when it answers this question: the button that was offered, or a bare yes
directly after it. Nothing remembered from earlier can confirm.
"""

from __future__ import annotations

from bot.actions.answer import CLEARED, Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import ForgetMe, Reply

BUTTON = "forget"
QUESTION = "action_forget_me"


def forget_me(heard: Heard, tools: Toolbox) -> Answer:
    words = tools.wording
    said = heard.value if heard.intent == BUTTON else None
    asked = heard.previous_action == QUESTION
    if said == "yes" or (asked and heard.intent == "affirm"):
        return Answer(
            requests=(ForgetMe(confirmed=True),), slots={**CLEARED, "place": None, "place_asked": False, "value": None}
        )
    if said == "no" or (asked and heard.intent == "deny"):
        kept = Reply(text=words.say("forget_kept", heard.turns), choices=words.choices("new_topic", "person"))
        return Answer(replies=(kept,))
    question = Reply(
        text=words.say("forget_ask", heard.turns), choices=words.choices("forget:yes", "forget:no", "person")
    )
    return Answer(replies=(question,))
