"""All frames of a store as flat arrays."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.small_lam import (
    finish_store,
    small_row,
    without_head_pose,
    without_points,
    write_clip,
)

from gazepose.priors import eye_centred
from gazepose.store import reading as frames_file
from gazepose.store.reading import FRAMES_FILE
from gazepose.store.table import LamTable

GENERATOR = np.random.default_rng(0)


def rows_of(part: str, track: str, frames: list[int], **changes: object) -> list[dict]:
    return [
        small_row(GENERATOR, part, track, frame, index, **changes)
        for index, frame in enumerate(frames)
    ]


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table") / "store"
    write_clip(folder, "b", [*rows_of("val", "track1", [5, 6, 8]), *rows_of("val", "track0", [5])])
    write_clip(
        folder,
        "a",
        [
            *rows_of("train", "track0", [0, 1, 1, 2]),
            *rows_of("train", "track1", [7, 9], image=False, **without_points()),
            *rows_of("train", "track2", [3], **without_head_pose(), is_filtered=True),
        ],
    )
    finish_store(folder)
    return folder


@pytest.fixture(params=[1, 1000])
def table(
    store_dir: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> LamTable:
    """Read in stretches of any length, the table is the same."""
    monkeypatch.setattr(frames_file, "_STRETCH_ROWS", request.param)
    return LamTable.read(store_dir, head_pose=True, landmarks=True)


def test_columns_equal_the_files(table: LamTable, store_dir: Path) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    assert len(table) == frames.height == 11
    for name in ("frame", "track_index", "label", "offset", "num_bytes", "crc32", "is_filtered"):
        np.testing.assert_array_equal(getattr(table, name), frames[name].to_numpy())
    np.testing.assert_array_equal(table.sharpness_p, frames["sharpness_p"].to_numpy())
    angles = frames.select("head_yaw_deg", "head_pitch_deg", "head_roll_deg").to_numpy()
    np.testing.assert_array_equal(table.head_pose_deg, angles)
    names = [f"point_{what}{i}" for i in range(5) for what in ("x", "y", "score")]
    points = frames.select(names).to_numpy().reshape(-1, 5, 3)
    np.testing.assert_array_equal(table.landmarks, eye_centred(points))


def test_tracks_are_runs_of_rows(table: LamTable) -> None:
    assert table.track_starts.tolist() == [0, 4, 6, 7, 10, 11]
    assert table.track.tolist() == [0] * 4 + [1] * 2 + [2] + [3] * 3 + [4]
    assert table.num_tracks == 5
    assert table.group_names == ["a", "b"]
    assert table.group(np.arange(11)).tolist() == [0] * 7 + [1] * 4


def test_parts(table: LamTable) -> None:
    assert table.rows_of_part("train").tolist() == list(range(7))
    assert table.rows_of_part("val").tolist() == list(range(7, 11))
    assert table.rows_of_part("test").tolist() == []


def test_frames_are_found_in_their_own_track(table: LamTable) -> None:
    tracks = np.array([0, 0, 0, 1, 3, 3, 3, 4, 0, 4])
    frames = np.array([0, 1, 2, 9, 8, 7, -1, 5, -1, 6])
    assert table.find(tracks, frames).tolist() == [0, 1, 3, 5, 9, -1, -1, 10, -1, -1]
    everything = table.find(table.track, table.frame)
    np.testing.assert_array_equal(table.frame[everything], table.frame)
    np.testing.assert_array_equal(table.track[everything], table.track)


def test_what_only_results_need_is_fetched_in_the_order_asked_for(
    table: LamTable, store_dir: Path
) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    columns = ["group_name", "track_id", "x1", "frame"]
    for rows in ([9, 3, 3], [0], [], list(range(11))):
        found = table.select(np.array(rows, np.int64), columns)
        assert found.rows() == frames.select(columns)[rows].rows()


def test_values_of_a_column_are_counted(table: LamTable) -> None:
    assert table.counts("landmark_source") == {"None": 2, "mesh": 9}
    assert table.counts("part") == {"train": 7, "val": 4}


def test_priors_that_nobody_asks_for_are_not_kept(store_dir: Path) -> None:
    table = LamTable.read(store_dir)
    assert table.head_pose_deg is None
    assert table.landmarks is None


def test_a_folder_may_be_called_as_a_pattern(store_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(store_dir, tmp_path / "1")
    there = shutil.copytree(store_dir, tmp_path / "[1] *?")
    finish_store(there)
    assert LamTable.read(there).sha256() == LamTable.read(store_dir).sha256()


def test_a_pickled_table_is_arrays_and_little_else(store_dir: Path) -> None:
    table = LamTable.read(store_dir, head_pose=True, landmarks=True)
    held = sum(v.nbytes for v in vars(table).values() if isinstance(v, np.ndarray))
    assert len(pickle.dumps(table)) < held + 4000


def test_the_hash_tells_labels_parts_and_images(store_dir: Path, tmp_path: Path) -> None:
    plain = LamTable.read(store_dir)
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    assert rewritten(tmp_path, frames).sha256() == plain.sha256()
    for name in ("label", "crc32", "frame"):
        changed = frames.with_columns(pl.col(name) + (pl.int_range(pl.len()) == 10).cast(pl.Int64))
        assert rewritten(tmp_path, changed).sha256() != plain.sha256()
    moved = frames.with_columns(part=pl.lit("val"))
    assert rewritten(tmp_path, moved).sha256() != plain.sha256()
    assert rewritten(tmp_path, moved).parts_sha256() != plain.parts_sha256()
    assert rewritten(tmp_path, frames[:9]).parts_sha256() == plain.parts_sha256()


def rewritten(folder: Path, frames: pl.DataFrame) -> LamTable:
    frames.write_parquet(folder / FRAMES_FILE)
    return LamTable.read(folder)


def test_no_table_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"frames\.parquet.*python preprocess\.py"):
        LamTable.read(tmp_path)


def test_an_empty_table_is_refused(store_dir: Path, tmp_path: Path) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    with pytest.raises(ValueError, match=r"frames\.parquet.*skipped/"):
        rewritten(tmp_path, frames[:0])


def test_a_damaged_table_is_named(store_dir: Path, tmp_path: Path) -> None:
    content = (store_dir / FRAMES_FILE).read_bytes()
    (tmp_path / FRAMES_FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"frames\.parquet.*python preprocess\.py"):
        LamTable.read(tmp_path)


def test_missing_columns_are_named(store_dir: Path, tmp_path: Path) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    with pytest.raises(ValueError, match=r"frames\.parquet.* frame, sharpness_p;"):
        rewritten(tmp_path, frames.drop("frame", "sharpness_p"))
    # What is not asked for may be missing.
    rewritten(tmp_path, frames.drop("point_x0", "head_yaw_deg"))


def test_a_table_out_of_order_is_refused(store_dir: Path, tmp_path: Path) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    with pytest.raises(ValueError, match=r"'track0' of 'a'.* order "):
        rewritten(tmp_path, frames[[1, 0, *range(2, 11)]])
    with pytest.raises(ValueError, match=r"'track0' of 'a'.* two "):
        rewritten(tmp_path, frames[[*range(1, 11), 0]])


def test_an_unknown_part_is_refused(store_dir: Path, tmp_path: Path) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    with pytest.raises(ValueError, match=r"\['dev'\].*'train', 'val'"):
        rewritten(tmp_path, frames.with_columns(part=pl.lit("dev")))


def test_columns_without_a_value_in_any_group_are_unknown(store_dir: Path, tmp_path: Path) -> None:
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    names = ["sharpness_p", "head_yaw_deg", "label", "is_filtered"]
    frames.with_columns(pl.lit(None).alias(name) for name in names).write_parquet(
        tmp_path / FRAMES_FILE
    )
    table = LamTable.read(tmp_path, head_pose=True)
    assert np.isnan(table.sharpness_p).all()
    assert np.isnan(table.head_pose_deg[:, 0]).all()
    assert set(table.label) == {-1}
    assert not table.is_filtered.any()
