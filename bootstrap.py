"""Set-up: everything between a fresh clone and a product that can start.

Runs on any Python 3.8+ with nothing installed, so it uses the standard library only.
Each step is stamped with a hash of what it depends on; a step whose hash has not changed
is not run again, so the second set-up takes a moment.

    python3 bootstrap.py          what `make setup` calls
    python3 bootstrap.py train    train the assistant again, whatever the stamps say
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / ".build"
STAMPS = BUILD / "stamps.json"
VENV = ROOT / ".venv"
RASA_VENV = ROOT / ".venv-rasa"
DATA = Path(os.environ.get("NWD_DATA_DIR") or ROOT / ".data")
FREE_BYTES_NEEDED = 8 * 1024**3
"""Both environments, with their caches, measured at 5.6 GB on Linux, and 0.8 GB for the larger sentence model."""


class SetupFailed(Exception):
    """Set-up cannot go on; the text says what to type."""


# Interpreters


def answers_as(command, lowest, highest):
    """Whether this interpreter really runs, has venv, and is a version in the range.

    A name on PATH proves nothing: version managers leave shims there that only print an error.
    """
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    try:
        run = subprocess.run([*command, "-c", probe], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    said = re.fullmatch(r"(\d+)\.(\d+)", run.stdout.strip())
    if run.returncode != 0 or said is None:
        return False
    return lowest <= (int(said[1]), int(said[2])) <= highest


def pyenv_interpreters(minor):
    roots = [os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")]
    found = []
    for root in roots:
        if root:
            found += sorted(Path(root).glob(f"versions/3.{minor}.*/bin/python3.{minor}"), reverse=True)
    return [[str(path)] for path in found]


def uv_interpreter(minor):
    """Ask uv, if it is there, to find or fetch a managed interpreter."""
    uv = shutil.which("uv")
    if not uv:
        return []
    version = f"3.{minor}"
    subprocess.run([uv, "python", "install", version], capture_output=True, check=False)
    found = subprocess.run(
        [uv, "python", "find", "--managed-python", version], capture_output=True, text=True, check=False
    )
    return [[found.stdout.strip()]] if found.returncode == 0 and found.stdout.strip() else []


def find_interpreter(minors, variable):
    """The first interpreter of these minor versions that proves itself: the variable, PATH, pyenv, uv."""
    chosen = os.environ.get(variable)
    candidates = [[chosen]] if chosen else []
    for minor in minors:
        on_path = shutil.which(f"python3.{minor}")
        candidates += ([[on_path]] if on_path else []) + pyenv_interpreters(minor)
    candidates += [[sys.executable], ["python3"]]
    lowest, highest = (3, min(minors)), (3, max(minors))
    for command in candidates:
        if answers_as(command, lowest, highest):
            return command[0]
    for minor in minors:
        for command in uv_interpreter(minor):
            if answers_as(command, lowest, highest):
                return command[0]
    raise SetupFailed(
        f"No working Python 3.{minors[0]} was found (PATH, pyenv and uv were tried).\n"
        f"  To fix it, type:  pip install uv && uv python install 3.{minors[0]}    (or: pyenv install 3.{minors[0]})\n"
        f"  or name one:             {variable}=/path/to/python3.{minors[0]} make setup"
    )


# Stamps


def digest(*parts):
    """Hash of files and folders (names and contents) and of plain strings."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            sha.update(part.encode())
            continue
        files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
        for file in files:
            if "__pycache__" in file.parts or not file.exists():
                continue
            sha.update(str(file.relative_to(ROOT) if ROOT in file.parents else file.name).encode())
            sha.update(file.read_bytes())
    return sha.hexdigest()


def read_stamps(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


STAMPING = threading.Lock()
"""Steps that run side by side share a file of stamps."""


def write_stamp(path, step, value):
    with STAMPING:
        stamps = read_stamps(path)
        stamps[step] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".tmp")
        scratch.write_text(json.dumps(stamps, indent=1, sort_keys=True))
        scratch.replace(path)


# Running things


