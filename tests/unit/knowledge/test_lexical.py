"""BM25 over counts that are kept: the scores of bm25s itself, whatever was taken over from an index before."""

from __future__ import annotations

from pathlib import Path

import bm25s
import numpy as np
import pytest
import Stemmer

from knowledge.lexical import Lexical
from knowledge.splicing import Splice

TEXTS = ("Rent arrears and letters", "Letters, letters and a walk", "", "Tea and company for everybody who walks")


def test_scores_are_those_of_the_library() -> None:
    tokens = bm25s.tokenize(
        list(TEXTS), stopwords="en", stemmer=Stemmer.Stemmer("english"), show_progress=False, return_ids=False
    )
    library = bm25s.BM25()
    library.index([[*each, "listing"] for each in tokens], show_progress=False)
    ours = Lexical.build(TEXTS)
    for words in (["letter"], ["walk", "tea"], ["rent", "letter", "walk"]):
        np.testing.assert_allclose(ours.scores(" ".join(words)), library.get_scores(words), rtol=1e-6)


def test_words_that_nobody_says_any_more_are_forgotten(tmp_path: Path) -> None:
    Lexical.build(TEXTS).save(tmp_path / "old")
    loaded = Lexical.load(tmp_path / "old", len(TEXTS))
    patched = loaded.patched(Splice.of(len(TEXTS), [1, len(TEXTS), 3]), ["A unicorn walk"])
    whole = Lexical.build([TEXTS[1], "A unicorn walk", TEXTS[3]])
    for words in ("rent", "unicorn", "walks", "letters and tea", "nothing of this"):
        assert patched.scores(words).tolist() == whole.scores(words).tolist()
    assert not patched.scores("rent").any()


def test_counts_that_belong_to_other_scores_are_refused(tmp_path: Path) -> None:
    Lexical.build(TEXTS).save(tmp_path)
    np.save(tmp_path / "counts.npy", np.ones(2, np.int32))
    with pytest.raises(ValueError, match="counts of words"):
        Lexical.load(tmp_path, len(TEXTS))
