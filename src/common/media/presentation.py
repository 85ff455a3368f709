"""When each frame of a video is shown."""

from typing import Any, NamedTuple

import av

# Of a video whose header does not tell its own.
USUAL_FPS_HZ = 30.0


class Shown(NamedTuple):
    """When a frame is shown.

    Attributes:
        time_s: since the file's begin, where players show 0.
        duration_s: by the file, else by its mean rate; the next frame may come later.
    """

    time_s: float
    duration_s: float


class PresentationClock:
    """Tells the time of each frame of a stream, in the order in which they are decoded.

    A frame without a time (raw H.264 has none), or with one that is not after that of the frame
    before (a damaged or joined recording), follows that at the mean frame rate.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        # Transport streams begin anywhere. A negative start is an encoder's delay of the sound.
        self._origin_s = max(container.start_time or 0, 0) / av.time_base
        self._usual_s = 1 / float(stream.average_rate or USUAL_FPS_HZ)
        self._last_s: float | None = None

    def shown(self, frame: Any) -> Shown:
        """Return when the next decoded frame is shown."""
        earliest_s = 0.0 if self._last_s is None else self._last_s + self._usual_s
        time_s = earliest_s
        if frame.pts is not None:
            told_s = float(frame.pts * frame.time_base) - self._origin_s
            is_later = self._last_s is None or told_s > self._last_s
            time_s = told_s if is_later else earliest_s
        self._last_s = time_s
        duration_s = float((frame.duration or 0) * (frame.time_base or 0))
        return Shown(time_s, duration_s or self._usual_s)
