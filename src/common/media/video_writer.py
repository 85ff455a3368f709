"""Videos, written with PyAV: at a constant rate, or each frame at its own time."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from common.arrays import Image
from common.files.atomic import partial_path
from common.media.presentation import USUAL_FPS_HZ, Shown
from common.media.video import VideoInfo

# x264's CRF; it looks lossless.
QUALITY = 18
REPRODUCIBLE_X264 = {"threads": "1", "x264-params": "mbtree=0"}
# Finer than any camera's, and understood by every encoder and player.
_FINEST_TIME_BASE_S = Fraction(1, 90000)


def write_video(
    path: Path,
    frames: Iterable[Image],
    fps_hz: float,
    *,
    quality: int = QUALITY,
    preset: str = "medium",
    is_reproducible: bool = False,
) -> None:
    """Encode frames as H.264, the file whole or not at all.

    Args:
        path: where to write; the suffix (.mp4, .mov, .mkv) chooses the container.
        frames: (H, W, 3) uint8 RGB, all of one size. Odd sides grow by one repeated pixel,
            because the 4:2:0 colour that every player understands needs even ones.
        fps_hz: frame rate.
        quality: x264's CRF, 0 (largest) to 51.
        preset: x264's trade of time for size, "ultrafast" to "veryslow".
        is_reproducible: the same frames give the same bytes, everywhere: one thread, and without
            x264's macroblock tree, which for some heights (540) differs from run to run.

    Raises:
        ValueError: If there are no frames, or they differ in size.
    """
    options = REPRODUCIBLE_X264 if is_reproducible else {}
    options = {"crf": str(quality), "preset": preset, **options}
    rate = Fraction(fps_hz).limit_denominator(1001)
    _encode(path, ((frame, None) for frame in frames), rate, None, options)


def write_timed_video(path: Path, frames: Iterable[tuple[Image, Shown]], source: VideoInfo) -> None:
    """Encode frames as `write_video`, each to be shown at its own time.

    Args:
        path: as `write_video`.
        frames: as `write_video`, and when they are shown; times ascend.
        source: of a video whose frames these are: its time base, so that times stay the same.
    """
    # Measured at 1280 x 720: 14 ms a frame; "medium" at CRF 18 takes 61, "veryfast" 23, both for as
    # many bytes and half a decibel more (40.3 instead of 39.9).
    # Pictures that wait for later ones ("bf") would leave an MP4 too short, by their uneven delay.
    # A key frame each 50 ("g", else 250) lets a browser jump five times faster, for 6 % more bytes.
    options = {"crf": "22", "preset": "superfast", "bf": "0", "g": "50"}
    rate = Fraction(source.fps_hz or USUAL_FPS_HZ).limit_denominator(1001)
    ticks = _Ticks(max(source.time_base_s, _FINEST_TIME_BASE_S))
    _encode(path, frames, rate, ticks, options)


class _Ticks:
    """Times of frames and packets in units of an encoder's time base."""

    def __init__(self, time_base_s: Fraction) -> None:
        self.time_base_s = time_base_s
        self._last = -1
        self._durations: dict[int, int] = {}

    def stamp(self, frame: av.VideoFrame, shown: Shown) -> None:
        """Say when a frame is shown: after the one before, if by one tick."""
        self._last = max(self._last + 1, round(shown.time_s / self.time_base_s))
        frame.time_base, frame.pts = self.time_base_s, self._last
        self._durations[self._last] = round(shown.duration_s / self.time_base_s)

    def measure(self, packet: Any) -> None:
        """Say how long a packet's frame stays; x264 does not, and the last one has no next."""
        packet.duration = self._durations.pop(packet.pts)


def _encode(
    path: Path,
    frames: Iterable[tuple[Image, Shown | None]],
    rate: Fraction,
    ticks: _Ticks | None,
    options: dict[str, str],
) -> None:
    """Write frames, at a constant rate without `ticks`."""
    with partial_path(path) as partial, av.open(str(partial), "w") as container:
        stream: Any = None
        size = None
        for image, shown in frames:
            if stream is None:
                stream, size = _add_stream(container, image, rate, options), image.shape
                if ticks is not None:
                    stream.codec_context.time_base = ticks.time_base_s
            if image.shape != size:
                raise ValueError(f"{path}: frame of shape {image.shape} after {size}")
            frame = _even_frame(image)
            if ticks is not None and shown is not None:
                ticks.stamp(frame, shown)
            _mux(container, stream.encode(frame), ticks)
        if stream is None:
            raise ValueError(f"{path}: no frames to write")
        _mux(container, stream.encode(), ticks)


def _mux(container: Any, packets: Iterable[Any], ticks: _Ticks | None) -> None:
    for packet in packets:
        if ticks is not None:
            ticks.measure(packet)
        container.mux(packet)


def _add_stream(container: Any, frame: Image, rate: Fraction, options: dict[str, str]) -> Any:
    stream = container.add_stream("libx264", rate=rate, options=options)
    height, width = frame.shape[:2]
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    return stream


def _even_frame(frame: Image) -> av.VideoFrame:
    height, width = frame.shape[:2]
    even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return av.VideoFrame.from_ndarray(even, format="rgb24")
