"""A run exported and asked without its folder and its store: videos and photos."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from builders.coloured_faces import GREEN, RED, frame_of, write_faces_video
from builders.small_lam_training import predict_here, train_here, write_store

from common.media.image_codec import write_image
from common.onnx.net import OnnxNet

LEFTS = {RED: [10 + 2 * i for i in range(9)], GREEN: [110 - i for i in range(9)]}
SQUARES = "annotator={analyzer:{_target_:builders.coloured_faces.SquareSettings}}"
RUN_OPTIONS = [
    *("trainer.max_epochs=1", "callbacks.pictures=null", "test=false"),
    *("model.transformer.num_encoder_layers=0", "priors.split=5"),
    *("data.preprocessor.preparation.size=40", "model.callbacks.results.smoothing.kind=median"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run says of a video and a photo, and its net as a file; the run is gone."""
    folder = tmp_path_factory.mktemp("onnx")
    write_store(folder / "store")
    train_here("gazepose", folder / "store", folder / "run", *RUN_OPTIONS)
    (folder / "seen").mkdir()
    write_faces_video(folder / "seen" / "v.mp4", LEFTS)
    write_image(folder / "seen" / "p.png", frame_of({RED: 40, GREEN: 100}), 0)
    run = f"run={folder / 'run'}"
    predict_here(run, f"source={folder / 'seen'}", f"output_dir={folder / 'by_run'}", SQUARES)
    predict_here(run, f"export={folder / 'net.onnx'}")
    shutil.rmtree(folder / "run")
    shutil.rmtree(folder / "store")
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_videos_and_photos_are_seen_as_by_the_run(folder: Path, tmp_path: Path) -> None:
    typed = [f"onnx={folder / 'net.onnx'}", f"source={folder / 'seen'}", SQUARES]
    predict_here(*typed, f"output_dir={tmp_path}")
    for name in ("v_faces.jsonl", "faces.jsonl"):
        found, expected = lines(tmp_path / name), lines(folder / "by_run" / name)
        scores = [[one.pop("score") for one in each] for each in (found, expected)]
        np.testing.assert_allclose(*scores, rtol=0, atol=2e-4)
        # Ranks of sharpness and decisions by the validation's threshold, too.
        assert found == expected
    assert len({one["score"] for one in lines(tmp_path / "v_faces.jsonl")}) > 1


def test_the_file_says_what_prediction_needs(folder: Path) -> None:
    said = OnnxNet(folder / "net.onnx").metadata
    assert said["head_bin_deg"] == 5
    assert 0 < said["threshold"]["value"] < 1
    assert said["annotator"]["smoothing"]["kind"] == "median"
    assert said["annotator"]["dropout"]["kind"] == "gaussian"
    assert said["annotator"]["preparation"]["size"] == 40
    assert len(said["annotator"]["trained_ranking"]) == 2
    assert "trained_store_dir" not in said["annotator"]


def changed(folder: Path, tmp_path: Path, key: str, **values: Any) -> Path:
    model = onnx.load(folder / "net.onnx")
    (entry,) = (one for one in model.metadata_props if one.key == key)
    entry.value = json.dumps({**json.loads(entry.value), **values})
    onnx.save(model, tmp_path / "changed.onnx")
    return tmp_path / "changed.onnx"


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("threshold", {"value": 1.5}, "threshold.*from 0 to 1"),
        ("annotator", {"image_size": 100_000}, "expected frames"),
        ("annotator", {"zoom": 0.5}, "zoom is 0.5"),
        ("annotator", {"dropout": {"kind": "other"}}, "dropout kind"),
        ("annotator", {"command": "x"}, "no argument command"),
        ("annotator", {"trained_ranking": [1.0]}, "trained_ranking"),
        ("annotator", {"zoom": "wide"}, 'zoom is "wide", expected a number'),
        ("annotator", {"preparation": 3}, "preparation is 3, expected entries by name"),
        ("annotator", {"tracking": {"max_gap": [1]}}, r"max_gap is \[1\], expected a whole number"),
        ("annotator", {"dropout": {"kind": "none", "rate": 1}}, "dropout has no argument rate"),
        ("annotator", {"following": {"is_live": 1}}, "following: is_live is 1, expected true or"),
    ],
)
def test_what_a_file_says_of_a_prediction_is_checked(
    folder: Path, tmp_path: Path, key: str, values: dict[str, Any], said: str
) -> None:
    path = changed(folder, tmp_path, key, **values)
    with pytest.raises(ValueError, match=said) as error:
        predict_here(f"onnx={path}", f"source={folder / 'seen'}", f"output_dir={tmp_path / 'x'}")
    assert str(path) in str(error.value)


def test_places_of_another_machine_are_not_looked_at(folder: Path, tmp_path: Path) -> None:
    path = changed(folder, tmp_path, "annotator", trained_store_dir="store", trained_ranking=None)
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "frames.parquet").write_bytes(b"damaged")
    typed = [f"onnx={path}", f"source={folder / 'seen' / 'v.mp4'}", SQUARES]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        predict_here(*typed, "output_dir=out")
    assert (tmp_path / "out" / "v_faces.jsonl").exists()
