"""A clean start: the topic is forgotten, and the worker begins a new episode. Another topic only clears the table."""

from __future__ import annotations

from bot.actions.answer import CLEARED, Answer
from bot.actions.basket import ask_next
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply, StartAgain

NEW_TOPIC = "new_topic"


def start_again(heard: Heard, tools: Toolbox) -> Answer:
    """`new_topic` keeps the place, for people do not move when they change the subject, and what else was mentioned."""
    words = tools.wording
    if heard.intent == NEW_TOPIC:
        text = words.say(NEW_TOPIC, heard.turns)
        if heard.basket:
            text = f"{words.say('next_need')} {ask_next(heard.basket, tools)}"
        onward = ("next", "person", "privacy") if heard.basket else ("person", "privacy")
        reply = Reply(text=text, choices=words.choices(*onward))
        kept = {"basket": heard.basket, "about": heard.about or None, "asked": "next"} if heard.basket else {}
        return Answer(replies=(reply,), slots={**CLEARED, "value": None, "place": heard.place, **kept})
    reply = Reply(text=words.say("start_again", heard.turns), choices=words.choices("person", "privacy"))
    slots = {**CLEARED, "value": None, "place": None, "place_asked": False}
    return Answer(replies=(reply,), requests=(StartAgain(),), slots=slots)
