"""Small videos."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from common.media.video_writer import write_video

SIZE = (64, 96)


def write_gray_video(path: Path, levels: Sequence[int], fps_hz: float = 10.0) -> Path:
    """Write a video whose frames are uniformly gray, of known levels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_video(path, (np.full((*SIZE, 3), level, np.uint8) for level in levels), fps_hz)
    return path


def write_damaged_video(path: Path, num_frames: int = 40) -> Path:
    """Write noise, the later half of which does not decode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (num_frames, *SIZE, 3), np.uint8)
    write_video(path, noise, 10.0)
    content = path.read_bytes()
    first = content.index(b"mdat") + 4
    # The index of the frames lies behind them and stays whole.
    last = content.rindex(b"moov") - 4
    kept = first + (last - first) // 2
    path.write_bytes(content[:kept] + b"\xff" * (last - kept) + content[last:])
    return path


def write_uneven_video(path: Path, levels: Sequence[int], times_ms: Sequence[int]) -> Path:
    """Write gray frames that are shown at times of their own, the last for 40 ms."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for level, time_ms in zip(levels, times_ms, strict=True):
            image = np.full((*SIZE, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            _mux_for_40_ms(container, stream.encode(frame))
        _mux_for_40_ms(container, stream.encode())
    return path


def _mux_for_40_ms(container: Any, packets: Any) -> None:
    for packet in packets:
        packet.duration = 40
        container.mux(packet)


def write_noise(
    path: Path, codec: str, num_frames: int = 30, container_format: str | None = None
) -> Path:
    """Write noise by another codec than ours, at 25 Hz."""
    generator = np.random.default_rng(0)
    with av.open(str(path), "w", format=container_format) as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for _ in range(num_frames):
            pixels = generator.integers(0, 256, (48, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())
    return path


def remuxed(path: Path, to: Path, container_format: str | None = None, **options: str) -> Path:
    """Copy a video's packets into another container, which the suffix names; FFmpeg's options."""
    with (
        av.open(str(path)) as given,
        av.open(str(to), "w", format=container_format, options=options) as made,
    ):
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                made.mux(packet)
    return to


def turn_clockwise(path: Path) -> Path:
    """Let an mp4 ask for a quarter turn clockwise, as a phone writes it in the track header."""
    return lay(path, 0, 1, -1, 0)


def lay(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Let an mp4 ask to be shown with pixel (x, y) at (ax + cy, bx + dy)."""
    data = path.read_bytes()
    at = data.index(_matrix(1, 0, 0, 1), data.index(b"tkhd"))
    matrix = _matrix(a, b, c, d)
    path.write_bytes(data[:at] + matrix + data[at + len(matrix) :])
    return path


def _matrix(a: int, b: int, c: int, d: int) -> bytes:
    return struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)


def cut_short(path: Path) -> Path:
    """Move an mp4's header to its front and lose half of its frames, as a broken download does."""
    made = remuxed(path, path.with_name(f"faststart-{path.name}"), movflags="+faststart")
    data = made.read_bytes()
    made.unlink()
    path.write_bytes(data[: (data.index(b"mdat") + len(data)) // 2])
    return path
