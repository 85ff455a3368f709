"""What a test leaves behind, against an independent computation."""

import json
import logging
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.fake_trainer import fake_trainer
from builders.small_store import write_small_store

from common.evaluation.resampling import bootstrap_interval
from flame.data.datamodule import GazeDataModule
from flame.evaluation.callback import (
    CSV_COLUMNS,
    TestResults,
    results_table,
    summarise,
    summary_line,
)
from flame.evaluation.error_slices import error_slices, slice_table

COLUMNS = [
    *("index", "yaw_p", "pitch_p", "yaw_t", "pitch_t", "loss_3d", "error_y", "error_p"),
    *("subject", "sample_id", "eye"),
]
BASELINES = ("train_mean", "head_pose")
Outputs = list[dict[str, torch.Tensor]]


def angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angle between [yaw, pitch] in degrees, by the half chord: exact for small angles too."""

    def vector(gaze_deg: np.ndarray) -> np.ndarray:
        yaw, pitch = np.deg2rad(gaze_deg).T
        return np.stack(
            [np.cos(pitch) * np.sin(yaw), np.sin(pitch), np.cos(pitch) * np.cos(yaw)], 1
        )

    chord = np.linalg.norm(vector(one) - vector(other), axis=1)
    return np.rad2deg(2 * np.arcsin(chord / 2))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> GazeDataModule:
    store_dir = tmp_path_factory.mktemp("results") / "store"
    write_small_store(store_dir, num_subjects=6)
    return GazeDataModule(
        name="small",
        store_dir=str(store_dir),
        split="cross_person",
        split_fractions=(0.4, 0.2, 0.4),
        num_workers=0,
    )


@pytest.fixture(scope="module")
def outputs(data: GazeDataModule) -> Outputs:
    """Predictions off by a few degrees, in shuffled batches of three."""
    generator = torch.Generator().manual_seed(0)
    rows = data.table.filter(pl.col("part") == "test")["row"].to_numpy().astype(np.int64)
    order = np.random.default_rng(0).permutation(len(rows))
    gaze = torch.from_numpy(data._labels.gaze[rows[order]])
    prediction = gaze + 0.1 * torch.randn(len(rows), 2, generator=generator)
    columns = {
        "prediction": prediction,
        "gaze": gaze,
        "row": torch.from_numpy(rows[order]),
        "eye": torch.from_numpy(order % 2),
    }
    return [{name: c[i : i + 3] for name, c in columns.items()} for i in range(0, len(rows), 3)]


@pytest.fixture(scope="module")
def results(outputs: Outputs, data: GazeDataModule) -> pl.DataFrame:
    return results_table(outputs, data.table)


def test_rows_are_in_the_order_of_the_data(results: pl.DataFrame, data: GazeDataModule) -> None:
    part = data.table.filter(pl.col("part") == "test")
    assert results["sample_id"].to_list() == part["sample_id"].to_list()
    assert results["subject"].to_list() == part["subject"].to_list()
    assert results["index"].to_list() == list(range(len(part)))


def test_both_eyes_of_a_sample_stand_together_the_right_one_first(data: GazeDataModule) -> None:
    output = {
        "prediction": torch.zeros(4, 2),
        "gaze": torch.zeros(4, 2),
        "row": torch.tensor([7, 3, 3, 7]),
        "eye": torch.tensor([1, 1, 0, 0]),
    }
    table = results_table([output], data.table)
    assert list(zip(table["row"], table["eye"], strict=True)) == [
        (3, "right"), (3, "left"), (7, "right"), (7, "left"),
    ]  # fmt: skip


def test_errors_of_opposite_sign_are_none_of_both_eyes_mean(data: GazeDataModule) -> None:
    rows = torch.tensor([3, 3, 7, 7])
    gaze = torch.from_numpy(data._labels.gaze[rows]).float()
    off = torch.tensor([[0.1, 0.0], [-0.1, 0.0], [0.0, 0.2], [0.0, 0.2]])
    output = {
        "prediction": gaze + off,
        "gaze": gaze,
        "row": rows,
        "eye": torch.tensor([0, 1, 0, 1]),
    }
    summary = summarise(results_table([output], data.table))
    assert summary["both_eyes"]["num_samples"] == 2
    # The first is right but for the sphere's curvature, the second off by 0.2 radians.
    assert summary["both_eyes"]["mean_deg"] == pytest.approx(np.rad2deg(0.1), abs=0.1)
    assert re.search(
        r"mean error 8\.\d+ deg \(of both eyes' mean 5\.7\d\)",
        summary_line("x", summary | {"baselines": {}}),
    )
    one = {name: column[[0, 2]] for name, column in output.items()}
    assert "both_eyes" not in summarise(results_table([one], data.table))


def test_errors_are_those_of_an_independent_computation(
    results: pl.DataFrame, data: GazeDataModule
) -> None:
    predicted = results.select("yaw_p", "pitch_p").to_numpy()
    true = results.select("yaw_t", "pitch_t").to_numpy()
    part = data.table.filter(pl.col("part") == "test")
    labels_deg = np.rad2deg(part.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy())
    # float32 angles.
    np.testing.assert_allclose(true, labels_deg, atol=1e-5)
    np.testing.assert_allclose(results["loss_3d"], angle_deg(predicted, true), atol=1e-4)
    np.testing.assert_allclose(results["error_y"], np.abs(predicted - true)[:, 0], atol=1e-12)
    np.testing.assert_allclose(results["error_p"], np.abs(predicted - true)[:, 1], atol=1e-12)


def test_the_summary_is_of_the_samples(results: pl.DataFrame) -> None:
    errors, summary = results["loss_3d"].to_numpy(), summarise(results)
    assert summary["num_samples"] == len(errors)
    assert summary["mean_deg"] == pytest.approx(errors.sum() / len(errors))
    deviation = np.sqrt(((errors - errors.mean()) ** 2).sum() / (len(errors) - 1))
    assert summary["std_deg"] == pytest.approx(deviation)
    for name in ("interval_over_samples_deg", "interval_over_subjects_deg"):
        assert summary[name]["low"] <= summary["mean_deg"] <= summary[name]["high"]


def test_different_people_widen_the_interval_over_subjects(results: pl.DataFrame) -> None:
    numbers = {name: i for i, name in enumerate(sorted(set(results["subject"])))}
    apart = results.with_columns(
        loss_3d=pl.col("loss_3d") * 0.01
        + pl.col("subject").replace_strict(numbers, return_dtype=pl.Float64) * 5
    )
    summary = summarise(apart)
    widths = {
        name: summary[f"interval_over_{name}_deg"]["high"]
        - summary[f"interval_over_{name}_deg"]["low"]
        for name in ("samples", "subjects")
    }
    assert widths["subjects"] > widths["samples"]


def test_one_person_has_no_interval_over_people(results: pl.DataFrame) -> None:
    one = results.filter(pl.col("subject") == results["subject"][0])
    assert summarise(one)["interval_over_subjects_deg"] is None
    assert summarise(one[:1])["std_deg"] is None


def test_slices_count_every_sample_once(results: pl.DataFrame) -> None:
    for name, slices in error_slices(results).items():
        assert sum(item["num_samples"] for item in slices) == len(results), name
        weighted = sum(item["num_samples"] * item["mean_deg"] for item in slices)
        assert weighted / len(results) == pytest.approx(results["loss_3d"].mean())
    by_subject = {item["slice"]: item for item in error_slices(results)["subject"]}
    for (subject,), rows in results.group_by("subject"):
        assert by_subject[subject]["num_samples"] == len(rows)
        assert by_subject[subject]["mean_deg"] == pytest.approx(rows["loss_3d"].mean())


def test_columbias_angles_sit_in_the_middle_of_their_bins(results: pl.DataFrame) -> None:
    angles = [-15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0]
    # What float32 radians leave of whole degrees.
    yaw = np.rad2deg(np.deg2rad(angles).astype(np.float32)).astype(np.float64)
    rows = results[: len(angles)].with_columns(yaw_t=pl.Series(yaw))
    slices = error_slices(rows)["yaw_t"]
    assert [item["slice"] for item in slices] == angles
    assert [item["num_samples"] for item in slices] == [1] * len(angles)


def test_the_bin_around_zero_is_called_0(results: pl.DataFrame) -> None:
    rows = results[:2].with_columns(yaw_t=pl.Series([-0.4, 0.4]))
    assert slice_table(error_slices(rows)).filter(slice_kind="yaw_t")["slice"].to_list() == ["0"]
    assert str(error_slices(rows)["yaw_t"][0]["slice"]) == "0.0"


def write(data: GazeDataModule, outputs: Outputs, folder: Path) -> None:
    callback = TestResults(str(folder), model_key="baseline", trained_on="other")
    module: Any = SimpleNamespace(outputs=outputs)
    callback.on_test_end(fake_trainer(data), module)


def written(folder: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    stem = folder / "other_small_baseline"
    return pl.read_csv(f"{stem}.csv"), json.loads(Path(f"{stem}.json").read_text())


@pytest.fixture(scope="module")
def folder(
    data: GazeDataModule, outputs: Outputs, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What a test wrote."""
    folder = tmp_path_factory.mktemp("written")
    write(data, outputs, folder)
    return folder


