"""The data module: which clips, what a batch holds, what a resumed run draws."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from small_lam import (
    NEGATIVE,
    POSITIVE,
    finish_store,
    small_row,
    without_head_pose,
    without_points,
    write_clip,
    write_small_lam,
)

from gazepose.data import LamDataModule
from gazepose.priors import mirror_landmarks

SIZE = 32


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lam") / "store"
    write_small_lam(folder, clips={"train": 3, "val": 2, "test": 1}, size=SIZE)
    return folder


def module(store_dir: Path, **settings: Any) -> LamDataModule:
    defaults = {
        "image_size": SIZE,
        "num_workers": 0,
        "val_stride": 5,
        "batch_size": 8,
        "dense": False,
    }
    return LamDataModule(name="small", store_dir=str(store_dir), **(defaults | settings))


def batches(loader: Any) -> dict[str, torch.Tensor]:
    """All batches as one."""
    all_of_them = list(loader)
    return {name: torch.cat([batch[name] for batch in all_of_them]) for name in all_of_them[0]}


def shown_frames(batch: dict[str, torch.Tensor]) -> list[list[int]]:
    """Red tells the frame number."""
    return batch["clip"][:, :, 0, 0, 0].tolist()


def test_batches_have_the_stated_shapes_types_and_ranges(store_dir: Path) -> None:
    data = module(store_dir, use_head=True, use_landmarks=True)
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


def test_priors_that_are_off_are_not_even_read(store_dir: Path) -> None:
    assert set(next(iter(module(store_dir).val_dataloader()))) == {"clip", "label", "row"}
    data = module(store_dir, use_landmarks=True)
    assert set(next(iter(data.val_dataloader()))) == {"clip", "label", "row", "landmarks"}
    assert data.table.head_pose_deg is None


@pytest.mark.parametrize(("part", "stride"), [("train", 3), ("val", 5), ("test", 1)])
def test_loaders_go_through_the_keyframes_of_their_part(
    store_dir: Path, part: str, stride: int
) -> None:
    data = module(store_dir, test_part="test")
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


def test_a_clip_shows_its_middle_and_the_frames_around_it(store_dir: Path) -> None:
    data = module(store_dir)
    batch = batches(data.test_dataloader())
    rows = data.table.select(batch["row"].numpy(), ["frame", "track_id", "label"]).rows()
    for shown, clip, (frame, track, label) in zip(
        shown_frames(batch), batch["clip"], rows, strict=True
    ):
        # At the ends of a track the outermost frame stands for what is missing.
        assert shown == np.clip(np.arange(frame - 3, frame + 4), 10, 21).tolist()
        assert clip[3, 1, 0, 0] == (POSITIVE if label == 1 else NEGATIVE)
        assert set(clip[:, 2].flatten().tolist()) == {1 + int(track.removeprefix("track"))}


def test_evaluation_is_in_the_tables_order_and_the_same_every_time(store_dir: Path) -> None:
    data = module(store_dir, dropout={"kind": "gaussian"})
    for loader in (data.val_dataloader, data.test_dataloader):
        first, second = batches(loader()), batches(loader())
        assert first["row"].tolist() == sorted(first["row"].tolist())
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_gaussian_dropout_in_validation_leaves_out_the_blurred(store_dir: Path) -> None:
    data = module(store_dir, dropout={"kind": "gaussian", "threshold": 0.5})
    batch = batches(data.test_dataloader())
    table = data.table
    for row, shown in zip(batch["row"].tolist(), shown_frames(batch), strict=True):
        frames = {int(frame) for frame in shown} - {int(table.frame[row])}
        rows = table.find(np.full(len(frames), table.track[row]), np.array(sorted(frames)))
        assert (table.sharpness_p[rows] >= 0.5).all()


def test_training_draws_anew_every_epoch_and_evaluation_plain_frames(store_dir: Path) -> None:
    data = module(store_dir, dropout={"kind": "gaussian"})
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


def first_clip(store_dir: Path, **settings: Any) -> dict[str, torch.Tensor]:
    data = module(store_dir, batch_size=64, use_landmarks=True, use_head=True, **settings)
    return next(iter(data.train_dataloader()))


def gradient_store(folder: Path) -> Path:
    """Images that tell left from right and whose crops differ from them."""
    generator = np.random.default_rng(0)
    ramp = np.tile(np.arange(60, 60 + 4 * SIZE, 4, np.uint8)[None, :, None], (SIZE, 1, 3))
    rows = [
        small_row(generator, "train", "track0", 10 + i, i, image=ramp, label=i % 2)
        for i in range(150)
    ]
    write_clip(folder, "a", rows, SIZE)
    finish_store(folder)
    return folder


def test_half_of_the_clips_are_mirrored_as_a_whole(tmp_path: Path) -> None:
    clips = first_clip(gradient_store(tmp_path), random_crop=False)["clip"][:, :, 0].int()
    runs_left = clips[..., -1] < clips[..., 0]
    is_flipped = runs_left[:, 0, 0]
    assert (runs_left == is_flipped[:, None, None]).all()
    # 50 clips, 4 standard deviations.
    assert 11 <= is_flipped.sum() <= 39
    plain = first_clip(tmp_path, random_crop=False, flip=False)["clip"][:, :, 0].int()
    assert (plain[..., -1] > plain[..., 0]).all()


def test_every_frame_of_a_clip_has_its_own_crop(tmp_path: Path) -> None:
    clips = first_clip(gradient_store(tmp_path), flip=False)["clip"]
    distinct = [len(torch.unique(clip.flatten(1), dim=0)) for clip in clips]
    # Two crops of a ramp may look the same where only their rows differ.
    assert np.mean(distinct) > 5
    whole = first_clip(tmp_path, flip=False, random_crop=False)["clip"]
    assert all(len(torch.unique(clip.flatten(1), dim=0)) == 1 for clip in whole)


def test_landmarks_are_mirrored_with_their_clip_only_if_asked(tmp_path: Path) -> None:
    gradient_store(tmp_path)
    plain, mirrored = (first_clip(tmp_path, mirror_priors=switch) for switch in (False, True))
    assert torch.equal(plain["clip"], mirrored["clip"])
    assert torch.equal(plain["head_bins"], mirrored["head_bins"])
    is_flipped = plain["clip"][:, 0, 0, 0, -1] < plain["clip"][:, 0, 0, 0, 0]
    wanted = torch.where(
        is_flipped[:, None], mirror_landmarks(plain["landmarks"]), plain["landmarks"]
    )
    assert torch.equal(mirrored["landmarks"], wanted)
    assert not torch.equal(mirrored["landmarks"], plain["landmarks"])


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
    assert "2 of 3 head poses have an angle beyond 90 degrees" in caplog.text


def test_a_blurred_middle_of_the_unlabelled_set_is_black_as_published(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [
        small_row(generator, "test", "track0", 1 + i, i, prior_sharpness_p=p)
        for i, p in enumerate([0.9, 0.1, 0.9])
    ]
    write_clip(tmp_path, "a", rows, SIZE)
    finish_store(tmp_path)
    dropout = {"kind": "gaussian"}
    shown = shown_frames(
        batches(module(tmp_path, test_part="test", dropout=dropout).test_dataloader())
    )
    assert shown == [[1, 1, 1, 1, 3, 3, 3], [1, 1, 1, 0, 3, 3, 3], [1, 1, 1, 3, 3, 3, 3]]
    kept = {**dropout, "drop_centre_at_test": False}
    shown = shown_frames(
        batches(module(tmp_path, test_part="test", dropout=kept).test_dataloader())
    )
    assert shown[1] == [1, 1, 1, 2, 3, 3, 3]
    own = module(tmp_path, test_part="test", dropout=dropout, published_test=False)
    assert shown_frames(batches(own.test_dataloader())) == shown


def test_a_damaged_frame_does_not_end_a_pass(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [small_row(generator, "val", "track0", 1 + i, i) for i in range(5)]
    write_clip(tmp_path, "a", rows, SIZE)
    finish_store(tmp_path)
    data = module(tmp_path, val_stride=1)
    pack = tmp_path / "packs" / "a.pack"
    content = bytearray(pack.read_bytes())
    content[int(data.table.offset[2]) + 30] ^= 1
    pack.write_bytes(content)
    shown = shown_frames(batches(data.test_dataloader()))
    assert shown[1] == [1, 1, 1, 2, 4, 5, 5]
    assert shown[2] == [1, 1, 2, 0, 4, 5, 5]


def test_unlabelled_middles_are_tested_and_neither_trained_nor_validated_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generator = np.random.default_rng(0)
    for part in ("train", "val"):
        labels = [1, -1, 0, 1, -1, 0]
        rows = [
            small_row(generator, part, "track0", i, i, label=label)
            for i, label in enumerate(labels)
        ]
        write_clip(tmp_path, part, rows, SIZE)
    finish_store(tmp_path)
    data = module(tmp_path, train_stride=1, val_stride=1)
    with caplog.at_level("INFO", "gazepose"):
        assert sorted(batches(data.train_dataloader())["label"].tolist()) == [0, 0, 1, 1]
    assert "2 clips of train have no label" in caplog.text
    assert batches(data.val_dataloader())["label"].tolist() == [1, 0, 1, 0]
    assert batches(data.test_dataloader())["label"].tolist() == labels
    assert data.class_weights() == (0.5, 0.5)


def test_weights_are_the_fractions_of_the_training_clips(store_dir: Path) -> None:
    data = module(store_dir)
    positive = batches(data.train_dataloader())["label"].double().mean().item()
    assert data.class_weights() == pytest.approx((positive, 1 - positive))


def only_label(folder: Path, label: int) -> Path:
    generator = np.random.default_rng(0)
    rows = [small_row(generator, "train", "track0", i, i, label=label) for i in range(6)]
    write_clip(folder, "a", rows, SIZE)
    finish_store(folder)
    return folder


@pytest.mark.parametrize("label", [0, 1])
def test_training_data_of_one_class_are_refused(tmp_path: Path, label: int) -> None:
    data = module(only_label(tmp_path, label))
    with pytest.raises(
        ValueError, match=rf"small: all 2 training clips have the label {label}.*social_segments"
    ):
        data.class_weights()


def test_an_empty_part_is_refused_with_what_is_there(tmp_path: Path) -> None:
    data = module(only_label(tmp_path, -1))
    with pytest.raises(ValueError, match=r"no clip of the part 'val'; .*'train': 6, 'val': 0"):
        data.val_dataloader()
    with pytest.raises(ValueError, match="no clip of the part 'train, labelled'"):
        data.train_dataloader()


def test_unknown_parts_kinds_and_sizes_are_refused(store_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"part is 'all', expected one of \('train', 'val'"):
        module(store_dir, test_part="all")
    with pytest.raises(ValueError, match="dropout kind is 'gauss'"):
        module(store_dir, dropout={"kind": "gauss"})
    with pytest.raises(ValueError, match=r"split is 0 degrees, expected more than 0"):
        module(store_dir, split=0)
    with pytest.raises(ValueError, match="stride is 0"):
        module(store_dir, train_stride=0).train_dataloader()


def test_too_few_clips_for_a_batch_are_refused(store_dir: Path) -> None:
    with pytest.raises(ValueError, match="24 training clips are less than one batch of 25"):
        module(store_dir, batch_size=25, drop_last=True).train_dataloader()
    assert len(module(store_dir, batch_size=25).train_dataloader()) == 1


def test_the_fingerprint_tells_data_parts_and_protocol(store_dir: Path, tmp_path: Path) -> None:
    plain = module(store_dir).fingerprint()
    assert plain["num_frames"] == {"train": 72, "val": 48, "test": 24}
    assert plain["num_samples"] == {"train": 24, "val": 12, "test": 24}
    assert plain["strides"] == {"train": 3, "val": 5, "test": 1}
    assert plain["landmark_source"] == {"mesh": 144}
    assert plain["recipe"]["reader"] == "small_lam"
    assert module(store_dir, batch_size=2).fingerprint() == plain
    # Priors count as far as they are read.
    with_head = module(store_dir, use_head=True).fingerprint()
    assert {key for key in plain if plain[key] != with_head[key]} == {"priors_sha256"}
    other = module(store_dir, val_stride=1).fingerprint()
    assert other["strides"] != plain["strides"]
    assert (other["split"], other["table_sha256"]) == (plain["split"], plain["table_sha256"])
    write_small_lam(tmp_path, clips={"train": 2, "val": 2}, size=SIZE)
    another = module(tmp_path).fingerprint()
    assert another["split"] != plain["split"]
    assert another["table_sha256"] != plain["table_sha256"]


@pytest.mark.parametrize("part", ["train", "val"])
def test_worker_processes_deliver_the_same_batches(store_dir: Path, part: str) -> None:
    settings = {"use_head": True, "use_landmarks": True, "dropout": {"kind": "gaussian"}}
    here, there = (
        list(getattr(module(store_dir, num_workers=num, **settings), f"{part}_dataloader")())
        for num in (0, 2)
    )
    for one, other in zip(here, there, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.timeout(60)
def test_workers_work_after_their_parent_used_opencvs_threads(store_dir: Path) -> None:
    cv2.setNumThreads(2)
    cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (1500, 1500), interpolation=cv2.INTER_CUBIC)
    data = module(store_dir, num_workers=1, dropout={"kind": "gaussian"})
    assert len(batches(data.train_dataloader())["row"]) == 24


def test_what_travels_to_a_spawned_worker_is_arrays(store_dir: Path) -> None:
    dataset = module(store_dir, use_head=True, use_landmarks=True).train_dataloader().dataset
    copy = pickle.loads(pickle.dumps(dataset))
    one, other = dataset[0, 5], copy[0, 5]
    assert torch.equal(one["clip"], other["clip"])
    # 144 rows of about 130 bytes, the columns' names, paths.
    assert len(pickle.dumps(dataset)) < 144 * 130 + 6000


class Recorder(LightningModule):
    """Trains nothing and notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: dict[int, list[tuple[int, int]]] = {}

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        sums = batch["clip"].flatten(1).sum(1).tolist()
        pairs = list(zip(batch["row"].tolist(), sums, strict=True))
        self.seen.setdefault(self.current_epoch, []).extend(pairs)
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_a_resumed_run_sees_the_clips_of_an_unbroken_one(store_dir: Path, tmp_path: Path) -> None:
    def trained(num_epochs: int, checkpoint: Path | None) -> Recorder:
        recorder = Recorder()
        trainer = Trainer(
            max_epochs=num_epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            accelerator="cpu",
            default_root_dir=tmp_path,
        )
        data = module(store_dir, dropout={"kind": "gaussian"}, num_workers=1)
        trainer.fit(recorder, data, ckpt_path=checkpoint)
        trainer.save_checkpoint(tmp_path / f"{num_epochs}.ckpt")
        return recorder

    unbroken = trained(3, None)
    trained(1, None)
    resumed = trained(3, tmp_path / "1.ckpt")
    assert unbroken.seen[0] != unbroken.seen[1]
    assert resumed.seen == {epoch: unbroken.seen[epoch] for epoch in (1, 2)}
