"""Hello: the first time, in the middle of things, and after a while away. No scolding, and no question twice."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.basket import name_kept
from bot.actions.heard import FORGOTTEN_SECONDS, Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply


def say_hello(heard: Heard, tools: Toolbox) -> Answer:
    """What was looked at last is offered again, unless it is better not said aloud."""
    words = tools.wording
    remembers = bool(heard.last_query)
    if remembers and heard.silence >= FORGOTTEN_SECONDS:
        name = name_kept(heard.need, tools) if heard.need else ""
        text = words.say("hello_back", need=name) if name else words.say("hello_back_unnamed")
        reply = Reply(text=text, choices=words.choices("more", "new_topic", "person"))
        return Answer(replies=(reply,), slots={"asked": "topic"})
    if remembers:
        choices = words.choices("more", "new_topic", "person")
        return Answer(replies=(Reply(text=words.say("hello_again"), choices=choices),))
    if heard.turns > 0:
        reply = Reply(text=words.say("hello_back_new"), choices=words.choices("person", "privacy"))
        return Answer(replies=(reply,))
    return Answer(response="utter_greet")
