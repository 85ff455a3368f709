"""A clip's faces: one pass, track order, and a row for every image whatever is wrong with it."""

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import PIL.ExifTags
import PIL.Image
import pytest
from builders.fake_lam import FakePreparer, image_file, raw_face
from builders.small_videos import write_damaged_video

from common.media.photo import read_photo
from common.media.video import read_frames
from common.media.video_writer import write_video
from common.store.skipped import Skipped
from gazepose.preprocessing import clip_faces as module
from gazepose.preprocessing.clip_faces import NO_BOX, NO_FILE, OUTSIDE, clip_faces
from gazepose.preprocessing.preparation import PreparedFace
from gazepose.readers.clip import Clip, FaceTrack
from gazepose.readers.sample import Frame, RawFace

NUM_FRAMES, WIDTH, HEIGHT = 40, 64, 48
LEFT_HALF, RIGHT_HALF = [0.0, 0.0, 32.0, 48.0], [32.0, 0.0, 64.0, 48.0]
# A frame's gray tells its number: compression changes it by less than half a step.
STEP = 5


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = (np.full((HEIGHT, WIDTH, 3), STEP * i, np.uint8) for i in range(NUM_FRAMES))
    write_video(path, frames, 30.0, quality=1)
    return path


def track(name: str, frames: list[int], boxes: Any = None) -> FaceTrack:
    boxes = [LEFT_HALF] * len(frames) if boxes is None else boxes
    return FaceTrack(
        name,
        f"person of {name}",
        np.array(frames, np.int32),
        np.array(boxes, np.float64),
        np.arange(len(frames)) % 3 == 0,
        (np.arange(len(frames)) % 2).astype(np.int8),
    )


def clip(video: Path, *tracks: FaceTrack, first: int = 0, skipped: Any = ()) -> Clip:
    return Clip("c1", "train", video, first, tracks, tuple(skipped))


def measured(clip: Clip) -> list[tuple[RawFace, PreparedFace | None] | Skipped]:
    return list(clip_faces(clip.rows(), FakePreparer(), lambda: None))


def rows(clip: Clip) -> list[RawFace]:
    return [item[0] for item in measured(clip) if not isinstance(item, Skipped)]


def reasons(items: list[Any]) -> dict[str, str]:
    return {item.sample_id: item.reason for item in items if isinstance(item, Skipped)}


def shown_frames(items: list[Any]) -> list[int | None]:
    faces = [item[1] for item in items if not isinstance(item, Skipped)]
    return [None if face is None else round(face.sharpness / STEP) for face in faces]


def test_rows_come_track_by_track_and_show_their_frames(video: Path) -> None:
    made = clip(video, track("b", [3, 4, 30]), track("a", [0, 3, 39]))
    found = rows(made)
    assert [f.track_id for f in found] == ["b", "b", "b", "a", "a", "a"]
    assert [f.frame for f in found] == shown_frames(measured(made)) == [3, 4, 30, 0, 3, 39]
    assert [f.track_index for f in found] == [0, 1, 2, 0, 1, 2]
    assert [f.label for f in found] == [0, 1, 0] * 2
    assert [f.is_interpolated for f in found] == [True, False, False] * 2
    assert {(f.clip_uid, f.part, f.unique_id) for f in found} == {("c1", "train", "")}
    assert found[-1].person_id == "person of a"
    np.testing.assert_array_equal(found[0].bbox_xyxy_px, LEFT_HALF)


@pytest.mark.parametrize("first", [5, -1])
def test_frames_count_from_the_clips_first(video: Path, first: int) -> None:
    made = clip(video, track("t", [1, 10]), first=first)
    assert [f.frame for f in rows(made)] == [1, 10]
    assert shown_frames(measured(made)) == [1 + first, 10 + first]


def test_a_doubled_frame_is_two_rows(video: Path) -> None:
    made = clip(video, track("t", [7, 7, 8], [LEFT_HALF, RIGHT_HALF, LEFT_HALF]))
    assert shown_frames(measured(made)) == [7, 7, 8]


def test_boxes_without_pixels_keep_their_row(video: Path) -> None:
    boxes = [LEFT_HALF, [200.0, 0.0, 240.0, 40.0], [np.nan] * 4, LEFT_HALF]
    made = measured(clip(video, track("t", [1, 2, 3, 4], boxes)))
    assert shown_frames(made) == [1, None, None, 4]
    assert reasons(made) == {"c1:t:2": OUTSIDE, "c1:t:3": NO_BOX}


def test_frames_past_the_end_keep_their_row(video: Path) -> None:
    made = measured(clip(video, track("t", [38, 39, 40, 90])))
    assert shown_frames(made) == [38, 39, None, None]
    assert list(reasons(made)) == ["c1:t:40", "c1:t:90"]
    assert all(re.search(f"{video}.* 39", why) for why in reasons(made).values())


