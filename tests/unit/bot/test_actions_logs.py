"""The log of the action server: ids and outcomes."""

from __future__ import annotations

from bot.actions.logs import keep_allowed_fields, name_process


def test_a_field_nobody_thought_about_is_dropped() -> None:
    event = {"event": "action_failed", "action": "action_my_info", "text": "my rent", "sender": "+44", "exc_info": True}
    assert keep_allowed_fields(None, "error", dict(event)) == {"event": "action_failed", "action": "action_my_info"}


def test_a_line_says_which_process_wrote_it() -> None:
    assert name_process(None, "error", {"event": "x"}) == {"event": "x", "process": "actions"}
