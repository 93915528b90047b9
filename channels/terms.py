"""On which terms a peer worker takes somebody: decided in the transaction that takes them, from how they stand then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from channels.conversation import Sender
from channels.ledger.duties import DutyState
from channels.ledger.records import Draft, EscalationRecord, PeerRecord
from channels.ledger.standing import Standing
from channels.ledger.taking import Decide, Terms
from channels.matching import WhoIsHere, is_kept_for_speaker, may_be_kept
from channels.notices import Says
from channels.refusals import Leaving
from channels.resting import check_rested, tired_of
from channels.teams import Sight, Teams


@dataclass(frozen=True, kw_only=True)
class TermsOf:
    """What holds for everybody who takes somebody."""

    wording: Says
    teams: Teams
    lease: timedelta
    clock: Callable[[], datetime]

    def chosen(self, peer: PeerRecord, *, anyway: bool) -> Decide:
        """For one they chose. The decision raises Leaving, and NeedsRest unless `anyway` or they have them already."""

        def decide(stands: Standing, wanted: EscalationRecord | None) -> Terms:
            mine = wanted is not None and wanted.claimed_by == peer.id
            if not anyway and not mine:
                check_rested(stands.care, self.clock(), hard=wanted is not None and bool(wanted.concerns))
            return self._terms(peer, stands, Sight.of(self.teams, stands.duty.teams))

        return decide

    def next_one(self, peer: PeerRecord, spoken_by_others: frozenset[str] | None) -> Decide:
        """For the first in line who fits. The decision raises Leaving, NeedsRest.

        Who is at the desk is asked only for somebody for whom it matters: where it does and None is known, it raises
        WhoIsHere.
        """
        now = self.clock()

        def decide(stands: Standing, _chosen: EscalationRecord | None) -> Terms:
            check_rested(stands.care, now, hard=False)
            spoken, sight = stands.duty.languages, Sight.of(self.teams, stands.duty.teams)

            def fits(escalation: EscalationRecord, agreed: frozenset[str]) -> bool:
                if not sight.sees(escalation, agreed):
                    return False
                if spoken_by_others is None and may_be_kept(escalation, spoken, now):
                    raise WhoIsHere
                return not is_kept_for_speaker(escalation, spoken, spoken_by_others or (), now)

            return replace(self._terms(peer, stands, sight), sees=fits, spared=tired_of(stands.care, now))

        return decide

    def _terms(self, peer: PeerRecord, stands: Standing, sight: Sight) -> Terms:
        """Raises Leaving."""
        if stands.duty.state is DutyState.LEAVING:
            raise Leaving

        def joined(escalation: EscalationRecord) -> Draft:
            words = self.wording.within(escalation.language).say("joined", name=peer.name)
            return Draft(sender=Sender.NOTICE, text=words, sender_name=peer.name)

        return Terms(
            lease_until=self.clock() + self.lease,
            notice=joined,
            sees=sight.sees,
            most=stands.duty.most,
            asking=None if sight.home else sight.organisations,
        )
