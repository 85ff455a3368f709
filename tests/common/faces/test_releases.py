"""MediaPipe's two releases measure faces alike, and what only one of them can is refused.

What each measured on rendered faces is recorded: either is tested where the other is not. A release
is recorded by `PYTHONPATH=tests python tests/common/faces/test_releases.py`, which prints its part
of the file.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders.mediapipe_release import install_without_solutions

from common.faces.analysis import FaceObservation
from common.faces.mediapipe import tasks
from common.faces.mediapipe.pose import BodyPose
from common.faces.mediapipe.release import has_solutions, release_definition
from common.faces.settings import AnalyzerSettings
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.portraits import render_portrait

RECORDED = Path(__file__).parents[2] / "golden" / "mediapipe_releases.json"
# Nose, iris centres, corners of the mouth: what GazePose is told.
FIVE_POINTS = (1, 473, 468, 291, 61)


def measured() -> list[dict[str, list[float]]]:
    """What the release that is installed finds in six rendered faces, one in each image."""
    analyzer, rows = AnalyzerSettings("mediapipe").build(), []
    for seed in range(6):
        identity, rng = make_identity(400_000 + seed, 256), np.random.default_rng(seed)
        (face,) = analyzer.analyze(render_portrait(identity, rng, size_px=320).image)
        rows.append({name: values.round(2).tolist() for name, values in parts(face).items()})
    return rows


def parts(face: FaceObservation) -> dict[str, np.ndarray]:
    return {
        "box_px": face.bbox_xyxy_px,
        "eyes_px": face.eye_landmarks,
        "five_points_px": face.mesh[FIVE_POINTS, :2].T.reshape(-1),
        "head_pose_deg": np.degrees(face.head_pose),
    }


@pytest.fixture(scope="module")
def found() -> list[dict[str, list[float]]]:
    return measured()


@pytest.mark.parametrize("release", ["solutions", "tasks"])
def test_both_releases_measure_alike(found: list[dict[str, list[float]]], release: str) -> None:
    recorded = json.loads(RECORDED.read_text())[release]
    # The installed one's own record is met more closely: OpenCV and NumPy are other ones.
    is_own = (release == "solutions") == has_solutions()
    for here, there in zip(found, recorded, strict=True):
        off = {name: np.subtract(here[name], there[name]) for name in here}
        face_px = np.ptp(np.reshape(there["box_px"], (2, 2)), axis=0).max()
        for name in ("eyes_px", "five_points_px"):
            distances = np.hypot(*off[name].reshape(2, -1)) / face_px
            assert distances.mean() < (0.005 if is_own else 0.03)
        # The suite's mesh itself is 3 to 4 degrees off.
        assert np.abs(off["head_pose_deg"]).max() < (1 if is_own else 6)
        assert np.abs(off["box_px"]).max() / face_px < (0.02 if is_own else 0.15)


def test_stores_of_the_two_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert has_solutions() == (release_definition() == {})
    install_without_solutions(monkeypatch, tmp_path)
    assert AnalyzerSettings().recipe()["mediapipe"] == "tasks"


def test_the_pose_is_refused_where_its_model_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install_without_solutions(monkeypatch, tmp_path)
    with pytest.raises(ValueError, match=r"landmarks=pose needs the pose model.*Python 3\.11"):
        BodyPose()


@pytest.mark.skipif(has_solutions(), reason="this release tells nobody how it is used")
def test_how_the_tasks_are_used_stays_here() -> None:
    told = tasks.base_options(model_asset_path="x").to_ctypes()
    assert (told.model_asset_path, told.ca_bundle_path) == (b"x", b"/dev/null")


# What a Trainer does when it ends, among faces that are looked for.
ENDED_TRAINER = """
import signal
import numpy as np
from common.faces.mediapipe.nets import face_mesh
for _ in range(8):
    mesh = face_mesh(1, 0.5)
    for _ in range(20):
        mesh.find(np.zeros((256, 256, 3), np.uint8))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
"""


@pytest.mark.skipif(has_solutions(), reason="this release sets no timers")
def test_faces_are_found_after_a_training() -> None:
    """MediaPipe's own timers end no process."""
    subprocess.run([sys.executable, "-c", ENDED_TRAINER], check=True)


if __name__ == "__main__":
    print(json.dumps(measured()))
