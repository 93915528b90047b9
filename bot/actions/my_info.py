"""What is held about the person. The worker knows; the assistant only asks."""

from __future__ import annotations

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.toolbox import Toolbox
from channels.conversation import MyInfo


def my_info(_heard: Heard, _tools: Toolbox) -> Answer:
    return Answer(requests=(MyInfo(),))
