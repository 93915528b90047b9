"""A conversation with the decisions, that remembers slots as Rasa does."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from bot.actions.answer import Answer, write_slots
from bot.actions.context import in_context
from bot.actions.heard import read_tracker
from bot.actions.remembering import remember
from bot.actions.shells import ACTIONS
from tests.unit.bot.fakes import FakeSearch, make_tools


@dataclass
class Talk:
    """A conversation that remembers slots as Rasa does, with the intent that Rasa would have named."""

    finder: FakeSearch = field(default_factory=FakeSearch)
    slots: dict[str, Any] = field(default_factory=dict)
    last: Answer = field(default_factory=Answer)
    remembered: dict[str, Any] = field(default_factory=dict)
    """What the worker would send along with the next message."""

    def say(self, text: str, action: str = "find_support", **heard: Any) -> Answer:
        latest = {"text": text, "intent": {"name": heard.pop("intent", "")}, "entities": heard.pop("entities", [])}
        silence = heard.pop("silence", 0.0)
        events = [{"event": "user", "timestamp": at} for at in (100.0, 100.0 + silence)]
        events = heard.pop("events", events)
        metadata = {"remembered": self.remembered, **heard}
        state = {"latest_message": {**latest, "metadata": metadata}, "slots": self.slots, "events": events}
        name = f"action_{action}"
        known, tools = read_tracker(state), make_tools(self.finder)
        self.last = in_context(name, ACTIONS[name])(known, tools)
        if self.last.slots:
            self.remembered = asdict(remember(known, self.last, tools))
        self.slots |= {event["name"]: event["value"] for event in write_slots(self.last.slots)}
        return self.last

    def begin_anew(self) -> None:
        """As in a new episode: Rasa knows nothing."""
        self.slots = {}
