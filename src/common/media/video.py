"""Videos in and out, with PyAV: frames by exact numbers, never by timestamps.

A frame's number is its 0-based position in the decoded stream. Seeking finds the wrong frame in
many files, EYEDIAP's .mov among them, so that reading is sequential from the start, or from a
picture of which it is known that decoding from there changes nothing (`common.media.video_index`).
Frames that nobody wants are decoded but not converted to RGB.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from common.atomic import partial_path
from common.media.video_index import SeekPoint, num_beyond_end, seek_point

RgbImage = npt.NDArray[np.uint8]
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v")
# What a `DamagedVideoError` says; stores keep it as a reason, and look for it there.
DECODING_FAILED = "decoding failed"
FRAMES_DAMAGED = "of the wanted frames are damaged"

REPRODUCIBLE_X264 = {"threads": "1", "x264-params": "mbtree=0"}


class DamagedVideoError(ValueError):
    """A video that decodes only in part; raised after its sound frames were handed out."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header says, and how its first frame is shown.

    Attributes:
        num_frames: frames, 0 if the header does not say.
        fps_hz: mean frame rate.
        width: pixels as shown, rotation applied.
        height: pixels as shown, rotation applied.
        num_beyond_end: frames that lie after the end of the file, by the header: it was cut short.
    """

    num_frames: int
    fps_hz: float
    width: int
    height: int
    num_beyond_end: int = 0


def video_info(path: Path) -> VideoInfo:
    """Read a video's header and decode one frame, which knows its rotation.

    Raises:
        ValueError: If the file cannot be opened as a video.
    """
    with _open_video(path) as (container, stream):
        rate = float(stream.average_rate or 0)
        num_lost = num_beyond_end(stream, path.stat().st_size)
        size = stream.width, stream.height
        width, height = size[::-1] if _num_quarter_turns(container, stream) % 2 else size
        return VideoInfo(stream.frames, rate, width, height, num_lost)


def num_frames(path: Path) -> int:
    """Return how many frames a video has, without decoding it.

    From the header, else by counting packets. A damaged file may decode to fewer.

    Raises:
        ValueError: If the file cannot be opened as a video.
    """
    with _open_video(path) as (container, stream):
        if stream.frames:
            return int(stream.frames)
        return sum(packet.size > 0 for packet in container.demux(stream))


def read_frames(
    path: Path, wanted: Collection[int] | None = None, *, num_threads: int = 1
) -> Iterator[tuple[int, RgbImage]]:
    """Decode a video, from its start where an exact later one is not known.

    Rotation that the file asks for (phones) is applied. Decoding stops after the last wanted
    frame. A wanted number past the end is no error, it just never comes.

    Args:
        path: video file.
        wanted: 0-based numbers of the frames to yield; None yields all.
        num_threads: decoder threads; 1 suits one video a process, 0 lets FFmpeg choose.

    Yields:
        (number, (H, W, 3) uint8 RGB) in ascending order.

    Raises:
        ValueError: If the file cannot be opened as a video.
        DamagedVideoError: If frames are damaged. Sound ones keep their numbers and are yielded
            first: damaged ones are left out, and where the decoder gives up the rest is lost.
    """
    last = None if wanted is None else max(wanted, default=-1)
    start = SeekPoint(0, 0) if wanted is None else _start(path, min(wanted, default=0))
    num_damaged, index = 0, start.number - 1
    with _open_video(path) as (container, stream):
        stream.codec_context.thread_count = num_threads
        if start.number:
            container.seek(start.timestamp, stream=stream)
        decoded = container.decode(stream)
        while last is None or index < last:
            try:
                frame = next(decoded, None)
            except av.error.FFmpegError as error:
                raise DamagedVideoError(
                    f"{path}: {DECODING_FAILED} after frame {index}: {error.strerror}"
                ) from error
            if frame is None:
                break
            index += 1
            is_wanted = wanted is None or index in wanted
            num_damaged += is_wanted and frame.is_corrupt
            if is_wanted and not frame.is_corrupt:
                yield index, _rgb(frame)
    if num_damaged:
        raise DamagedVideoError(f"{path}: {num_damaged} {FRAMES_DAMAGED}")


def write_video(
    path: Path,
    frames: Iterable[RgbImage],
    fps_hz: float,
    *,
    quality: int = 18,
    preset: str = "medium",
    is_reproducible: bool = False,
) -> None:
    """Encode frames as H.264, the file whole or not at all.

    Args:
        path: where to write; the suffix (.mp4, .mov, .mkv) chooses the container.
        frames: (H, W, 3) uint8 RGB, all of one size. Odd sides grow by one repeated pixel,
            because the 4:2:0 colour that every player understands needs even ones.
        fps_hz: frame rate.
        quality: x264's CRF, 0 (largest) to 51; 18 looks lossless.
        preset: x264's trade of time for size, "ultrafast" to "veryslow".
        is_reproducible: the same frames give the same bytes, everywhere: one thread, and without
            x264's macroblock tree, which for some heights (540) differs from run to run.

    Raises:
        ValueError: If there are no frames, or they differ in size.
    """
    with partial_path(path) as partial, av.open(str(partial), "w") as container:
        stream: Any = None
        size = None
        for frame in frames:
            if stream is None:
                options = {"crf": str(quality), "preset": preset}
                options |= REPRODUCIBLE_X264 if is_reproducible else {}
                stream, size = _add_stream(container, frame, fps_hz, options), frame.shape
            if frame.shape != size:
                raise ValueError(f"{path}: frame of shape {frame.shape} after {size}")
            container.mux(stream.encode(_even_frame(frame)))
        if stream is None:
            raise ValueError(f"{path}: no frames to write")
        container.mux(stream.encode())


@contextmanager
def _open_video(path: Path) -> Iterator[tuple[Any, Any]]:
    if not path.is_file():
        raise ValueError(f"no video file {path}")
    try:
        # A title in another encoding is no damage.
        container = av.open(str(path), metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise ValueError(
            f"{path} cannot be opened as a video ({error.strerror}); "
            "it is another kind of file, or its copy or download was cut short"
        ) from error
    with container:
        if not container.streams.video:
            raise ValueError(f"{path} has no video stream")
        yield container, container.streams.video[0]


def _start(path: Path, number: int) -> SeekPoint:
    """Return where to start decoding so as to meet a frame."""
    with _open_video(path) as (container, stream):
        return seek_point(container, stream, max(number, 0)) or SeekPoint(0, 0)


def _num_quarter_turns(container: Any, stream: Any) -> int:
    """Return the turns of the first frame, 0 if no frame decodes."""
    try:
        frame = next(container.decode(stream), None)
    except av.error.FFmpegError:
        return 0
    return 0 if frame is None else _quarter_turns(frame)


def _quarter_turns(frame: av.VideoFrame) -> int:
    # Degrees counter-clockwise; numpy turns the same way round.
    return round(frame.rotation / 90) % 4


def _rgb(frame: av.VideoFrame) -> RgbImage:
    turned = np.rot90(frame.to_ndarray(format="rgb24"), k=_quarter_turns(frame))
    return np.ascontiguousarray(turned, dtype=np.uint8)


def _add_stream(container: Any, frame: RgbImage, fps_hz: float, options: dict[str, str]) -> Any:
    rate = Fraction(fps_hz).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate, options=options)
    height, width = frame.shape[:2]
    stream.width, stream.height = width + width % 2, height + height % 2
    stream.pix_fmt = "yuv420p"
    return stream


def _even_frame(frame: RgbImage) -> av.VideoFrame:
    height, width = frame.shape[:2]
    even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return av.VideoFrame.from_ndarray(even, format="rgb24")
