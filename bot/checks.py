"""`python -m bot.checks RASA...`: Rasa's own validation of the training data, made strict.

`rasa data validate --fail-on-warnings` exits 0 with intents that no rule uses (validator.py keeps the last
result only), so the warnings are read from its output instead. Responses that an action of ours names are used, which
Rasa cannot see.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

VALIDATE = ("data", "validate", "--config", "config.yml", "--domain", "domain.yml", "--data", "bot/data")
ACTIONS = Path(__file__).parent / "actions"
RESPONSE = re.compile(r'"(utter_[a-z_]+)"')
UNUSED = re.compile(r"The utterance '(utter_[a-z_]+)' is not used in any story or rule")
TROUBLE = ("UserWarning", "WARNING", "ERROR", "Traceback")


def find_problems(output: str, said_by_actions: frozenset[str] = frozenset()) -> list[str]:
    """The lines of Rasa's output that name a problem, save that nothing but an action says one of `said_by_actions`."""
    named = [line for line in output.splitlines() if any(word in line for word in TROUBLE)]
    return [line for line in named if not ((found := UNUSED.search(line)) and found[1] in said_by_actions)]


def read_said_by_actions(folder: Path = ACTIONS) -> frozenset[str]:
    """The responses of the domain that the code of an action names."""
    return frozenset(name for path in folder.glob("*.py") for name in RESPONSE.findall(path.read_text("utf-8")))


def main(rasa: list[str]) -> int:
    """Returns 0 when the data are clean. `rasa` is the command that starts Rasa in its own environment."""
    quiet = {"SQLALCHEMY_SILENCE_UBER_WARNING": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "RASA_TELEMETRY_ENABLED": "false"}
    run = subprocess.run([*rasa, *VALIDATE], capture_output=True, text=True, check=False, env={**os.environ, **quiet})
    output = run.stdout + run.stderr
    problems = find_problems(output, read_said_by_actions())
    if run.returncode != 0 or problems:
        sys.stderr.write("\n".join(problems or output.splitlines()[-20:]) + "\nrasa data validate: not clean\n")
        return 1
    sys.stdout.write("rasa data validate: clean\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [".venv-rasa/bin/python", "-m", "rasa"]))
