"""A folder of anybody's videos as a data set."""

import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from builders.coloured_faces import GREEN, RED, SIDE, square_settings, write_faces_video
from builders.small_videos import cut_short

from common.faces.tracking import TrackingSettings
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.own_videos import VideosReader
from gazepose.readers.sample import Frame, RawFace

STILL = [60] * 12


def reader(folder: Path, **tracking: float) -> VideosReader:
    settings = TrackingSettings(**tracking)  # type: ignore[arg-type]
    return VideosReader(folder, analyzer=square_settings(), tracking=settings)


def clip_tracks(folder: Path, **tracking: float) -> tuple[FaceTrack, ...]:
    (group,) = reader(folder).groups()
    return reader(folder, **tracking).clip(group).tracks


def test_each_face_becomes_an_unlabelled_track(tmp_path: Path) -> None:
    lefts = {RED: [10 + i for i in range(12)], GREEN: [110 - i for i in range(12)]}
    write_faces_video(tmp_path / "v.mp4", lefts)
    red, green = clip_tracks(tmp_path)
    assert (red.track_id, green.track_id) == ("0", "1")
    for track, colour in ((red, RED), (green, GREEN)):
        np.testing.assert_array_equal(track.frames, np.arange(12))
        np.testing.assert_array_equal(track.labels, -1)
        assert not track.is_interpolated.any()
        np.testing.assert_allclose(track.boxes_xyxy_px[:, 0], lefts[colour], atol=1)
        np.testing.assert_allclose(np.ptp(track.boxes_xyxy_px[:, 0::2], axis=1), SIDE, atol=2)


def test_short_gaps_are_filled_and_long_ones_part_a_face(tmp_path: Path) -> None:
    gone = [None] * 3
    write_faces_video(tmp_path / "v.mp4", {RED: [20] * 6 + gone + [32] * 6})
    (whole,) = clip_tracks(tmp_path, max_gap=3)
    np.testing.assert_array_equal(whole.frames, np.arange(15))
    np.testing.assert_array_equal(np.flatnonzero(whole.is_interpolated), [6, 7, 8])
    np.testing.assert_allclose(whole.boxes_xyxy_px[5:10, 0], [20, 23, 26, 29, 32], atol=1)
    first, second = clip_tracks(tmp_path, max_gap=2)
    np.testing.assert_array_equal(first.frames, np.arange(6))
    np.testing.assert_array_equal(second.frames, np.arange(9, 15))


