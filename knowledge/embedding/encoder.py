"""Two ways to the same vectors: sentence-transformers at publish, onnxruntime for queries.

Measured for one message: 10 ms and 540 MB with torch, 4 ms and 180 MB with onnxruntime.
One thread each: a second one costs a 30-fold tail as soon as anything else runs beside it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from knowledge.embedding.weights import MODEL_ID, TRUSTED, file_hash, find_weights
from knowledge.errors import ModelNotTrusted
from knowledge.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DIMENSIONS = 384
QUERY_MAX_LENGTH = 128
PUBLISH_MAX_LENGTH = 256
BATCH = 32
ROOM, SHORT = 1.5, 12
"""How much longer, in tokens, the longest text of a batch may be than the shortest: padding costs as much as words."""

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Texts to unit vectors, float32, one row each. `id` changes whenever the vectors could."""

    @property
    def id(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class SentenceEncoder:
    """sentence-transformers on verified weights. Slow to load (about 5 s): for publishing and as a last resort.

    The weights are looked for (and verified) at the first text: when every vector is known they never are.
    """

    def __init__(self, weights: Callable[[], Path], max_length: int = PUBLISH_MAX_LENGTH) -> None:
        self.id = f"{MODEL_ID}-{max_length}"
        self._weights = weights
        self._max_length = max_length
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        if self._model is None:
            self._model = load_sentence_transformer(self._weights(), self._max_length)
        vectors = self._model.encode(
            list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)


class OnnxEncoder:
    """The exported query encoder: onnxruntime, pooling and normalising inside the graph."""

    def __init__(self, folder: Path, max_length: int | None = None) -> None:
        """`max_length` in tokens; the export's own when left out.

        Raises ModelNotTrusted when files are missing or are not those the export wrote.
        """
        import onnxruntime
        from tokenizers import Tokenizer

        facts = read_export(folder)
        max_length = max_length or int(facts["max_length"])
        self.id = f"{MODEL_ID}-{max_length}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length)
        self._tokenizer.no_padding()  # the file asks for 128 always

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Texts of about one length go together: a story beside its clauses would pad each of them to its own."""
        tokens = [self._tokenizer.encode(text) for text in texts]
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for rows in _alike([len(each.ids) for each in tokens]):
            vectors[rows] = self._encode_batch([tokens[row] for row in rows])
        return vectors

    def _encode_batch(self, tokens: Sequence[Any]) -> Vectors:
        longest = max(len(each.ids) for each in tokens)
        for each in tokens:
            each.pad(longest)
        feeds = {
            "input_ids": np.array([each.ids for each in tokens], dtype=np.int64),
            "attention_mask": np.array([each.attention_mask for each in tokens], dtype=np.int64),
            "token_type_ids": np.array([each.type_ids for each in tokens], dtype=np.int64),
        }
        (vectors,) = self._session.run(["embedding"], {name: feeds[name] for name in self._inputs})
        return np.asarray(vectors, dtype=np.float32)


def _alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions in groups of at most BATCH; the longest of a group is at most ROOM times the shortest, or SHORT."""
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda each: lengths[each]):
        if group and (len(group) == BATCH or lengths[row] > max(SHORT, ROOM * lengths[group[0]])):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def read_export(folder: Path) -> dict[str, Any]:
    """The facts `export-encoder` wrote, after checking that the files beside them are the same.

    Raises ModelNotTrusted naming the command that makes the folder again.
    """
    again = "Run: python -m knowledge export-encoder"
    path = folder / "encoder.json"
    if not path.is_file():
        raise ModelNotTrusted(f"There is no query encoder in {folder}. {again}")
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if facts.get("weights_sha256") != TRUSTED["model.safetensors"]:
        raise ModelNotTrusted(f"The query encoder in {folder} was made from other weights. {again}")
    for name in ("model.onnx", "tokenizer.json"):
        if not (folder / name).is_file() or file_hash(folder / name) != facts["sha256"][name]:
            raise ModelNotTrusted(f"{folder / name} is not the file that was exported. {again}")
    return facts


def load_sentence_transformer(folder: Path, max_length: int) -> SentenceTransformer:
    """Load from disk only: the hub is switched off, whatever the environment says."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # untyped there
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.max_seq_length = max_length
    model.eval()
    return model


def open_publisher(settings: Settings) -> SentenceEncoder:
    """The encoder that makes what is indexed. Encoding raises ModelNotTrusted when there are no weights we know."""
    return SentenceEncoder(lambda: find_weights(settings))


def open_encoder(settings: Settings) -> Encoder:
    """The encoder for queries: the export when it is there, else the slower one it was made from.

    Raises ModelNotTrusted when there is neither.
    """
    try:
        return OnnxEncoder(settings.encoder_dir)
    except ModelNotTrusted as refusal:
        log = structlog.get_logger()
        log.warning("query_encoder_missing", fix=str(refusal))
        weights = find_weights(settings)
        return SentenceEncoder(lambda: weights, QUERY_MAX_LENGTH)
