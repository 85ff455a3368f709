"""Frames that a clip leaves out: blurred ones by the dropout's rule, damaged ones in any case."""

from pathlib import Path

import numpy as np
from builders.small_lam import finish_store, small_row, write_clip
from builders.small_lam_data import SIZE, batches, module, shown_frames


def test_gaussian_dropout_in_validation_leaves_out_the_blurred(lam_store: Path) -> None:
    data = module(lam_store, dropout={"kind": "gaussian", "threshold": 0.5})
    batch = batches(data.test_dataloader())
    table = data.table
    for row, shown in zip(batch["row"].tolist(), shown_frames(batch), strict=True):
        frames = {int(frame) for frame in shown} - {int(table.frame[row])}
        rows = table.find(np.full(len(frames), table.track[row]), np.array(sorted(frames)))
        assert (table.sharpness_p[rows] >= 0.5).all()


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
