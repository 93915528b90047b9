"""`make bench`: every measurement in turn, each in a process of its own, with what each took at the end.

python -m tests.bench [PART ...]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

PARTS = {
    "latency": "replies, against bare Rasa",
    "searching": "search by size of catalogue",
    "reliability": "a network that loses and repeats",
    "publishing": "from an edit to people's phones",
    "importing": "bringing a catalogue in",
    "queueing": "taking people from a long queue",
    "sealing": "a key for each person, against one for all",
}
LONGEST = 600.0
"""Seconds that all of it may take on 2 cores with nothing else to do."""


def main(asked: list[str]) -> int:
    """0 when every part ended well."""
    unknown = [part for part in asked if part not in PARTS]
    if unknown:
        print(f"{unknown[0]} is no part of this. Choose from: {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    rows = [run(part) for part in asked or PARTS]
    print(f"\n{'part':<14}{'seconds':>9}{'processor':>11}")
    for part, seconds, processor, code in rows:
        print(
            f"{part:<14}{seconds:>9.0f}{processor:>11.0f}  {PARTS[part]}{'' if code == 0 else f' (ended with {code})'}"
        )
    total = sum(row[1] for row in rows)
    print(f"{'total':<14}{total:>9.0f}{sum(row[2] for row in rows):>11.0f}  of at most {LONGEST:.0f} on 2 quiet cores")
    return max((abs(row[3]) for row in rows), default=0)


def run(part: str) -> tuple[str, float, float, int]:
    """Name, seconds, seconds of processor of it and all that it started, exit code."""
    print(f"\n== {part}: {PARTS[part]}", flush=True)
    began, before = time.monotonic(), processor_seconds()
    code = subprocess.run([sys.executable, "-m", f"tests.bench.{part}"], check=False).returncode
    return part, time.monotonic() - began, processor_seconds() - before, code


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
