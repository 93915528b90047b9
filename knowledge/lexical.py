"""A little BM25: the words themselves, for the rare term that vectors blur. Small weight on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.splicing import Splice

COUNTS = "counts.npy"
PLACEHOLDER = "listing"
"""Indexed with every text, so that a catalogue of empty texts is still a catalogue."""


class Lexical:
    """Scores of every indexed text for a message, in the order they were given.

    Scores depend on how long all texts are and how many hold a word, so each change of the catalogue changes all of
    them. The counts of words do not, so they are kept: the scores are arithmetic over them.
    """

    def __init__(self, model: Any, counts: Any) -> None:
        import Stemmer

        self._model = model
        self._counts = counts
        self._stemmer = Stemmer.Stemmer("english")

    @classmethod
    def build(cls, texts: Sequence[str]) -> Lexical:
        words, counts = _count_words(_all_tokens(texts))
        return cls.of_counts(words, counts)

    @classmethod
    def of_counts(cls, words: Sequence[str], counts: Any) -> Lexical:
        """`counts` is a sparse matrix by columns: a row for each text, a column for each of the (sorted) words."""
        import bm25s

        model = bm25s.BM25()
        model.vocab_dict = {word: column for column, word in enumerate(words)}
        model.unique_token_ids_set = set(range(len(words)))
        model.nonoccurrence_array = None  # of other variants of BM25
        model.scores = {
            "data": _weigh(counts, model.k1, model.b),
            "indices": counts.indices,
            "indptr": counts.indptr,
            "num_docs": counts.shape[0],
        }
        return cls(model, counts)

    def patched(self, splice: Splice, texts: Sequence[str]) -> Lexical:
        """With other rows: some of these, and `texts`, as the splice says."""
        from scipy import sparse

        fresh_words, fresh = _count_words(_all_tokens(texts))
        words = sorted({*self._model.vocab_dict, *fresh_words})
        columns = {word: column for column, word in enumerate(words)}
        old, new = self._counts.tocsr(), fresh.tocsr()
        parts = [
            sparse.csr_array((each.data, moved[each.indices], each.indptr), shape=(each.shape[0], len(words)))
            for each, moved in (
                (old, np.array([columns[word] for word in self._model.vocab_dict], dtype=np.int32)),
                (new, np.array([columns[word] for word in fresh_words], dtype=np.int32)),
            )
        ]
        counts = sparse.vstack(parts, format="csr")[splice.sources].tocsc()
        used = np.diff(counts.indptr) > 0
        return self.of_counts([word for word, kept in zip(words, used, strict=True) if kept], counts[:, used])

    @classmethod
    def load(cls, folder: Path, count: int) -> Lexical:
        import bm25s
        from scipy import sparse

        model = bm25s.BM25.load(str(folder), show_progress=False, mmap=True)
        kept = model.scores
        counts = np.load(folder / COUNTS, mmap_mode="r", allow_pickle=False)
        if not len(counts) == len(kept["data"]) == len(kept["indices"]) or len(model.vocab_dict) >= len(kept["indptr"]):
            raise ValueError("the counts of words are not those of the scores")
        return cls(model, sparse.csc_array((counts, kept["indices"], kept["indptr"]), (count, len(kept["indptr"]) - 1)))

    def save(self, folder: Path) -> None:
        self._model.save(str(folder), show_progress=False)
        np.save(folder / COUNTS, self._counts.data)

    def scores(self, text: str) -> NDArray[np.float32]:
        known = [token for token in self._tokens(text) if token in self._model.vocab_dict and token != PLACEHOLDER]
        if not known:
            return np.zeros(self._counts.shape[0], dtype=np.float32)
        return np.asarray(self._model.get_scores(known), dtype=np.float32)

    def _tokens(self, text: str) -> list[str]:
        return _all_tokens([text], self._stemmer)[0]


def _all_tokens(texts: Sequence[str], stemmer: Any = None) -> list[list[str]]:
    """One call for all: a call costs more than a text."""
    import bm25s
    import Stemmer

    if not texts:
        return []
    tokens: list[list[str]] = bm25s.tokenize(
        list(texts),
        stopwords="en",
        stemmer=stemmer or Stemmer.Stemmer("english"),
        show_progress=False,
        return_ids=False,
    )
    return tokens


def _count_words(texts: Sequence[Sequence[str]]) -> tuple[list[str], Any]:
    """The words, sorted, and how often each text has each: a sparse matrix by columns."""
    from scipy import sparse

    said = [[*tokens, PLACEHOLDER] for tokens in texts]
    words = sorted({PLACEHOLDER, *(token for tokens in said for token in tokens)})
    column = {word: at for at, word in enumerate(words)}
    columns = np.array([column[token] for tokens in said for token in tokens], dtype=np.int32)
    rows = np.repeat(np.arange(len(said), dtype=np.int32), [len(tokens) for tokens in said])
    ones = np.ones(len(rows), dtype=np.int32)
    return words, sparse.coo_array((ones, (rows, columns)), shape=(len(said), len(words))).tocsc()


def _weigh(counts: Any, k1: float, b: float) -> NDArray[np.float32]:
    """BM25 as Lucene computes it: bm25s's own default, for the whole matrix at once instead of text by text."""
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    texts, holding = counts.shape[0], np.diff(counts.indptr)
    rarity = np.log(1 + (texts - holding + 0.5) / (holding + 0.5))
    often = counts.data.astype(np.float64)
    weights = often / (k1 * (1 - b + b * lengths / lengths.mean())[counts.indices] + often)
    return np.asarray(np.repeat(rarity, holding) * weights, dtype=np.float32)
