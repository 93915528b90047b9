"""Write the second encoder: all-mpnet-base-v2 in 8-bit integers, compared with the original before it is kept.

The second matrix of each feed-forward block stays in float32: it sees rare, very large values, and with it in
integers the mean cosine to the original is 0.88 instead of 0.99. Seven of the eight bits of a weight are used, so that
processors without VNNI do not overflow.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from knowledge.embedding.encoder import load_sentence_transformer
from knowledge.embedding.export import SENTENCES, export_graph, put_folder
from knowledge.embedding.strong import (
    MAX_LENGTH,
    STRONG_ID,
    StrongEncoder,
    check_strong_export,
    unpack_strong_weights,
)
from knowledge.embedding.weights import file_hash
from knowledge.errors import KnowledgeError, ModelNotTrusted
from knowledge.settings import Settings

KEPT_FLOAT = "/output/dense/MatMul"
LEAST_LIKENESS = 0.93
"""Cosine to the original below which, for any of the sentences with a word in it, the export is not kept."""


def export_strong_encoder(settings: Settings) -> Path | None:
    """Make the second encoder's folder; None when it is there and whole, or no package carries the weights.

    Takes about 2 GB of memory and of disk meanwhile. Raises ModelNotTrusted, KnowledgeError.
    """
    target = settings.strong_encoder_dir
    try:
        check_strong_export(target)
    except ModelNotTrusted:
        pass
    else:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".mpnet-") as made:
        weights = unpack_strong_weights(Path(made))
        if weights is None:
            return None
        folder = Path(made) / "export"
        folder.mkdir()
        _write(weights, folder)
        put_folder(folder, target)
    return target


def _write(weights: Path, folder: Path) -> None:
    model: Any = load_sentence_transformer(weights, MAX_LENGTH)
    said = [sentence for sentence in SENTENCES if any(letter.isalpha() for letter in sentence)]
    expected = model.encode(said, normalize_embeddings=True, show_progress_bar=False)
    exact = weights / "exact.onnx"
    export_graph(model[0].auto_model, exact)
    _quantise(exact, folder / "model.onnx")
    shutil.copyfile(weights / "tokenizer.json", folder / "tokenizer.json")
    facts = {
        "id": STRONG_ID,
        "model": "sentence-transformers/all-mpnet-base-v2",
        "sha256": {name: file_hash(folder / name) for name in ("model.onnx", "tokenizer.json")},
        "max_length": MAX_LENGTH,
    }
    (folder / "encoder.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    likeness = float((StrongEncoder(folder).encode(said) * expected).sum(axis=1).min())
    if not likeness > LEAST_LIKENESS:
        raise KnowledgeError(f"The second encoder is only {likeness:.2f} like the original; it was not kept.")


def _quantise(exact: Path, target: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    names = [node.name for node in onnx.load(str(exact)).graph.node if node.op_type == "MatMul"]
    quantize_dynamic(
        str(exact),
        str(target),
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        op_types_to_quantize=["MatMul"],
        nodes_to_exclude=[name for name in names if name.endswith(KEPT_FLOAT)],
    )
