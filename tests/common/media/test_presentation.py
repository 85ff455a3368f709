"""Every frame has the time at which players show it."""

from pathlib import Path

import pytest
from builders.small_videos import remuxed, write_gray_video, write_uneven_video

from common.media.presentation import Shown
from common.media.video import read_timed_frames, video_info
from common.media.video_writer import write_timed_video

# A camera that stood still for four seconds.
TIMES_MS = [0, 40, 80, 4000, 4100, 4350]


def times_s(path: Path) -> list[float]:
    return [frame.shown.time_s for frame in read_timed_frames(path)]


@pytest.mark.parametrize("name", ["v.mkv", "v.mp4", "v.flv"])
def test_uneven_times_are_the_files_own(tmp_path: Path, name: str) -> None:
    path = write_uneven_video(tmp_path / name, [50] * 6, TIMES_MS)
    assert times_s(path) == pytest.approx([ms / 1000 for ms in TIMES_MS])


def test_a_transport_stream_begins_with_zero_wherever_its_clock_stands(tmp_path: Path) -> None:
    late = write_uneven_video(tmp_path / "v.mkv", [50] * 6, [ms + 60_000 for ms in TIMES_MS])
    path = remuxed(late, tmp_path / "v.mts", "mpegts")
    assert times_s(path) == pytest.approx([ms / 1000 for ms in TIMES_MS], abs=1e-4)


def test_a_stream_without_times_runs_at_its_rate(tmp_path: Path) -> None:
    path = remuxed(write_gray_video(tmp_path / "v.mp4", [50] * 6, 25), tmp_path / "v", "h264")
    assert times_s(path) == pytest.approx([i / 25 for i in range(6)])


def test_times_never_go_back(tmp_path: Path) -> None:
    first = write_uneven_video(tmp_path / "a.mkv", [50] * 3, [0, 40, 80])
    joined = tmp_path / "joined.ts"
    content = remuxed(first, tmp_path / "a.ts").read_bytes()
    joined.write_bytes(content + content)
    found = times_s(joined)
    assert len(found) == 6
    assert found == sorted(set(found))


@pytest.mark.parametrize("name", ["v.mkv", "v.mp4"])
def test_a_video_written_with_times_keeps_them_and_its_length(tmp_path: Path, name: str) -> None:
    source = write_uneven_video(tmp_path / name, [50] * 6, TIMES_MS)
    frames = list(read_timed_frames(source))
    made = tmp_path / "made.mp4"
    write_timed_video(made, ((f.image, f.shown) for f in frames), video_info(source))
    again = list(read_timed_frames(made))
    assert [f.shown.time_s for f in again] == [f.shown.time_s for f in frames]
    # 4.35 s and the last frame's 40 ms.
    assert again[-1].shown.duration_s == pytest.approx(0.04)
    assert 6 / video_info(made).fps_hz == pytest.approx(4.39, abs=1e-3)


def test_frames_that_are_shown_at_once_still_follow_each_other(tmp_path: Path) -> None:
    info = video_info(write_gray_video(tmp_path / "v.mp4", [50]))
    frames = [(frame.image, Shown(0.0, 0.1)) for frame in read_timed_frames(tmp_path / "v.mp4")]
    write_timed_video(tmp_path / "made.mp4", frames * 3, info)
    found = times_s(tmp_path / "made.mp4")
    assert found == sorted(set(found))
    assert len(found) == 3
