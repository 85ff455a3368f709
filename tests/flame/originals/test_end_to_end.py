"""Folder layout -> store -> an original's checkpoint -> csv, against the original's own csv.

The original ran on subject s3 of a small synthetic data set (torch 2.15, CPU), with weights filled
as `golden_flame.filled_tensor` does, the output layer scaled, and EYEDIAP's ranges.
"""

import json
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.golden_flame import GOLDEN_DIR, Golden
from builders.small_training import composed

from common.prediction.command import predict
from common.preprocessing.command import prepare_store
from flame.data.splits import Split
from flame.originals.checkpoint import OriginalCheckpoint, write_checkpoint

MODELS = {
    "flame": "mmtm-fusion",
    "flame_ao": "concatenated-fusion",
    "flame_af": "additive-fusion",
    "flame_b": "baseline",
}
EXPECTED: dict[str, Any] = json.loads((GOLDEN_DIR / "e2e.json").read_text())


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the original's test subject, and a split in which it is the test part."""
    folder = tmp_path_factory.mktemp("original")
    with tarfile.open(GOLDEN_DIR / "e2e_s3.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    overrides = [
        "data=flame_layout",
        "data.name=flame_layout",
        f"data.raw_dir={folder / 'flame_e2e'}",
        "num_workers=0",
    ]
    outcome = prepare_store(
        composed("preprocess", *overrides, f"data.store_dir={folder / 'store'}", "paths.run_dir=x")
    )
    assert outcome.report.startswith("10 faces stored, 0 ")
    split = Split("s3_tests", "this test", "subject", (), (), ("s3",))
    (folder / "split.json").write_text(json.dumps(asdict(split)))
    return folder


def original_checkpoint(path: Path, model_key: str, golden: Golden) -> None:
    state = dict(golden.state_dict(model_key))
    scale = float(np.float32(EXPECTED["out_layer_scale"]))
    for key in ("out.weight", "out.bias"):
        state[key] = state[key] * scale
    write_checkpoint(path, OriginalCheckpoint(0, state, {}, {}, 0.0, 0.0))


@pytest.mark.parametrize(("model", "model_key"), MODELS.items())
def test_the_csv_is_the_originals(
    work_dir: Path, golden: Golden, model: str, model_key: str
) -> None:
    checkpoint = work_dir / "original.pth"
    original_checkpoint(checkpoint, model_key, golden)
    overrides = [
        *(f"model={model}", f"checkpoint={checkpoint}", f"statistics={EXPECTED['statistics']}"),
        *("data=flame_layout", "data.name=flame_layout"),
        *("split=test", "data.datamodule.num_workers=0"),
        *(f"data.store_dir={work_dir / 'store'}", f"output_dir={work_dir / model}"),
        *(f"data.datamodule.split={work_dir / 'split.json'}", "paths.run_dir=x"),
    ]
    predict(composed("predict", *overrides))
    checkpoint.unlink()

    stem = work_dir / model / f"eyediap_flame_layout_{model_key}"
    expected = EXPECTED["models"][model_key]
    found = pl.read_csv(f"{stem}.csv").select(EXPECTED["columns"]).to_numpy()
    # The original's rows are shuffled; `frames` says which frame each is. A thousandth of a degree
    # is float32 through 20 layers, in another order of summation.
    np.testing.assert_allclose(found[EXPECTED["frames"]], expected["rows"], atol=1e-3)
    summary = json.loads(Path(f"{stem}.json").read_text())
    assert summary["mean_deg"] == pytest.approx(expected["mean"], abs=1e-3)
    assert summary["std_deg"] == pytest.approx(expected["std"], abs=1e-3)


def test_the_store_holds_the_originals_labels_and_parity(work_dir: Path) -> None:
    table = pl.read_parquet(work_dir / "store" / "tables" / "s3.parquet")
    assert table["index"].to_list() == list(range(10))
    rows = np.array(EXPECTED["models"]["baseline"]["rows"])
    true_deg = np.rad2deg(table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy())
    np.testing.assert_allclose(true_deg[EXPECTED["frames"]], rows[:, 2:4], atol=1e-5)
    assert torch.isfinite(torch.from_numpy(rows)).all()
