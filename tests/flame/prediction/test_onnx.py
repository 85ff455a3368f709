"""A run exported and asked without its folder: photos, calibrations, and what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from builders.fake_faces import TWO_FACES, photo
from builders.small_store import write_small_store
from builders.small_training import composed, one_thread, train_here

from common.media.image_codec import write_image
from common.prediction.command import predict
from common.prediction.trained import find_trained
from flame.evaluation.calibration import Calibration, write_calibration

FACES = "annotator={analyzer:{_target_:builders.fake_faces.FakeAnalyzerSettings,min_face_px:33}}"
MAP = Calibration(np.eye(2), np.array([0.1, -0.05]))


def config(*typed: str) -> dict[str, Any]:
    return composed("predict", "paths.run_dir=x", "paths.runs_dir=none", *typed)


def asked(*typed: str) -> str:
    with one_thread():
        return predict(config(*typed))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, what it says of a photo, and its net as a file."""
    folder = tmp_path_factory.mktemp("onnx")
    write_small_store(folder / "store")
    train_here(folder / "store", folder / "run", "model=flame_af", "trainer.max_epochs=1")
    image = np.random.default_rng(0).integers(0, 256, photo(TWO_FACES).shape).astype(np.uint8)
    image[0, 0] = TWO_FACES
    write_image(folder / "photo.png", image, 0)
    asked(
        f"run={folder / 'run'}",
        f"source={folder / 'photo.png'}",
        f"output_dir={folder / 'by_run'}",
        FACES,
    )
    said = asked(
        f"run={folder / 'run'}", f"export={folder / 'net.onnx'}", "annotator={tracking:{max_gap:3}}"
    )
    assert said.endswith("at most)")
    return folder


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "faces.jsonl").read_text().splitlines()]


def test_a_photo_is_seen_as_by_the_run(folder: Path, tmp_path: Path) -> None:
    net = shutil.copy(folder / "net.onnx", tmp_path)
    asked(f"onnx={net}", f"source={folder / 'photo.png'}", f"output_dir={tmp_path}", FACES)
    found, expected = lines(tmp_path), lines(folder / "by_run")
    assert len(found) == 2
    for ours, runs in zip(found, expected, strict=True):
        assert ours.keys() == runs.keys()
        angles = [key for key in ours if key.startswith("gaze_")]
        for key in (*angles, "right_eye_gaze_yaw_pitch_deg"):
            # A ten-thousandth of a radian, and a digit that is rounded.
            assert ours[key] == pytest.approx(runs[key], abs=0.007)
        assert ours["bbox_xyxy_px"] == runs["bbox_xyxy_px"]


def test_the_file_says_what_the_run_was(folder: Path) -> None:
    trained = find_trained(config(f"onnx={folder / 'net.onnx'}"))
    said = trained.module._net.metadata
    snapshot = json.loads((folder / "run" / "run.json").read_text())
    assert said["commit"] == snapshot["git"].get("commit")
    assert said["training_data"]["recipe"] == snapshot["data"]["recipe"]
    assert said["annotator"]["analyzer"]["min_confidence"] == 0.5
    assert said["annotator"]["tracking"]["max_gap"] == 3
    assert "+pitch up" in said["angle_contract"]
    assert said["inputs"].keys() == {"rgb", "head_pose", "landmarks"}
    content = (folder / "net.onnx").read_bytes()
    assert b'"_target_"' not in content
    assert str(folder).encode() not in content


def test_a_persons_calibration_is_of_the_weights(folder: Path, tmp_path: Path) -> None:
    run = find_trained(config(f"run={folder / 'run'}"))
    said = {
        **{"run": "mine", "model": "flame_af", "trained_on": "columbiagaze"},
        **{"gaze_convention": "columbia_target_angles", "gaze_frame": "camera"},
    }
    for person, net in (("a", run.module.net), ("b", torch.nn.Linear(2, 2))):
        write_calibration(tmp_path, person, MAP, net, said)
    typed = [f"onnx={folder / 'net.onnx'}", f"source={folder / 'photo.png'}", FACES]
    asked(*typed, f"calibration={{file:{tmp_path / 'a.json'}}}", f"output_dir={tmp_path}")
    found, plain = (
        np.array(one[0]["right_eye_gaze_yaw_pitch_deg"])
        for one in (lines(tmp_path), lines(folder / "by_run"))
    )
    np.testing.assert_allclose(found - plain, np.rad2deg(MAP.offset), atol=0.01)
    with pytest.raises(ValueError, match=r"b\.json is of mine"):
        asked(*typed, f"calibration={{file:{tmp_path / 'b.json'}}}", f"output_dir={tmp_path}")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["onnx=NET", "split=test"], "onnx=.*split=.*run=RUN"),
        (["onnx=NET", "export=x.pth"], "onnx=.*export="),
        (["onnx=NET", "source=x.jpg", "module={flip_average:true}"], "onnx=.*module="),
        (["onnx=NET", "source=x.jpg", "dropout=none"], "takes no dropout"),
        (["onnx=NET", "source=x.jpg", "trainer.precision=bf16-mixed"], "exported net.*32-true"),
        (["onnx=NET", "run=RUN", "source=x.jpg"], "run= and onnx="),
        (["onnx=NET", "source=x.jpg", "annotator={box_margin:0.1,box:1}"], "no argument box"),
        (["run=RUN", "export=net.onxx"], r"net\.onxx.*\.onnx or \.pth"),
        (["run=RUN", "export=net.onnx", FACES], r"no code.*FakeAnalyzerSettings"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, typed: list[str], said: str) -> None:
    places = {"NET": str(folder / "net.onnx"), "RUN": str(folder / "run")}
    words = [
        key + "=" + places.get(value, value)
        for key, _, value in (one.partition("=") for one in typed)
    ]
    with pytest.raises(ValueError, match=said):
        asked(*words)


def test_a_net_of_other_inputs_is_refused(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "net.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 60
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"other\.onnx"):
        asked(f"onnx={tmp_path / 'other.onnx'}", f"source={folder / 'photo.png'}")


def test_a_net_that_does_not_say_how_faces_are_cut_is_refused(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "net.onnx")
    (entry,) = (one for one in model.metadata_props if one.key == "annotator")
    model.metadata_props.remove(entry)
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"lacks box_margin.*other\.onnx"):
        asked(f"onnx={tmp_path / 'other.onnx'}", f"source={folder / 'photo.png'}")


def test_a_line_without_pictures_says_so(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "net.onnx")
    for entry in model.metadata_props:
        entry.value = "gaze_pretraining" if entry.key == "line" else entry.value
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"flame_af.*not for photos"):
        asked(f"onnx={tmp_path / 'other.onnx'}", f"source={folder / 'photo.png'}")
