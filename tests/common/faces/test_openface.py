import re
from pathlib import Path

import numpy as np
import pytest

from common.faces.openface import (
    LANDMARK_COLUMNS,
    POSE_COLUMNS,
    head_pose_from_openface,
    read_openface_csv,
)
from common.geometry import CAMERA_TO_VIEWER, rotation_from_head_pose

GAZE_COLUMNS = [f"gaze_{eye}_{axis}" for eye in range(2) for axis in "xyz"]
VALUES = [*GAZE_COLUMNS, "gaze_angle_x", "gaze_angle_y", *LANDMARK_COLUMNS, *POSE_COLUMNS]
SEQUENCE = ["frame", "face_id", "timestamp", "confidence", "success", *VALUES]
INTO_CAMERA = [0, 0, -1, 0, 0, -1, 0, 0]


def values(first_landmark: float = 100.0, pose: tuple[float, float, float] = (0, 0, 0)) -> list:
    return [*INTO_CAMERA, *(first_landmark + np.arange(112)).tolist(), *pose]


def write_csv(path: Path, names: list[str], rows: list[list]) -> Path:
    # OpenFace 2.0 and 2.1 write a space after every comma of the header.
    lines = [", ".join(names), *(", ".join(str(value) for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def sequence_csv(path: Path) -> Path:
    failed = [0] * len(VALUES)
    rows = [
        [1, 0, 0.0, 0.98, 1, *values(100)],
        [1, 1, 0.0, 0.99, 1, *values(300)],
        [2, 0, 0.033, 0.02, 0, *failed],
        [3, 0, 0.066, 0.95, 1, *values(110, (0.1, 0.2, 0.3))],
    ]
    return write_csv(path, SEQUENCE, rows)


def test_sequence_form(tmp_path):
    table = read_openface_csv(sequence_csv(tmp_path / "video.csv"))
    assert len(table) == 4
    np.testing.assert_array_equal(table.frame, [0, 0, 1, 2])
    np.testing.assert_array_equal(table.is_success, [True, True, False, True])
    np.testing.assert_array_equal(table.landmarks[0], 100 + np.arange(112))
    assert np.isnan(table.landmarks[2]).all()
    np.testing.assert_array_equal(table.confidence, [0.98, 0.99, 0.02, 0.95])
    assert table.problems == {}


def test_single_image_form(tmp_path):
    names = ["face", "confidence", *VALUES]
    path = write_csv(tmp_path / "photo.csv", names, [[0, 0.9, *values()], [1, 0.97, *values(200)]])
    table = read_openface_csv(path)
    np.testing.assert_array_equal(table.frame, [0, 0])
    np.testing.assert_array_equal(table.confidence, [0.9, 0.97])
    np.testing.assert_array_equal(table.landmarks[:, 0], [100, 200])
    assert table.is_success.all()


@pytest.mark.parametrize(
    ("base", "faces"),
    [
        (["frame", "face_id", "confidence", "success"], [[3, 0, 0.8, 1], [3, 1, 0.9, 1]]),
        (["frame", "confidence", "success"], [[3, 0.8, 1], [4, 0.9, 1]]),
        (["face", "confidence"], [[0, 0.8], [1, 0.9]]),
    ],
)
def test_gaze_columns_may_be_absent_or_unreadable(tmp_path, base, faces):
    eyes = [values(100)[8:], values(300, (0.1, 0.2, 0.3))[8:]]
    gaze = {"whole": INTO_CAMERA, "torn": ["torn"] * 8, "absent": []}
    tables = []
    for form, of_face in gaze.items():
        names = [*base, *(VALUES if of_face else VALUES[8:])]
        rows = [[*face, *of_face, *rest] for face, rest in zip(faces, eyes, strict=True)]
        tables.append(read_openface_csv(write_csv(tmp_path / f"{form}.csv", names, rows)))
    for table in tables:
        assert table.problems == {}
        assert table.is_success.all()
        for name in ("frame", "confidence", "landmarks", "head_pose"):
            np.testing.assert_array_equal(getattr(table, name), getattr(tables[0], name))


def test_columns_are_chosen_by_name_not_by_place(tmp_path):
    row = [1, 0, 0.0, 0.98, 1, *values()]
    order = np.random.default_rng(0).permutation(len(SEQUENCE))
    shuffled = write_csv(
        tmp_path / "b.csv", [SEQUENCE[i] for i in order], [[row[i] for i in order]]
    )
    plain = read_openface_csv(write_csv(tmp_path / "a.csv", SEQUENCE, [row]))
    table = read_openface_csv(shuffled)
    np.testing.assert_array_equal(table.landmarks, plain.landmarks)
    np.testing.assert_array_equal(table.head_pose, plain.head_pose)


def test_openface_1_is_refused_with_file_and_columns(tmp_path):
    names = ["frame", "timestamp", "confidence", "success", *GAZE_COLUMNS, *POSE_COLUMNS]
    path = write_csv(tmp_path / "old.csv", names, [[1, 0, 0.9, 1, *INTO_CAMERA[:6], 0, 0, 0]])
    with pytest.raises(ValueError, match=r"old\.csv.*eye_lmk_x_0.*112"):
        read_openface_csv(path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"empty\.csv.*face"):
        read_openface_csv(tmp_path / "empty.csv")


def test_broken_rows_are_named_and_count_as_failed(tmp_path):
    path = sequence_csv(tmp_path / "video.csv")
    lines = path.read_text().splitlines()
    lines[2] = lines[2].replace("0.99", "zero")
    lines[4] = lines[4][:200]
    lines.append(lines[1] + ", 7")
    path.write_text("\n".join(lines))
    table = read_openface_csv(path)
    np.testing.assert_array_equal(table.is_success, [True, False, False, False, False])
    assert sorted(table.problems) == [1, 3, 4]
    facts = {
        1: r'video\.csv.*row 2.*" zero".*confidence',
        3: rf"row 4.*{len(SEQUENCE)}",
        4: rf"{len(SEQUENCE) + 1}",
    }
    for row, said in facts.items():
        assert re.search(said, table.problems[row])


@pytest.mark.parametrize(
    ("pose_rad", "expected"),
    [
        # OpenFace's axes are x right, y down, z away: Rx and ours agree, Ry and Rz are negated.
        ((0.3, 0, 0), (0.3, 0, 0)),
        ((0, 0.3, 0), (0, -0.3, 0)),
        ((0, 0, 0.3), (0, 0, -0.3)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_head_pose_about_one_axis(pose_rad, expected):
    np.testing.assert_allclose(head_pose_from_openface(np.array(pose_rad)), expected, atol=1e-12)


def test_combined_head_pose_is_the_same_rotation_in_other_axes():
    pose = np.array([0.2, -0.5, 0.4])
    # R = Rx Ry Rz applied to a point, one axis after the other.
    point = np.array([1.0, 2.0, 3.0])
    x, y, z = point
    cosine, sine = np.cos(pose), np.sin(pose)
    x, y = cosine[2] * x - sine[2] * y, sine[2] * x + cosine[2] * y
    x, z = cosine[1] * x + sine[1] * z, -sine[1] * x + cosine[1] * z
    y, z = cosine[0] * y - sine[0] * z, sine[0] * y + cosine[0] * z
    ours = rotation_from_head_pose(head_pose_from_openface(pose))
    np.testing.assert_allclose(
        CAMERA_TO_VIEWER @ ours @ CAMERA_TO_VIEWER @ point, [x, y, z], atol=1e-12
    )


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff",
        b'"',
        b"\0",
        b"\r\n\r\n",
        b"9" * 400,
        b"1e400",
        b"-",
    ],
)
def test_a_damaged_row_costs_itself_alone(tmp_path, damage):
    path = sequence_csv(tmp_path / "video.csv")
    lines = path.read_bytes().splitlines()
    fields = lines[2].split(b",")
    lines[2] = b",".join([damage, *fields[1:]])
    path.write_bytes(b"\n".join(lines))
    table = read_openface_csv(path)
    before = read_openface_csv(sequence_csv(tmp_path / "sound.csv"))
    kept = [0, 2, 3] if len(table) == 4 else [0, 3, 4]
    np.testing.assert_array_equal(table.is_success[kept], before.is_success[[0, 2, 3]])
    np.testing.assert_array_equal(table.frame[kept], before.frame[[0, 2, 3]])
    assert not table.is_success[1]


def test_a_damaged_head_line_is_refused(tmp_path):
    path = sequence_csv(tmp_path / "video.csv")
    path.write_bytes(b"\xff" + path.read_bytes()[2:])
    with pytest.raises(ValueError, match=r"video\.csv.*FeatureExtraction"):
        read_openface_csv(path)
