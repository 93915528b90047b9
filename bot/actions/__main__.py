"""`python -m bot.actions`: the composition root of the action server."""

from __future__ import annotations

import atexit
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette

from bot.actions.first_contact import load_first_contact
from bot.actions.language import load_languages
from bot.actions.live_search import LiveSearch, Refreshable
from bot.actions.logs import set_up_logs
from bot.actions.noticing import Noticing
from bot.actions.sayings import load_sayings
from bot.actions.server import build_app
from bot.actions.settings import ActionsSettings, ActionsSettingsError, read_settings
from bot.actions.shells import build_shells
from bot.actions.toolbox import Toolbox
from bot.actions.trying import Trying
from bot.actions.wording import load_other_wordings, load_wording
from bot.concern.reading import load_reader
from knowledge.asked import Asked, Tally
from knowledge.catalogue import Need
from knowledge.errors import KnowledgeError
from knowledge.foreign_needs import ForeignNeeds
from knowledge.needs import load_needs
from knowledge.places import load_places
from knowledge.search import Search
from knowledge.settings import Settings as KnowledgeSettings
from knowledge.settings import read_settings as read_knowledge_settings
from knowledge.store import Store
from knowledge.threads import use_one_thread


def compose(settings: ActionsSettings, knowledge: KnowledgeSettings) -> Starlette:
    """Real parts for everything. One worker thread: searching is CPU work, and the event loop must answer /ready."""
    search = LiveSearch(lambda: Search.open(knowledge), describe=describe)
    needs = load_needs(knowledge.content_dir / "needs.yml")
    toolbox = Toolbox(
        finder=search,
        wording=load_wording(),
        languages=load_languages(),
        sayings=load_sayings(),
        places=load_places(knowledge.content_dir / "places", demo=knowledge.demo),
        urgency={need.id: need.urgency for need in needs},
        labels={need.id: need.label for need in needs},
        now=lambda: datetime.now(UTC),
        zone=settings.timezone,
        first_contact=load_first_contact(),
        foreign=open_foreign(knowledge, needs),
        counts=open_counts(knowledge),
        others=load_other_wordings(),
    )
    threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="actions")
    token = settings.actions_token.get_secret_value()
    noticing = Noticing(lambda: load_reader(knowledge), token)
    trying = Trying(toolbox, threads, classifier=noticing)
    return build_app(
        build_shells(toolbox, threads),
        token=token,
        search=search,
        threads=threads,
        noticing=noticing,
        trying=trying,
        tools=toolbox,
    )


def open_foreign(knowledge: KnowledgeSettings, needs: tuple[Need, ...]) -> ForeignNeeds | None:
    """Without it messages in other languages still reach a person, so its absence is said and not fatal."""
    try:
        return ForeignNeeds.open(knowledge, needs)
    except KnowledgeError as error:
        structlog.get_logger().warning("other_languages_unread", problem=str(error))
        return None


def open_counts(knowledge: KnowledgeSettings) -> Tally:
    """Counts for the editors. They are written beside the answers, also when the process ends."""

    def open_asked() -> Asked:
        return Asked(Store.open(knowledge.database_url).engine)

    def failed(error: str) -> None:
        structlog.get_logger().warning("counts_not_written", error=error)

    tally = Tally(open_asked, failed)
    atexit.register(tally.write)
    return tally


def describe(search: Refreshable) -> dict[str, Any]:
    """How many services serve, since when, and whether the catalogue is still what the index was made of."""
    if not isinstance(search, Search):
        return {}
    built = search.index.built_at.isoformat()
    return {"services": len(search.index.services), "built_at": built, "fresh": search.is_fresh()}


def main() -> int:
    """Serve until stopped. A wrong setting or content file is named on standard error, and the exit code is 2."""
    try:
        settings = read_settings()
        set_up_logs(settings.log_level)
        use_one_thread()
        app = compose(settings, read_knowledge_settings())
    except (ActionsSettingsError, KnowledgeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    uvicorn.run(
        app,
        host=settings.actions_host,
        port=settings.listen_port,
        access_log=False,
        log_level=settings.log_level.lower(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
