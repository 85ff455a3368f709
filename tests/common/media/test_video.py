import gc
import multiprocessing

import av
import numpy as np
import pytest
from builders.small_videos import write_noise

from common.media.video import DamagedVideoError, num_frames, read_frames, video_info
from common.media.video_writer import write_video


def _grey_frames(num, height=48, width=64):
    """Frame i is grey of brightness 5 i, with a red left half."""
    for i in range(num):
        frame = np.full((height, width, 3), 5 * i, np.uint8)
        frame[:, : width // 2] = (200, 20, 20)
        yield frame


@pytest.fixture
def video_path(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, _grey_frames(40), 30)
    return path


def _brightness(image):
    return image[:, image.shape[1] * 3 // 4 :].mean()


def test_frames_come_in_order_with_their_numbers(video_path):
    items = list(read_frames(video_path))
    assert [index for index, _ in items] == list(range(40))
    for index, image in items:
        assert image.shape == (48, 64, 3)
        assert image.dtype == np.uint8
        # H.264 at CRF 18 keeps flat grey within 2 of 255.
        assert abs(_brightness(image) - 5 * index) < 2


def test_channels_are_rgb(video_path):
    image = next(read_frames(video_path))[1]
    np.testing.assert_allclose(image[10, 5], (200, 20, 20), atol=8)


def test_wanted_frames_only_and_none_past_the_end(video_path):
    items = list(read_frames(video_path, wanted={3, 17, 39, 40, 1000}))
    assert [index for index, _ in items] == [3, 17, 39]
    assert abs(_brightness(items[1][1]) - 85) < 2
    assert list(read_frames(video_path, wanted=set())) == []


def test_reading_stops_after_the_last_wanted_frame(video_path):
    """A file whose tail is cut still gives the frames before the cut, without an error."""
    _cut_tail(video_path)
    assert [index for index, _ in read_frames(video_path, wanted={0, 5})] == [0, 5]


def test_what_was_read_is_no_burden(video_path):
    """Frames wait for no garbage collection: a loader's process, forked, would never end it."""
    child = multiprocessing.get_context("fork").Process(target=gc.collect)
    gc.collect()
    gc.disable()
    try:
        assert len(list(read_frames(video_path))) == 40
        assert sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects()) <= 1
        child.start()
        child.join(30)
        assert child.exitcode == 0
    finally:
        gc.enable()
        if child.is_alive():
            child.kill()


def test_header(video_path):
    info = video_info(video_path)
    assert (info.num_frames, info.fps_hz, info.width, info.height) == (40, 30, 64, 48)
    assert num_frames(video_path) == 40


def test_frames_are_counted_where_the_header_does_not_say(tmp_path):
    write_video(tmp_path / "clip.mkv", _grey_frames(12), 25)
    assert video_info(tmp_path / "clip.mkv").num_frames == 0
    assert num_frames(tmp_path / "clip.mkv") == 12


def test_odd_sides_grow_by_one_pixel(tmp_path):
    write_video(tmp_path / "odd.mov", _grey_frames(2, 31, 45), 29.97)
    assert next(read_frames(tmp_path / "odd.mov"))[1].shape == (32, 46, 3)
    assert abs(video_info(tmp_path / "odd.mov").fps_hz - 29.97) < 1e-3


def _cut_tail(path):
    """Keep the header, which x264's mp4 has at the end, and destroy the last third of the data."""
    data = path.read_bytes()
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    keep = start + 2 * (end - start) // 3
    path.write_bytes(data[:keep] + b"\xff" * (end - keep) + data[end:])


def test_damaged_tail_is_reported_after_the_sound_frames(tmp_path):
    path = tmp_path / "noise.mp4"
    rng = np.random.default_rng(0)
    write_video(path, rng.integers(0, 256, (20, 48, 64, 3), np.uint8), 30)
    sound = [image for _, image in read_frames(path)]
    _cut_tail(path)
    received = []
    with pytest.raises(DamagedVideoError, match=r"noise\.mp4"):
        received.extend(read_frames(path))
    assert 5 <= len(received) < 20
    for index, image in received[:5]:
        np.testing.assert_array_equal(image, sound[index])


def test_damaged_frames_are_left_out_and_reported_after_the_others(tmp_path):
    path = write_noise(tmp_path / "noise.ts", "mpeg2video")
    sound = dict(read_frames(path))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = b"\x55" * 300
    path.write_bytes(content)
    received = {}
    with pytest.raises(DamagedVideoError, match=r"noise\.ts: \d+ of the wanted frames are damaged"):
        received.update(read_frames(path))
    assert sound.keys() > received.keys() > {0, 1, 2, 3}
    for number in range(4):
        np.testing.assert_array_equal(received[number], sound[number])
    assert [number for number, _ in read_frames(path, {0, 3})] == [0, 3]


@pytest.mark.parametrize("damage", ["header cut off", "empty", "text"])
def test_file_that_is_no_video_says_so(video_path, damage):
    data = video_path.read_bytes()
    video_path.write_bytes({"header cut off": data[:-400], "empty": b"", "text": b"hello"}[damage])
    for read in (video_info, num_frames, lambda path: list(read_frames(path))):
        with pytest.raises(ValueError, match=r"clip\.mp4"):
            read(video_path)


def test_missing_file_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.mp4"):
        list(read_frames(tmp_path / "absent.mp4"))


def test_failed_writing_leaves_nothing_behind(tmp_path):
    frames = [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 10, 3), np.uint8)]
    with pytest.raises(ValueError, match=r"x\.mp4.*\(8, 10, 3\).*\(8, 8, 3\)"):
        write_video(tmp_path / "x.mp4", frames, 30)
    with pytest.raises(ValueError, match=r"y\.mp4"):
        write_video(tmp_path / "y.mp4", [], 30)
    assert list(tmp_path.iterdir()) == []


def test_reproducible_videos_have_the_same_bytes(tmp_path):
    # x264's macroblock tree reads memory that it has not set where half the height is odd.
    coarse = np.random.default_rng(0).integers(0, 255, (40, 70, 3)).astype(np.uint8)
    wide = np.kron(coarse, np.ones((16, 16, 1), np.uint8))
    frames = [np.ascontiguousarray(wide[i : 540 + i, 2 * i : 960 + 2 * i]) for i in range(8)]
    contents = set()
    for attempt in range(5):
        path = tmp_path / f"{attempt}.mp4"
        write_video(path, frames, 30, preset="veryfast", is_reproducible=True)
        contents.add(path.read_bytes())
    assert len(contents) == 1
