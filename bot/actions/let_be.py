"""No, nah, rather not say: what was asked is left alone, and something else is one choice away."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.basket import ask_next
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply


def let_be(heard: Heard, tools: Toolbox) -> Answer:
    """A no to a question is its answer: it is not asked again."""
    words = tools.wording
    if heard.asked == "place":
        return keep_place(heard, tools)
    if heard.asked == "next" and heard.basket:
        choices = words.choices("more", "next", "new_topic", "person")
        reply = Reply(text=words.say("next_kept_for_later"), choices=choices)
        return Answer(replies=(reply,), slots={"asked": None})
    if heard.asked == "topic":
        reply = Reply(text=words.say("new_topic"), choices=words.choices("person", "privacy"))
        return Answer(replies=(reply,), slots={"asked": None})
    return Answer(response="utter_deny", slots={"asked": None})


def keep_place(heard: Heard, tools: Toolbox) -> Answer:
    """They would rather not say where they are, and it is fine."""
    words = tools.wording
    if heard.basket:
        text = f"{words.say('place_kept_next')} {ask_next(heard.basket, tools)}"
        choices = words.choices("next", "more", "person")
    else:
        text, choices = words.say("place_kept"), words.choices("more", "new_topic", "person")
    asked = "next" if heard.basket else None
    return Answer(replies=(Reply(text=text, choices=choices),), slots={"asked": asked, "place_asked": True})
