"""Commands of the conversation side: python -m channels {run,app,worker,migrate,rewrap,doctor,peer,team}."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import signal
import sys

from channels.errors import ChannelsError
from channels.logs import set_up_logs
from channels.roles import ROLES
from channels.settings import Settings, read_settings


def run_everything(settings: Settings, _arguments: argparse.Namespace) -> int:
    from channels import supervisor

    return supervisor.run(settings)


def run_app(settings: Settings, _arguments: argparse.Namespace) -> int:
    from channels import app

    set_up_logs("app", settings.log_level)
    app.run(settings)
    return 0


def run_worker(settings: Settings, _arguments: argparse.Namespace) -> int:
    from channels import worker

    set_up_logs("worker", settings.log_level)
    worker.run(settings)
    return 0


def migrate(settings: Settings, _arguments: argparse.Namespace) -> int:
    from channels import staff

    staff.prepare(settings)
    return 0


def rewrap(settings: Settings, _arguments: argparse.Namespace) -> int:
    from channels import staff

    count = asyncio.run(staff.rewrap(settings))
    print(f"{count} keys and rows were written anew. Keys after the first in NWD_ENCRYPTION_KEYS are not needed now.")
    return 0


def run_doctor(settings: Settings, _arguments: argparse.Namespace) -> int:
    from channels import doctor

    return doctor.run(settings)


def set_teams(settings: Settings, arguments: argparse.Namespace) -> int:
    from channels import staff

    asyncio.run(staff.set_teams(settings, arguments.login, arguments.teams, arguments.languages))
    return 0


def add_peer(settings: Settings, arguments: argparse.Namespace) -> int:
    from channels import staff

    password = arguments.password or getpass.getpass("Password (15 characters or more): ")
    asyncio.run(staff.add_peer(settings, arguments.name, arguments.login, arguments.role, password))
    print(f"{arguments.name} can sign in at {settings.base_url}/desk as {arguments.login}.")
    return 0


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m channels", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function, text in (
        ("run", run_everything, "start the whole product on this machine"),
        ("app", run_app, "webhooks, web chat and desk"),
        ("worker", run_worker, "answers messages and sends replies"),
        ("migrate", migrate, "create or update the ledger's tables"),
        ("rewrap", rewrap, "put everything under the newest of NWD_ENCRYPTION_KEYS"),
        ("doctor", run_doctor, "check a deployment and say what to fix"),
    ):
        commands.add_parser(name, help=text).set_defaults(function=function)
    peer = commands.add_parser("peer", help="add somebody who can sign in to the desk")
    peer.add_argument("name", help="first name, as people will see it")
    peer.add_argument("login")
    peer.add_argument("--role", choices=tuple(ROLES), default="peer")
    peer.add_argument("--password", help="asked for when left out")
    peer.set_defaults(function=add_peer)
    team = commands.add_parser("team", help="say which teams somebody is in, and what they speak")
    team.add_argument("login")
    team.add_argument("teams", nargs="*", help="ids from the file of teams; none takes them out of all")
    team.add_argument("--languages", nargs="*", default=[], help="besides English, like pl ro")
    team.set_defaults(function=set_teams)
    return parser.parse_args(argv)


def run(argv: list[str] | None) -> int:
    arguments = parse_arguments(argv)
    try:
        return int(arguments.function(read_settings(), arguments))
    except ChannelsError as problem:
        print(f"channels: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def main(argv: list[str] | None = None) -> int:
    """The exit code."""
    try:
        try:
            return run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has gone, as with `| head`: it ends without a word, as ls does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main())
