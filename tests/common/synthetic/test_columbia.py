"""The Columbia-shaped folder of demo people: names, truth, resumption, refusals."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
from builders.file_contents import contents

from common.synthetic.columbia.writer import write_columbia

SMALL = {
    "num_subjects": 2,
    "head_yaws_deg": [-15, 30],
    "gaze_pitches_deg": [10],
    "gaze_yaws_deg": [-5, 0],
    "image_size": (160, 120),
    "seed": 4,
}


def photos(raw_dir):
    return sorted((raw_dir / "Columbia Gaze Data Set").glob("*/*.jpg"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    raw_dir = tmp_path_factory.mktemp("columbia") / "raw"
    write_columbia(raw_dir, **SMALL)
    return raw_dir


def test_names_are_columbias(written):
    names = [str(path.relative_to(written)) for path in photos(written)]
    assert len(names) == 8
    assert "Columbia Gaze Data Set/0001/0001_2m_-15P_10V_-5H.jpg" in names
    assert "Columbia Gaze Data Set/0002/0002_2m_30P_10V_0H.jpg" in names


def test_photos_have_the_asked_size(written):
    assert cv2.imread(str(photos(written)[0])).shape == (120, 160, 3)


def test_truth_agrees_with_the_names(written):
    rows = list(csv.DictReader((written / "ground_truth.csv").open()))
    assert [row["sample_id"] for row in rows][:3] == [
        "0001_2m_-15P_10V_-5H",
        "0001_2m_-15P_10V_0H",
        "0001_2m_30P_10V_-5H",
    ]
    row = rows[2]
    assert np.degrees(float(row["head_yaw_rad"])) == pytest.approx(30, abs=1e-3)
    assert np.degrees(float(row["gaze_yaw_rad"])) == pytest.approx(-5, abs=1e-3)
    assert np.degrees(float(row["gaze_pitch_rad"])) == pytest.approx(10, abs=1e-3)
    assert abs(np.degrees(float(row["head_pitch_rad"]))) <= 4.01
    landmarks = np.array([[float(row[f"eye_lmk_{a}_{i}"]) for i in range(56)] for a in "xy"])
    assert (landmarks >= 0).all()
    assert (landmarks <= [[159], [119]]).all()


def test_missing_photos_are_written_again_and_others_kept(written, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    kept, lost = photos(tmp_path)[0], photos(tmp_path)[5]
    kept.write_bytes(b"kept")
    lost.unlink()
    # A process of this number there is not.
    kept.with_name(f".{kept.stem}.{2**22 + 1}.jpg").write_bytes(b"of a killed process")
    write_columbia(tmp_path, **SMALL)
    changed = {kept.relative_to(tmp_path).as_posix(): b"kept"}
    assert contents(tmp_path) == contents(written) | changed


def test_another_process_writes_the_same_bytes(written, tmp_path):
    write_columbia(tmp_path, **SMALL, num_workers=1)
    assert contents(tmp_path) == contents(written)


def test_arguments_are_recorded(written):
    record = json.loads((written / "demo.json").read_text())
    assert record["head_yaws_deg"] == [-15, 30]
    assert record["seed"] == 4


def test_other_arguments_are_refused(written):
    before = contents(written)
    with pytest.raises(ValueError, match=r"seed.*4.*5.*raw_dir"):
        write_columbia(written, **{**SMALL, "seed": 5})
    assert contents(written) == before


def test_real_data_is_never_mixed_with_demo_people(tmp_path):
    (tmp_path / "Columbia Gaze Data Set" / "0001").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"Columbia Gaze Data Set.*demo\.json.*raw_dir"):
        write_columbia(tmp_path, **SMALL)


def test_gazes_that_no_eye_reaches_are_left_out(tmp_path):
    write_columbia(tmp_path, **{**SMALL, "num_subjects": 1, "gaze_yaws_deg": [0, 40]})
    names = [path.stem for path in photos(tmp_path)]
    assert names == ["0001_2m_-15P_10V_0H", "0001_2m_30P_10V_0H", "0001_2m_30P_10V_40H"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"head_yaws_deg": [-30], "gaze_yaws_deg": [40]}, "head_yaws_deg.*gaze_yaws_deg"),
        ({"num_subjects": 0}, "num_subjects is 0"),
        ({"gaze_yaws_deg": []}, "angles is empty"),
        ({"image_size": (50, 50)}, r"image_size is \(50, 50\)"),
    ],
)
def test_impossible_plans_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_columbia(tmp_path, **{**SMALL, **change})
    assert not any(tmp_path.iterdir())
