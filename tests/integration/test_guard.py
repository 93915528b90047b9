"""Whatever is written and whatever the assistant says, the answer turns nobody away and holds somebody to reach."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from channels.conversation import Channel, Choice, Holder, MyInfo, Note, Reply, Sender, ServiceCard, Turn
from channels.errors import AssistantSilent
from channels.guard import Guard
from channels.ledger import Ledger
from channels.ledger.records import MessageRecord
from channels.never_no import NeverNo
from channels.settings import Settings
from channels.streams import Streams
from tests.ledger_builders import peer_named
from tests.worker_builders import LIST, PERSON, WORDING, Bench, talk

RULES = NeverNo.load()
GUARD = Guard(rules=RULES, wording=WORDING)
SHARED = Path(os.environ.get("NWD_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
QUIET = frozenset({"opted_out", "opted_out_after_concern"})
"""The network answers STOP itself and would block what we send."""
FOXLEY = ServiceCard(service_id="svc-x", name="Foxley Door", phone="", summary="You must live in Foxley.")
SAID = [
    "", " ", "Hello.", "I'm not able to help with that.", "No results found.",
    "Sorry, you are not eligible. Try again later.",
    "Thank you for telling me. " * 30, "Этим мы не занимаемся.", "\N{PENSIVE FACE}", "We can't help.\nWe refuse.",
]  # fmt: skip
UTTERANCES = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        ["", "help", "STOP", "stop all", "start", "more", "person", "2", "yes", "nah", "my info", "forget me", "move",
         "cant pay my rent", "i want to die", "he hits me", "nie mam pieniedzy", "???", "\N{BLACK HEART SUIT}",
         "K7D 4QX"]
    ),
)  # fmt: skip
REPLIES = st.builds(
    Reply,
    text=st.sampled_from(SAID) | st.text(max_size=400),
    cards=st.sampled_from([(), (FOXLEY,), LIST.replies[0].cards]),
    choices=st.sampled_from([(), (PERSON,), (Choice(title="Show me more", payload="more"),)]),
    detail=st.booleans(),
)
TURNS = st.builds(
    Turn,
    replies=st.lists(REPLIES, max_size=2).map(tuple),
    requests=st.sampled_from([(), (Note(needs=("debt",)),), (MyInfo(),)]),
) | st.sampled_from([None])


@pytest.fixture
def bench(settings: Settings, ledger: Ledger, streams: Streams) -> Bench:
    return Bench.quick(settings, ledger, streams)


async def answer(bench: Bench, text: str, turn: Turn | None, channel: Channel) -> list[MessageRecord]:
    """A message of somebody whom the first answer has told who we are, through the worker's own turn."""
    address = f"+44163297{bench.written:04}"

    async def answering(message: MessageRecord) -> Turn:
        if message.seq == 1:
            return LIST
        if turn is None:
            raise AssistantSilent("timeout")
        return turn

    bench.assistant.answering = answering
    turns = bench.worker().turns
    first = await bench.store("hello", channel=channel, address=address)
    await turns.work_through(first.conversation_id)
    before = (await bench.ledger.conversation(first.conversation_id)).last_seq
    stored = await bench.store(text, channel=channel, address=address)
    await turns.work_through(stored.conversation_id)
    return await bench.ledger.messages(stored.conversation_id, before)


async def check(bench: Bench, messages: list[MessageRecord]) -> None:
    theirs, *ours = messages
    assert theirs.answered
    escalation = await bench.ledger.escalation_of(theirs.conversation_id)
    if theirs.outcome in QUIET:
        return
    assert ours, theirs.outcome
    assert escalation or any(GUARD.connects(draft, theirs.channel) for draft in ours), [
        message.text for message in ours
    ]
    for message in ours:
        own = message.reply.text if message.reply and message.reply.cards else message.text
        assert not RULES.broken(own), own


