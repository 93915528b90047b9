"""How long a large catalogue takes to import, and how much memory: JSON pages, and a tabular data package.

    python -m tests.bench.importing [--services N] [--needs]

Every service differs in name, place and hours (generated: no real rows). Each import runs in a process of its own, so
that its peak is its own. Without --needs the recogniser is left out: it costs what its encoder costs for each listing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
DESCRIPTION = "A warm place to sit down with people who listen. " * 8


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of imports.")
    parser.add_argument("--services", type=int, default=5_000, metavar="N")
    parser.add_argument("--needs", action="store_true", help="with the need recogniser")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        feed, package = Path(folder) / "feed.json", Path(folder) / "package"
        write_feed(feed, parsed.services)
        write_package(package, parsed.services)
        print(f"{parsed.services:,} services; feed {feed.stat().st_size / 1e6:.0f} MB")
        print(f"{'':24}{'seconds':>9}{'of them CPU':>13}{'a second':>10}{'peak MB':>9}")
        extra = [] if parsed.needs else ["--no-needs"]
        for name, given, data in (
            ("an empty import", os.devnull, "empty"),
            ("JSON, first time", str(feed), "json"),
            ("JSON, again", str(feed), "json"),
            ("data package", str(package), "package"),
        ):
            seconds, busy, peak = measure(Path(folder) / data, [given, *extra])
            print(f"{name:24}{seconds:9.1f}{busy:13.1f}{parsed.services / seconds:10,.0f}{peak:9.0f}", flush=True)


def measure(data: Path, arguments: list[str]) -> tuple[float, float, float]:
    """Seconds, seconds of a processor, and peak memory (MB) of one import in its own process."""
    code = (
        "import resource, sys; from knowledge.__main__ import main; main(['import', '--json', *sys.argv[1:]]);"
        "used = resource.getrusage(resource.RUSAGE_SELF);"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)"
    )
    environment = {**os.environ, "NWD_DATA_DIR": str(data), "NWD_DEMO": "0"}
    if arguments[0] == os.devnull:
        arguments = ["--format", "json", *arguments]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    unit = 1e6 if sys.platform == "darwin" else 1e3
    busy, peak = done.stderr.split()[-2:]
    return time.monotonic() - began, float(busy), int(peak) / unit


def services(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "name": f"Warm room {number}",
            "status": "active",
            "description": f"{DESCRIPTION}Room {number}.",
            "organization_id": f"00000000-0000-4000-9000-{number // 10:012}",
        }


def write_feed(path: Path, count: int) -> None:
    with path.open("w") as out:
        out.write('{"contents": [')
        for number, body in enumerate(services(count)):
            owner = {"id": body["organization_id"], "name": f"Trust {number // 10}", "description": "Runs rooms."}
            place = {
                "location_type": "physical", "latitude": 51 + number % 400 / 100, "longitude": -number % 300 / 100,
                "addresses": [{"address_1": f"{number} High Street", "city": "Town", "postal_code": "WZ1 1AA",
                               "state_province": "", "country": "GB", "address_type": "physical"}],
            }  # fmt: skip
            parts = {
                "organization": owner,
                "phones": [{"number": f"01632 96{number % 10_000:04}"}],
                "schedules": [{"freq": "WEEKLY", "byday": DAYS[number % 7], "opens_at": "09:00", "closes_at": "17:00"}],
                "service_at_locations": [{"location": place}],
                "funding": [{"source": "A grant"}],
            }
            out.write(("," if number else "") + json.dumps({**body, **parts}) + "\n")
        out.write("]}")


def write_package(folder: Path, count: int) -> None:
    folder.mkdir()
    for name, columns, rows in (
        ("services", ["id", "name", "status", "description", "organization_id"],
         (list(body.values()) for body in services(count))),
        ("organizations", ["id", "name", "description"],
         ([f"00000000-0000-4000-9000-{at:012}", f"Trust {at}", "Runs rooms."] for at in range(count // 10 + 1))),
        ("phones", ["id", "service_id", "number"],
         ([at, body["id"], f"01632 96{at % 10_000:04}"] for at, body in enumerate(services(count)))),
        ("schedules", ["id", "service_id", "byday", "opens_at", "closes_at"],
         ([at, body["id"], DAYS[at % 7], "09:00", "17:00"] for at, body in enumerate(services(count)))),
        ("locations", ["id", "name", "latitude", "longitude"],
         ([at, f"Hall {at}", 51 + at % 400 / 100, -(at % 300) / 100] for at in range(count))),
        ("service_at_locations", ["id", "service_id", "location_id"],
         ([at, body["id"], at] for at, body in enumerate(services(count)))),
    ):  # fmt: skip
        with (folder / f"{name}.csv").open("w", newline="") as out:
            csv.writer(out).writerows(_with_header(columns, rows))


def _with_header(columns: list[str], rows: Iterator[list[Any]]) -> Iterator[list[Any]]:
    yield columns
    yield from rows


if __name__ == "__main__":
    main()
