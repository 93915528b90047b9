"""May we text once, later, to ask how they are? Asked once after a concern; only a yes is one. Pure but for the clock.

Who is asked and when it goes is `concern_checks`; this is its part in the answer to one message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from channels.composing import Composer, Moment, Plan
from channels.concern_checks import CHECK_NO, CHECK_OK, CHECK_YES
from channels.following_up import PUSHED, FollowUpRules
from channels.speaking import Speaker

OPEN_CHECKS: Final = frozenset({"offered", "agreed"})


@dataclass(frozen=True, kw_only=True)
class AskingLater:
    """`composer` gives the words, the hours and the clock."""

    composer: Composer
    rules: FollowUpRules

    def look_ahead(self, moment: Moment, plan: Plan) -> Plan:
        """Whether we write later to ask how they are: asked once, or known from what they told a peer worker."""
        new = bool(moment.concerns | plan.concerns)
        if plan.do_not_text_first or not (new or moment.waits_with_concern) or not can_write_first(moment):
            return plan
        if moment.concern_check or plan.check_at or plan.no_check:
            return plan
        if moment.safe_contact:
            return replace(plan, check_at=self._due()) if new else plan
        concerns = moment.concerns | plan.concerns | moment.conversation.concerns
        return replace(plan, may_offer_check=self.rules.concern.may_offer(concerns))

    async def hear(self, moment: Moment, speaker: Speaker, payload: str | None) -> Plan | None:
        """The answer to that question; None for any other message."""
        say, due = speaker.wording.say, self._due()
        if due and await self._agrees(moment, payload):
            return Plan(said=speaker.say_notice(say("check_later_agreed")), check_at=due)
        declined = moment.concern_check in OPEN_CHECKS and self.rules.declines(moment.message.text)
        if payload == CHECK_NO or declined:
            return Plan(said=speaker.say_notice(say("check_in_not_wanted")), no_check=True, no_check_in=declined)
        return None

    async def _agrees(self, moment: Moment, payload: str | None) -> bool:
        """By the button or the number; in words only while the question is the very last thing we said."""
        message = moment.message
        if payload == CHECK_OK or message.payload == CHECK_YES:
            return True
        if payload != CHECK_YES and not self.rules.agrees_to_check(moment):
            return False
        last = await self.composer.ledger.messages(message.conversation_id, max(0, message.seq - 2), 1)
        return any(choice.payload == CHECK_YES for one in last for choice in one.choices)

    def _due(self) -> datetime | None:
        return self.rules.concern.due(self.composer.clock(), self.composer.opening.service.zone)


def can_write_first(moment: Moment) -> bool:
    quiet = moment.person.do_not_text_first and not moment.reopens
    return moment.conversation.channel in PUSHED and not quiet and moment.safe_contact is not False
