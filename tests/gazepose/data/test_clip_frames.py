"""Frames of a clip from the packs, damaged ones included."""

import logging
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
from builders.small_lam import finish_store, frame_image, small_row, write_clip

from gazepose.data.clip_frames import ClipFrames
from gazepose.data.face_view import FaceView
from gazepose.store.table import LamTable

SIZE = 32
NUM_FRAMES = 30


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    rows = [
        small_row(generator, "train", "track0", frame, frame, image=frame != 4)
        for frame in range(NUM_FRAMES)
    ]
    write_clip(tmp_path / "store", "a", rows, SIZE)
    finish_store(tmp_path / "store")
    return tmp_path / "store"


def damage(store_dir: Path, row: int) -> None:
    table = LamTable.read(store_dir)
    pack = store_dir / "packs" / "a.pack"
    content = bytearray(pack.read_bytes())
    content[int(table.offset[row]) + 20] ^= 1
    pack.write_bytes(content)


def frame_number(image: np.ndarray | None) -> int | None:
    return None if image is None else int(image[0, 0, 0])


def test_rows_come_in_the_order_asked_for(store_dir: Path) -> None:
    frames = ClipFrames(LamTable.read(store_dir), FaceView(SIZE))
    for rows in ([0, 1, 2], [2, -1, 4, 5, 2], [29, 3], [-1, -1], [4]):
        found = [frame_number(image) for image in frames.read(np.array(rows))]
        assert found == [None if row in (-1, 4) else row for row in rows]


def test_images_are_what_was_stored(store_dir: Path) -> None:
    table = LamTable.read(store_dir)
    (image,) = ClipFrames(table, FaceView(SIZE)).read(np.array([7]))
    row = table.select(np.array([7]), ["frame", "label", "track_id"]).row(0, named=True)
    np.testing.assert_array_equal(image, frame_image(row, SIZE))


def test_frames_shared_with_the_clip_before_are_decoded_once(
    store_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = ClipFrames(LamTable.read(store_dir), FaceView(SIZE))
    read, asked = frames._packs.read, []
    monkeypatch.setattr(
        frames._packs, "read", lambda pack, places: asked.append(len(places)) or read(pack, places)
    )
    for middle in (10, 11, 12, 20):
        window = np.arange(middle - 3, middle + 4)
        assert [frame_number(image) for image in frames.read(window)] == window.tolist()
    assert asked == [7, 1, 1, 7]


@pytest.mark.parametrize("size", [16, 20, 48])
def test_another_size_is_asked_for(store_dir: Path, size: int) -> None:
    (image,) = ClipFrames(LamTable.read(store_dir), FaceView(size)).read(np.array([7]))
    assert image.shape == (size, size, 3)
    assert np.unique(image[..., 0]).tolist() == [7]


def test_shrinking_averages_over_areas(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    row = small_row(np.random.default_rng(0), "train", "track0", 0, 0, image=noise)
    write_clip(tmp_path, "a", [row])
    finish_store(tmp_path)
    (image,) = ClipFrames(LamTable.read(tmp_path), FaceView(SIZE // 2)).read(np.array([0]))
    blocks = noise.reshape(SIZE // 2, 2, SIZE // 2, 2, 3).mean((1, 3))
    np.testing.assert_allclose(image, blocks, atol=0.51)


def test_a_damaged_frame_is_missing_and_counted(
    store_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(store_dir, 7)
    frames = ClipFrames(LamTable.read(store_dir), FaceView(SIZE))
    for _ in range(3):
        found = [frame_number(image) for image in frames.read(np.array([6, 7, 8]))]
        assert found == [6, None, 8]
        frames.read(np.array([20]))
    assert frames.num_damaged == 1
    (record,) = caplog.records
    assert all(fact in record.message for fact in ("a.pack", "row 7", "mode=repair"))


def test_many_damaged_frames_do_not_flood_the_log(
    store_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pack = store_dir / "packs" / "a.pack"
    pack.write_bytes(bytes(pack.stat().st_size))
    frames = ClipFrames(LamTable.read(store_dir), FaceView(SIZE))
    with caplog.at_level(logging.WARNING):
        for row in range(NUM_FRAMES):
            assert frames.read(np.array([row])) == [None]
    assert frames.num_damaged == NUM_FRAMES - 1
    counts = [record.args[2] for record in caplog.records]
    assert counts == [1, 10]


def test_bytes_that_are_no_image_are_missing(store_dir: Path) -> None:
    """The checksum is right: the data set brought the file like that."""
    table = LamTable.read(store_dir)
    pack = store_dir / "packs" / "a.pack"
    content = pack.read_bytes()
    table.num_bytes[:] = 10
    table.crc32[:] = [zlib.crc32(content[start : start + 10]) for start in table.offset.tolist()]
    assert ClipFrames(table, FaceView(SIZE)).read(np.array([3])) == [None]


def test_a_pack_that_is_gone_is_refused_at_once(store_dir: Path) -> None:
    (store_dir / "packs" / "a.pack").unlink()
    with pytest.raises(ValueError, match=r"a\.pack.*mode=repair"):
        ClipFrames(LamTable.read(store_dir), FaceView(SIZE))


def test_a_pickled_reader_reads_on(store_dir: Path) -> None:
    frames = ClipFrames(LamTable.read(store_dir), FaceView(SIZE))
    frames.read(np.array([0]))
    copy = pickle.loads(pickle.dumps(frames))
    assert frame_number(copy.read(np.array([5]))[0]) == 5
