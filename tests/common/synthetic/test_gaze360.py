"""The Gaze360-shaped folder of demo people: names, lists, resumption, refusals."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builders.file_contents import contents

from common.geometry import gaze_angles
from common.synthetic.gaze360 import faces as gaze360_faces
from common.synthetic.gaze360.faces import GAZE360_AXES, Gaze360Plan, poses
from common.synthetic.gaze360.writer import write_gaze360

SMALL: dict[str, Any] = {
    "num_train_people": 2,
    "num_val_people": 1,
    "num_test_people": 1,
    "faces_per_person": 3,
    "face_width_px": (40, 60),
    "seed": 3,
}
PLAN = Gaze360Plan(num_people=(2, 1, 1), faces_per_person=3, face_width_px=(40, 60), seed=3)


def images(raw_dir: Path) -> list[Path]:
    return sorted((raw_dir / "imgs").rglob("*.jpg"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gaze360(tmp_path_factory.mktemp("gaze360") / "raw", **SMALL)


def test_names_and_lists_are_gaze360s(written: Path) -> None:
    lists = {path.stem: path.read_text().splitlines() for path in (written / "code").iterdir()}
    assert {name: len(lines) for name, lines in lists.items()} == {
        "train": 6,
        "validation": 3,
        "test": 3,
    }
    names = [line.split()[0] for lines in lists.values() for line in lines]
    assert sorted(names) == [str(path.relative_to(written / "imgs")) for path in images(written)]
    assert lists["train"][0].startswith("rec_000/head/000000/000000.jpg ")
    # The published lines end so.
    assert all(line.endswith(" ") for lines in lists.values() for line in lines)
    assert {name.split("/")[0] for name in names} == {"rec_000", "rec_001", "rec_002"}


def test_listed_vectors_are_the_drawn_gaze(written: Path) -> None:
    lines = (written / "code" / "train.txt").read_text().splitlines()
    vectors = np.array([line.split()[1:] for line in lines], dtype=float)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    drawn = [pose.gaze for person in list(PLAN.people())[:2] for pose in poses(PLAN, person)]
    np.testing.assert_allclose(gaze_angles(vectors * GAZE360_AXES), drawn, atol=1e-5)


def test_faces_fill_their_images(written: Path) -> None:
    for path in images(written):
        height, width = cv2.imread(str(path)).shape[:2]
        assert 36 <= width <= 64
        assert 0.9 < height / width < 2


def test_people_look_at_the_camera_part_of_the_time() -> None:
    plan = Gaze360Plan(num_people=(30, 0, 0), faces_per_person=8, face_width_px=(60, 60), seed=0)
    gaze = np.degrees([pose.gaze for person in plan.people() for pose in poses(plan, person)])
    assert 0.15 < (np.hypot(*gaze.T) < gaze360_faces.LOOKING_ANGLE_DEG).mean() < 0.5
    assert (gaze.std(0) > [12, 6]).all()


def test_an_interrupted_folder_is_made_whole(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    images(tmp_path)[1].unlink()
    (tmp_path / "code" / "test.txt").unlink()
    assert contents(write_gaze360(tmp_path, **SMALL)) == contents(written)
    (tmp_path / "code" / "test.txt").write_text("kept")
    before = contents(tmp_path)
    assert contents(write_gaze360(tmp_path, **SMALL)) == before


def test_processes_change_nothing(written: Path, tmp_path: Path) -> None:
    assert contents(write_gaze360(tmp_path, **SMALL, num_workers=2)) == contents(written)


def test_other_arguments_are_refused(written: Path) -> None:
    with pytest.raises(ValueError, match=r"seed.*3.*4.*raw_dir"):
        write_gaze360(written, **(SMALL | {"seed": 4}))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"num_train_people": 0, "num_val_people": 0, "num_test_people": 0}, r"\[0, 0, 0\]"),
        ({"num_val_people": -1}, r"\[2, -1, 1\]"),
        ({"faces_per_person": 0}, "faces_per_person is 0"),
        ({"face_width_px": (60, 40)}, r"face_width_px is \[60, 40\]"),
    ],
)
def test_senseless_arguments_are_refused(
    tmp_path: Path, change: dict[str, Any], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        write_gaze360(tmp_path, **(SMALL | change))
