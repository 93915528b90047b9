"""From files to a snapshot that serves: done once, done whole, or not done at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from knowledge.catalogue import Organisation, Status
from knowledge.errors import CatalogueFileError, IndexMissing
from knowledge.foreign_needs import prepare_foreign_needs
from knowledge.index import FORMAT, load_index, read_manifest
from knowledge.needs import load_needs
from knowledge.patching import Patch
from knowledge.publish import Published, is_fresh, open_store, publish, read_patch
from knowledge.search import Search
from knowledge.settings import PACKAGE_DATA, Settings, read_settings
from knowledge.snapshots import current_snapshot, current_version
from tests.unit.knowledge.builders import MONDAY_NOON, WordEncoder, make_search

NEEDS = """
- {id: rent, label: Rent worries, description: Behind., related: [food], phrasings: [owe rent, late with rent]}
- {id: food, label: Food, description: Something to eat., related: [rent], phrasings: [hungry, need food]}
"""
TOWN = """
organisations:
- {id: org-a, name: A}
services:
- {id: svc-rent, organisation: org-a, name: Rent Rescue, summary: Help with rent., description: You talk.,
   needs: [rent], phones: [{number: 01632 960112}], assured_date: 2026-10-14}
- {id: svc-food, organisation: org-a, name: Food Share, summary: Food to take home., description: A bag., needs: [food],
   phones: [{number: 01632 960113}], assured_date: 2026-10-14}
"""


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the heads for these few needs are kept: trained once, not for each test."""
    build = tmp_path_factory.mktemp("heads")
    needs = build / "needs.yml"
    needs.write_text(NEEDS)
    prepare_foreign_needs(read_settings(build_dir=build, data_dir=build), load_needs(needs))
    return build


@pytest.fixture
def settings(tmp_path: Path, heads: Path) -> Settings:
    shutil.copytree(heads, tmp_path / "build")
    content = tmp_path / "content"
    (content / "demo").mkdir(parents=True)
    (content / "needs.yml").write_text(NEEDS)
    (content / "demo" / "town.yml").write_text(TOWN)
    shutil.copy(PACKAGE_DATA / "crisis_lines.yml", content)
    shutil.copy(PACKAGE_DATA / "sms_spelling.yml", content)
    return read_settings(data_dir=tmp_path / "data", build_dir=tmp_path / "build", content_dir=content, demo=True)


def put(settings: Settings) -> Published:
    return publish(settings, encoder=WordEncoder())


def edit_town(settings: Settings, before: str, after: str) -> None:
    path = settings.content_dir / "demo" / "town.yml"
    path.write_text(path.read_text().replace(before, after))


def test_the_first_time_fills_the_catalogue_and_builds(settings: Settings) -> None:
    published = put(settings)
    assert published.built
    assert published.services == 2
    assert "filled from the content files" in published.notes[0]
    index = load_index(current_snapshot(settings.index_dir))
    assert index.version == published.version
    assert {each.id for each in index.services} == {"svc-rent", "svc-food"}
    assert is_fresh(settings, WordEncoder.id)


def test_the_second_time_does_nothing(settings: Settings) -> None:
    first, second = put(settings), put(settings)
    assert not second.built
    assert second.version == first.version
    assert second.notes == ()


def test_force_builds_again(settings: Settings) -> None:
    first = put(settings)
    assert publish(settings, encoder=WordEncoder(), force=True).version != first.version


def test_only_new_texts_are_encoded(settings: Settings) -> None:
    put(settings)
    edit_town(settings, "Help with rent.", "Help with rent and letters.")
    encoder = WordEncoder()
    assert publish(settings, encoder=encoder).built
    assert encoder.asked == ["Rent Rescue. Help with rent and letters. You talk."]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("demo/town.yml", "Rent Rescue", "Rent Help"), ("needs.yml", "owe rent", "owing rent"),
     ("crisis_lines.yml", "Samaritans 116 123 (free", "Samaritans 116 123 (no charge")],
)  # fmt: skip
def test_a_change_of_content_is_noticed(settings: Settings, name: str, before: str, after: str) -> None:
    put(settings)
    path = settings.content_dir / name
    path.write_text(path.read_text().replace(before, after))
    assert "filled from" in "".join(put(settings).notes) or name == "needs.yml"
    if name != "crisis_lines.yml":
        assert current_version(settings.index_dir) is not None


def test_another_encoder_builds_again(settings: Settings) -> None:
    put(settings)
    other = WordEncoder()
    other.id = "words-2"
    assert not is_fresh(settings, other.id)
    assert publish(settings, encoder=other).built


