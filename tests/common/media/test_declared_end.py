"""A file that ends before it says so was cut short, whatever its container."""

from pathlib import Path

import pytest
from builders.small_videos import write_noise

from common.media.declared_end import num_missing_bytes
from common.media.video import DamagedVideoError, read_frames, video_info

NUM_FRAMES = 30
CODECS = {"v.mkv": "libx264", "v.avi": "mpeg4", "v.wmv": "wmv2"}


@pytest.mark.parametrize("name", CODECS)
def test_a_whole_file_lacks_nothing_and_a_cut_one_what_was_cut(tmp_path: Path, name: str) -> None:
    path = write_noise(tmp_path / name, CODECS[name], NUM_FRAMES)
    assert num_missing_bytes(path) == 0
    whole = len(list(read_frames(path)))
    assert whole >= NUM_FRAMES - 1
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert num_missing_bytes(path) == len(content) - len(content) // 2
    assert video_info(path).num_missing_bytes > 0
    received = []
    with pytest.raises(DamagedVideoError, match=name.replace(".", r"\.")):
        received.extend(read_frames(path))
    assert 5 <= len(received) < whole


def test_frames_before_the_cut_are_read_without_an_error(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "v.mkv", "libx264", NUM_FRAMES)
    path.write_bytes(path.read_bytes()[:-2000])
    assert [number for number, _ in read_frames(path, {0, 5})] == [0, 5]
    with pytest.raises(DamagedVideoError, match=r"v\.mkv.*cut short"):
        list(read_frames(path, {0, NUM_FRAMES}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0AVI ",
        bytes.fromhex("1a45dfa3"),
        bytes.fromhex("1a45dfa3 80 18538067 01ffffffffffffff"),
        bytes.fromhex("1a45dfa3 80 18538067 00"),
        bytes.fromhex("1a45dfa3 80 ec80 18538067 80"),
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    ],
)
def test_a_header_that_leaves_it_open_tells_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v").write_bytes(content)
    assert num_missing_bytes(tmp_path / "v") == 0
