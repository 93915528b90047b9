"""Searches go on while editors publish: never an error, never half of one catalogue and half of another."""

from __future__ import annotations

import gc
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.editing.live import LazyEncoder
from knowledge.editor.finder import Finder
from knowledge.embedding import open_publisher
from knowledge.publish import open_store, publish
from knowledge.search import Search
from knowledge.settings import Settings

ROUNDS = 4
MAPS = Path("/proc/self/maps")


def test_searches_never_fail_or_mix_while_indexes_are_switched(own: Settings) -> None:
    """In every round two listings get the round's number; no answer may hold the numbers of two rounds."""
    search, encoder = Search.open(own), LazyEncoder(own)
    store, _notes = open_store(own)
    pair = [listing for listing in store.published() if "gambling" in listing.needs][:2]
    assert len(pair) == 2
    wrong: list[str] = []
    asked = threading.Semaphore(0)
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            rounds = {each.alert for each in search.index.services if each.id in {one.id for one in pair}}
            found = search.find("i cant stop gambling", limit=10)
            told = {match.service.alert for match in found.matches if match.service.id in {one.id for one in pair}}
            if len(rounds) != 1 or len(told) != 1:
                wrong.append(f"{rounds} {told}")
            asked.release()

    people = [threading.Thread(target=ask) for _ in range(2)]
    for each in people:
        each.start()
    try:
        for number in range(ROUNDS):
            with store.engine.begin() as connection:
                for listing in pair:
                    store.save_in(connection, replace(listing, alert=f"Round {number}"), by="ada")
            assert publish(own, encoder=encoder).built
            assert search.refresh()
            for _ in range(3):
                assert asked.acquire(timeout=60)
    finally:
        done.set()
        for each in people:
            each.join()
        store.close()
    assert wrong == []


@pytest.mark.skipif(not MAPS.exists(), reason="this system does not tell what a process has mapped")
def test_the_files_of_the_old_snapshot_are_let_go(own: Settings) -> None:
    search, encoder = Search.open(own), LazyEncoder(own)
    old = own.index_dir / search.index.version
    search.find("cant pay my rent")
    assert str(old) in MAPS.read_text()
    store, _notes = open_store(own)
    store.save(replace(store.published()[0], summary="Otherwise."), by="ada")
    store.close()
    publish(own, encoder=encoder)
    gc.disable()  # nothing of it may wait for the collector
    try:
        assert search.refresh()
        assert str(old) not in MAPS.read_text()
    finally:
        gc.enable()
    assert str(own.index_dir / search.index.version) in MAPS.read_text()


def test_the_pages_of_editors_follow_and_never_wait_long(own: Settings) -> None:
    finder, encoder = Finder(own, patience=60), LazyEncoder(own)
    before = finder.open().index.version
    store, _notes = open_store(own)
    store.save(replace(store.published()[0], summary="Otherwise."), by="ada")
    store.close()
    publish(own, encoder=encoder)
    assert finder.open().index.version != before
    shutil.rmtree(own.index_dir)
    assert finder.open().find("rent").matches


def test_the_quick_encoder_makes_the_vectors_of_the_slow_one(published: Settings) -> None:
    texts = ["Help with rent.", "Tea and company. " * 60]
    quick, slow = LazyEncoder(published), open_publisher(published)
    assert quick.id == slow.id
    assert abs(quick.encode(texts) - slow.encode(texts)).max() < 1e-5
