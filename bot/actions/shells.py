"""The Rasa side of the decisions: one shell for all of them, and the table of which name runs what.

The shell reads the tracker, calls a plain function, and writes its answer as messages and slot
events. It decides nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.answer import write_messages, write_slots
from bot.actions.context import Decision, in_context
from bot.actions.find_support import find_support
from bot.actions.forget_me import forget_me
from bot.actions.give_place import give_place
from bot.actions.go_on import go_on
from bot.actions.hand_over import hand_over
from bot.actions.heard import read_tracker
from bot.actions.let_be import let_be
from bot.actions.my_info import my_info
from bot.actions.put_right import put_right
from bot.actions.refine_list import refine_list
from bot.actions.say_again import say_again
from bot.actions.say_hello import say_hello
from bot.actions.show_details import show_details
from bot.actions.show_more import show_more
from bot.actions.start_again import start_again
from bot.actions.take_back import take_back
from bot.actions.take_thanks import take_thanks
from bot.actions.toolbox import Toolbox

ACTIONS: Mapping[str, Decision] = {
    "action_find_support": find_support,
    "action_show_more": show_more,
    "action_show_details": show_details,
    "action_give_place": give_place,
    "action_hand_over": hand_over,
    "action_forget_me": forget_me,
    "action_my_info": my_info,
    "action_start_again": start_again,
    "action_go_on": go_on,
    "action_let_be": let_be,
    "action_take_thanks": take_thanks,
    "action_say_hello": say_hello,
    "action_say_again": say_again,
    "action_put_right": put_right,
    "action_refine_list": refine_list,
    "action_take_back": take_back,
}


class Shell(Action):  # type: ignore[misc]  # rasa_sdk carries no types
    """Runs one decision for Rasa, off the event loop: encoding a message takes some milliseconds of CPU."""

    def __init__(self, name: str, decision: Decision, toolbox: Toolbox, threads: Executor) -> None:
        self._name = name
        self._decision = decision
        self._toolbox = toolbox
        self._threads = threads

    def name(self) -> str:
        return self._name

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        heard = read_tracker(
            {"latest_message": tracker.latest_message, "slots": tracker.slots, "events": tracker.events}
        )
        loop = asyncio.get_running_loop()
        tools = self._toolbox.within(heard.language)
        answer = await loop.run_in_executor(self._threads, self._decision, heard, tools)
        if answer.response:
            dispatcher.utter_message(response=answer.response)
        for body in write_messages(answer):
            dispatcher.utter_message(json_message=body)
        return list(write_slots(answer.slots))


def build_shells(toolbox: Toolbox, threads: Executor) -> list[Shell]:
    return [Shell(name, in_context(name, decision), toolbox, threads) for name, decision in ACTIONS.items()]
