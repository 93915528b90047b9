"""Packages from npm as independent judges. Only with NWD_TEST_NPM=1, into a folder of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def fetch(package: str, folder: Path) -> Path:
    """The folder, in which node then finds the package (name@version). Skips the test where that cannot be."""
    if os.environ.get("NWD_TEST_NPM") != "1":
        pytest.skip(f"set NWD_TEST_NPM=1 to fetch {package} from npm and compare")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--cache", folder / "cache"]
    done = subprocess.run(
        ["npm", "install", "--prefix", folder, *options, package], capture_output=True, text=True, timeout=180
    )
    if done.returncode != 0:
        pytest.skip(f"npm could not fetch {package}: {done.stderr.strip()[-200:]}")
    return folder
