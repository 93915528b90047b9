"""Words like "that number does not work": what is wrong with which service, so that an editor hears of it. Pure.

Only what is plain is reported: one service that is meant, and words that say what is wrong. Everything else goes to a
person with the complaint, who can report it from the desk.
"""

from __future__ import annotations

import re

from bot.actions.heard import Heard
from bot.actions.picking import pick_offered
from bot.actions.toolbox import Toolbox
from channels.conversation import ReportWrong

WRONG = {
    "phone": r"\bwrong (?:phone |telephone )?(?:number|num|no)\b"
    r"|\b(?:number|phone|line|num)s?\b.*\b(?:(?:do|does|did|is|was|ca|wo)n'?t|not|never|no longer|dead|wrong|dud"
    r"|disconnected|cut off|some(?:body|one) else)\b",
    "closed": r"\b(?:is|was|its|it's|were|been|all|now)\s+(?:\w+\s+)?(?:closed|shut|boarded up)\b|\bclosed down\b"
    r"|\b(?:nobody|no ?one) (?:was |is )?(?:in|there)\b",
    "place": r"\bwrong (?:address|place)\b|\b(?:address|place)\b.*\bwrong\b",
}
"""In the words of the editor's queue; the first that fits counts."""
PATTERNS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in WRONG.items()}


def find_wrong(text: str) -> str | None:
    """What is said to be wrong."""
    plain = text.replace("\u2019", "'")
    return next((kind for kind, pattern in PATTERNS.items() if pattern.search(plain)), None)


def report_wrong(heard: Heard, tools: Toolbox) -> tuple[ReportWrong, ...]:
    """A report about the service that was shown last, or that is named or counted out of the last list."""
    wrong = find_wrong(heard.text)
    listed = heard.last_cards or heard.offered
    if wrong is None or not listed:
        return ()
    if len(listed) == 1:
        return (ReportWrong(service_id=listed[0], wrong=wrong),)
    services = [tools.finder.service(each) for each in listed]
    picked = pick_offered(heard.text, [each.name if each else "" for each in services])
    return () if picked is None else (ReportWrong(service_id=listed[picked], wrong=wrong),)
