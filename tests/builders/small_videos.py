"""Tiny videos for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

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


def turn_clockwise(path: Path) -> Path:
    """Let an mp4 ask for a quarter turn clockwise, as a phone writes it in the track header."""
    identity = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    data = path.read_bytes()
    at = data.index(identity, data.index(b"tkhd"))
    path.write_bytes(data[:at] + quarter + data[at + len(identity) :])
    return path


def cut_short(path: Path) -> Path:
    """Move an mp4's header to its front and lose half of its frames, as a broken download does."""
    made = path.with_name(f"faststart-{path.name}")
    options = {"movflags": "+faststart"}
    with av.open(str(path)) as given, av.open(str(made), "w", options=options) as container:
        stream = given.streams.video[0]
        copy = container.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
    data = made.read_bytes()
    made.unlink()
    path.write_bytes(data[: (data.index(b"mdat") + len(data)) // 2])
    return path