def test_rows_show_the_face_of_their_track(tmp_path: Path) -> None:
    path = write_faces_video(tmp_path / "v.mp4", {RED: [20] * 6, GREEN: [90] * 6})
    rows = list(reader(tmp_path).read("v.mp4"))
    assert len(rows) == 12
    for index, row in enumerate(rows):
        assert isinstance(row, RawFace)
        assert (row.clip_uid, row.part, row.label) == ("v.mp4", "test", -1)
        assert (row.track_id, row.frame, row.track_index) == (str(index // 6), index % 6, index % 6)
        assert row.image == Frame(path, index % 6)
        assert row.bbox_xyxy_px[0] == pytest.approx([20, 90][index // 6], abs=1)


def test_groups_are_named_by_their_files(tmp_path: Path) -> None:
    names = ["a b?.mp4", "party.mp4", "party.mov", "deep/x.mkv", "._party.mp4", "notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    expected = ["a_b_.mp4", "deep_x.mkv", "party.mov", "party.mp4"]
    assert VideosReader(tmp_path).groups() == expected
    # Of a place that makes too long a name its end is kept.
    for folder in ("a", "b"):
        path = tmp_path / "long" / (folder * 150) / ("x" * 150 + ".mp4")
        path.parent.mkdir(parents=True)
        path.touch()
    names = VideosReader(tmp_path / "long").groups()
    assert len({name[:8] for name in names}) == 2
    assert all(name.endswith("x.mp4") and len(name) < 150 for name in names)
    shutil.rmtree(tmp_path / "long")
    # Another video of that name changes nobody else's.
    (tmp_path / "party.avi").touch()
    assert VideosReader(tmp_path).groups() == sorted([*expected, "party.avi"])


def test_one_video_is_a_data_set_too(tmp_path: Path) -> None:
    path = write_faces_video(tmp_path / "my v.mp4", {RED: STILL})
    write_faces_video(tmp_path / "other.mp4", {RED: STILL})
    assert VideosReader(path).groups() == ["my_v.mp4"]
    assert len(reader(path).clip("my_v.mp4").tracks) == 1


def test_names_that_become_alike_stay_apart(tmp_path: Path) -> None:
    for name in ("a b.mp4", "a_b.mp4", "a?b.mp4"):
        (tmp_path / name).touch()
    assert len(set(VideosReader(tmp_path).groups())) == 3


@pytest.mark.parametrize(
    ("name", "fact"),
    [("nowhere", r"data\.raw_dir=.*nowhere"), (".", r"data\.raw_dir=.*notes\.txt")],
)
def test_a_folder_without_videos_says_so(tmp_path: Path, name: str, fact: str) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match=fact):
        VideosReader(tmp_path / name).groups()
    (finding,) = VideosReader(tmp_path / name).doctor()
    assert finding.severity == "error"


def test_a_video_is_one_by_its_content_and_others_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_faces_video(tmp_path / "v.mp4", {RED: STILL}).rename(tmp_path / "clip.dat")
    (tmp_path / "notes.txt").write_text("no video")
    assert reader(tmp_path).groups() == ["clip.dat"]
    assert re.search("1 file .*: notes.txt", caplog.text)
    assert "notes.txt" in reader(tmp_path).doctor()[-1].what


def test_a_file_that_is_no_video_is_an_error_of_its_group(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_bytes(b"no video")
    with pytest.raises(ValueError, match=r"v\.mp4"):
        list(reader(tmp_path).read("v.mp4"))


def test_the_doctor_names_what_cannot_be_opened_and_other_frame_rates(tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    write_faces_video(tmp_path / "good.mp4", {RED: STILL})
    write_faces_video(tmp_path / "slow.mp4", {RED: STILL}, fps_hz=10.0)
    broken, good, slow = VideosReader(tmp_path).doctor()
    assert (broken.severity, good.severity, slow.severity) == ("error", "note", "warning")
    assert "12 frames of 160 x 96 at 30 Hz" in good.what
    assert "0.70 s" in slow.what


def test_the_doctor_tells_a_video_that_was_cut_short(tmp_path: Path) -> None:
    cut_short(write_faces_video(tmp_path / "v.mp4", {RED: [i % 100 for i in range(30)]}))
    (finding,) = VideosReader(tmp_path).doctor()
    assert finding.severity == "warning"
    assert re.search(r"30 frames of .*, the last \d+ of them cut off", finding.what)
    path = write_faces_video(tmp_path / "mkv" / "v.mkv", {RED: STILL})
    path.write_bytes(path.read_bytes()[:-100])
    (finding,) = VideosReader(path.parent).doctor()
    assert finding.severity == "warning"
    assert "cut off: 100 bytes are missing" in finding.what


def test_of_a_damaged_video_the_sound_part_is_kept_and_the_rest_named(tmp_path: Path) -> None:
    path = write_faces_video(tmp_path / "v.mp4", {RED: [i % 100 for i in range(100)]})
    content = path.read_bytes()
    first, last = content.index(b"mdat") + 4, content.rindex(b"moov") - 4
    kept = first + 2 * (last - first) // 3
    path.write_bytes(content[:kept] + b"\xff" * (last - kept) + content[last:])
    rows = list(reader(tmp_path).read("v.mp4"))
    faces = [row for row in rows if isinstance(row, RawFace)]
    skipped = [row for row in rows if isinstance(row, Skipped)]
    assert 5 <= len(faces) < 100
    assert any("v.mp4" in row.reason for row in skipped)


def test_settings_say_how_faces_are_found_and_survive_a_spawned_process(tmp_path: Path) -> None:
    write_faces_video(tmp_path / "v.mp4", {RED: STILL})
    original = reader(tmp_path, max_gap=4)
    original.clip("v.mp4")
    copy = pickle.loads(pickle.dumps(original))
    assert copy.settings == original.settings
    assert original.settings["tracking"]["max_gap"] == 4
    assert copy.settings["analyzer"] == square_settings().recipe()
    assert len(copy.clip("v.mp4").tracks) == 1
