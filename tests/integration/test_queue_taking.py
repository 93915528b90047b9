"""Taking the next: the right person, once, for whoever may see them, on a real ledger and a real Valkey."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels.conversation import Concern, EscalationState, Holder, Inbound
from channels.errors import CapReached, ChannelsError, NotTaken, SettingsError
from channels.escalation import Escalations, Leaving, NotAgreed
from channels.ledger import Ledger
from channels.ledger.duties import Duty, DutyState
from channels.ledger.records import PLACE, Draft, OpenEscalation, Outcome, PeerRecord
from channels.settings import Settings
from channels.shifts import Shifts
from channels.staff import set_teams
from channels.streams import Streams
from channels.teams import Teams
from channels.wording import Wording
from tests.desk_builders import Clock
from tests.escalation_builders import ask, last_words, now_of, said
from tests.ledger_builders import answer, notice, peer_named, text_from
from tests.queue_builders import HOME, peer_in, shared

pytest_plugins = ["tests.desk_fixtures"]
WORRY = (Concern.SUICIDE,)


@pytest.fixture
def ledger(any_ledger: Ledger) -> Ledger:
    """Every one of these on SQLite, and again on PostgreSQL."""
    return any_ledger


@pytest.fixture
async def sam(ledger: Ledger) -> PeerRecord:
    return await peer_named(ledger, "Sam")


@pytest.fixture
async def ana(ledger: Ledger) -> PeerRecord:
    return await peer_named(ledger, "Ana")


# -- order


async def test_take_next_takes_the_concern_first_and_then_who_waited_longest(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, ana: PeerRecord
) -> None:
    first, second = await ask(escalations, ledger, 1), await ask(escalations, ledger, 2)
    worried = await ask(escalations, ledger, 3, WORRY)
    taken = [await escalations.take_next(peer) for peer in (sam, ana, ana)]
    assert [one.id for one in taken if one] == [worried, first, second]
    assert await escalations.take_next(await peer_named(ledger, "Jo")) is None


async def test_many_who_take_at_once_get_as_many_people_and_nobody_twice(
    escalations: Escalations, ledger: Ledger
) -> None:
    waiting = {await ask(escalations, ledger, end) for end in range(6)}
    peers = [await peer_named(ledger, f"P{number}") for number in range(6)]
    taken = await asyncio.gather(*(escalations.take_next(peer) for peer in peers))
    assert {one.id for one in taken if one} == waiting


async def test_the_same_peer_worker_in_two_windows_gets_no_more_than_the_cap(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord
) -> None:
    for end in range(4):
        await ask(escalations, ledger, end)
    taken = await asyncio.gather(*(escalations.take_next(sam) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, CapReached) for one in taken) == 2


async def test_whoever_frees_up_gets_who_waited_and_not_who_has_just_come(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord
) -> None:
    held = await ask(escalations, ledger, 1)
    assert await escalations.take_next(sam)
    waited = await ask(escalations, ledger, 2)
    await ledger.queue.keep_duty(Duty(peer_id=sam.id, most=1), sam.id)
    with pytest.raises(CapReached):
        await escalations.take_next(sam)
    await escalations.close(held, sam)
    await ask(escalations, ledger, 3)
    taken = await escalations.take_next(sam)
    assert taken is not None and taken.id == waited


async def test_everybody_who_asks_at_the_same_moment_is_told_a_place_of_their_own(any_ledger: Ledger) -> None:
    stored = [await any_ledger.store_inbound(text_from(f"+44163296010{end}", f"same-{end}")) for end in range(5)]
    outcomes = [
        Outcome(
            message_id=one.message_id, expected_holder=Holder.BOT, kind="bot", drafts=(notice(f"You are {PLACE}."),),
            escalation=OpenEscalation(reason="asked"), say_place=Wording.load().place,
        )
        for one in stored
    ]  # fmt: skip
    await asyncio.gather(*(any_ledger.commit(outcome) for outcome in outcomes))
    heard = [(await any_ledger.messages(one.conversation_id))[-1].text for one in stored]
    assert sorted(heard) == ["You are next.", *(f"You are number {place}." for place in (2, 3, 4, 5))]


async def test_mending_the_queue_leaves_alone_who_came_meanwhile(
    escalations: Escalations, ledger: Ledger, streams: Streams
) -> None:
    first = await ask(escalations, ledger, 1)
    await streams.queue_put({"nobody": 1.0, first: 2.0})
    swept, (second, third) = await asyncio.gather(
        escalations.sweep(), asyncio.gather(ask(escalations, ledger, 2), ask(escalations, ledger, 3))
    )
    await escalations.sweep()
    assert list(await streams.queue_scores()) == [one.id for one in await escalations.waiting()]
    assert set(await streams.queue_scores()) == {first, second, third}
    assert swept.returned == 0


# -- shifts


async def test_whatever_is_changed_of_a_shift_at_the_same_moment_all_of_it_counts(
    escalations: Escalations, ledger: Ledger, streams: Streams, sam: PeerRecord
) -> None:
    shifts = Shifts(ledger=ledger, streams=streams, escalations=escalations)
    changes = (
        lambda duty: replace(duty, teams=frozenset({"debt"})),
        lambda duty: replace(duty, languages=frozenset({"pl"})),
    )
    await asyncio.gather(
        shifts.change(sam, DutyState.AWAY),
        shifts.set_options(sam, 4, automatic=True),
        *(ledger.queue.change_duty(sam.id, change, "test") for change in changes),
    )
    duty = await ledger.queue.duty(sam.id)
    assert (duty.state, duty.most, duty.automatic) == (DutyState.AWAY, 4, True)
    assert duty.teams == {"debt"} and duty.languages == {"pl"}


async def test_whoever_is_about_to_go_home_is_given_nobody_new(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord
) -> None:
    one = await ask(escalations, ledger, 1)
    await ledger.queue.keep_duty(Duty(peer_id=sam.id, state=DutyState.LEAVING), sam.id)
    with pytest.raises(Leaving):
        await escalations.take_next(sam)
    with pytest.raises(Leaving):
        await escalations.claim(one, sam)
    assert (await now_of(ledger, one)).state is EscalationState.WAITING


@pytest.mark.parametrize("state", [DutyState.AWAY, DutyState.BREAK, DutyState.OFF])
async def test_whoever_takes_somebody_is_back(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, state: DutyState
) -> None:
    await ask(escalations, ledger, 1)
    await ledger.queue.keep_duty(Duty(peer_id=sam.id, state=state), sam.id)
    assert await escalations.take_next(sam)
    assert (await ledger.queue.duty(sam.id)).state is DutyState.ON


async def test_a_sign_of_life_from_any_page_keeps_everybody_they_are_with(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord, clock: Clock, settings: Settings
) -> None:
    both = {await ask(escalations, ledger, 1), await ask(escalations, ledger, 2)}
    assert await escalations.take_next(sam) and await escalations.take_next(sam)
    clock.ahead = timedelta(seconds=settings.lease_seconds * 0.9)
    assert set(await escalations.renew_all(sam.id)) == both
    clock.ahead = timedelta(seconds=settings.lease_seconds * 1.5)
    assert (await escalations.sweep()).returned == 0


# -- teams and organisations


async def test_another_organisation_sees_nobody_until_that_person_says_yes(
    ledger: Ledger, streams: Streams, settings: Settings, clock: Clock
) -> None:
    queue = shared(ledger, streams, settings, clock)
    one = await ask(queue, ledger, 1)
    dee, lou = await peer_in(ledger, "Dee", "debt"), await peer_in(ledger, "Lou", "legal")
    escalation = await now_of(ledger, one)
    assert await queue.take_next(dee) is None
    with pytest.raises(NotTaken):
        await queue.claim(one, dee)
    assert not await queue.may_see(dee, escalation)
    await ledger.queue.agree(escalation.conversation_id, "clearwater")
    assert await queue.may_see(dee, escalation)
    assert not await queue.may_see(lou, escalation), "a yes to one is no yes to another"
    assert await queue.take_next(lou) is None
    taken = await queue.take_next(dee)
    assert taken is not None and taken.id == one


@pytest.mark.parametrize(
    "teams",
    [pytest.param((), id="in no team"), pytest.param(("misspelt",), id="in a team that is none")],
)
async def test_where_there_are_teams_whoever_is_in_none_sees_nobody(
    ledger: Ledger, streams: Streams, settings: Settings, clock: Clock, teams: tuple[str, ...]
) -> None:
    queue = shared(ledger, streams, settings, clock)
    one = await ask(queue, ledger, 1)
    nobody = await peer_in(ledger, "Nobody", *teams)
    assert await queue.take_next(nobody) is None
    with pytest.raises(NotTaken):
        await queue.claim(one, nobody)
    home = await peer_in(ledger, "Home", HOME.id)
    assert await queue.take_next(home)


async def test_a_yes_that_was_taken_back_or_forgotten_is_a_no(
    ledger: Ledger, streams: Streams, settings: Settings, clock: Clock
) -> None:
    queue = shared(ledger, streams, settings, clock)
    one = await now_of(ledger, await ask(queue, ledger, 1))
    dee = await peer_in(ledger, "Dee", "debt")
    await ledger.queue.agree(one.conversation_id, "clearwater")
    assert await ledger.queue.withdraw(one.conversation_id, "clearwater")
    assert not await queue.may_see(dee, one)
    await ledger.queue.agree(one.conversation_id, "clearwater")
    await ledger.forget((await ledger.conversation(one.conversation_id)).person_id)
    assert await ledger.queue.agreed([one.conversation_id]) == {}


async def test_on_to_a_team_only_with_a_yes_and_in_the_place_they_had(
    ledger: Ledger, streams: Streams, settings: Settings, clock: Clock
) -> None:
    queue = shared(ledger, streams, settings, clock)
    one = await ask(queue, ledger, 1)
    await ask(queue, ledger, 2)
    sam, lou = await peer_in(ledger, "Sam", HOME.id), await peer_in(ledger, "Lou", "legal")
    await queue.claim(one, sam)
    with pytest.raises(NotAgreed):
        await queue.transfer(one, sam, "legal")
    assert (await now_of(ledger, one)).claimed_by == sam.id
    await ledger.queue.agree((await now_of(ledger, one)).conversation_id, "lawhouse")
    await queue.transfer(one, sam, "legal")
    assert "Law House" in await last_words(ledger, one) and "next" in await last_words(ledger, one)
    taken = await queue.take_next(lou)
    assert taken is not None and taken.id == one
    assert "ok" in [message.text for message in await said(ledger, one)], "their story comes along"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("teams: [{id: a, name: A, organisation: o}]", "home", id="nobody at home"),
        pytest.param("teams: [{id: a, name: A, organisation: o, home: yes please}]", "home", id="home is no word"),
        pytest.param("teams: [{id: a, name: A, organisation: o, homme: true}]", "homme", id="misspelt"),
        pytest.param(
            "teams: [{id: a, name: A, organisation: o, home: true}]\notherwise: b", "otherwise", id="no such team"
        ),
        pytest.param("team: []", "NWD_TEAMS_FILE", id="not a list of teams"),
        pytest.param(
            "teams: [{id: the team, name: A, organisation: o, home: true}]", "id is one", id="two words for an id"
        ),
        pytest.param(
            f"teams: [{{id: a, name: A, organisation: {'o' * 33}, home: true}}]",
            "organisation",
            id="longer than is kept",
        ),
    ],
)
def test_a_file_of_teams_that_is_wrong_says_how(tmp_path: Path, text: str, names: str) -> None:
    path = tmp_path / "teams.yml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=names):
        Teams.load(path)


# -- languages


async def ask_in(escalations: Escalations, ledger: Ledger, end: int, language: str) -> str:
    stored = await ledger.store_inbound(
        Inbound(**{**vars(text_from(f"+441632960{end:03}", f"in-{end}")), "language": language})
    )
    committed = await answer(
        ledger, stored, Draft(sender=notice().sender, text="ok"), escalation=OpenEscalation(reason="asked")
    )
    assert committed.escalation_id
    await escalations.announce(committed.escalation_id)
    return committed.escalation_id


async def test_a_peer_worker_who_speaks_it_is_preferred_and_nobody_waits_forever_for_one(
    escalations: Escalations, ledger: Ledger, streams: Streams, sam: PeerRecord, clock: Clock
) -> None:
    ola = await peer_in(ledger, "Ola", languages=("pl",))
    polish, second = await ask_in(escalations, ledger, 1, "pl"), await ask(escalations, ledger, 2)
    await streams.present(ola.id, 60)
    taken = await escalations.take_next(sam)
    assert taken is not None and taken.id == second, "Ola is there and speaks Polish"
    assert await escalations.take_next(sam) is None
    clock.ahead = timedelta(minutes=11)
    late = await escalations.take_next(sam)
    assert late is not None and late.id == polish


async def test_without_anybody_there_who_speaks_it_the_order_is_the_order(
    escalations: Escalations, ledger: Ledger, sam: PeerRecord
) -> None:
    await peer_in(ledger, "Ola", languages=("pl",))
    polish = await ask_in(escalations, ledger, 1, "pl")
    taken = await escalations.take_next(sam)
    assert taken is not None and taken.id == polish


async def test_teams_and_languages_are_given_by_a_command(
    ledger: Ledger, any_ledger_url: str, settings: Settings, sam: PeerRecord, tmp_path: Path
) -> None:
    path = tmp_path / "teams.yml"
    path.write_text("teams: [{id: peers, name: Peers, organisation: o, home: true}]")
    known = settings.model_copy(update={"teams_file": path, "database_url": SecretStr(any_ledger_url)})
    await set_teams(known, sam.login, ["peers"], ["PL"])
    duty = await ledger.queue.duty(sam.id)
    assert (duty.teams, duty.languages) == ({"peers"}, {"pl"})
    with pytest.raises(ChannelsError, match="no team debt"):
        await set_teams(known, sam.login, ["debt"], [])
    with pytest.raises(ChannelsError, match="nobody"):
        await set_teams(known, "nobody-at-all", [], [])
