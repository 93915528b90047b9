"""What the product consists of when it runs on one machine: a table, and the environment they share."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from channels.settings import (
    ACTIONS_PORT_OFFSET,
    EDITOR_PORT_OFFSET,
    RASA_PORT_OFFSET,
    WORKER_PORT_OFFSET,
    Settings,
)

PORT_OFFSETS = {
    "app": 0,
    "editor": EDITOR_PORT_OFFSET,
    "worker": WORKER_PORT_OFFSET,
    "rasa": RASA_PORT_OFFSET,
    "actions": ACTIONS_PORT_OFFSET,
}


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """One process: how it is started and the address that answers 200 once it is ready."""

    name: str
    command: tuple[str, ...]
    ready_url: str


def process_table(settings: Settings) -> tuple[ProcessSpec, ...]:
    """The five processes, slowest to start first."""
    port = {name: settings.port + offset for name, offset in PORT_OFFSETS.items()}
    python = sys.executable
    model = settings.build_dir / "rasa" / "current.tar.gz"
    rasa = (
        *(str(settings.rasa_python), "-m", "rasa", "run", "--model", str(model)),
        *("--interface", "127.0.0.1", "--port", str(port["rasa"])),
        *("--endpoints", "endpoints.yml", "--credentials", "bot/credentials.yml"),
    )
    editor = (python, "-m", "knowledge", "editor", "--port", str(port["editor"]))
    return (
        ProcessSpec(name="rasa", command=rasa, ready_url=f"http://127.0.0.1:{port['rasa']}/webhooks/gateway/ready"),
        ProcessSpec(
            name="actions",
            command=(python, "-m", "bot.actions"),
            ready_url=f"http://127.0.0.1:{port['actions']}/ready",
        ),
        ProcessSpec(
            name="app",
            command=(python, "-m", "channels", "app"),
            ready_url=f"http://127.0.0.1:{port['app']}/health",
        ),
        ProcessSpec(
            name="worker",
            command=(python, "-m", "channels", "worker"),
            ready_url=f"http://127.0.0.1:{port['worker']}/health",
        ),
        ProcessSpec(name="editor", command=editor, ready_url=f"http://127.0.0.1:{port['editor']}/health"),
    )


def shared_environment(settings: Settings, secrets: dict[str, str], redis_url: str) -> dict[str, str]:
    """The environment of every child.

    One thread a process for the numeric libraries: two threads beside any other load gave a p95 of 488 ms
    instead of 17 on two cores.
    """
    environment = dict(os.environ)
    environment.update(secrets)
    environment.update(
        NWD_DATA_DIR=str(settings.data_dir.resolve()),
        NWD_BUILD_DIR=str(settings.build_dir.resolve()),
        NWD_ENCODER_DIR=str((settings.build_dir / "minilm").resolve()),
        NWD_PORT=str(settings.port),
        NWD_REDIS_URL=redis_url,
        REDIS_URL=redis_url,
        NWD_RASA_URL=settings.assistant_url,
        NWD_ACTIONS_URL=settings.action_server_url,
        PYTHONUNBUFFERED="1",
        RASA_TELEMETRY_ENABLED="false",
        SQLALCHEMY_SILENCE_UBER_WARNING="1",
        TF_CPP_MIN_LOG_LEVEL="3",
        LOG_LEVEL="WARNING",
        PYTHONWARNINGS="ignore::DeprecationWarning",  # of Rasa's pinned libraries, on every start
    )
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment.setdefault(variable, "1")
    environment["TOKENIZERS_PARALLELISM"] = "false"
    return environment
