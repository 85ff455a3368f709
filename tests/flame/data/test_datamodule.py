"""The data module: who is in which part, what a batch holds, by which ranges it is normalised."""

import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.small_store import HEIGHT_PX, WIDTH_PX

from common.files.sealed import write_json
from common.media.photometric import PhotometricAugmentation
from common.store.reading import FaceStore, read_recipe
from flame import render_heatmaps
from flame.data.datamodule import GazeDataModule
from flame.data.splits import Split
from flame.data.statistics import load_statistics
from flame.store.labels import GazeLabels

SHARES = (0.5, 0.25, 0.25)


def module(store_dir: Path, **settings: Any) -> GazeDataModule:
    defaults = {"split": "cross_person", "split_fractions": SHARES, "num_workers": 0}
    return GazeDataModule(name="small", store_dir=str(store_dir), **(defaults | settings))


def subjects(data: GazeDataModule, part: str) -> set[str]:
    return set(data.table.filter(pl.col("part") == part)["subject"])


@pytest.mark.parametrize("split", ["cross_person", "random"])
def test_parts_are_disjoint_and_cover_all(store_dir: Path, split: str) -> None:
    data = module(store_dir, split=split)
    parts = [subjects(data, part) for part in ("train", "val", "test")]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert set.union(*parts) == {"s0", "s1", "s2", "s3"}
    rows = [
        row
        for part in ("train", "val", "test")
        for row in module(store_dir, split=split, test_part=part)
        .table.filter(pl.col("part") == part)["row"]
        .to_list()
    ]
    assert sorted(rows) == list(range(32))


def test_the_split_goes_by_its_own_seed(store_dir: Path) -> None:
    splits = [module(store_dir, seed=seed).split for seed in (0, 1, 2)]
    assert splits[0] == splits[1] == splits[2]
    others = {module(store_dir, split_seed=seed).split.test for seed in range(8)}
    assert len(others) > 1


def test_loaders_go_through_their_own_part(store_dir: Path) -> None:
    data = module(store_dir, drop_last=False)
    for part in ("train", "val", "test"):
        loader = getattr(data, f"{part}_dataloader")()
        rows = sorted(row for batch in loader for row in batch["row"].tolist())
        assert rows == data.table.filter(pl.col("part") == part)["row"].to_list()


def test_the_test_loader_goes_through_the_chosen_part_in_order(store_dir: Path) -> None:
    data = module(store_dir, test_part="train")
    rows = [row for batch in data.test_dataloader() for row in batch["row"].tolist()]
    assert rows == data.table.filter(pl.col("part") == "train")["row"].to_list()
    with pytest.raises(ValueError, match=r"'all'.*'train', 'val', 'test'"):
        module(store_dir, test_part="all")


def test_batches_have_the_stated_shapes_types_and_values(store_dir: Path) -> None:
    data = module(store_dir, eval_batch_size=5, eval_eye="both")
    batch = next(iter(data.test_dataloader()))
    described = {name: (tuple(value.shape), value.dtype) for name, value in batch.items()}
    assert described == {
        "rgb": ((5, 3, 120, 120), torch.uint8),
        "landmarks": ((5, 112), torch.float32),
        "head_pose": ((5, 3), torch.float32),
        "gaze": ((5, 2), torch.float32),
        "row": ((5,), torch.int64),
        "eye": ((5,), torch.int64),
    }
    assert batch["eye"].tolist() == [0, 1, 0, 1, 0]
    assert batch["row"].tolist() == sorted([*batch["row"].tolist()[::2]] * 2)[:5]
    for row, gaze, pose in zip(batch["row"], batch["gaze"], batch["head_pose"], strict=True):
        record = data.table.row(int(row), named=True)
        labels = [record["gaze_yaw_rad"], record["gaze_pitch_rad"]]
        poses = [record[f"head_{axis}_rad"] for axis in ("pitch", "yaw", "roll")]
        np.testing.assert_allclose(gaze, labels, rtol=1e-6)
        np.testing.assert_allclose(pose, poses, rtol=1e-6)