def child_environment(**more):
    """The environment for child processes. uv does not read pip's settings, so they are handed over."""
    env = dict(os.environ, PYTHONUNBUFFERED="1", RASA_TELEMETRY_ENABLED="false", **more)
    if env.get("PIP_FIND_LINKS"):
        env.setdefault("UV_FIND_LINKS", env["PIP_FIND_LINKS"])
    if env.get("PIP_CERT"):
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    env["NWD_DATA_DIR"] = str(DATA)
    return env


def start(command, log_name, **env):
    """Start a command with its output in `.build/log/`."""
    log = BUILD / "log" / (log_name + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        out.write(("\n$ {}\n".format(" ".join(command))).encode())
        out.flush()
        return subprocess.Popen(command, cwd=str(ROOT), env=child_environment(**env), stdout=out, stderr=out), log


def finish(process, log, what):
    if process.wait() != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        hint = ""
        if "No space left" in tail:
            hint = "\n  The disk is full: free some space, or set NWD_DATA_DIR to a folder on another disk."
        raise SetupFailed(f"{what} failed. The end of {log}:\n{tail}{hint}")


def run(command, log_name, what, **env):
    process, log = start(command, log_name, **env)
    finish(process, log, what)


def say(text):
    print("setup: " + text, flush=True)


# Steps


def check_space():
    free = shutil.disk_usage(str(ROOT)).free
    if free < FREE_BYTES_NEEDED:
        raise SetupFailed(
            f"Only {free / 1e9:.1f} GB are free on the disk of {ROOT}; the two environments need about "
            f"{FREE_BYTES_NEEDED / 1e9:.0f} GB. Free some space first."
        )


def make_venv(python, folder):
    if not (folder / "bin" / "python").exists() or not answers_as([str(folder / "bin" / "python")], (3, 10), (3, 99)):
        shutil.rmtree(str(folder), ignore_errors=True)
        run([python, "-m", "venv", str(folder)], "venv", f"Creating {folder.name}")


def locked_version(name):
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line.lower().startswith(name.lower() + "=="):
            return line.split("==")[1].split()[0]
    raise SetupFailed(f"requirements.lock names no version of {name}: run `make lock`.")


def install_torch(pip):
    """A CPU build if one can be had: the default Linux build brings several GB of GPU libraries."""
    version = locked_version("torch")
    if sys.platform == "linux":
        process, _ = start([*pip, "install", f"torch=={version}+cpu"], "environment")
        if process.wait() == 0:
            return
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(VENV / "bin" / "python")]
        process, _ = start([*uv, "--torch-backend", "cpu", f"torch=={version}"], "environment")
        if process.wait() == 0:
            return
        say("no CPU-only build of torch within reach; installing the default one, which is large")
    run([*pip, "install", f"torch=={version}"], "environment", "Installing torch")


def install_environments(stamps):
    """Both environments, side by side. Does nothing where the lock file has not changed."""
    main_hash = digest(ROOT / "requirements.lock", sys.platform)
    rasa_hash = digest(ROOT / "requirements-rasa.lock", sys.platform)
    main_ready = stamps.get("environment") == main_hash and (VENV / "bin" / "python").exists()
    rasa_ready = stamps.get("rasa environment") == rasa_hash and (RASA_VENV / "bin" / "python").exists()
    if main_ready and rasa_ready:
        return False
    began = time.monotonic()
    say("installing two Python environments (the first time this takes a few minutes) ...")
    check_space()
    main_python = find_interpreter((11, 12, 13), "NWD_PYTHON311")
    rasa_python = find_interpreter((10,), "NWD_PYTHON310")
    make_venv(main_python, VENV)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    run([*pip, "install", "uv==" + locked_version("uv")], "environment", "Installing uv")
    rasa_job = None
    if not rasa_ready:
        make_venv(rasa_python, RASA_VENV)
        sync = [str(VENV / "bin" / "uv"), "pip", "sync", "--compile-bytecode", "--python"]
        rasa_job = start([*sync, str(RASA_VENV / "bin" / "python"), "requirements-rasa.lock"], "rasa-environment")
    if not main_ready:
        install_torch(pip)
        run([*pip, "install", "-r", "requirements.lock"], "environment", "Installing requirements.lock")
        write_stamp(STAMPS, "environment", main_hash)
        say(f"environment for the product: ready after {time.monotonic() - began:.0f} s")
    if rasa_job:
        finish(rasa_job[0], rasa_job[1], "Installing requirements-rasa.lock")
        write_stamp(STAMPS, "rasa environment", rasa_hash)
        say(f"environment for Rasa: ready after {time.monotonic() - began:.0f} s")
    return True