def test_an_edit_is_published_and_survives_new_files(settings: Settings) -> None:
    put(settings)
    store, _ = open_store(settings)
    listing = store.listing("svc-rent")
    assert listing is not None
    store.save(replace(listing.service, name="Edited Name"), by="ada")
    store.close()
    assert not is_fresh(settings, WordEncoder.id)
    edit_town(settings, "Food Share", "Food Parcel")
    published = put(settings)
    assert "your edits were kept" in published.notes[0]
    names = {each.name for each in load_index(current_snapshot(settings.index_dir)).services}
    assert names == {"Edited Name", "Food Share"}


def test_a_catalogue_with_nothing_published_is_refused_and_the_old_index_serves(settings: Settings) -> None:
    first = put(settings)
    store, _ = open_store(settings)
    for service in store.published():
        store.save(service, by="ada", published=False)
    store.close()
    with pytest.raises(CatalogueFileError, match="no published services"):
        put(settings)
    assert current_version(settings.index_dir) == first.version


def test_bad_files_are_refused_and_the_old_index_serves(settings: Settings) -> None:
    first = put(settings)
    edit_town(settings, "needs: [rent]", "needs: [rnt]")
    with pytest.raises(CatalogueFileError, match="'rnt' is not a need"):
        put(settings)
    assert current_version(settings.index_dir) == first.version


def test_search_moves_on_to_a_newer_snapshot(settings: Settings) -> None:
    put(settings)
    search = make_search(load_index(current_snapshot(settings.index_dir)), settings)
    assert not search.refresh()
    edit_town(settings, "Rent Rescue", "Rent Angels")
    put(settings)
    assert search.refresh()
    assert search.find("rent angels", now=MONDAY_NOON).matches[0].service.name == "Rent Angels"


def test_a_newer_snapshot_that_is_damaged_leaves_the_old_one_serving(settings: Settings) -> None:
    put(settings)
    search = make_search(load_index(current_snapshot(settings.index_dir)), settings)
    edit_town(settings, "Rent Rescue", "Rent Angels")
    put(settings)
    (current_snapshot(settings.index_dir) / "vectors.faiss").write_bytes(b"broken")
    with pytest.raises(IndexMissing, match="damaged"):
        search.refresh()
    assert search.find("owe rent", now=MONDAY_NOON).matches


@pytest.mark.parametrize(
    "name",
    [
        "services.jsonl",
        "offsets.npy",
        "roll.json",
        "needs.json",
        "vectors.faiss",
        "owners.npy",
        "spreads.npz",
        "head.npz",
        "manifest.json",
    ],
)
def test_a_damaged_snapshot_is_refused_with_the_fix(settings: Settings, name: str) -> None:
    put(settings)
    path = current_snapshot(settings.index_dir) / name
    path.write_bytes(path.read_bytes()[:-20] + b"x")
    with pytest.raises(IndexMissing, match="python -m knowledge index"):
        load_index(current_snapshot(settings.index_dir))


def test_a_snapshot_with_other_vectors_than_it_says_is_refused(settings: Settings) -> None:
    put(settings)
    path = current_snapshot(settings.index_dir) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "vectors": 3}))
    with pytest.raises(IndexMissing, match="number of vectors"):
        load_index(path.parent)


def test_a_snapshot_of_another_format_is_refused(settings: Settings) -> None:
    put(settings)
    path = current_snapshot(settings.index_dir) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 0}))
    with pytest.raises(IndexMissing, match="another version"):
        load_index(path.parent)


def test_without_an_index_search_says_how_to_build_one(settings: Settings) -> None:
    with pytest.raises(IndexMissing, match="python -m knowledge index"):
        Search.open(settings)


def test_old_snapshots_are_cleared_away(settings: Settings) -> None:
    for _ in range(5):
        newest = publish(settings, encoder=WordEncoder(), force=True)
    kept = [path.name for path in settings.index_dir.iterdir() if path.is_dir()]
    assert len(kept) == 3
    assert newest.version in kept


def change(settings: Settings, service_id: str, *, published: bool = True, **fields: Any) -> None:
    store, _ = open_store(settings)
    listing = store.listing(service_id)
    assert listing is not None
    store.save(replace(listing.service, **fields), by="ada", published=published)
    store.close()


def patch_now(settings: Settings, encoder_id: str = WordEncoder.id) -> Patch | None:
    store, _ = open_store(settings)
    try:
        return read_patch(settings, store, encoder_id)
    finally:
        store.close()


