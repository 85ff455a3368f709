"""The table of all frames: order, types, and the rank of sharpness."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.small_lam import small_row, write_clip
from scipy.stats import norm

from gazepose.store import writing as module
from gazepose.store.columns import SCHEMA
from gazepose.store.table import LamTable
from gazepose.store.writing import frames_are_sound, write_frames

NAN = float("nan")


def rows(part: str, sharpness: list[float], prior: list[float] | None = None) -> list[dict]:
    generator = np.random.default_rng(0)
    prior = [NAN] * len(sharpness) if prior is None else prior
    values = zip(sharpness, prior, strict=True)
    return [
        small_row(generator, part, "track0", i, i, sharpness=s, prior_sharpness_p=p, image=s == s)
        for i, (s, p) in enumerate(values)
    ]


def written(store_dir: Path, stride: int) -> pl.DataFrame:
    write_frames(store_dir, stride)
    return pl.read_parquet(store_dir / "frames.parquet")


def test_groups_come_by_name_with_the_columns_of_the_schema(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        write_clip(tmp_path, name, rows("train", [1.0, 2.0]))
    frames = written(tmp_path, 1)
    assert frames["group_name"].to_list() == ["a", "a", "b", "b", "c", "c"]
    expected = {name: kind for name, kind in SCHEMA.items() if name != "prior_sharpness_p"}
    assert dict(frames.schema) == expected | {"sharpness_p": pl.Float64()}


def test_each_part_is_ranked_among_itself(tmp_path: Path) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0, 2.0, NAN]))
    write_clip(tmp_path, "b", rows("train", [6.0, 4.0]))
    write_clip(tmp_path, "c", rows("val", [100.0, 300.0]))
    frames = written(tmp_path, 1)
    train = np.array([1.0, 2.0, 6.0, 4.0])
    ranks = norm.cdf(train, train.mean(), train.std(ddof=1))
    val = norm.cdf([100, 300], 200, np.std([100, 300], ddof=1))
    expected = [*ranks[:2], NAN, *ranks[2:], *val]
    np.testing.assert_allclose(frames["sharpness_p"].to_numpy(), expected, rtol=1e-12)


def test_a_parts_prior_ranks_are_kept_and_the_rest_of_it_is_unknown(tmp_path: Path) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0, 2.0, 3.0], [0.1, NAN, 0.3]))
    write_clip(tmp_path, "b", rows("val", [1.0, 3.0]))
    found = written(tmp_path, 1)["sharpness_p"].to_numpy()
    np.testing.assert_array_equal(found[:3], [0.1, NAN, 0.3])
    assert not np.isnan(found[3:]).any()


def test_a_stride_ranks_every_nth_frame_of_a_track(tmp_path: Path) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0, 50.0, 60.0, 2.0, 70.0, 80.0, 3.0]))
    found = written(tmp_path, 3)["sharpness_p"].to_numpy()
    expected = norm.cdf([1.0, 2.0, 3.0], 2.0, 1.0)
    np.testing.assert_allclose(found[::3], expected, rtol=1e-12)
    assert np.isnan(np.delete(found, [0, 3, 6])).all()


def test_the_table_of_an_empty_store_is_empty(tmp_path: Path) -> None:
    frames = written(tmp_path, 1)
    assert frames.height == 0
    assert "sharpness_p" in frames.columns
    write_clip(tmp_path, "a", [])
    assert written(tmp_path, 1).height == 0


def test_a_group_that_another_shard_finishes_meanwhile_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0, 2.0]))
    write, seen = module._write, []

    def while_another_finishes(path: Path, store_dir: Path, groups: list[str], stride: int) -> None:
        if not seen:
            write_clip(tmp_path, "b", rows("train", [3.0]))
        seen.append(list(groups))
        write(path, store_dir, groups, stride)

    monkeypatch.setattr(module, "_write", while_another_finishes)
    assert written(tmp_path, 1).height == 3
    assert seen == [["a"], ["a", "b"]]


def test_a_group_that_another_shard_makes_again_meanwhile_is_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0, 2.0]))
    write, times = module._write, []

    def before_another_replaces(
        path: Path, store_dir: Path, groups: list[str], stride: int
    ) -> None:
        write(path, store_dir, groups, stride)
        if not times:
            write_clip(tmp_path, "a", rows("train", [3.0, 4.0, 5.0]))
        times.append(1)

    monkeypatch.setattr(module, "_write", before_another_replaces)
    assert written(tmp_path, 1).height == 3
    assert frames_are_sound(tmp_path)
    assert len(times) == 2


def test_a_table_is_sound_while_it_holds_the_groups_as_they_are(tmp_path: Path) -> None:
    assert not frames_are_sound(tmp_path)
    write_clip(tmp_path, "a", rows("train", [1.0, NAN]))
    write_clip(tmp_path, "empty", [])
    write_frames(tmp_path, 1)
    assert frames_are_sound(tmp_path)
    write_clip(
        tmp_path, "a", [row | {"label": 1 - row["label"]} for row in rows("train", [1.0, NAN])]
    )
    assert not frames_are_sound(tmp_path)
    write_frames(tmp_path, 1)
    assert frames_are_sound(tmp_path)
    write_clip(tmp_path, "b", rows("val", [1.0]))
    assert not frames_are_sound(tmp_path)


def test_a_damaged_group_is_no_reason_to_doubt_the_table(tmp_path: Path) -> None:
    for name in "ab":
        write_clip(tmp_path, name, rows("train", [1.0, 2.0]))
    write_frames(tmp_path, 1)
    (tmp_path / "tables" / "a.parquet").write_bytes(b"torn")
    assert frames_are_sound(tmp_path)


def test_a_damaged_table_says_what_to_type(tmp_path: Path) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0]))
    (tmp_path / "tables" / "a.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"a\.parquet.*mode=repair"):
        write_frames(tmp_path, 1)


def test_a_group_that_lacks_a_column_is_damaged(tmp_path: Path) -> None:
    write_clip(tmp_path, "a", rows("train", [1.0]))
    write_frames(tmp_path, 1)
    path = tmp_path / "tables" / "a.parquet"
    pl.read_parquet(path).drop("part").write_parquet(path)
    with pytest.raises(ValueError, match=r"a\.parquet.*part.*mode=repair"):
        write_frames(tmp_path, 1)
    assert frames_are_sound(tmp_path)


def test_a_store_made_before_photos_is_sound_and_read(tmp_path: Path) -> None:
    """Neither its groups nor its table of all frames have the newer columns."""
    write_clip(tmp_path, "a", rows("train", [1.0, 2.0]))
    written(tmp_path, 1).drop("photo", "source").write_parquet(tmp_path / "frames.parquet")
    assert frames_are_sound(tmp_path)
    found = LamTable.read(tmp_path).select(np.array([1, 0]), ["frame", "photo", "source"])
    assert found.rows() == [(1, None, None), (0, None, None)]