def step(name, wanted, stamp_file, done, action):
    """Run `action` unless the stamp says that it was done for the same input and its result is there."""
    if read_stamps(stamp_file).get(name) == wanted and done():
        return False
    began = time.monotonic()
    say(name + " ...")
    action()
    write_stamp(stamp_file, name, wanted)
    say(f"{name}: done in {time.monotonic() - began:.0f} s")
    return True


def build(force_training=False):
    """The encoders, then two lanes side by side: the concern classifier reads thousands of texts on one core."""
    python = str(VENV / "bin" / "python")
    ran = step(
        "exporting the sentence encoders",
        digest(ROOT / "requirements.lock", ROOT / "knowledge" / "embedding"),
        STAMPS,
        (BUILD / "minilm" / "model.onnx").exists,
        lambda: run([python, "-m", "knowledge", "export-encoder"], "encoder", "Exporting the encoders"),
    )
    with ThreadPoolExecutor(max_workers=1) as beside:
        concern = beside.submit(train_concern, python)
        ran |= train_assistant(force_training)
        ran |= build_index(python)
        return ran | concern.result()


def what_encoders_read():
    spelling = (ROOT / "knowledge" / "spelling.py", ROOT / "knowledge" / "data" / "sms_spelling.yml")
    return (BUILD / "minilm" / "encoder.json", *spelling)


def train_assistant(force):
    model = BUILD / "rasa" / "current.tar.gz"
    training = ["--config", "config.yml", "--domain", "domain.yml", "--data", "bot/data"]
    training += ["--out", str(BUILD / "rasa"), "--fixed-model-name", "current", "--skip-validation"]
    command = [str(RASA_VENV / "bin" / "python"), "-m", "rasa", "train", *training, *(["--force"] if force else [])]
    return step(
        "training the assistant",
        digest(ROOT / "config.yml", ROOT / "domain.yml", ROOT / "bot" / "data", ROOT / "bot" / "components",
               *what_encoders_read(), ROOT / "requirements-rasa.lock", str(time.time()) if force else ""),
        STAMPS,
        model.exists,
        lambda: run(command, "train", "Training the assistant",
                    SQLALCHEMY_SILENCE_UBER_WARNING="1", TF_CPP_MIN_LOG_LEVEL="3"),
    )  # fmt: skip


def train_concern(python):
    return step(
        "training the concern classifier",
        digest(ROOT / "bot" / "concern", ROOT / "channels" / "concern.py", ROOT / "channels" / "data" / "concern.yml",
               BUILD / "mpnet" / "encoder.json", *what_encoders_read()),
        STAMPS,
        lambda: any(BUILD.glob("concern-*.npz")),
        lambda: run([python, "-m", "bot", "train-concern"], "concern", "Training the concern classifier"),
    )  # fmt: skip


def build_index(python):
    return step(
        "building the index of the catalogue",
        digest(ROOT / "knowledge", BUILD / "minilm" / "encoder.json"),
        DATA / "stamps.json",
        (DATA / "index" / "current").exists,
        lambda: run([python, "-m", "knowledge", "index"], "index", "Building the index"),
    )


def main(arguments):
    began = time.monotonic()
    try:
        DATA.mkdir(parents=True, exist_ok=True)
        ran = install_environments(read_stamps(STAMPS))
        ran |= build(force_training="train" in arguments)
    except SetupFailed as problem:
        print("setup: " + str(problem), file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"setup: {problem}. Free some space or choose another folder with NWD_DATA_DIR.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; run it again to go on from here.", file=sys.stderr)
        return 130
    say("{} ({:.1f} s)".format("ready" if ran else "nothing to do", time.monotonic() - began))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
