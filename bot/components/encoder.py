"""The sentence encoder: an ONNX session exported at set-up from verified weights. Python 3.10, no Rasa.

The folder holds model.onnx, tokenizer.json and encoder.json (their sha256, the maximum length, input names).
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Dict, Sequence

import numpy as np

from bot.components.words import LONGEST_ENCODED

FOLDER_VARIABLE = "NWD_ENCODER_DIR"
DEFAULT_FOLDER = ".build/minilm"
BATCH = 32


class EncoderNotUsable(Exception):
    """The encoder's folder is missing or its files are not the ones encoder.json describes."""


def encoder_folder(configured: str = "") -> Path:
    """The environment wins over the configuration, so that one trained model runs wherever the encoder lies."""
    return Path(os.environ.get(FOLDER_VARIABLE) or configured or DEFAULT_FOLDER)


def read_facts(folder: Path) -> Dict[str, Any]:
    """What encoder.json says. Raises EncoderNotUsable."""
    try:
        facts: Dict[str, Any] = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        facts["sha256"]["model.onnx"], facts["sha256"]["tokenizer.json"]
    except (OSError, ValueError, KeyError, TypeError):
        raise EncoderNotUsable(f"{folder}: no encoder here. Run `make setup`, or set {FOLDER_VARIABLE}.") from None
    return facts


def fingerprint(folder: Path) -> str:
    """Changes when the vectors may change: Rasa then trains again."""
    hashes = read_facts(folder)["sha256"]
    return f"{hashes['model.onnx']}:{hashes['tokenizer.json']}"


def check_files(folder: Path, facts: Dict[str, Any]) -> None:
    """Raises EncoderNotUsable when a file is not the one that was verified."""
    for name in ("model.onnx", "tokenizer.json"):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest() if (folder / name).is_file() else ""
        if digest != facts["sha256"][name]:
            raise EncoderNotUsable(f"{folder / name} is not the file that was verified. Run `make setup`.")


class Encoder:
    """Texts in, unit vectors out. One thread: with two, beside other load, slow replies took 30 times as long."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        facts = read_facts(folder)
        check_files(folder, facts)
        self.dimensions: int = int(facts.get("dimensions", 384))
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(int(facts.get("max_length", 128)))
        self._tokenizer.enable_padding(pad_id=int(facts.get("pad_id", 0)), pad_token=facts.get("pad_token", "[PAD]"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {given.name for given in self._session.get_inputs()}
        self._output: str = facts.get("output", "embedding")

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """One row of float32 for each text, in order. Texts of like length share a batch: padding costs as much."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(texts), BATCH):
            batch = by_length[start : start + BATCH]
            rows[batch] = self._encode_batch([texts[i] for i in batch])
        return rows

    def _encode_batch(self, texts: Sequence[str]) -> np.ndarray:
        encoded = self._tokenizer.encode_batch([text[:LONGEST_ENCODED] for text in texts])
        given = {
            "input_ids": np.array([item.ids for item in encoded], dtype=np.int64),
            "attention_mask": np.array([item.attention_mask for item in encoded], dtype=np.int64),
            "token_type_ids": np.array([item.type_ids for item in encoded], dtype=np.int64),
        }
        vectors: np.ndarray = self._session.run(
            [self._output], {name: array for name, array in given.items() if name in self._inputs}
        )[0]
        return vectors.astype(np.float32)
