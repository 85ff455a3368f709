"""Videos, read with PyAV: frames by exact numbers, and when each of them is shown.

A frame's number is its 0-based position in the decoded stream. Seeking finds the wrong frame in
many files, EYEDIAP's .mov among them, so that reading is sequential from the start, or from a
picture of which it is known that decoding from there changes nothing (`common.media.video_index`).
Frames that nobody wants are decoded but not converted to RGB. A frame's time is the file's own
(`common.media.presentation`): phones and screen recorders vary their rate.
"""

import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from common.arrays import Image
from common.media.declared_end import num_missing_bytes
from common.media.presentation import PresentationClock, Shown
from common.media.video_index import SeekPoint, num_beyond_end, seek_point

# What a `DamagedVideoError` says; stores keep it as a reason, and look for it there.
DECODING_FAILED = "decoding failed"
FRAMES_DAMAGED = "of the wanted frames are damaged"

# What FFmpeg opens as a video though it is none: pictures, and text shown as a terminal would.
_NO_VIDEO_FORMATS = ("image2", "tty", "bin", "xbin", "adf", "idf")
_PICTURE_FORMAT = "_pipe"
# Playlists would have it open other files and addresses.
_OPENING = {"protocol_whitelist": "file"}


class DamagedVideoError(ValueError):
    """A video that decodes only in part; raised after its sound frames were handed out."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header says, and how its first frame is shown.

    Attributes:
        num_frames: frames, 0 if the header does not say.
        fps_hz: mean frame rate; of frames at uneven times the header's word for it.
        width: pixels as shown, turned as the file asks.
        height: pixels as shown, turned as the file asks.
        num_beyond_end: frames that lie after the end of the file, by the header: it was cut short.
        num_missing_bytes: bytes that lie after the end of the file, by the header: likewise.
        time_base_s: of which frames' times are multiples.
    """

    num_frames: int
    fps_hz: float
    width: int
    height: int
    num_beyond_end: int = 0
    num_missing_bytes: int = 0
    time_base_s: Fraction = Fraction(1, 90000)


class TimedFrame(NamedTuple):
    """A frame and when it is shown.

    Attributes:
        number: 0-based position in the decoded stream.
        image: (H, W, 3) uint8 RGB.
        shown: when it is shown.
    """

    number: int
    image: Image
    shown: Shown


def is_video(path: Path) -> bool:
    """Return whether a file is a video by its content: FFmpeg opens it and sees a picture."""
    try:
        info = video_info(path)
    except ValueError:
        return False
    return info.width > 0 and info.height > 0


def video_info(path: Path) -> VideoInfo:
    """Read a video's header and decode one frame, which knows how it is turned.

    Raises:
        ValueError: If the file cannot be opened as a video.
    """
    with _open_video(path) as (container, stream):
        rate = float(stream.average_rate or 0)
        num_lost = num_beyond_end(stream, path.stat().st_size)
        time_base, size = stream.time_base, (stream.width, stream.height)
        width, height = size[::-1] if _is_transposed(container, stream) else size
        missing = num_missing_bytes(path)
        return VideoInfo(stream.frames, rate, width, height, num_lost, missing, time_base)


def num_frames(path: Path) -> int:
    """Return how many frames a video has, without decoding it.

    From the header, else by counting packets. A damaged file may decode to fewer.

    Raises:
        ValueError: If the file cannot be opened as a video.
    """
    with _open_video(path) as (container, stream):
        if stream.frames:
            return int(stream.frames)
        count = 0
        with suppress(av.error.FFmpegError):
            for packet in container.demux(stream):
                count += packet.size > 0
        return count


def read_frames(path: Path, wanted: Collection[int] | None = None) -> Iterator[tuple[int, Image]]:
    """Decode a video, from its start where an exact later one is not known.

    Frames are turned and mirrored as the file asks (phones). Decoding stops after the last wanted
    frame. A wanted number past the end is no error, it just never comes, unless the file was cut.

    Args:
        path: video file.
        wanted: 0-based numbers of the frames to yield; None yields all.

    Yields:
        (number, (H, W, 3) uint8 RGB) in ascending order.

    Raises:
        ValueError: If the file cannot be opened as a video.
        DamagedVideoError: If frames are damaged, or the file was cut short before one that is
            wanted. Sound ones keep their numbers and are yielded first: damaged ones are left out,
            and where the decoder gives up the rest is lost.
    """
    for number, image, _ in _sound_frames(path, wanted):
        yield number, image


def read_timed_frames(path: Path) -> Iterator[TimedFrame]:
    """Decode a video and tell when each frame is shown; else as `read_frames`."""
    for frame in _sound_frames(path, None):
        yield TimedFrame(*frame)


