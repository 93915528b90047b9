""" "wot?", "idk": the same in other words, or a choice made easier."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.asking import ask_warmly
from bot.actions.basket import ask_next
from bot.actions.heard import Heard
from bot.actions.let_be import keep_place
from bot.actions.sayings import Act
from bot.actions.show_details import list_again, tell
from bot.actions.toolbox import Toolbox
from channels.conversation import Reply


def say_again(heard: Heard, tools: Toolbox) -> Answer:
    """Somebody did not follow us, or does not know. Neither is a refusal, and neither is asked the same thing again."""
    unsure = tools.sayings.read_act(heard.text) is not Act.SAY_AGAIN
    words = tools.wording
    if heard.asked == "place":
        if unsure:
            return keep_place(heard, tools)
        reply = Reply(text=words.say("explain_place"), choices=words.choices("more", "person"))
        return Answer(replies=(reply,), slots={"asked": "place"})
    if heard.asked == "next" and heard.basket and not unsure:
        reply = Reply(text=ask_next(heard.basket, tools), choices=words.choices("next", "more", "person"))
        return Answer(replies=(reply,), slots={"asked": "next"})
    listed = [service for each in heard.offered if (service := tools.finder.service(each)) is not None]
    if listed and unsure:
        # The one that was told last has been tried.
        fresh = next((service for service in listed if service.id not in heard.last_cards), None)
        alone = len(heard.last_cards) == 1
        return tell(heard, tools, fresh if alone and fresh else listed[0], key="start_with")
    if listed:
        return list_again(heard, tools, listed, key="explain_list")
    return ask_warmly(heard, tools, key="ask_unsure")
