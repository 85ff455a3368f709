"""What a source means: photos, videos, both, or a camera."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from builders.small_videos import write_gray_video

from common.media import camera_recording
from common.media.video import num_frames, read_frames, read_timed_frames, video_info
from common.prediction.annotation import annotate_source
from common.prediction.annotator import AnnotatedFrame


class OneFace:
    """Finds one face everywhere."""

    columns: ClassVar[Any] = {}

    def annotate(self, image: np.ndarray, camera_matrix: Any) -> Any:
        return [{"bbox_xyxy_px": [0, 0, 1, 1]}], image

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        for number, image, shown in read_timed_frames(path):
            yield AnnotatedFrame(number, shown, [{"track_id": "0"}], image)


class FakeCamera:
    """Gives `num_pictures` of full red, then none; a minute passes in each second."""

    def __init__(self, number: int, num_pictures: int = 1000) -> None:
        self._left = num_pictures if number == 0 else 0

    def isOpened(self) -> bool:  # noqa: N802 (OpenCV's name)
        return self._left > 0

    def get(self, _: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, Any]:
        self._left -= 1
        return self._left >= 0, np.full((32, 48, 3), (0, 0, 255), np.uint8)

    def release(self) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_gray_video(tmp_path / "in" / "v.mp4", [100, 100])
    assert cv2.imwrite(str(tmp_path / "in" / "p.png"), np.zeros((8, 8, 3), np.uint8))
    return tmp_path / "in"


def made(output_dir: Path) -> list[str]:
    return sorted(path.name for path in output_dir.iterdir())


def test_a_folder_of_photos_and_videos_gives_both(folder: Path, tmp_path: Path) -> None:
    said = annotate_source(str(folder), OneFace(), tmp_path / "out", 1.0)
    of_video = ["v.html", "v.mp4", "v_faces.jsonl", "v_tracks.csv"]
    assert made(tmp_path / "out") == ["faces.jsonl", "p.jpg", *of_video]
    assert "1 face tracks in 2 frames" in said
    assert "1 faces in 1 photos" in said


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p.png", ["faces.jsonl", "p.jpg"]),
        ("v.mp4", ["v.html", "v.mp4", "v_faces.jsonl", "v_tracks.csv"]),
    ],
)
def test_one_file_is_what_its_content_says(
    folder: Path, tmp_path: Path, name: str, expected: list[str]
) -> None:
    annotate_source(str(folder / name), OneFace(), tmp_path / "out", 1.0)
    assert made(tmp_path / "out") == expected


def test_a_source_with_nothing_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"source=.*nowhere"):
        annotate_source(str(tmp_path / "nowhere"), OneFace(), tmp_path / "out", 1.0)


def test_what_is_left_out_is_named_and_costs_nothing(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "notes.txt").write_text("no medium")
    said = annotate_source(str(folder), OneFace(), tmp_path / "out", 1.0)
    assert "1 faces in 1 photos" in said
    assert str(folder / "notes.txt") in caplog.text


def test_a_source_of_another_kind_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no medium")
    with pytest.raises(ValueError, match=r"source=.*1 file .*notes\.txt"):
        annotate_source(str(tmp_path / "notes.txt"), OneFace(), tmp_path / "out", 1.0)


@pytest.mark.parametrize("name", ["broken.jpg", "broken.MTS"])
def test_it_is_an_error_if_nothing_could_be_used(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"1 unreadable"):
        annotate_source(str(tmp_path / name), OneFace(), tmp_path / "out", 1.0)
    assert any("reason" in path.read_text() for path in (tmp_path / "out").iterdir())


def test_an_unreadable_photo_among_others_is_no_error(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"damaged")
    said = annotate_source(str(folder), OneFace(), tmp_path / "out", 1.0)
    assert "1 faces in 2 photos (1 with faces, 1 unreadable)" in said


def test_it_is_an_error_if_something_could_not_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "p.jpg" / "in the way").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"1 not written"):
        annotate_source(str(folder), OneFace(), tmp_path / "out", 1.0)
    assert "v_tracks.csv" in made(tmp_path / "out")


def test_it_is_an_error_if_no_file_can_be_written_at_all(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    with pytest.raises(ValueError, match=r"out.*output_dir=FOLDER"):
        annotate_source(str(folder / "p.png"), OneFace(), tmp_path / "out", 1.0)


def test_a_number_is_a_camera_that_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    seconds = iter(np.arange(0, 100, 0.05))
    monkeypatch.setattr(camera_recording.time, "monotonic", lambda: next(seconds))
    annotate_source("0", OneFace(), tmp_path / "out", 2.0)
    recorded = tmp_path / "out" / "recording" / "camera0.mp4"
    # A camera of 20 pictures a second, that does not say so: the video still lasts 2 s.
    assert video_info(recorded).fps_hz == 30.0
    assert num_frames(recorded) == pytest.approx(60, abs=2)
    _, picture = next(read_frames(recorded))
    np.testing.assert_allclose(picture.mean(axis=(0, 1)), [255, 0, 0], atol=4)
    assert "camera0_faces.jsonl" in made(tmp_path / "out")


class Interrupted(FakeCamera):
    """Ctrl-C is pressed after some pictures."""

    def read(self) -> tuple[bool, Any]:
        if self._left < 995:
            raise KeyboardInterrupt
        return super().read()


class Unplugged(FakeCamera):
    """Gives no more pictures after some."""

    def __init__(self, number: int) -> None:
        super().__init__(number, num_pictures=5)


@pytest.mark.parametrize("camera", [Interrupted, Unplugged])
def test_a_recording_that_ends_early_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, camera: type[FakeCamera]
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", camera)
    path = camera_recording.record_camera(0, tmp_path / "c.mp4", 100.0)
    assert num_frames(path) >= 1


def test_a_camera_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCamera)
    with pytest.raises(ValueError, match="source=7"):
        annotate_source("7", OneFace(), tmp_path / "out", 1.0)


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"format=xlsx.*jsonl, csv, parquet"):
        annotate_source("nowhere", OneFace(), tmp_path / "out", 1.0, "xlsx")