def _sound_frames(path: Path, wanted: Collection[int] | None) -> Iterator[tuple[int, Image, Shown]]:
    last = None if wanted is None else max(wanted, default=-1)
    start = SeekPoint(0, 0) if wanted is None else _start(path, min(wanted, default=0))
    num_damaged, index = 0, start.number - 1
    # One for all frames, which else have one each with threads of its own.
    converter, orientation = VideoReformatter(), None
    with _open_video(path) as (container, stream):
        stream.codec_context.thread_count = 1  # one video a process
        if start.number:
            container.seek(start.timestamp, stream=stream)
        decoded, clock = container.decode(stream), PresentationClock(container, stream)
        while last is None or index < last:
            frame = _next_frame(path, decoded, index)
            if frame is None:
                _check_end(path, stream, index)
                break
            index += 1
            shown = clock.shown(frame)
            is_wanted = wanted is None or index in wanted
            num_damaged += is_wanted and frame.is_corrupt
            if is_wanted and not frame.is_corrupt:
                # Asked of one: what was asked stays in memory until Python collects garbage.
                orientation = orientation or _orientation(frame)
                yield index, _rgb(converter, frame, orientation), shown
    if num_damaged:
        raise DamagedVideoError(f"{path}: {num_damaged} {FRAMES_DAMAGED}")


def _next_frame(path: Path, decoded: Iterator[av.VideoFrame], last: int) -> av.VideoFrame | None:
    try:
        return next(decoded, None)
    except av.error.FFmpegError as error:
        raise DamagedVideoError(
            f"{path}: {DECODING_FAILED} after frame {last}: {error.strerror}"
        ) from error


def _check_end(path: Path, stream: Any, last: int) -> None:
    """Refuse a file whose frames are over before it says that it ends."""
    num_missing = num_missing_bytes(path)
    if num_missing or num_beyond_end(stream, path.stat().st_size):
        lacks = f", {num_missing} bytes are missing" if num_missing else ""
        raise DamagedVideoError(
            f"{path}: {DECODING_FAILED} after frame {last}: the file was cut short{lacks}"
        )


@contextmanager
def _open_video(path: Path) -> Iterator[tuple[Any, Any]]:
    if not path.is_file():
        raise ValueError(f"no video file {path}")
    try:
        # Absolute, because of "12:30.mp4" FFmpeg asks for the protocol 12. A title in another
        # encoding is no damage.
        container = av.open(str(path.absolute()), options=_OPENING, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise ValueError(
            f"{path} cannot be opened as a video ({error.strerror}); "
            "it is another kind of file, or its copy or download was cut short"
        ) from error
    with container:
        yield container, _video_stream(path, container)


def _video_stream(path: Path, container: Any) -> Any:
    """Return the first stream of moving pictures; photos, texts and songs with a cover lack one."""
    name = container.format.name
    is_none = name in _NO_VIDEO_FORMATS or name.endswith(_PICTURE_FORMAT)
    for stream in () if is_none else container.streams.video:
        # A stream without a codec has no size either.
        if stream.codec_context is not None and not stream.disposition & Disposition.attached_pic:
            return stream
    raise ValueError(f"{path} has no video stream that can be decoded ({name})")


def _start(path: Path, number: int) -> SeekPoint:
    """Return where to start decoding so as to meet a frame."""
    with _open_video(path) as (container, stream):
        return seek_point(container, stream, max(number, 0)) or SeekPoint(0, 0)


def _is_transposed(container: Any, stream: Any) -> bool:
    """Return whether frames are shown on their side; False if none decodes."""
    try:
        frame = next(container.decode(stream), None)
    except av.error.FFmpegError:
        return False
    return frame is not None and _orientation(frame)[0]


def _rgb(
    converter: VideoReformatter, frame: av.VideoFrame, orientation: tuple[bool, bool, bool]
) -> Image:
    """Return a frame as it is shown."""
    converted = converter.reformat(frame, format="rgb24", threads=1)
    image: Image = np.asarray(converted.to_ndarray(), np.uint8)
    is_transposed, is_mirrored, is_upended = orientation
    image = image.transpose(1, 0, 2) if is_transposed else image
    image = image[:, ::-1] if is_mirrored else image
    return np.ascontiguousarray(image[::-1] if is_upended else image)


def _orientation(frame: Any) -> tuple[bool, bool, bool]:
    """Return whether a frame of PyAV is shown transposed, then mirrored, then upended.

    By the nearest quarter turn, if it is turned obliquely. The matrix (ISO/IEC 14496-12, 6.2.2)
    takes a pixel (x, y), y down, to (ax + cy, bx + dy).
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, False, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    is_transposed = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if is_transposed else (a, d)
    return is_transposed, across < 0, down < 0
