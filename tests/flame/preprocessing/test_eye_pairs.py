"""Pairs of eyes from the folder of crops to batches of a net, by the config that users type."""

import sys
from pathlib import Path

import numpy as np
import pytest
from builders.fake_iris import (
    HEIGHT_PX,
    WIDTH_PX,
    install_fake_iris,
    pair_of_eyes,
    true_landmarks,
)
from builders.small_training import composed
from PIL import Image

from common.config.instantiate import build
from common.preprocessing.command import Outcome, prepare_store
from common.store.reading import FaceStore
from flame.data.datamodule import GazeDataModule

SUBJECTS = ("0001", "0007", "0009")  # of the published split: train, val, test
LABELS = [(0, 0, 0), (15, 10, -5)]


def write_crops(folder: Path) -> None:
    folder.mkdir()
    for subject in SUBJECTS:
        for p, v, h in LABELS:
            # Pillow reads by content; JPEG's colours would not say where a patch was cut.
            path = folder / f"{subject}_2m_{p}P_{v}V_{h}H.jpg"
            Image.fromarray(pair_of_eyes()).save(path, format="png")


def preprocess(folder: Path, *overrides: str) -> Outcome:
    given = ["data=columbia_eyes", f"data.raw_dir={folder / 'crops'}", "paths.run_dir=x"]
    return prepare_store(
        composed(
            "preprocess", *given, f"data.store_dir={folder / 'store'}", "num_workers=0", *overrides
        )
    )


def test_crops_become_a_store_that_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_fake_iris(monkeypatch)
    write_crops(tmp_path / "crops")
    made = preprocess(tmp_path, "data.preprocessor.preparation.codec=png")
    assert "6 faces stored, 0 " in made.report
    assert not made.has_errors
    store = FaceStore(tmp_path / "store")
    assert store.table["landmark_source"].unique().to_list() == ["iris"]
    assert store.table["head_pose_source"].unique().to_list() == ["dataset"]
    x0, y0 = (384 - WIDTH_PX) // 2, (240 - HEIGHT_PX) // 2
    image = store.image(1)
    assert image.shape == (240, 384, 3)
    np.testing.assert_array_equal(image[y0 : y0 + HEIGHT_PX, x0 : x0 + WIDTH_PX], pair_of_eyes())
    off = np.array(store.table["landmarks_px"].to_list()) - true_landmarks()
    np.testing.assert_allclose(off.reshape(-1, 2, 56).mean((0, 2)), [x0, y0], atol=0.2)

    config = composed(
        "train",
        "data=columbia_eyes",
        "model=flame",
        f"data.store_dir={tmp_path / 'store'}",
        "paths.run_dir=x",
        "data.datamodule.num_workers=0",
    )
    data = build(config["data"]["datamodule"], **config["model"]["inputs"])
    assert isinstance(data, GazeDataModule)
    (batch,) = list(data.test_dataloader())
    assert batch["rgb"].shape == (len(LABELS), 3, 120, 120)
    np.testing.assert_allclose(batch["gaze"], np.deg2rad([[0, 0], [-5, 10]]), atol=1e-6)
    np.testing.assert_allclose(batch["head_pose"][:, 1], np.deg2rad([0, 15]), atol=1e-6)


def test_without_the_extra_nothing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    write_crops(tmp_path / "crops")
    with pytest.raises(ValueError, match=r"pip install -e '\.\[iris\]'"):
        preprocess(tmp_path)
    assert not (tmp_path / "store" / "tables").exists()
