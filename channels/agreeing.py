"""A person's yes: to another organisation reading along, and to hearing from us when somebody is here.

Asked with two choices, heard as a press or as the number typed, whoever has the turn. Only a yes counts as one: no
answer, other words or an old button leave everything as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from channels.concern import find_concerns
from channels.conversation import Channel, Choice, Sender
from channels.errors import NotTaken
from channels.escalation import NotAgreed, NotYours
from channels.ledger import Ledger
from channels.ledger.records import Committed, EscalationRecord, MessageRecord, Outcome, PeerRecord
from channels.routing import AGREE, resolve_choice
from channels.speaking import Speaker
from channels.streams import Streams
from channels.teams import Teams
from channels.wording import Wording

SHARE: Final = "share"
KEEP: Final = "keep"
LATER: Final = "later"
ANSWERS: Final = (SHARE, KEEP, LATER)
LOOKED_BACK: Final = 20


@dataclass(frozen=True, kw_only=True)
class Agreeing:
    """Raises LedgerUnavailable."""

    ledger: Ledger
    streams: Streams
    wording: Wording
    teams: Teams

    async def ask(self, escalation: EscalationRecord, peer: PeerRecord, organisation: str) -> None:
        """May they read this? Raises NotAgreed when there is no such organisation to ask for, NotYours."""
        team = self.teams.partner(organisation)
        if team is None:
            raise NotAgreed
        conversation = await self.ledger.conversation(escalation.conversation_id)
        wording = self.wording.within(escalation.language)
        choices = (
            Choice(title=wording.say("choice_share"), payload=f"{SHARE}:{organisation}"),
            Choice(title=wording.say("choice_keep"), payload=f"{KEEP}:{organisation}"),
        )
        words = wording.say("share_ask", name=peer.name, team=team.organisation_name)
        drafts = Speaker(wording=wording, channel=conversation.channel).say_notice(words, choices=choices)
        try:
            await self.ledger.append(conversation.id, drafts, held_by=peer.id)
        except NotTaken as taken:
            raise NotYours(taken.holder_name) from None
        await self.streams.announce_outbound(conversation.shard, conversation.id)
        await self.streams.changed(conversation.id)

    async def hear(self, message: MessageRecord) -> tuple[Committed, Outcome] | None:
        """If the message is an answer to such a question: do as it says. None for any other message."""
        payload = message.payload or await self._typed(message)
        kind, _, about = (payload or "").partition(":")
        if kind not in ANSWERS:
            return None
        key = await self._follow(message, kind, about)
        conversation = await self.ledger.conversation(message.conversation_id)
        person = await self.ledger.person(conversation.person_id)
        speaker = Speaker(wording=self.wording.within(person.language), channel=conversation.channel)
        team = self.teams.partner(about)
        words = speaker.wording.say(key, team=team.organisation_name if team else "")
        outcome = Outcome(
            message_id=message.id, expected_holder=conversation.holder, kind="agreed", drafts=speaker.say_notice(words)
        )
        committed = await self.ledger.commit(outcome)
        return (committed, outcome) if committed else None

    async def _follow(self, message: MessageRecord, kind: str, about: str) -> str:
        """What was agreed, kept before it is answered. Gives the words to answer with."""
        conversation_id = message.conversation_id
        if kind == LATER:
            wanted = about == "yes"
            waits = await self.ledger.queue.want_follow_up(conversation_id, wanted)
            return "later_agreed" if wanted and waits else "later_not"
        if kind == SHARE and self.teams.partner(about) is not None:
            await self.ledger.queue.agree(conversation_id, about)
            return "share_agreed"
        await self.ledger.queue.withdraw(conversation_id, about)
        return "share_kept"

    async def _typed(self, message: MessageRecord) -> str | None:
        """The number or words of a choice, if such a question was the very last thing we said.

        A "1" that comes later may answer what a peer worker asked since, and words that worry us are words.
        """
        if find_concerns(message.text):
            return None
        start = max(0, message.seq - 1 - LOOKED_BACK)
        before = await self.ledger.messages(message.conversation_id, start, message.seq - 1 - start)
        ours = next((one for one in reversed(before) if one.sender is not Sender.PERSON), None)
        if ours is None or not ours.choices or ours.choices[0].payload.partition(":")[0] not in ANSWERS:
            return None
        if message.text.strip().strip(".!").casefold() in AGREE:
            return ours.choices[0].payload
        # "Reply 1" is in the very words of that question, whatever it is read on.
        told = ours.choices[0].payload.startswith(LATER)
        channel = Channel.SMS if told else (await self.ledger.conversation(message.conversation_id)).channel
        choice = resolve_choice(message.text, ours.choices, channel)
        return choice.payload if choice else None
