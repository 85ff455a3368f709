"""A net that asks for priors gets them: a part without any is refused, one with few is named."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.small_lam import (
    finish_store,
    small_row,
    without_head_pose,
    without_points,
    write_clip,
)

from common.store.writing import write_expected
from gazepose.data.datamodule import LamDataModule

NOT_RANKED = {"sharpness": math.nan, "prior_sharpness_p": math.nan}
GAUSSIAN = {"dropout": {"kind": "gaussian"}}
LACKS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "landmarks": (without_points(), {"use_landmarks": True}, "landmarks=mesh"),
    "head pose": (without_head_pose(), {"use_head": True}, "head_pose=mesh"),
    "sharpness": (NOT_RANKED, GAUSSIAN, "dropout=none"),
}


def write_store(folder: Path, lack: dict[str, Any], num_lacking: int) -> None:
    """Write a clip of 12 frames a part, of which the first ones lack something in ``val``."""
    generator = np.random.default_rng(0)
    for part in ("train", "val"):
        rows = [small_row(generator, part, "track0", 10 + i, i) for i in range(12)]
        if part == "val":
            rows[:num_lacking] = [row | lack for row in rows[:num_lacking]]
        write_clip(folder, part, rows)
    finish_store(folder)


def data_module(folder: Path, wanted: dict[str, Any]) -> LamDataModule:
    return LamDataModule("small", str(folder), num_workers=0, val_stride=1, **wanted)


@pytest.mark.parametrize("prior", LACKS)
def test_a_part_without_a_wanted_prior_is_refused(prior: str, tmp_path: Path) -> None:
    lack, wanted, remedy = LACKS[prior]
    write_store(tmp_path, lack, 12)
    data = data_module(tmp_path, wanted)
    assert len(data.train_dataloader()) == 1
    for loader in (data.val_dataloader, data.test_dataloader):
        with pytest.raises(ValueError, match=rf"0 of 12.*'val'.*{prior}.*{remedy}"):
            loader()
    # Not wanted, it may lack.
    assert len(data_module(tmp_path, {}).val_dataloader()) == 1


@pytest.mark.parametrize(("num_lacking", "is_named"), [(6, False), (7, True)])
def test_less_than_half_is_a_warning(
    num_lacking: int, is_named: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lack, wanted, _ = LACKS["landmarks"]
    write_store(tmp_path, lack, num_lacking)
    data_module(tmp_path, wanted).val_dataloader()
    assert (f"{12 - num_lacking} of 12" in caplog.text) == is_named


def test_an_incomplete_store_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_store(tmp_path, {}, 0)
    write_expected(tmp_path, ["train", "val", "lost"])
    data_module(tmp_path, {})
    assert "lost" in caplog.text
