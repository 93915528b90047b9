"""The addresses of everything that stands beside a conversation, and of how peer workers are looked after."""

from __future__ import annotations

from typing import Final

from channels.desk import bringing, caring, ending, for_you, later, noting, sharing, writing
from channels.desk.access import Standing
from channels.desk.acting import act
from channels.desk.guard import Handler

HERE: Final = "/desk/conversations/{conversation}"
MINE: Final = Standing.MINE
READS: Final = (Standing.MINE, Standing.GUEST, Standing.WATCHED, Standing.ASKED, Standing.OPEN)

PAGES: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("POST", f"{HERE}/summary", act(sharing.keep_summary)),
    ("POST", f"{HERE}/summary-agreed", act(sharing.agree_summary)),
    ("POST", f"{HERE}/earlier-ask", act(sharing.ask_earlier)),
    ("POST", f"{HERE}/earlier-agreed", act(sharing.agree_earlier)),
    ("POST", f"{HERE}/bring-in", act(bringing.bring_in, MINE)),
    ("POST", f"{HERE}/join", act(bringing.join, Standing.ASKED)),
    ("POST", f"{HERE}/leave-them", act(bringing.leave_them, MINE)),
    ("POST", f"{HERE}/withdraw", act(bringing.withdraw)),
    ("POST", f"{HERE}/look", act(writing.look)),
    ("POST", f"{HERE}/insert", act(writing.insert)),
    ("POST", f"{HERE}/send-service", act(writing.send_service)),
    ("POST", f"{HERE}/note", act(noting.keep_note, *READS)),
    ("POST", f"{HERE}/safeguarding", act(noting.keep_safeguarding, *READS)),
    ("POST", f"{HERE}/messages/{{message}}/redact", act(noting.redact, MINE, Standing.WATCHED, Standing.OPEN)),
    ("POST", f"{HERE}/snooze", act(later.snooze)),
    ("POST", f"{HERE}/plan", act(later.plan)),
    ("POST", f"{HERE}/plans/{{plan}}", act(later.change_plan)),
    ("POST", f"{HERE}/safe-contact", act(later.keep_safe_contact)),
    ("POST", f"{HERE}/taken-back", act(sharing.take_back)),
    ("POST", f"{HERE}/finish", act(ending.finish, MINE)),
    ("POST", f"{HERE}/reveal", act(ending.reveal, MINE)),
    ("POST", f"{HERE}/break", act(ending.take_break, MINE)),
    ("POST", f"{HERE}/named-peer", act(ending.offer_named_peer, MINE)),
    ("GET", "/desk/debrief", caring.show_debrief),
    ("POST", "/desk/debrief", caring.finish_debrief),
    ("POST", "/desk/rest", caring.rest),
    ("POST", "/desk/keys", caring.use_keys),
    ("POST", "/desk/pings/{ping}", caring.see_ping),
    ("POST", "/desk/snoozes/{plan}", caring.end_snooze),
)
"""What somebody does: a use of their session."""

PARTS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/desk/for-you", for_you.show_part),
    ("POST", f"{HERE}/draft", act(writing.keep_draft)),
)
"""What an open page asks for by itself."""