def test_crops_are_the_images_pixels_and_landmarks_point_at_the_same_ones(store_dir: Path) -> None:
    data = module(store_dir, eval_eye="both")
    batch = next(iter(data.test_dataloader()))
    for rgb, points, row in zip(batch["rgb"], batch["landmarks"], batch["row"], strict=True):
        image = data._store.image(int(row))
        original = np.array(data.table["landmarks_px"][int(row)].to_list())
        shift_x = round(float(original[0] - points[0]))
        shift_y = round(float(original[56] - points[56]))
        assert 0 <= shift_x <= WIDTH_PX - 120
        assert 0 <= shift_y <= HEIGHT_PX - 120
        window = image[shift_y : shift_y + 120, shift_x : shift_x + 120]
        np.testing.assert_array_equal(rgb.permute(1, 2, 0).numpy(), window)


def test_heatmaps_of_a_batch_peak_at_its_eyes_landmarks(store_dir: Path) -> None:
    batch = next(iter(module(store_dir, eval_eye="right").test_dataloader()))
    heatmaps = render_heatmaps(batch["landmarks"], 120, 120)
    x, y = batch["landmarks"].reshape(-1, 2, 56).unbind(1)
    for channel in (0, 9, 20):
        peak = heatmaps[:, channel].flatten(1).argmax(1)
        peak_xy = torch.stack([peak % 120, peak // 120], 1)
        points = torch.stack(
            [torch.stack([x[:, i], y[:, i]], 1) for i in (channel, channel + 28)], 1
        )
        distance = (peak_xy[:, None] - points).norm(dim=2).min(1).values
        assert (distance < 0.75).all()


def relabelled(store_dir: Path, copy_dir: Path, subject: str) -> Path:
    """A copy of the store in which one subject's angles are three times as large."""
    shutil.copytree(store_dir, copy_dir)
    path = copy_dir / "tables" / f"{subject}.parquet"
    table = pl.read_parquet(path)
    angles = ["gaze_yaw_rad", "gaze_pitch_rad", "head_yaw_rad", "head_pitch_rad"]
    table.with_columns(pl.col(angles) * 3).write_parquet(path)
    return copy_dir


def test_looks_leave_eyes_landmarks_and_labels(store_dir: Path) -> None:
    looks = (None, PhotometricAugmentation(0.02), PhotometricAugmentation())
    plain, faint, strong = (
        next(iter(module(store_dir, photometric=look).train_dataloader())) for look in looks
    )
    for name in set(plain) - {"rgb"}:
        assert torch.equal(plain[name], faint[name])
        assert torch.equal(plain[name], strong[name])
    changes = [(one["rgb"].int() - plain["rgb"]).abs().float().mean() for one in (faint, strong)]
    assert 0 < changes[0] < 5 < changes[1]


def test_ranges_come_from_the_train_part_alone(store_dir: Path, tmp_path: Path) -> None:
    data = module(store_dir)
    for part, is_equal in (("test", True), ("val", True), ("train", False)):
        (subject, *_) = sorted(subjects(data, part))
        other = module(relabelled(store_dir, tmp_path / part, subject))
        assert (other.statistics() == data.statistics()) is is_equal


def test_ranges_are_the_train_parts_least_and_greatest(store_dir: Path) -> None:
    data = module(store_dir)
    gaze, head_pose = data.labels("train")
    ranges = data.statistics()
    assert ranges.gaze_min == gaze.min()
    assert ranges.head_pose_max == head_pose.max()
    assert len(gaze) == len(head_pose) == 16


def test_published_ranges_by_name(store_dir: Path) -> None:
    assert module(store_dir, statistics="eyediap").statistics() == load_statistics("eyediap")


def test_an_empty_part_is_refused_with_what_is_there(store_dir: Path, tmp_path: Path) -> None:
    split = Split("mine", "this test", "subject", ("s0", "s1", "s2"), ("s3",), ("s9",))
    write_json(tmp_path / "mine.json", asdict(split))
    data = module(store_dir, split=str(tmp_path / "mine.json"))
    with pytest.raises(ValueError, match=r"'mine'.*'test'.*s0, s1, s2, s3"):
        data.test_dataloader()


def test_rows_that_a_split_leaves_out_are_in_no_part(store_dir: Path, tmp_path: Path) -> None:
    split = Split("mine", "this test", "subject", ("s0",), ("s1",), ("s2",))
    write_json(tmp_path / "mine.json", asdict(split))
    data = module(store_dir, split=str(tmp_path / "mine.json"))
    assert data.table.filter(pl.col("subject") == "s3")["part"].to_list() == [None] * 8
    assert data.fingerprint()["num_samples"] == {"None": 8, "test": 8, "train": 8, "val": 8}


def test_a_split_whose_people_are_missing_is_warned_of_and_more_people_told(
    store_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    split = Split("mine", "this test", "subject", ("s0",), ("s1",), ("s2", "s8", "s9"))
    write_json(tmp_path / "mine.json", asdict(split))
    with caplog.at_level("INFO", "flame"):
        module(store_dir, split=str(tmp_path / "mine.json"))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    missing, left_out = caplog.messages
    assert re.search(r"small: .* 2 .* 3 .*'mine'.* test: s8, s9$", missing)
    assert re.search(r"small: .*'mine'.* 1 .*: s3$", left_out)
    caplog.clear()
    module(store_dir)
    assert not caplog.records


def test_too_few_samples_for_a_batch_are_refused(store_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"16 .* 17;.*batch_size.*drop_last=false"):
        module(store_dir, batch_size=17).train_dataloader()
    loader = module(store_dir, batch_size=17, drop_last=False).train_dataloader()
    assert [len(batch["row"]) for batch in loader] == [16]


def test_the_fingerprint_tells_labels_and_split(store_dir: Path, tmp_path: Path) -> None:
    plain = module(store_dir).fingerprint()
    assert module(store_dir, batch_size=2).fingerprint() == plain
    assert module(store_dir, split_seed=1).fingerprint() != plain
    other = module(relabelled(store_dir, tmp_path / "copy", "s0")).fingerprint()
    assert other["table_sha256"] != plain["table_sha256"]
    assert plain["recipe"]["gaze_convention"] == "columbia_target_angles"


def test_stores_say_in_which_frame_their_angles_are(store_dir: Path, tmp_path: Path) -> None:
    assert module(store_dir).gaze_frame == "camera"
    shutil.copytree(store_dir, tmp_path / "store")
    recipe = read_recipe(tmp_path / "store")
    write_json(tmp_path / "store" / "store.json", {**recipe, "gaze_frame": "normalised"})
    data = module(tmp_path / "store")
    assert data.gaze_frame == "normalised"
    assert data.fingerprint()["recipe"]["gaze_frame"] == "normalised"


def rewrite(store_dir: Path, folder: Path, **columns: Any) -> Path:
    """Copy a store and change columns of each group: a function of the group's name."""
    shutil.copytree(store_dir, folder)
    for path in (folder / "tables").iterdir():
        values = {name: pl.lit(value(path.stem)) for name, value in columns.items()}
        pl.read_parquet(path).with_columns(**values).write_parquet(path)
    return folder


def test_the_data_sets_own_lists_make_the_split(store_dir: Path, tmp_path: Path) -> None:
    parts = {"s0": "test", "s1": "train", "s2": None, "s3": "val"}
    listed = rewrite(store_dir, tmp_path / "listed", part=parts.get)
    data = module(listed, split="own_lists")
    assert [subjects(data, part) for part in ("train", "val", "test")] == [{"s1"}, {"s3"}, {"s0"}]
    assert data.split.name == "own_lists"


def test_own_lists_of_a_data_set_that_brings_none_are_refused(
    store_dir: Path, tmp_path: Path
) -> None:
    empty = rewrite(store_dir, tmp_path / "empty", part=lambda _: None)
    for folder in (store_dir, empty):
        with pytest.raises(ValueError, match=r"data\.datamodule\.split=cross_person"):
            module(folder, split="own_lists")


@pytest.mark.parametrize("column", ["landmarks_px", "head_pitch_rad"])
def test_faces_without_what_the_nets_need_are_refused(
    store_dir: Path, tmp_path: Path, column: str
) -> None:
    bare = rewrite(store_dir, tmp_path / "bare", **{column: lambda _: None})
    with pytest.raises(ValueError, match=r"model=gaze360 data=gaze_faces.*landmarks=mesh"):
        module(bare)


def test_a_store_that_lacks_a_label_says_how_to_make_it_whole(store_dir: Path) -> None:
    table = FaceStore(store_dir).table
    for damaged in (table.drop("index"), table.with_columns(gaze_yaw_rad=pl.lit("left"))):
        with pytest.raises(ValueError, match=r"labels are damaged .*mode=repair"):
            GazeLabels.from_table(damaged)
