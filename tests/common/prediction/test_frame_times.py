"""A frame is shown until the next one."""

import pytest

from common.media.presentation import Shown
from common.prediction.track_summary import FrameTimes


def of(*frames: tuple[int, float]) -> FrameTimes:
    times = FrameTimes()
    for number, time_s in frames:
        times.add(number, Shown(time_s, 0.04))
    return times


def test_a_frame_ends_where_the_next_begins_and_the_last_after_its_own_duration() -> None:
    times = of((0, 0.0), (1, 0.04), (2, 4.8))
    assert [times.begin_s(i) for i in range(3)] == [0.0, 0.04, 4.8]
    assert [times.end_s(i) for i in range(3)] == pytest.approx([0.04, 4.8, 4.84])


def test_lost_frames_share_the_time_between_sound_ones() -> None:
    times = of((2, 0.2), (6, 1.0))
    assert times.begin_s(2) == 0.2
    assert times.end_s(2) == pytest.approx(0.4)
