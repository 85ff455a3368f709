"""Do a video and its annotations agree? By rate over the whole length, and by length."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.small_ego4d import clip

from common.media.video import VideoInfo
from gazepose.readers.ego4d.annotation import ClipAnnotation, parse_clip
from gazepose.readers.ego4d.video_check import check_video, video_cases

PATH = Path("v.mp4")


def annotation(num_frames: int | None = 9000) -> ClipAnnotation:
    end_s = None if num_frames is None else num_frames / 30
    return parse_clip(clip("aaa", clip_end_frame=num_frames, clip_end_sec=end_s))


def kinds(info: VideoInfo, annotated: int = 9000, start: int | None = None) -> set[str]:
    return {kind for kind, _ in video_cases(info, annotation(annotated), start)}


def header(num_frames: int = 9000, fps_hz: float = 30.0) -> VideoInfo:
    return VideoInfo(num_frames, fps_hz, 64, 48)


@pytest.mark.parametrize(
    ("fps_hz", "num_frames", "is_other"),
    [
        (30.0, 9000, False),
        (30.0 * (1 + 1.1e-4), 9000, False),  # one frame more or less in five minutes
        (30000 / 1001, 9000, True),
        (29.5, 9000, True),
        (30000 / 1001, 400, False),  # less than half a frame from end to end
        (29.5, 400, True),
        (30000 / 1001, 0, True),
        (0.0, 9000, False),
    ],
)
def test_rates_differ_where_frames_drift(fps_hz: float, num_frames: int, is_other: bool) -> None:
    assert ("other_rate" in kinds(header(num_frames, fps_hz))) == is_other


def test_another_rate_is_refused_with_both_rates() -> None:
    with pytest.raises(ValueError, match=r"v\.mp4.*aaa.*29\.97 Hz.* 30.*ffmpeg .*fps=30 "):
        check_video(PATH, header(fps_hz=29.97), annotation(), None)


@pytest.mark.parametrize(
    ("num_frames", "annotated", "start", "is_odd", "is_refused"),
    [
        (8999, 9000, None, False, False),
        (8991, 9000, None, True, False),
        (8990, 9000, None, False, True),
        (9011, 9000, None, False, True),
        (41, 40, None, False, False),
        (38, 40, None, False, True),
        (20_000, 9000, 4000, False, False),  # a recording may go on
        (12_990, 9000, 4000, True, False),
        (12_900, 9000, 4000, False, True),
        (0, 9000, None, False, False),  # not said
    ],
)
def test_lengths_differ_by_more_than_one_and_more_than_one_in_a_thousand(
    num_frames: int, annotated: int, start: int | None, is_odd: bool, is_refused: bool
) -> None:
    info, of_clip = header(num_frames), annotation(annotated)
    assert ("odd_length" in kinds(info, annotated, start)) == is_odd
    check_video(PATH, info, of_clip, start, check_length=False)
    if not is_refused:
        check_video(PATH, info, of_clip, start)
        return
    expected = annotated + (start or 0)
    with pytest.raises(ValueError, match=rf"aaa.*{num_frames} frames.* {expected};"):
        check_video(PATH, info, of_clip, start)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"width": 1920, "height": 1080}, set()),
        ({"num_missing_bytes": 9}, {"cut_video"}),
        ({"num_beyond_end": 3}, {"cut_video"}),
    ],
)
def test_a_large_video_is_as_it_should_be_and_a_cut_one_is_not(
    changes: dict[str, int], expected: set[str]
) -> None:
    assert kinds(replace(header(), **changes)) == expected


def test_annotations_that_do_not_say_their_length_take_any() -> None:
    check_video(PATH, header(77), annotation(None), None)
