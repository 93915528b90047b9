"""No English words to search with: a warm question, or a person who reads the language. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.actions.answer import Answer
from bot.actions.heard import Heard
from bot.actions.listing import CONCERNING, introduce, make_list, offer_person
from bot.actions.replies import details_choice
from bot.actions.toolbox import Toolbox
from channels.conversation import HandOver, Note, Reply
from knowledge.catalogue import Kind
from knowledge.needs import NeedGuess
from knowledge.search import Found, Match

LISTENING, LISTENING_NEEDS = "someone to listen to me", ("low_mood",)
"""What we search for on behalf of somebody who could not find words."""
LISTENER_POOL = 10


def ask_warmly(heard: Heard, tools: Toolbox, key: str = "ask_warmly") -> Answer:
    """One open question, and beside it somebody who listens now: the question is never all there is."""
    listener = find_listener(heard, tools)
    if listener is None:
        return offer_person(heard, tools)
    service = listener.service
    reply = Reply(
        text=tools.wording.say(key, heard.turns),
        cards=(tools.make_cards(None).make_card(service, why=listener.reason),),
        choices=(details_choice(service), *tools.wording.choices("person")),
    )
    return Answer(replies=(reply,), requests=(Note(place=heard.place),), slots={"offered": (service.id,)})


def find_listener(heard: Heard, tools: Toolbox) -> Match | None:
    """A line for everyone that is open now, else any line, else whatever there is."""
    found = tools.finder.find(LISTENING, near=heard.place, now=tools.now(), limit=LISTENER_POOL, needs=LISTENING_NEEDS)
    lines = [match for match in found.matches if match.service.kind is Kind.LINE]
    answered = [match for match in lines if match.opening.is_open and not match.service.restricted]
    return next(iter((*answered, *lines, *found.matches)), None)


def ask_for_reader(heard: Heard, tools: Toolbox) -> Answer:
    """Another language: kind words in it, a person who is told which it is, and help where we are sure what it says.

    Never a silent guess: without a sure reading there is no list, and a list says in English what was understood.
    """
    language = tools.languages.name(heard.text, heard.language)
    words = tools.first_contact.get(language or "")
    needs = tools.foreign.guess(heard.text, language) if tools.foreign and language else ()
    found = search_for(heard, tools, needs)
    text = tools.wording.say("other_language", heard.turns)
    grave = next((need.id for need in needs if need.id in CONCERNING), None)
    if words is not None:
        # Whoever may be in danger gets these words by themselves: the list comes when they ask for it.
        hello = words.again if heard.turns and is_known(heard, language) else words.hello
        text = f"{hello} {words.found}" if found and not grave else hello
    replies = [Reply(text=text, choices=() if words else tools.wording.choices("person", "privacy"))]
    slots: dict[str, object] = {}
    if found:
        introduction = introduce(found.matches, needs, found.place, tools)
        replies.append(make_list(introduction, found.matches, found.place, tools))
        ids = tuple(match.service.id for match in found.matches)
        slots = {"need": needs[0].id, "shown": ids, "offered": ids, "last_query": join_labels(needs)}
    asked = HandOver(
        reason="concern" if grave and not heard.concerns else "language",
        need=grave or (needs[0].id if needs else heard.need),
        language=language,
    )
    note = (Note(needs=tuple(need.id for need in needs), place=heard.place),) if needs else ()
    return Answer(replies=tuple(replies), requests=(*note, asked), slots=slots)


def answer_courtesy(heard: Heard, tools: Toolbox) -> Answer | None:
    """A short yes or thanks in the language they wrote in before: the person they were told of reads it too.

    None for any other message.
    """
    code = (heard.language or "").lower().split("-")[0]
    words = tools.first_contact.get(code)
    if words is None or not heard.turns or tools.wording is tools.others.get(code):
        return None
    # In a new episode nothing of what we said is known: the first words in a language begin one.
    spoken = not heard.last_said or any(said.startswith((words.hello, words.again)) for said in heard.last_said)
    if tools.languages.read_courtesy(heard.text, code, spoken=spoken) is None:
        return None
    asked = HandOver(reason="language", need=heard.need, language=code)
    return Answer(replies=(Reply(text=words.again),), requests=(asked,), slots={"asked": None})


def is_known(heard: Heard, language: str | None) -> bool:
    """Whether they have written in this language before, or their device is set to it."""
    return bool(heard.language and language) and str(heard.language).lower().split("-")[0] == language


def search_for(heard: Heard, tools: Toolbox, needs: Sequence[NeedGuess]) -> Found | None:
    """What is there for needs that were recognised without English words; nothing when there were none."""
    if not needs:
        return None
    ids = tuple(need.id for need in needs)
    return tools.finder.find(join_labels(needs), near=heard.place, now=tools.now(), needs=ids)


def join_labels(needs: Sequence[NeedGuess]) -> str:
    return ". ".join(need.label for need in needs)
