"""Short ways to say who shares the queue."""

from __future__ import annotations

from channels.escalation import Escalations
from channels.ledger import Ledger
from channels.ledger.duties import Duty
from channels.ledger.records import PeerRecord
from channels.settings import Settings
from channels.streams import Streams
from channels.teams import Team, Teams
from channels.wording import Wording
from tests.desk_builders import Clock
from tests.ledger_builders import peer_named

HOME = Team(id="peers", name="Peer workers", organisation="wrenbridge", organisation_name="Wrenbridge", home=True)
DEBT = Team(
    id="debt",
    name="Debt advice",
    organisation="clearwater",
    organisation_name="Clearwater Debt Advice",
    topics=frozenset({"housing"}),
)
LEGAL = Team(id="legal", name="Law", organisation="lawhouse", organisation_name="Law House", topics=frozenset({"law"}))
TEAMS = Teams((HOME, DEBT, LEGAL))


def shared(ledger: Ledger, streams: Streams, settings: Settings, clock: Clock) -> Escalations:
    """A queue that three organisations share."""
    return Escalations(ledger, streams, Wording.load(), settings, teams=TEAMS, clock=clock)


async def peer_in(ledger: Ledger, name: str, *teams: str, languages: tuple[str, ...] = ()) -> PeerRecord:
    peer = await peer_named(ledger, name)
    duty = Duty(peer_id=peer.id, teams=frozenset(teams), languages=frozenset(languages))
    await ledger.queue.keep_duty(duty, "test")
    return peer
