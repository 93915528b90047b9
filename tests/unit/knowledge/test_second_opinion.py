"""A second opinion of the whole message: heard beside the first, never needed, and never over a part."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from knowledge.embedding.strong import STRONG_ID, check_strong_export
from knowledge.errors import ModelNotTrusted
from knowledge.need_head import SECOND_SHARE, NeedHead, train_head
from knowledge.second_opinion import SecondOpinion, _path, open_opinion, prepare_opinion
from knowledge.settings import read_settings
from tests.unit.knowledge.builders import WordEncoder, need

NEEDS = (
    need("rent", "behind with the rent", "rent arrears again", "cannot pay rent"),
    need("mood", "feeling so low", "low and tearful", "very low today"),
)
TEXTS = [text for each in NEEDS for text in each.phrasings]


def head() -> NeedHead:
    return train_head(WordEncoder().encode(TEXTS), [0, 0, 0, 1, 1, 1])


def test_the_whole_message_is_read_by_both() -> None:
    vectors = WordEncoder().encode(["behind with the rent"])
    alone, _speakers = head().read_message(vectors)
    both, _speakers = head().read_message(vectors, np.array([0.0, 1.0], np.float32))
    assert both == pytest.approx((1 - SECOND_SHARE) * alone + SECOND_SHARE * np.array([0.0, 1.0]), abs=1e-6)


def test_a_late_clause_is_heard_whatever_the_second_opinion_is() -> None:
    vectors = WordEncoder().encode(["my week was long", "feeling so low", "behind with the rent"])
    chances, speakers = head().read_message(vectors, np.array([0.0, 1.0], np.float32))
    assert chances[0] > 0.35
    assert speakers[0] == 2


def test_an_opinion_is_one_probability_for_each_need() -> None:
    chances = SecondOpinion(WordEncoder(), head()).chances("rent arrears again")
    assert chances.shape == (2,)
    assert chances[0] > chances[1]


def test_without_its_files_there_is_none_and_nothing_fails(tmp_path: Path) -> None:
    settings = read_settings(build_dir=tmp_path, data_dir=tmp_path)
    assert open_opinion(settings, NEEDS) is None
    with capture_logs() as logs:
        assert prepare_opinion(settings, NEEDS) is False
    assert [each["event"] for each in logs] == ["second_reader_missing"]


def test_a_recogniser_without_its_encoder_is_left_alone_and_said(tmp_path: Path) -> None:
    settings = read_settings(build_dir=tmp_path, data_dir=tmp_path)
    head().save(_path(settings, NEEDS))
    with capture_logs() as logs:
        assert open_opinion(settings, NEEDS) is None
    assert "export-encoder" in logs[0]["fix"]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        pytest.param({"id": "another"}, "made from other weights", id="other-weights"),
        pytest.param(
            {"id": STRONG_ID, "sha256": {"model.onnx": "0", "tokenizer.json": "0"}}, "not the file", id="changed"
        ),
    ],
)
def test_an_export_that_is_not_ours_is_refused(tmp_path: Path, facts: dict[str, object], why: str) -> None:
    (tmp_path / "encoder.json").write_text(json.dumps(facts))
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelNotTrusted, match=why):
        check_strong_export(tmp_path)
