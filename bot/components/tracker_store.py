"""Where Rasa keeps conversations between turns: bounded, without words, and never a reason for silence.

With NWD_REDIS_URL (redis://, rediss:// or unix://) conversations survive a restart; without it they live in this
process. An episode is rotated after 12 idle hours, so nothing is read later than that and everything expires then.
Redis writes to a disk: what somebody is searching with stays in memory (`withheld`), and Redis gets a mark for it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from typing import Any, Awaitable, Callable, Iterable, Optional, Text

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.conversation import Dialogue
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.components.problems import TRACKER_STORE, record_problem
from bot.components.recent import Recent
from bot.components.retention import asks_for_a_clean_slate, bound
from bot.components.withheld import Withheld

logger = logging.getLogger(__name__)

KEEP_SECONDS = 12 * 3600
MOST_EVENTS = 60
"""About 8 turns. Rules look two turns back; every kept event is read again on each turn."""
MOST_CONVERSATIONS = 2000
TIMEOUT = 1.0
PAUSE = 5.0
"""Seconds for which Redis is left alone after it failed, so that only one turn pays for the wait."""


class RedisDown(Exception):
    """Redis did not answer just now; already recorded as a problem of the turn."""


class BoundedTrackerStore(TrackerStore):
    """A copy stays in this process too: when Redis is down a turn is answered from it, and the problem recorded."""

    def __init__(
        self,
        domain: Optional[Domain],
        host: Optional[Text] = None,
        event_broker: Optional[EventBroker] = None,
        **options: Any,
    ) -> None:
        """`host` is endpoints.yml's `url`; the environment wins. `options`: max_events, record_exp (seconds)."""
        super().__init__(domain, event_broker)
        self._most_events = int(options.get("max_events", MOST_EVENTS))
        self._keep_seconds = int(options.get("record_exp", KEEP_SECONDS))
        most = int(options.get("max_conversations", MOST_CONVERSATIONS))
        self._recent = Recent(most, self._keep_seconds)
        self._withheld = Withheld(most, self._keep_seconds)
        self._prefix = f"{os.environ.get('NWD_REDIS_PREFIX') or 'nwd'}:tracker:"
        self._redis = connect(os.environ.get("NWD_REDIS_URL") or host or "")
        self._left_alone_until = 0.0

    async def save(self, tracker: DialogueStateTracker) -> None:
        events = [event.as_dict() for event in tracker.events]
        if asks_for_a_clean_slate(events):
            await self.erase(tracker.sender_id)
            return
        kept = bound(events, tracker.current_slot_values(), self._most_events)
        hidden = self._withheld.hide(tracker.sender_id, kept)
        state = json.dumps({"name": tracker.sender_id, "events": hidden}, separators=(",", ":"))
        self._recent.put(tracker.sender_id, state)
        redis, key = self._redis, self._key(tracker.sender_id)
        if redis is not None:
            with contextlib.suppress(RedisDown):
                await self._ask(lambda: redis.set(key, state, ex=self._keep_seconds))

    async def retrieve(self, sender_id: Text) -> Optional[DialogueStateTracker]:
        state = await self._read(sender_id)
        if state is None:
            return None
        held = json.loads(state)
        held["events"] = self._withheld.show(sender_id, held["events"])
        tracker = self.init_tracker(sender_id)
        tracker.recreate_from_dialogue(Dialogue.from_parameters(held))
        return tracker

    async def keys(self) -> Iterable[Text]:
        """Those of this process: listing all of Redis would block it."""
        return self._recent.keys()

    async def erase(self, sender_id: Text) -> None:
        self._recent.drop(sender_id)
        self._withheld.drop(sender_id)
        redis, key = self._redis, self._key(sender_id)
        if redis is not None:
            with contextlib.suppress(RedisDown):
                await self._ask(lambda: redis.delete(key))

    async def _read(self, sender_id: Text) -> Optional[str]:
        redis, key = self._redis, self._key(sender_id)
        if redis is not None:
            with contextlib.suppress(RedisDown):
                state: Optional[str] = await self._ask(lambda: redis.get(key))
                return state
        return self._recent.get(sender_id)

    async def _ask(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """Raises RedisDown, after recording the problem. An error's text may hold a key, so only its kind is logged."""
        if time.monotonic() < self._left_alone_until:
            record_problem(TRACKER_STORE)
            raise RedisDown()
        try:
            return await command()
        except (RedisError, OSError) as error:
            self._left_alone_until = time.monotonic() + PAUSE
            record_problem(TRACKER_STORE)
            logger.error("tracker_store_unavailable %s", type(error).__name__)
            raise RedisDown() from None

    def _key(self, sender_id: Text) -> str:
        return self._prefix + sender_id


def connect(url: str) -> Optional[Redis]:
    """A client for any of redis-py's addresses; nothing is opened before the first command."""
    if not url:
        return None
    return Redis.from_url(
        url, decode_responses=True, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry_on_timeout=False
    )
