"""What makes an edit live in a moment: a quick encoder, and a thread that builds while nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from knowledge.embedding import Encoder, OnnxEncoder, Vectors, open_publisher
from knowledge.embedding.encoder import PUBLISH_MAX_LENGTH
from knowledge.errors import KnowledgeError, ModelNotTrusted
from knowledge.settings import Settings


class LazyEncoder:
    """The encoder of the editor's process: opened with the first text, then kept. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self.id = open_publisher(settings).id
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: Encoder | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            self._opened = self._opened or open_editor_encoder(self._settings)
        return self._opened.encode(texts)


class Live:
    """Builds the index in a thread of its own after small changes: several at once become one build."""

    def __init__(self, go_live: Callable[[], object]) -> None:
        self._go_live = go_live
        self._asked = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="go-live", daemon=True)
        self._thread.start()

    def soon(self) -> None:
        """Let the next moment's build take in what was just written."""
        self._idle.clear()
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Until nothing is left to build; False when it took longer."""
        return self._idle.wait(seconds)

    def close(self) -> None:
        """Ends after the build that is going on."""
        self._stopping = True
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._stopping:
                return
            try:
                self._go_live()
            except KnowledgeError as error:
                structlog.get_logger().warning("index_not_built", error=type(error).__name__)
            except Exception as error:  # the old index serves; the next change tries again
                structlog.get_logger().error("index_not_built", error=type(error).__name__)
            if not self._asked.is_set():
                self._idle.set()


def open_editor_encoder(settings: Settings) -> Encoder:
    """The query encoder's model reading texts as long as the publisher's does: the same vectors to about 1e-6.

    It loads in a tenth of a second instead of five and needs no torch. Without an export: the publisher's own.
    """
    try:
        return OnnxEncoder(settings.encoder_dir, max_length=PUBLISH_MAX_LENGTH)
    except ModelNotTrusted:
        return open_publisher(settings)
