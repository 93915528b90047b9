""" "Ring them for me": a person can look at that; a machine must not pretend to."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import HandOver, Reply


def call_for_me(heard: Heard, tools: Toolbox) -> Answer:
    reply = Reply(text=tools.wording.say("call_for_me"), choices=tools.wording.choices("more", "new_topic"))
    return Answer(replies=(reply,), requests=(HandOver(reason="asked", need=heard.need),), slots={"asked": None})
