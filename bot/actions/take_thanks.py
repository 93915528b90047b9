"""Thanks, ta: and what was also mentioned is not forgotten."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.basket import ask_next
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply


def take_thanks(heard: Heard, tools: Toolbox) -> Answer:
    words = tools.wording
    if not heard.basket:
        return Answer(response="utter_thanks", slots={"asked": None})
    text = f"{words.say('welcome_thanks')} {ask_next(heard.basket, tools)}"
    reply = Reply(text=text, choices=words.choices("next", "new_topic", "person"))
    return Answer(replies=(reply,), slots={"asked": "next"})