def add_walk(settings: Settings) -> None:
    store, _ = open_store(settings)
    like = store.listing("svc-food")
    assert like is not None
    store.save(replace(like.service, id="svc-walk", name="Unicorn Walk"), by="ada")
    store.close()


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda own: change(own, "svc-rent", summary="Unicorns."), id="edited"),
        pytest.param(lambda own: change(own, "svc-rent", published=False), id="no longer published"),
        pytest.param(lambda own: change(own, "svc-food", status=Status.INACTIVE), id="closed for good"),
        pytest.param(add_walk, id="added"),
        pytest.param(lambda own: change(own, "svc-rent", organisation=Organisation(id="org-a", name="Unicorns")),
                     id="an organisation renamed, which two listings say"),
    ],
)  # fmt: skip
def test_what_is_taken_over_and_what_is_new_make_the_index_of_a_whole_build(
    settings: Settings, edit: Callable[[Settings], None]
) -> None:
    put(settings)
    edit(settings)
    assert patch_now(settings) is not None
    patched = put(settings)
    assert patched.built
    whole = publish(settings, encoder=WordEncoder(), force=True)
    facts = [
        {**read_manifest(settings.index_dir / each.version), "version": "", "built_at": ""} for each in (patched, whole)
    ]
    assert facts[0] == facts[1]
    for path in (settings.index_dir / whole.version).rglob("*.*"):
        if path.is_file() and path.name not in {"manifest.json", "carried.npy"}:
            other = settings.index_dir / patched.version / path.relative_to(settings.index_dir / whole.version)
            assert path.read_bytes() == other.read_bytes(), path.name
    assert not put(settings).built


def test_a_revision_that_says_the_same_builds_nothing(settings: Settings) -> None:
    put(settings)
    change(settings, "svc-rent")
    assert not put(settings).built
    assert is_fresh(settings, WordEncoder.id)


def touch(settings: Settings, name: str) -> None:
    path = settings.content_dir / name
    path.write_text(path.read_text() + "\n# another line\n")


@pytest.mark.parametrize(
    "happen",
    [
        pytest.param(lambda own: touch(own, "needs.yml"), id="needs"),
        pytest.param(lambda own: touch(own, "crisis_lines.yml"), id="crisis lines, which fill the catalogue anew"),
        pytest.param(lambda own: (current_snapshot(own.index_dir) / "roll.json").write_text("{}"), id="damage"),
        pytest.param(lambda own: (own.index_dir / "current").unlink(), id="no index"),
        pytest.param(lambda own: set_fact(own, format=FORMAT - 1), id="another format"),
        pytest.param(lambda own: set_fact(own, made_with="other code"), id="another version of this package"),
    ],
)
def test_anything_else_that_changed_makes_a_whole_build(settings: Settings, happen: Callable[[Settings], None]) -> None:
    put(settings)
    assert patch_now(settings) is not None
    happen(settings)
    assert patch_now(settings) is None
    put(settings)
    assert {each.id for each in load_index(current_snapshot(settings.index_dir)).services} == {"svc-rent", "svc-food"}


def test_another_encoder_takes_nothing_over(settings: Settings) -> None:
    put(settings)
    assert patch_now(settings, "words-2") is None


def set_fact(settings: Settings, **facts: Any) -> None:
    path = current_snapshot(settings.index_dir) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


KILLED_WHILE_WRITING = """
import os, signal, sys
from knowledge.publish import publish
from knowledge.settings import read_settings
from tests.unit.knowledge.builders import WordEncoder
import knowledge.publish

def die(index, folder):
    (folder / "services.jsonl").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

knowledge.publish.write_index = die
data, build, content, how = sys.argv[1:]
publish(read_settings(data_dir=data, build_dir=build, content_dir=content), encoder=WordEncoder(), force=how == "whole")
"""


@pytest.mark.parametrize("how", ["whole", "patched"])
def test_a_build_that_is_killed_leaves_the_old_index_serving(settings: Settings, how: str) -> None:
    first = put(settings)
    change(settings, "svc-rent", summary="Unicorns.")
    assert patch_now(settings) is not None
    folders = [str(each) for each in (settings.data_dir, settings.build_dir, settings.content_dir)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_WRITING, *folders, how],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert any(path.name.startswith(".building-") for path in settings.index_dir.iterdir())
    assert load_index(current_snapshot(settings.index_dir)).version == first.version
    assert put(settings).built
    assert not any(path.name.startswith(".building-") for path in settings.index_dir.iterdir())


def test_a_kept_head_that_is_damaged_is_trained_again(settings: Settings) -> None:
    put(settings)
    (kept,) = settings.build_dir.glob("need-head-*.npz")
    kept.write_bytes(b"broken")
    assert publish(settings, encoder=WordEncoder(), force=True).built


def test_a_country_without_national_lines_of_its_own_gets_its_crisis_lines(settings: Settings) -> None:
    irish = settings.model_copy(update={"country": "IE", "demo": False})
    needs = (irish.content_dir / "needs.yml").read_text()
    needs += "- {id: suicidal_thoughts, label: Suicide, related: [food], phrasings: [want to die, end my life]}\n"
    (irish.content_dir / "needs.yml").write_text(needs)
    publish(irish, encoder=WordEncoder())
    search = make_search(load_index(current_snapshot(irish.index_dir)), irish)
    first = search.find("want to die", now=MONDAY_NOON).matches[0].service
    assert first.name == "Samaritans"
    assert search.find("").matches[0].service.area == "national"
