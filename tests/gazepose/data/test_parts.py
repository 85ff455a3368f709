"""The parts of a data set: labels and their weights, what cannot be trained on, the fingerprint."""

from pathlib import Path

import numpy as np
import pytest
from builders.small_lam import finish_store, small_row, write_clip, write_small_lam
from builders.small_lam_data import SIZE, batches, module


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
    assert "2 clips of train" in caplog.text
    assert batches(data.val_dataloader())["label"].tolist() == [1, 0, 1, 0]
    assert batches(data.test_dataloader())["label"].tolist() == labels
    assert data.class_weights() == (0.5, 0.5)


def test_weights_are_the_fractions_of_the_training_clips(lam_store: Path) -> None:
    data = module(lam_store)
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
    with pytest.raises(ValueError, match=rf"small.* 2 .*label {label}.*social_segments_looking"):
        data.class_weights()


def test_an_empty_part_is_refused_with_what_is_there(tmp_path: Path) -> None:
    data = module(only_label(tmp_path, -1))
    with pytest.raises(ValueError, match=r"'val'.*'train': 6, 'val': 0"):
        data.val_dataloader()
    with pytest.raises(ValueError, match="'train, labelled'"):
        data.train_dataloader()


def test_unknown_parts_kinds_and_sizes_are_refused(lam_store: Path) -> None:
    with pytest.raises(ValueError, match=r"part.*'all'.*'train', 'val', 'test'"):
        module(lam_store, test_part="all")
    with pytest.raises(ValueError, match=r"dropout kind.*'gauss'"):
        module(lam_store, dropout={"kind": "gauss"})
    with pytest.raises(ValueError, match=r"priors\.split.* 0 "):
        module(lam_store, split=0)
    with pytest.raises(ValueError, match=r"stride.* 0"):
        module(lam_store, train_stride=0).train_dataloader()


def test_too_few_clips_for_a_batch_are_refused(lam_store: Path) -> None:
    with pytest.raises(ValueError, match=r"24 .* 25"):
        module(lam_store, batch_size=25, drop_last=True).train_dataloader()
    assert len(module(lam_store, batch_size=25).train_dataloader()) == 1


def test_the_fingerprint_tells_data_parts_and_protocol(lam_store: Path, tmp_path: Path) -> None:
    plain = module(lam_store).fingerprint()
    assert plain["num_frames"] == {"train": 72, "val": 48, "test": 24}
    assert plain["num_samples"] == {"train": 24, "val": 12, "test": 24}
    assert plain["strides"] == {"train": 3, "val": 5, "test": 1}
    assert plain["landmark_source"] == {"mesh": 144}
    assert plain["recipe"]["reader"] == "small_lam"
    assert module(lam_store, batch_size=2).fingerprint() == plain
    # Priors count as far as they are read.
    with_head = module(lam_store, use_head=True).fingerprint()
    assert {key for key in plain if plain[key] != with_head[key]} == {"priors_sha256"}
    other = module(lam_store, val_stride=1).fingerprint()
    assert other["strides"] != plain["strides"]
    assert (other["split"], other["table_sha256"]) == (plain["split"], plain["table_sha256"])
    write_small_lam(tmp_path, clips={"train": 2, "val": 2}, size=SIZE)
    another = module(tmp_path).fingerprint()
    assert another["split"] != plain["split"]
    assert another["table_sha256"] != plain["table_sha256"]