def test_a_damaged_video_gives_its_sound_frames(tmp_path: Path) -> None:
    path = write_damaged_video(tmp_path / "damaged.mp4", NUM_FRAMES)
    made = measured(clip(path, track("t", list(range(NUM_FRAMES)))))
    has_image = [shown is not None for shown in shown_frames(made)]
    assert len(has_image) == NUM_FRAMES
    assert all(has_image[:10])
    lost = reasons(made)
    assert len(lost) == has_image.count(False) > 0
    assert all("damaged.mp4" in why for why in lost.values())


def test_a_video_that_cannot_be_opened_is_an_error(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "torn.mp4"
    path.write_bytes(video.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"torn\.mp4"):
        rows(clip(path, track("t", [1])))
    with pytest.raises(ValueError, match=r"gone\.mp4"):
        rows(clip(tmp_path / "gone.mp4", track("t", [1])))


def test_a_clip_without_tracks_opens_no_video(tmp_path: Path) -> None:
    what = Skipped("c1:t:0", "t", "c1", "a box of nobody")
    made = clip(tmp_path / "gone.mp4", skipped=[what])
    assert measured(made) == [what]


def test_only_frames_with_boxes_are_asked_for_in_one_pass(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []

    def recorded(path: Path, wanted: Any) -> Any:
        asked.append(sorted(wanted))
        return read_frames(path, wanted)

    monkeypatch.setattr(module, "read_frames", recorded)
    rows(clip(video, track("a", [3, 9]), track("b", [9, 12])))
    assert asked == [[3, 9, 12]]


def test_each_video_of_a_clip_is_read_once(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(video.read_bytes())
    asked: list[Path] = []

    def recorded(path: Path, wanted: Any) -> Any:
        asked.append(path)
        return read_frames(path, wanted)

    monkeypatch.setattr(module, "read_frames", recorded)
    parts = [clip(path, track(name, [5, 6])).rows() for path in (video, other) for name in "ab"]
    made = list(clip_faces(chain(*parts), FakePreparer(), lambda: None))
    assert shown_frames(made) == [5, 6] * 4
    assert asked == [video, other]


def file_row(image: Path | None) -> RawFace:
    return raw_face("c1", 0 if image is None else int(image.stem), image)


def test_files_are_read_in_the_order_of_their_rows_and_what_is_wrong_costs_no_row(
    tmp_path: Path,
) -> None:
    (tmp_path / "7").write_bytes(b"torn")
    images = [image_file(3 * STEP), tmp_path / "7", tmp_path / "8", None, image_file(STEP)]
    made = list(clip_faces(map(file_row, images), FakePreparer(), lambda: None))
    assert shown_frames(made) == [3, None, None, None, 1]
    assert reasons(made) == {"c1:t:107": "damaged image", "c1:t:108": NO_FILE}
    assert [isinstance(item, Skipped) for item in made] == [0, 1, 0, 1, 0, 0, 0]


def test_a_box_of_a_photo_is_cut_from_it_upright(tmp_path: Path) -> None:
    path, pixels = tmp_path / "photo.jpg", np.zeros((40, 60, 3), np.uint8)
    pixels[:, 30:] = 10 * STEP
    turned = PIL.Image.Exif()
    turned[PIL.ExifTags.Base.Orientation] = 8  # to be turned counter-clockwise: right is up
    PIL.Image.fromarray(pixels).save(path, quality=100, exif=turned)
    boxes = [[5.0, 5, 35, 25], [5, 35, 35, 55], [100, 0, 120, 20]]
    row = raw_face("c1", 0, None)
    items = [replace(row, image=Frame(path), bbox_xyxy_px=np.array(box)) for box in boxes]
    items.append(replace(items[0], image=Frame(tmp_path / "gone.jpg")))
    made = list(clip_faces(items, FakePreparer(), lambda: None))
    assert shown_frames(made) == [10, 0, None, None]
    outside, gone = (item.reason for item in made if isinstance(item, Skipped))
    assert outside == OUTSIDE
    assert "FileNotFoundError" in gone


def test_every_row_is_told_once_whatever_becomes_of_its_image(video: Path, tmp_path: Path) -> None:
    boxes = [LEFT_HALF, [np.nan] * 4, LEFT_HALF]
    in_video = clip(video, track("t", [1, 2, 90], boxes), skipped=[Skipped("a", "", "c1", "b")])
    told: list[int] = []
    items = chain(in_video.rows(), map(file_row, [image_file(STEP), tmp_path / "8", None]))
    list(clip_faces(items, FakePreparer(), lambda: told.append(1)))
    assert len(told) == 6


def test_a_photo_is_opened_once_for_all_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def recorded(path: Path) -> Any:
        opened.append(path.name)
        return read_photo(path)

    monkeypatch.setattr(module, "read_photo", recorded)
    for level, name in ((2, "a.png"), (3, "b.png")):
        PIL.Image.new("RGB", (60, 40), (level * STEP,) * 3).save(tmp_path / name)
    names = ["a.png", "b.png", "a.png", "gone.png", "gone.png"]
    row = raw_face("c1", 0, None)
    items = [replace(row, image=Frame(tmp_path / name)) for name in names]
    made = list(clip_faces(items, FakePreparer(), lambda: None))
    assert shown_frames(made) == [2, 3, 2, None, None]
    assert opened == ["a.png", "b.png", "gone.png"]
