"""Records and pictures of whatever faces a predictor finds."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from builders.counting_faces import NoFaces, Spot
from builders.small_videos import SIZE, write_damaged_video, write_gray_video

from common.faces.following import FaceFollower, FollowingSettings
from common.faces.tracking import TrackingSettings
from common.media.video import DamagedVideoError, read_frames
from common.prediction.annotator import Annotator, Found, Judged


class Dot(Spot):
    def record(self) -> dict[str, Any]:
        return {"is_looking": True}


class Dots(Annotator):
    """Finds a face in what is brighter than black."""

    columns: ClassVar[Any] = {}
    follower = FaceFollower(NoFaces(), TrackingSettings(), FollowingSettings())  # type: ignore[arg-type]

    def predict(self, image: np.ndarray, camera_matrix: Any = None) -> list[Dot]:
        return [Dot("")] if image.any() else []

    def judge(self, found: Iterable[Found]) -> Iterator[Judged]:
        for frame in found:
            yield frame.frame, [Dot("3")]


def test_a_photo_itself_is_left_alone() -> None:
    image = np.full((4, 5, 3), 90, np.uint8)
    records, drawn = Dots().annotate(image)
    assert records == [{"is_looking": True}]
    assert drawn[0, 0].tolist() == [7, 7, 7]
    assert (image == 90).all()


def test_without_a_face_it_comes_back_as_it_is() -> None:
    records, drawn = Dots().annotate(np.zeros((4, 5, 3), np.uint8))
    assert records == []
    assert not drawn.any()


def test_each_face_of_a_video_has_its_track(tmp_path: Path) -> None:
    write_gray_video(tmp_path / "v.mp4", [90, 91], 25.0)
    frames = list(Dots().annotate_video(tmp_path / "v.mp4"))
    assert [frame.number for frame in frames] == [0, 1]
    assert all(frame.records == [{"track_id": "3", "is_looking": True}] for frame in frames)
    assert all(frame.drawn.shape == (*SIZE, 3) for frame in frames)
    assert all(frame.drawn[0, 0].tolist() == [7, 7, 7] for frame in frames)


def test_of_a_damaged_video_all_sound_frames_come_before_the_error(tmp_path: Path) -> None:
    path = write_damaged_video(tmp_path / "v.mp4")
    sound: list[int] = []
    found: list[int] = []
    with pytest.raises(DamagedVideoError):
        sound.extend(number for number, _ in read_frames(path))
    with pytest.raises(DamagedVideoError):
        found.extend(frame.number for frame in Dots().annotate_video(path))
    assert len(sound) > 1
    assert found == sound
