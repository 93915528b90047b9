"""The person asks for a human, or is unhappy with us.

Only the request goes out: the worker says what really happened (place in the queue, hours, who else now).
"""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from bot.actions.wrong_facts import find_wrong, report_wrong
from channels.conversation import HandOver, Reply

COMPLAINT = "complaint"


def hand_over(heard: Heard, tools: Toolbox) -> Answer:
    """A request for a person; a complaint is also met with a few words that promise nothing."""
    if heard.intent == COMPLAINT:
        words, asked = tools.wording, HandOver(reason=COMPLAINT, need=heard.need)
        if find_wrong(heard.text) and (heard.last_cards or heard.offered):
            reply = Reply(text=words.say("complaint_wrong"), choices=words.choices("more", "new_topic"))
            return Answer(replies=(reply,), requests=(asked, *report_wrong(heard, tools)), slots={"asked": "more"})
        reply = Reply(text=words.say("complaint", heard.turns), choices=words.choices("new_topic", "privacy"))
        return Answer(replies=(reply,), requests=(asked,))
    return Answer(requests=(HandOver(reason="asked", need=heard.need),))
