"""Searches go on while editors publish: never an error, never half of one catalogue and half of another."""

from __future__ import annotations

import threading
from dataclasses import replace

from knowledge.editing.live import LazyEncoder
from knowledge.embedding import open_publisher
from knowledge.publish import open_store, publish
from knowledge.search import Search
from knowledge.settings import Settings

ROUNDS = 4


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


def test_the_quick_encoder_makes_the_vectors_of_the_slow_one(published: Settings) -> None:
    texts = ["Help with rent.", "Tea and company. " * 60]
    quick, slow = LazyEncoder(published), open_publisher(published)
    assert quick.id == slow.id
    assert abs(quick.encode(texts) - slow.encode(texts)).max() < 1e-5