@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=UTTERANCES, turn=TURNS, channel=st.sampled_from([Channel.SMS, Channel.TELEGRAM, Channel.WEB]))
async def test_whatever_is_written_the_answer_holds_somebody_to_reach(
    bench: Bench, text: str, turn: Turn | None, channel: Channel
) -> None:
    await check(bench, await answer(bench, text, turn, channel))


@pytest.mark.parametrize("name", ["crisis/positives.jsonl", "crisis/negatives.jsonl", "retrieval/queries.jsonl"])
async def test_real_messages_are_answered_with_somebody_to_reach(bench: Bench, name: str) -> None:
    if not (SHARED / name).is_file():
        pytest.skip("no folder of real messages beside the project")
    lines = (SHARED / name).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[:: max(1, len(lines) // 60)]):
        turn = Turn(replies=(Reply(text=SAID[number % len(SAID)]),))
        await check(bench, await answer(bench, json.loads(line)["text"], turn, Channel.SMS))


async def test_a_refusal_is_said_otherwise_with_a_person_and_counted(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=(Reply(text="Sorry, I'm not able to help with that."),))
    broken: list[str] = []
    messages = await talk(bench, "hello", "is there anything else")
    assert messages[-1].text == "There are people who can look at this with you.\nReply PERSON to talk to someone."
    guard = Guard(rules=RULES, wording=WORDING, on_mended=broken.append)
    guard.mend_reply(Reply(text="We can't help."))
    assert broken == ["cannot_help"]


async def test_what_an_editor_wrote_about_a_service_is_quoted_as_it_stands(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=(Reply(text="Here is more:", cards=(FOXLEY,), detail=True),))
    messages = await talk(bench, "tell me more", channel=Channel.TELEGRAM, address="4711")
    assert any("You must live in Foxley." in message.text for message in messages)


async def test_a_list_keeps_its_numbers_when_a_person_is_added_to_what_follows(bench: Bench) -> None:
    async def answering(message: MessageRecord) -> Turn:
        return LIST if "rent" in message.text else Turn(replies=(Reply(text="You are welcome."),))

    bench.assistant.answering = answering
    messages = await talk(bench, "cant pay my rent", "thanks", channel=Channel.TELEGRAM, address="4711")
    assert messages[-1].text.endswith("Reply PERSON to talk to someone.")
    choices = await bench.ledger.last_choices(messages[0].conversation_id)
    assert choices[0].payload == "details:svc-rent"


async def test_the_web_page_shows_the_same_words_as_were_kept(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=(Reply(text="Glad to hear it."),))
    messages = await talk(bench, "good news", "thanks", channel=Channel.WEB, address="visitor-1")
    assert messages[-1].reply is not None
    assert messages[-1].reply.text == messages[-1].text == "Glad to hear it.\nReply PERSON to talk to someone."


async def test_the_same_worry_again_and_an_assistant_without_words_is_still_answered(bench: Bench) -> None:
    bench.assistant.turn = Turn()
    messages = await talk(bench, "i want to die", "i want to die so much", "i really want to die")
    answered = [message.seq for message in messages if message.sender is Sender.PERSON]
    assert messages[-1].seq > answered[-1]


async def test_a_peer_workers_words_are_theirs(bench: Bench) -> None:
    bench.assistant.turn = Turn(replies=(Reply(text="Hello."),))
    messages = await talk(bench, "person")
    peer = await peer_named(bench.ledger, "Sam")
    worker = bench.worker()
    escalation = await bench.ledger.escalation_of(messages[0].conversation_id)
    assert escalation is not None
    await worker.escalations.claim(escalation.id, peer)
    await worker.escalations.reply(escalation.id, peer, "I can't help with the rent, but let us ring them together.")
    said = await bench.ledger.messages(messages[0].conversation_id)
    assert said[-1].text == "I can't help with the rent, but let us ring them together."
    assert (await bench.ledger.conversation(messages[0].conversation_id)).holder is Holder.PEER
