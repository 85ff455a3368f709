"""When the frames of a video are shown, by number."""

from array import array
from bisect import bisect_right

from common.media.presentation import Shown


class FrameTimes:
    """Begins and ends of frames in seconds; eight bytes a frame and time.

    A frame is shown until the next one. Where some between were lost, each has its equal share.
    """

    def __init__(self) -> None:
        self._numbers = array("q")
        self._times_s = array("d")
        self._end_s = 0.0

    def add(self, number: int, shown: Shown) -> None:
        """Take the next frame; its duration counts if it stays the last."""
        self._numbers.append(number)
        self._times_s.append(shown.time_s)
        self._end_s = shown.time_s + shown.duration_s

    def begin_s(self, number: int) -> float:
        """Return when a frame that was added is first shown."""
        return self._times_s[bisect_right(self._numbers, number) - 1]

    def end_s(self, number: int) -> float:
        """Return when it is shown no more."""
        following = bisect_right(self._numbers, number)
        if following == len(self._numbers):
            return self._end_s
        begin_s = self._times_s[following - 1]
        num_frames = self._numbers[following] - number
        return begin_s + (self._times_s[following] - begin_s) / num_frames
