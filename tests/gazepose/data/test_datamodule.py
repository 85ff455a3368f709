"""The data module's batches: which clips, which frames around their middle, which priors."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from builders.small_lam import (
    NEGATIVE,
    POSITIVE,
    finish_store,
    small_row,
    without_head_pose,
    without_points,
    write_clip,
)
from builders.small_lam_data import SIZE, batches, module, shown_frames


def test_batches_have_the_stated_shapes_types_and_ranges(lam_store: Path) -> None:
    data = module(lam_store, use_head=True, use_landmarks=True)
    batch = next(iter(data.train_dataloader()))
    described = {name: (tuple(value.shape), value.dtype) for name, value in batch.items()}
    assert described == {
        "clip": ((8, 7, 3, SIZE, SIZE), torch.uint8),
        "label": ((8,), torch.int64),
        "row": ((8,), torch.int64),
        "head_bins": ((8, 3), torch.int64),
        "landmarks": ((8, 15), torch.float32),
    }
    assert 0 <= batch["head_bins"].min() <= batch["head_bins"].max() <= 90
    assert batch["landmarks"].abs().max() <= 2
    assert set(batch["label"].tolist()) == {0, 1}


def test_priors_that_are_off_are_not_even_read(lam_store: Path) -> None:
    assert set(next(iter(module(lam_store).val_dataloader()))) == {"clip", "label", "row"}
    data = module(lam_store, use_landmarks=True)
    assert set(next(iter(data.val_dataloader()))) == {"clip", "label", "row", "landmarks"}
    assert data.table.head_pose_deg is None


@pytest.mark.parametrize(("part", "stride"), [("train", 3), ("val", 5), ("test", 1)])
def test_loaders_go_through_the_keyframes_of_their_part(
    lam_store: Path, part: str, stride: int
) -> None:
    data = module(lam_store, test_part="test")
    batch = batches(getattr(data, f"{part}_dataloader")())
    rows = data.table.select(batch["row"].numpy(), ["part", "track_index", "label"])
    assert set(rows["part"]) == {part}
    assert (rows["track_index"] % stride == 0).all()
    assert rows["label"].to_list() == batch["label"].tolist()
    indices = pl.int_range(12, eager=True)
    per_track = (indices % stride == 0).sum()
    assert (
        len(batch["row"])
        == len(set(batch["row"].tolist()))
        == {
            "train": 3 * 2 * per_track,
            "val": 2 * 2 * per_track,
            "test": 2 * per_track,
        }[part]
    )


def test_a_clip_shows_its_middle_and_the_frames_around_it(lam_store: Path) -> None:
    data = module(lam_store)
    batch = batches(data.test_dataloader())
    rows = data.table.select(batch["row"].numpy(), ["frame", "track_id", "label"]).rows()
    for shown, clip, (frame, track, label) in zip(
        shown_frames(batch), batch["clip"], rows, strict=True
    ):
        # At the ends of a track the outermost frame stands for what is missing.
        assert shown == np.clip(np.arange(frame - 3, frame + 4), 10, 21).tolist()
        assert clip[3, 1, 0, 0] == (POSITIVE if label == 1 else NEGATIVE)
        assert set(clip[:, 2].flatten().tolist()) == {1 + int(track.removeprefix("track"))}


def test_evaluation_is_in_the_tables_order_and_the_same_every_time(lam_store: Path) -> None:
    data = module(lam_store, dropout={"kind": "gaussian"})
    for loader in (data.val_dataloader, data.test_dataloader):
        first, second = batches(loader()), batches(loader())
        assert first["row"].tolist() == sorted(first["row"].tolist())
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_training_draws_anew_every_epoch_and_evaluation_plain_frames(lam_store: Path) -> None:
    data = module(lam_store, dropout={"kind": "gaussian"})
    loader = data.train_dataloader()
    epochs = []
    for epoch in range(2):
        loader.batch_sampler.sampler.set_epoch(epoch)
        epochs.append(batches(loader))
    assert epochs[0]["row"].tolist() != epochs[1]["row"].tolist()
    by_row = [
        dict(zip(epoch["row"].tolist(), shown_frames(epoch), strict=True)) for epoch in epochs
    ]
    assert by_row[0].keys() == by_row[1].keys()
    assert by_row[0] != by_row[1]


def test_missing_priors_are_the_published_stand_ins(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [
        small_row(
            generator, "val", "track0", frame, frame, **without_points(), **without_head_pose()
        )
        for frame in range(3)
    ]
    write_clip(tmp_path, "a", rows, SIZE)
    write_clip(tmp_path, "b", [small_row(generator, "val", "track0", 0, 0)], SIZE)
    finish_store(tmp_path)
    data = module(tmp_path, use_head=True, use_landmarks=True, split=0.5)
    batch = batches(data.test_dataloader())
    bins, known = batch["head_bins"], batch["landmarks"].any(1)
    assert (bins[:-1] == 180).all()
    assert (bins[-1] < 180).all()
    assert known.tolist() == [False] * (len(known) - 1) + [True]


def test_wide_angles_are_counted_and_take_the_last_bin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generator = np.random.default_rng(0)
    rows = [
        small_row(generator, "val", "track0", frame, frame, head_yaw_deg=yaw)
        for frame, yaw in enumerate([90.5, -98.0, 91.0])
    ]
    write_clip(tmp_path, "a", rows, SIZE)
    finish_store(tmp_path)
    batch = batches(module(tmp_path, use_head=True, val_stride=1).test_dataloader())
    assert batch["head_bins"][:, 0].tolist() == [90, 90, 90]
    assert "2 of 3 head poses" in caplog.text
