"""Decoding from a later picture gives the same frames under the same numbers, or does not happen.

Whatever the container marks as a keyframe: B-frames, open groups, intra refresh, edit lists, first
timestamps that are not zero.
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from common.media.video import DamagedVideoError, read_frames, video_info
from common.media.video_index import seek_point

NUM_FRAMES, GROUP = 40, 12
TIME_BASE = Fraction(1, 30)


def encode(path: Path, codec: str = "libx264", first_pts: int = 0, **options: str) -> Path:
    """Noise, so that a wrong reference shows everywhere."""
    generator = np.random.default_rng(0)
    options = {"g": str(GROUP), "bf": "3", **options}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(NUM_FRAMES):
            pixels = generator.integers(0, 256, (48, 64, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number + first_pts, TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def remuxed(source: Path, path: Path, keep: Callable[[int], bool], shift: int = 0) -> Path:
    """Copy some packets of a video, all moved in time by so many frames."""
    with (
        av.open(str(source)) as given,
        av.open(str(path), "w", options={"movflags": "+faststart"}) as made,
    ):
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        for number, packet in enumerate(given.demux(stream)):
            if packet.dts is None or not keep(number):
                continue
            ticks = round(shift * TIME_BASE / packet.time_base)
            assert packet.pts is not None
            packet.pts, packet.dts, packet.stream = packet.pts + ticks, packet.dts + ticks, copy
            made.mux(packet)
    return path


def starts(path: Path) -> set[int]:
    """Frames from which decoding starts, over all wanted ones."""
    found = set()
    for number in range(NUM_FRAMES + 3):
        with av.open(str(path)) as container:
            point = seek_point(container, container.streams.video[0], number)
        assert point is None or point.number <= number
        found.add(0 if point is None else point.number)
    return found


VIDEOS: dict[str, tuple[Callable[[Path], Path], bool]] = {
    "B-frames": (lambda d: encode(d / "v.mp4"), True),
    "no B-frames": (lambda d: encode(d / "v.mp4", bf="0", sc_threshold="0"), True),
    "mov": (lambda d: encode(d / "v.mov"), True),
    "later first pts": (lambda d: encode(d / "v.mp4", first_pts=45), True),
    "faststart": (lambda d: remuxed(encode(d / "a.mp4"), d / "v.mp4", lambda _: True), True),
    "open groups": (lambda d: encode(d / "v.mp4", **{"x264-params": "open-gop=1"}), False),
    "interlaced": (
        lambda d: encode(d / "v.mp4", flags="+ildct+ilme", **{"x264-params": "tff=1"}),
        False,
    ),
    "matroska": (lambda d: encode(d / "v.mkv"), False),
    "mpeg4": (lambda d: encode(d / "v.mp4", "mpeg4", bf="2"), False),
    "edit list": (
        lambda d: remuxed(encode(d / "a.mp4"), d / "v.mp4", lambda _: True, shift=-7),
        False,
    ),
    "cut at an open group": (
        lambda d: remuxed(
            encode(d / "a.mp4", **{"x264-params": "open-gop=1"}), d / "v.mp4", lambda n: n >= 11
        ),
        False,
    ),
}


@pytest.mark.parametrize("kind", VIDEOS)
def test_frames_are_those_of_decoding_from_the_start(kind: str, tmp_path: Path) -> None:
    make, seeks = VIDEOS[kind]
    path = make(tmp_path)
    assert (len(starts(path)) > 2) == seeks
    expected = dict(read_frames(path))
    assert len(expected) > NUM_FRAMES / 2
    for number in range(0, NUM_FRAMES + 2, 3):
        found = dict(read_frames(path, {number, number + 5}))
        assert sorted(found) == [n for n in (number, number + 5) if n in expected]
        for n, image in found.items():
            np.testing.assert_array_equal(image, expected[n])


def test_intra_refresh_starts_at_true_pictures_only(tmp_path: Path) -> None:
    path = encode(tmp_path / "v.mp4", **{"x264-params": "intra-refresh=1:scenecut=0"})
    assert starts(path) == {0}


def test_what_lies_before_is_not_decoded(tmp_path: Path) -> None:
    path = encode(tmp_path / "v.mp4")
    expected = dict(read_frames(path, {30, 31}))
    with av.open(str(path)) as container:
        entries = list(container.streams.video[0].index_entries)[1:3]
        places = [(entry.pos, entry.size) for entry in entries]
    data = bytearray(path.read_bytes())
    for position, size in places:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    found = dict(read_frames(path, {30, 31}))
    assert sorted(found) == [30, 31]
    for number, image in found.items():
        np.testing.assert_array_equal(image, expected[number])


def test_frames_after_the_end_of_a_cut_file_are_counted(tmp_path: Path) -> None:
    path = remuxed(encode(tmp_path / "a.mp4"), tmp_path / "v.mp4", lambda _: True)
    assert video_info(path).num_beyond_end == 0
    with av.open(str(path)) as container:
        position = list(container.streams.video[0].index_entries)[30].pos
    path.write_bytes(path.read_bytes()[: position + 1])
    info = video_info(path)
    assert (info.num_frames, info.num_beyond_end) == (NUM_FRAMES, NUM_FRAMES - 30)
    assert sorted(dict(read_frames(path, {5, 20}))) == [5, 20]


def test_a_wanted_frame_in_the_missing_part_is_an_error(tmp_path: Path) -> None:
    path = remuxed(encode(tmp_path / "a.mp4"), tmp_path / "v.mp4", lambda _: True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    received = []
    with pytest.raises(DamagedVideoError, match=r"v\.mp4: .* frame \d+"):
        received.extend(read_frames(path, {5, NUM_FRAMES - 2}))
    assert [number for number, _ in received] == [5]
