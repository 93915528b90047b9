"""Write the query encoder: one ONNX file with pooling and normalising in the graph.

It is made here, from verified weights, rather than downloaded; and it is compared with
sentence-transformers before it is put in place.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embedding.encoder import (
    DIMENSIONS,
    QUERY_MAX_LENGTH,
    OnnxEncoder,
    load_sentence_transformer,
    read_export,
)
from knowledge.embedding.weights import TRUSTED, file_hash, find_weights
from knowledge.errors import KnowledgeError, ModelNotTrusted
from knowledge.settings import Settings

OPSET = 17
LARGEST_DIFFERENCE = 1e-5
SENTENCES = (
    "Hi",
    "cant pay my rent this month and im so down",
    "need food 4 my kids 2day pls",
    "I feel lonely since my mum died and the evenings are the worst part of the day for me",
    "where can i get a hot meal",
    "My landlord says I have to be out by Friday and I have nowhere to go with two children and a dog.",
    "gas bill",
    "someone to talk to at night",
    "I lost my job last week, it takes five weeks to be paid, and I do not know what we will eat until then.",
    "is there a walking group near Millgate?",
    "he checks my phone all the time and i am scared to go home",
    "drinking too much again",
    "????",
    "café, naïve, über, Łódź",
    "12 Bell Street WZ1 2AB",
    "my son is 14 and wont go to school any more, he stays in his room and does not talk to us",
    "panic attack help",
    "a " * 200,
    "",
    "Thank you so much for your help yesterday, it really made a difference to me and to my family.",
)


def export_encoder(settings: Settings) -> Path | None:
    """Make `model.onnx`, `tokenizer.json` and `encoder.json`; None when they are already there and whole.

    Raises ModelNotTrusted when the weights are not ours, KnowledgeError when the vectors differ.
    """
    target = settings.encoder_dir
    try:
        read_export(target)
    except ModelNotTrusted:
        pass
    else:
        return None
    weights = find_weights(settings)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".minilm-") as made:
        folder = Path(made) / "minilm"
        folder.mkdir()
        _write(weights, folder)
        put_folder(folder, target)
    return target


def _write(weights: Path, folder: Path) -> None:
    model: Any = load_sentence_transformer(weights, QUERY_MAX_LENGTH)
    expected = model.encode(list(SENTENCES), normalize_embeddings=True, show_progress_bar=False)
    export_graph(model[0].auto_model, folder / "model.onnx")
    shutil.copyfile(weights / "tokenizer.json", folder / "tokenizer.json")
    facts = {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "weights_sha256": TRUSTED["model.safetensors"],
        "sha256": {name: file_hash(folder / name) for name in ("model.onnx", "tokenizer.json")},
        "max_length": QUERY_MAX_LENGTH,
        "dimensions": DIMENSIONS,
        "opset": OPSET,
        "pad_id": 0,
        "pad_token": "[PAD]",
        "output": "embedding",
        "inputs": ["input_ids", "attention_mask"],
    }
    (folder / "encoder.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    difference = float(np.abs(OnnxEncoder(folder).encode(SENTENCES) - expected).max())
    if not difference < LARGEST_DIFFERENCE:
        raise KnowledgeError(f"The exported encoder differs from the original by {difference:.2e}; it was not kept.")


def export_graph(bert: Any, path: Path) -> None:
    """Trace the transformer with mean pooling. `.eval()` matters: the exporter can leave dropout on."""
    import torch

    class Pooled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask, return_dict=False)[0]
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, p=2.0, dim=1)

    bert.set_attn_implementation("eager")
    pooled = Pooled().eval()
    ids = torch.tensor([[101, 2393, 102, 0], [101, 2393, 2033, 102]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    rows = {0: "rows", 1: "tokens"}
    with torch.no_grad(), _quiet():
        torch.onnx.export(
            pooled,
            (ids, mask),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": rows, "attention_mask": rows, "embedding": {0: "rows"}},
            opset_version=OPSET,
            dynamo=False,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns about itself (this form is the older one) and about constants of the trace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def put_folder(made: Path, target: Path) -> None:
    """Put a whole folder in place; a reader sees the old one or the new one."""
    if target.exists():
        old = made.parent / "old"
        target.replace(old)
    made.replace(target)
