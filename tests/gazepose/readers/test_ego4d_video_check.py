"""Do a video and its annotations agree? By rate over the whole length, and by length."""

from pathlib import Path

import pytest
from builders.small_ego4d import clip

from common.media.video import VideoInfo
from gazepose.readers.ego4d.annotation import ClipAnnotation, parse_clip
from gazepose.readers.ego4d.video_check import (
    check_length,
    check_video,
    is_other_rate,
    length_difference,
)

PATH = Path("v.mp4")


def annotation(num_frames: int | None = 9000) -> ClipAnnotation:
    end_s = None if num_frames is None else num_frames / 30
    return parse_clip(clip("aaa", clip_end_frame=num_frames, clip_end_sec=end_s))


def header(num_frames: int = 9000, fps_hz: float = 30.0) -> VideoInfo:
    return VideoInfo(num_frames, fps_hz, 64, 48)


@pytest.mark.parametrize(
    ("fps_hz", "num_frames", "is_other"),
    [
        (30.0, 9000, False),
        (30.0 * (1 + 1.1e-4), 9000, False),  # one frame more or less in five minutes
        (30000 / 1001, 9000, True),
        (29.5, 9000, True),
        (30000 / 1001, 100_000, True),
        (30000 / 1001, 400, False),  # less than half a frame from end to end
        (29.5, 400, True),
        (30000 / 1001, 0, True),
        (0.0, 9000, False),
    ],
)
def test_rates_differ_where_frames_drift(fps_hz: float, num_frames: int, is_other: bool) -> None:
    assert is_other_rate(header(num_frames, fps_hz), annotation()) == is_other


def test_another_rate_is_refused_with_both_rates() -> None:
    message = "v.mp4 runs at 29.97 frames a second, the annotations of clip aaa at 30: .* ffmpeg"
    with pytest.raises(ValueError, match=message):
        check_video(PATH, header(fps_hz=29.97), annotation())


@pytest.mark.parametrize(
    ("num_frames", "start", "difference", "is_refused"),
    [
        (9000, None, 0, False),
        (8999, None, -1, False),
        (8991, None, -9, False),
        (8990, None, -10, True),
        (9011, None, 11, True),
        (20_000, 4000, 0, False),  # a recording may go on
        (12_990, 4000, -10, False),
        (12_900, 4000, -100, True),
        (0, None, 0, False),  # not said
    ],
)
def test_lengths_differ_by_more_than_one_in_a_thousand(
    num_frames: int, start: int | None, difference: int, is_refused: bool
) -> None:
    info = header(num_frames)
    assert length_difference(info, annotation(), start) == difference
    if not is_refused:
        check_length(PATH, info, annotation(), start)
        return
    with pytest.raises(ValueError, match=rf"has {num_frames} frames, .* clip aaa end at \d+"):
        check_length(PATH, info, annotation(), start)


def test_annotations_that_do_not_say_their_length_take_any() -> None:
    check_length(PATH, header(77), annotation(None), None)
