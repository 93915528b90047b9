"""How the worker reaches Rasa: one route for a message, one that says whether we are ready.

Rasa's own REST channel answers 200 and an empty list when an action fails, when no model is loaded and when a lock is
lost. Here each of these has a status, and the names of what failed come back beside what could still be said.

POST /webhooks/gateway/message   200 {"messages", "intent", "problems"} | 401 | 422 | 502 nothing was said | 503
GET  /webhooks/gateway/ready     200 {"model": id} | 503
"""

from __future__ import annotations

import hmac
import logging
from typing import Any, Awaitable, Callable, Dict, FrozenSet, List, Optional, Text, Tuple

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.core.lock_store import LockError
from rasa.shared.core.constants import DEFAULT_INTENTS
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.components.fixes import apply_fixes
from bot.components.incoming import Incoming, NotUsable, Press, read_incoming
from bot.components.problems import NOTHING_SAID, TURN, collect_problems
from bot.components.translating import Translations, load_translations, translate

NAME = "gateway"
WARM_UP = "hello"
logger = logging.getLogger(__name__)


class GatewayChannel(InputChannel):
    """The only way in. Needs no --enable-api, which would let anybody who reaches the port load a model."""

    def __init__(self, token: str, translations: Optional[Translations] = None) -> None:
        self._token = token.encode()
        self._translations = translations or {}
        self._warm_model: Optional[str] = None

    @classmethod
    def name(cls) -> Text:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> GatewayChannel:
        """Raises RasaException when the token is missing: without it any page on this machine could talk to Rasa."""
        token = (credentials or {}).get("token")
        if not isinstance(token, str) or not token.strip():
            raise RasaException("NWD_RASA_TOKEN is empty. It is the bearer token that the worker sends to Rasa.")
        apply_fixes()
        return cls(token.strip(), load_translations())

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        gateway = Blueprint("gateway_channel", NAME)

        @gateway.route("/ready", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            return await self._answer_ready(request.app.ctx.agent)

        @gateway.route("/message", methods=["POST"])
        async def message(request: Request) -> HTTPResponse:
            if not self._allowed(request):
                return refuse(401, "wrong token")
            return await self._answer_message(request)

        return gateway

    def _allowed(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self._token)
        return same and scheme.lower() == "bearer"

    async def _answer_ready(self, agent: Agent) -> HTTPResponse:
        """Ready means warm: the first message takes 0.4 s, so one is run here, for nobody."""
        if not agent.is_ready():
            return refuse(503, "no model")
        if self._warm_model != agent.model_id:
            await warm_up(agent)
            self._warm_model = agent.model_id
        return response.json({"model": agent.model_id})

    async def _answer_message(self, request: Request) -> HTTPResponse:
        agent: Agent = request.app.ctx.agent
        if not agent.is_ready():
            return refuse(503, "no model")
        try:
            incoming = read_incoming(request.json, pressable(agent))
        except NotUsable as problem:
            return refuse(422, str(problem))
        except SanicException:
            return refuse(422, "the body is not JSON")
        with collect_problems() as problems:
            return await answer_turn(agent, incoming, problems, self._translations)


async def answer_turn(
    agent: Agent, incoming: Incoming, problems: List[str], translations: Translations
) -> HTTPResponse:
    """Never an empty 200: a turn in which nothing was said is an error for the worker to act on."""
    try:
        messages, intent = await take_turn(agent, incoming)
    except LockError:
        logger.error("gateway_lock_lost")
        return refuse(503, "lock", problems)
    except Exception as error:
        # The error's own words may hold what the person wrote.
        logger.error("gateway_turn_failed %s at %s", type(error).__name__, last_line(error))
        return refuse(502, TURN, [*problems, TURN])
    if not messages:
        return refuse(502, NOTHING_SAID, problems or [NOTHING_SAID])
    messages = translate(messages, incoming.metadata.get("language"), translations)
    return response.json({"messages": messages, "intent": intent, "problems": problems})


async def take_turn(agent: Agent, incoming: Incoming) -> Tuple[List[Dict[Text, Any]], Dict[Text, Any]]:
    """What Rasa says, and the intent it understood."""
    parsed = parse_press(incoming.press) if incoming.press else await parse_text(agent, incoming.text)
    message = UserMessage(
        text=incoming.text,
        output_channel=CollectingOutputChannel(),
        sender_id=incoming.sender,
        parse_data=parsed,
        input_channel=NAME,
        message_id=incoming.message_id,
        metadata=incoming.metadata,
    )
    said = await agent.handle_message(message) or []
    messages = [{key: value for key, value in part.items() if key != "recipient_id"} for part in said]
    intent = parsed["intent"]
    return messages, {"name": intent["name"], "confidence": round(float(intent["confidence"]), 4)}


def parse_press(press: Press) -> Dict[Text, Any]:
    """A button names its intent; nothing is guessed."""
    intent = {"name": press.name, "confidence": 1.0}
    entities = [] if press.value is None else [{"entity": "value", "value": press.value}]
    return {"intent": intent, "entities": entities, "intent_ranking": [intent]}


async def parse_text(agent: Agent, text: str) -> Dict[Text, Any]:
    parsed = await agent.processor.parse_message(UserMessage(text))
    return {key: parsed.get(key) or [] for key in ("intent", "entities", "intent_ranking")}


def pressable(agent: Agent) -> FrozenSet[str]:
    """Intents a button may stand for: ours, not Rasa's own (`restart` would wipe the conversation)."""
    return frozenset(agent.domain.intents) - frozenset(DEFAULT_INTENTS)


async def warm_up(agent: Agent) -> None:
    """Run the language model and the rules once, on a conversation that is never stored."""
    await agent.parse_message(WARM_UP)
    agent.predict_next_with_tracker(DialogueStateTracker(WARM_UP, agent.domain.slots))


def refuse(status: int, error: str, problems: Optional[List[str]] = None) -> HTTPResponse:
    return response.json({"error": error, "problems": problems or []}, status=status)


def last_line(error: BaseException) -> str:
    """Where it happened, without what it said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
