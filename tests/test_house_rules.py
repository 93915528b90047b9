"""Conventions that nobody has to remember, because a test does."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "channels", "knowledge")
TOP_LEVEL = {"bot", "knowledge", "channels", "tests", ".ci"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the files of the project cannot be listed")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_no_python_file_is_longer_than_400_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in python_files(*PACKAGES, "tests")
        if (n := len(p.read_text().splitlines())) > 400
    }
    assert not long


def test_top_level_holds_only_the_owners_folders() -> None:
    folders = {p.relative_to(ROOT).parts[0] for p in tracked_files() if len(p.relative_to(ROOT).parts) > 1}
    assert folders <= TOP_LEVEL


def test_no_machine_path_is_in_the_project() -> None:
    pattern = re.compile(r"(^|[^a-z.])/(root|work|farm|home/[a-z]+)/")
    found = []
    for path in tracked_files():
        if path.name == "test_house_rules.py" or path.suffix in {".png", ".onnx", ".npz"}:
            continue
        if pattern.search(path.read_text(errors="ignore")):
            found.append(str(path.relative_to(ROOT)))
    assert not found


def test_redis_keys_are_named_in_streams_only() -> None:
    """A key that is made up elsewhere cannot be found when the data must be erased."""
    commands = re.compile(r"\.(xadd|zadd|setnx|hset|rpush|lpush|publish|xreadgroup)\(")
    found = [
        str(p.relative_to(ROOT))
        for p in python_files("channels", "knowledge", "bot/actions")
        if "streams" not in str(p.relative_to(ROOT)) and commands.search(p.read_text())
    ]
    assert not found


def test_nothing_is_connected_or_read_at_import() -> None:
    """Module level holds definitions and constants: no client, file, thread or network call."""
    forbidden = {
        "open",
        "connect",
        "create_engine",
        "create_async_engine",
        "Redis",
        "from_url",
        "Client",
        "AsyncClient",
    }
    found = []
    for path in python_files("channels", "knowledge", "bot/actions"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
                continue
            for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                if name in forbidden or name in {"read_text", "read_bytes"}:
                    found.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    assert not found


def test_every_setting_is_in_the_readme() -> None:
    from channels.settings import Settings

    readme = (ROOT / "channels" / "README.md").read_text()
    missing = [name for name in Settings.model_fields if f"`NWD_{name.upper()}`" not in readme]
    assert not missing


def test_every_setting_in_compose_exists() -> None:
    """A misspelt variable in a deployment file is silently ignored, so it is checked here."""
    from channels.settings import Settings
    from knowledge.settings import Settings as KnowledgeSettings

    known = {f"NWD_{name.upper()}" for name in (*Settings.model_fields, *KnowledgeSettings.model_fields)}
    known |= {"NWD_ACTIONS_HOST", "NWD_ENCODER_DIR"}
    named = set(re.findall(r"NWD_[A-Z_]+", (ROOT / "compose.yaml").read_text() + (ROOT / "Dockerfile").read_text()))
    named |= set(re.findall(r"NWD_[A-Z_]+(?<!_)\b", (ROOT / "README.md").read_text()))
    assert named - known - {"NWD_TWILIO_", "NWD_TELEGRAM_", "NWD_TWILIO", "NWD_TELEGRAM"} == set()


def same_twice(node: yaml.Node) -> Iterator[str]:
    """Keys that stand twice in one mapping: YAML keeps the last, and nobody hears the words of the first."""
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        yield from sorted({f"{key} (line {node.start_mark.line})" for key in keys if keys.count(key) > 1})
    if isinstance(node, yaml.CollectionNode):
        for child in node.value:
            for each in child if isinstance(child, tuple) else (child,):
                yield from same_twice(each)


def test_no_data_file_says_a_key_twice() -> None:
    files = [path for path in tracked_files() if path.suffix in {".yml", ".yaml"}]
    assert len(files) > 20
    found = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in files
        for node in yaml.compose_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        for key in same_twice(node)
    }
    assert not found


NAMED_TEST = re.compile(r"`((?:[\w/]+/)?(?:test|check)_\w+\.py(?:::\w+)*)`")


def test_every_test_that_a_readme_names_exists() -> None:
    """A promise is held by the test beside it: `file::test` where one test holds it, the file where all of it does."""
    tests = list(python_files("tests"))
    named = {
        (readme.relative_to(ROOT), name)
        for readme in tracked_files()
        if readme.name == "README.md"
        for name in NAMED_TEST.findall(readme.read_text(encoding="utf-8"))
    }
    assert len(named) > 100
    missing = []
    for readme, name in sorted(named):
        file, *parts = name.split("::")
        found = [path for path in tests if str(path).endswith(f"/{file}")]
        if not any(is_defined(ast.parse(path.read_text(encoding="utf-8")), parts) for path in found):
            missing.append(f"{readme}: {name}")
    assert not missing


def is_defined(tree: ast.AST, parts: list[str]) -> bool:
    """`test` or `Class::test`; a test of a class may be named without it."""
    if not parts:
        return True
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == parts[0]
    ]
    return any(is_defined(node, parts[1:]) for node in nodes)


def test_each_rule_of_the_security_table_names_single_tests() -> None:
    readme = (ROOT / "channels" / "README.md").read_text(encoding="utf-8")
    table = readme.split("| Rule (OWASP ASVS 5.0, level 2) | Test |")[1].split("\n\n")[0]
    rows = [row for row in table.splitlines() if row.startswith("| ") and not row.startswith("| -")]
    assert len(rows) >= 25
    assert [row for row in rows if not re.search(r"`(?:[\w/]+/)?test_\w+\.py::test_\w+`", row)] == []


def test_actions_in_the_domain_are_the_actions_of_the_server() -> None:
    from bot.actions.shells import ACTIONS

    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    assert sorted(domain["actions"]) == sorted(ACTIONS)


def test_every_response_used_exists_and_every_response_is_used() -> None:
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())
    used = set()
    for path in [*(ROOT / "bot" / "data").rglob("*.yml"), *(ROOT / "bot" / "actions").glob("*.py")]:
        used |= set(re.findall(r"\butter_(?!message)[a-z_]+", path.read_text()))
    defined = set(domain["responses"])
    assert used <= defined
    assert defined - used <= {"utter_default"}


@pytest.mark.parametrize("provider", ["twilio", "telegram"])
def test_every_provider_has_recorded_requests(provider: str) -> None:
    assert any((ROOT / "tests" / "data" / provider).iterdir())


def test_the_owners_packages_are_the_ones_installed() -> None:
    """Fixed by the owner: rasa, twilio, python-telegram-bot, sentence-transformers, faiss-cpu, redis."""
    main = (ROOT / "requirements.lock").read_text().lower()
    rasa = (ROOT / "requirements-rasa.lock").read_text().lower()
    for name in ("twilio", "python-telegram-bot", "sentence-transformers", "faiss-cpu", "redis"):
        assert re.search(rf"^{name}==", main, re.M), name
    assert re.search(r"^rasa==3\.6\.21$", rasa, re.M)


def repeated_keys(node: yaml.Node) -> Iterator[str]:
    """Of two entries with one name YAML keeps the last and says nothing."""
    if isinstance(node, yaml.MappingNode):
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        yield from (f"{name} at line {node.start_mark.line + 1}" for name in set(names) if names.count(name) > 1)
        for _, value in node.value:
            yield from repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from repeated_keys(item)


def test_no_words_are_lost_because_two_entries_have_one_name() -> None:
    found = {}
    for path in tracked_files():
        if path.suffix in {".yml", ".yaml"} and path.relative_to(ROOT).parts[0] in PACKAGES:
            whole = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            if whole is not None and (names := list(repeated_keys(whole))):
                found[str(path.relative_to(ROOT))] = names
    assert not found
