"""A clean start: the topic is forgotten here, and the worker begins a new episode."""

from __future__ import annotations

from bot.actions.answer import CLEARED, Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply, StartAgain

NEW_TOPIC = "new_topic"


def start_again(heard: Heard, tools: Toolbox) -> Answer:
    """`new_topic` keeps the place: people do not move when they change the subject."""
    fresh = heard.intent != NEW_TOPIC
    text = tools.wording.say("start_again" if fresh else NEW_TOPIC, heard.turns)
    reply = Reply(text=text, choices=tools.wording.choices("person", "privacy"))
    slots = {**CLEARED, "value": None, "place": None if fresh else heard.place}
    return Answer(replies=(reply,), requests=(StartAgain(),), slots=slots)