def test_the_error_is_said_beside_what_looks_at_no_pixel(
    data: GazeDataModule, outputs: Outputs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        write(data, outputs, tmp_path)
    _, summary = written(tmp_path)
    (said,) = caplog.messages
    errors = [summary["mean_deg"], *(summary["baselines"][f"{n}_deg"] for n in BASELINES)]
    assert said.startswith("other_small_baseline: ")
    assert re.findall(r"\d+\.\d+", said) == [f"{error:.2f}" for error in errors]


def test_files_hold_the_originals_columns_first(results: pl.DataFrame, folder: Path) -> None:
    table, summary = written(folder)
    assert table.columns == COLUMNS == CSV_COLUMNS
    np.testing.assert_allclose(table["loss_3d"], results["loss_3d"], rtol=1e-12)
    described = ("model", "trained_on", "tested_on", "part", "eye_rule", "unit")
    assert [summary[name] for name in described] == [
        "baseline", "other", "small", "test", "parity", "deg",
    ]  # fmt: skip
    assert summary["mean_deg"] == pytest.approx(table["loss_3d"].mean())
    stem = "other_small_baseline"
    names = {f"{stem}.csv", f"{stem}_slices.csv", f"{stem}.json", f"{stem}.png"}
    assert {path.name for path in folder.iterdir()} == names


def test_the_table_of_slices_holds_the_summarys_numbers(folder: Path) -> None:
    _, summary = written(folder)
    path = folder / "other_small_baseline_slices.csv"
    table = pl.read_csv(path, schema_overrides={"slice": pl.String})
    assert table.columns == [
        *("slice_kind", "slice", "num_samples", "mean_deg", "std_deg"),
        *("samples_low_deg", "samples_high_deg", "subjects_low_deg", "subjects_high_deg"),
    ]
    kinds = ["subject", "head_yaw", "head_pitch", "yaw_t", "pitch_t"]
    assert table["slice_kind"].unique(maintain_order=True).to_list() == kinds
    for kind in kinds:
        part = table.filter(pl.col("slice_kind") == kind)
        assert part["num_samples"].sum() == summary["num_samples"]
        assert part["mean_deg"].to_list() == [item["mean_deg"] for item in summary["by"][kind]]
    inside = table.filter(
        (pl.col("samples_low_deg") <= pl.col("mean_deg"))
        & (pl.col("mean_deg") <= pl.col("samples_high_deg"))
    )
    assert len(inside) == len(table)
    # Nobody can be resampled where there is one.
    one_person = table.filter(pl.col("slice_kind") == "subject")
    assert one_person["subjects_low_deg"].null_count() == len(one_person)


def test_a_slices_numbers_are_those_of_its_samples(results: pl.DataFrame) -> None:
    subject = results["subject"][0]
    errors = results.filter(pl.col("subject") == subject)["loss_3d"].to_numpy()
    found = next(item for item in error_slices(results)["subject"] if item["slice"] == subject)
    assert found["std_deg"] == pytest.approx(errors.std(ddof=1))
    assert found["interval_over_samples_deg"] == asdict(bootstrap_interval(errors))


def test_several_processes_are_refused_before_they_overwrite_each_other(tmp_path: Path) -> None:
    callback = TestResults(str(tmp_path / "run" / "test"), model_key="baseline", trained_on="x")
    trainer: Any = SimpleNamespace(world_size=2)
    with pytest.raises(ValueError, match=r" 2 .*trainer\.devices=1.*run=.*/run split=test"):
        callback.on_test_start(trainer, None)  # type: ignore[arg-type]


def test_baselines_are_the_train_mean_and_the_face_direction(
    data: GazeDataModule, folder: Path
) -> None:
    _, summary = written(folder)
    target = np.rad2deg(data.labels("test")[0].astype(np.float64))
    mean = np.rad2deg(data.labels("train")[0].astype(np.float64).mean(axis=0))
    expected = angle_deg(np.tile(mean, (len(target), 1)), target).mean()
    assert summary["baselines"]["train_mean_deg"] == pytest.approx(expected, abs=1e-4)
    # In the small store the head looks half as far as the eyes.
    halfway = angle_deg(target / 2, target).mean()
    assert summary["baselines"]["head_pose_deg"] == pytest.approx(halfway, abs=0.05)
