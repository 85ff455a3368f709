"""Which row of which OpenFace csv belongs to a sample's face."""

from pathlib import Path

import numpy as np
import pytest

from flame.preprocessing.openface_source import OpenFaceFolder
from flame.readers.sample import RawSample

LANDMARKS = [f"eye_lmk_{axis}_{i}" for axis in "xy" for i in range(56)]
GAZE = [f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"]
POSE = ["pose_Rx", "pose_Ry", "pose_Rz"]
BOX = np.array([100.0, 50.0, 200.0, 150.0])


def row(x: float, y: float) -> list[float]:
    """Eye landmarks around (x, y), gaze straight at the camera, no turn of the head."""
    jitter = np.linspace(-5, 5, 56)
    return [*(x + jitter), *(y + jitter), *([0.0, 0.0, -1.0] * 2), 0.0, 0.0, 0.0]


def write_csv(path: Path, base: list[str], rows: list[list[float]]) -> None:
    # OpenFace puts a space behind every comma.
    lines = [", ".join([*base, *LANDMARKS, *GAZE, *POSE])]
    lines += [", ".join(f"{value:.4f}" for value in values) for values in rows]
    path.write_text("\n".join(lines) + "\n")


def write_photo_csv(path: Path, *faces: tuple[float, float, float]) -> None:
    rows = [[number, confidence, *row(x, y)] for number, (x, y, confidence) in enumerate(faces)]
    write_csv(path, ["face", "confidence"], rows)


def write_video_csv(path: Path, *frames: tuple[int, float, bool]) -> None:
    """One face a frame at x = 100 + 10 * its number; OpenFace counts frames from 1."""
    rows = [
        [frame + 1, confidence, float(success), *row(100 + 10 * frame, 100)]
        for frame, confidence, success in frames
    ]
    write_csv(path, ["frame", "confidence", "success"], rows)


def sample(frame: int | None = None) -> RawSample:
    image = np.zeros((200, 300, 3), np.uint8)
    return RawSample("p1_x", "p1", "session", 0, image, np.zeros(2), frame=frame)


def test_a_photos_own_csv_is_found(tmp_path: Path) -> None:
    write_photo_csv(tmp_path / "p1_x.csv", (150, 100, 0.9))
    found = OpenFaceFolder(tmp_path).find(sample(), BOX)
    assert found.landmarks.shape == (112,)
    assert found.landmarks[:56].mean() == pytest.approx(150, abs=1e-3)
    assert found.confidence == pytest.approx(0.9)
    np.testing.assert_allclose(found.head_pose, 0, atol=1e-6)


def test_the_face_in_the_box_is_taken_not_the_most_confident(tmp_path: Path) -> None:
    write_photo_csv(tmp_path / "p1_x.csv", (250, 100, 0.99), (150, 100, 0.6), (140, 90, 0.8))
    found = OpenFaceFolder(tmp_path).find(sample(), BOX)
    assert found.landmarks[:56].mean() == pytest.approx(140, abs=1e-3)


def test_a_videos_csv_gives_the_samples_frame(tmp_path: Path) -> None:
    write_video_csv(tmp_path / "session.csv", (0, 0.9, True), (3, 0.8, True), (4, 0.9, True))
    found = OpenFaceFolder(tmp_path).find(sample(frame=3), BOX)
    assert found.landmarks[:56].mean() == pytest.approx(130, abs=1e-3)


def test_a_photos_csv_goes_before_the_videos(tmp_path: Path) -> None:
    write_video_csv(tmp_path / "session.csv", (3, 0.8, True))
    write_photo_csv(tmp_path / "p1_x.csv", (150, 100, 0.9))
    found = OpenFaceFolder(tmp_path).find(sample(frame=3), BOX)
    assert found.landmarks[:56].mean() == pytest.approx(150, abs=1e-3)


@pytest.mark.parametrize("frame", [1, 2])
def test_a_failed_or_absent_frame_is_no_face(tmp_path: Path, frame: int) -> None:
    write_video_csv(tmp_path / "session.csv", (0, 0.9, True), (1, 0.1, False))
    with pytest.raises(LookupError, match=r"no face .*session\.csv"):
        OpenFaceFolder(tmp_path).find(sample(frame=frame), BOX)


def test_a_face_elsewhere_is_no_face(tmp_path: Path) -> None:
    write_photo_csv(tmp_path / "p1_x.csv", (250, 100, 0.99))
    with pytest.raises(LookupError, match=r"no face .*p1_x\.csv"):
        OpenFaceFolder(tmp_path).find(sample(), BOX)


def test_a_sample_without_csv_is_told_apart(tmp_path: Path) -> None:
    write_video_csv(tmp_path / "session.csv", (0, 0.9, True))
    with pytest.raises(LookupError, match="no OpenFace csv"):
        OpenFaceFolder(tmp_path).find(sample(frame=None), BOX)


def test_an_unreadable_row_is_the_reason(tmp_path: Path) -> None:
    write_video_csv(tmp_path / "session.csv", (2, 0.9, True), (3, 0.8, True))
    write_photo_csv(tmp_path / "p1_x.csv", (150, 100, 0.9))
    for name in ("session.csv", "p1_x.csv"):
        lines = (tmp_path / name).read_text().splitlines()
        lines[-1] = lines[-1].replace(", 0.8000,", ", torn,").replace(", 0.9000,", ", torn,")
        (tmp_path / name).write_text("\n".join(lines))
    folder = OpenFaceFolder(tmp_path)
    with pytest.raises(LookupError, match=r'p1_x\.csv: .* row 1: .*" torn".* confidence'):
        folder.find(sample(frame=3), BOX)
    (tmp_path / "p1_x.csv").unlink()
    with pytest.raises(LookupError, match=r'session\.csv: .* row 2: .*" torn".* confidence'):
        folder.find(sample(frame=3), BOX)
    assert folder.find(sample(frame=2), BOX).confidence == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("session.csv", b""),
        ("p1_x.csv", b"frame, confidence\n1, 0.9\n"),
        ("session.csv", b"\xff\xfe\x00csv"),
    ],
)
def test_a_malformed_csv_is_a_reason_for_each_sample(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    for frame in (3, 4):
        with pytest.raises(LookupError, match=f"unreadable .*{name}"):
            OpenFaceFolder(tmp_path).find(sample(frame=frame), BOX)


def test_a_folder_without_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path}.*OpenFace 2"):
        OpenFaceFolder(tmp_path)
