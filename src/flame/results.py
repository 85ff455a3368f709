"""What a test leaves behind: predictions as csv, numbers as json, errors by slice as figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from common.atomic import partial_path, write_text_atomically
from common.geometry import angular_error, face_direction
from common.metrics import bootstrap_interval
from flame.batch import LEFT
from flame.figures import save_error_figure
from flame.module import GazeOutput

Float = npt.NDArray[np.floating[Any]]


class TestResults(Callback):
    """Collects the predictions of a test and writes them in the order of the data.

    Args:
        output_dir: where the files go.
        model_key: the net's name in the original, part of the csv's name.
        trained_on: name of the training data set, part of the csv's name.
    """

    __test__ = False  # no test class of pytest's

    def __init__(self, output_dir: str, model_key: str, trained_on: str) -> None:
        self._output_dir = Path(output_dir)
        self._model_key = model_key
        self._trained_on = trained_on
        self._outputs: list[dict[str, torch.Tensor]] = []

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget an earlier test."""
        self._outputs = []

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch's predictions."""
        self._outputs.append({name: value.cpu() for name, value in outputs.items()})

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write csv, json and figure."""
        datamodule = trainer.datamodule
        results = results_table(self._outputs, datamodule.table)
        summary = summarise(results) | {"baselines": _baselines(datamodule)}
        stem = f"{self._trained_on}_{datamodule.name}_{self._model_key}"
        described = {
            "kind": "gaze_angle_test",
            "unit": "deg",
            "model": self._model_key,
            "trained_on": self._trained_on,
            "tested_on": datamodule.name,
            "part": datamodule.test_part,
            "split": datamodule.split.name,
            "gaze_convention": datamodule.gaze_convention,
            "eye_rule": datamodule.fingerprint()["eval_eye"],
        }
        with partial_path(self._output_dir / f"{stem}.csv") as partial:
            results.select(CSV_COLUMNS).write_csv(partial)
        write_text_atomically(
            self._output_dir / f"{stem}.json", json.dumps(described | summary, indent=1) + "\n"
        )
        save_error_figure(results, summary, self._output_dir / f"{stem}.png", title=stem)


# The first eight are the original's; its unnamed first column is called `index` in its README.
CSV_COLUMNS = [
    *("index", "yaw_p", "pitch_p", "yaw_t", "pitch_t", "loss_3d", "error_y", "error_p"),
    *("subject", "sample_id", "eye"),
]


def results_table(outputs: list[dict[str, torch.Tensor]], table: pl.DataFrame) -> pl.DataFrame:
    """Return one row a prediction, angles and errors in degrees, in the order of the data.

    Args:
        outputs: `flame.module.GazeOutput` of all test batches, on the CPU.
        table: the data module's table, from which subject, sample id and head pose come.
    """
    columns = {
        name: torch.cat([out[name] for out in outputs]) for name in GazeOutput.__annotations__
    }
    prediction, target = columns["prediction"], columns["gaze"]
    yaw_p, pitch_p = torch.rad2deg(prediction).double().numpy().T
    yaw_t, pitch_t = torch.rad2deg(target).double().numpy().T
    predictions = pl.DataFrame(
        {
            "row": columns["row"].numpy().astype(np.uint32),
            "eye": np.where(columns["eye"].numpy() == LEFT, "left", "right"),
            "yaw_p": yaw_p,
            "pitch_p": pitch_p,
            "yaw_t": yaw_t,
            "pitch_t": pitch_t,
            "loss_3d": torch.rad2deg(angular_error(prediction, target)).double().numpy(),
            "error_y": np.abs(yaw_p - yaw_t),
            "error_p": np.abs(pitch_p - pitch_t),
        }
    )
    described = table.select(
        pl.col("row").cast(pl.UInt32),
        "subject",
        "sample_id",
        *(pl.col(f"head_{axis}_rad").degrees().alias(f"head_{axis}") for axis in ("pitch", "yaw")),
    )
    joined = predictions.join(described, on="row", how="left", maintain_order="left")
    return joined.sort("row", "eye", descending=[False, True], maintain_order=True).with_row_index(
        "index"
    )


def summarise(results: pl.DataFrame) -> dict[str, Any]:
    """Return mean, deviation and intervals of the error, and the error by slice; degrees.

    The deviation is the sample's (n - 1), as the original reports it.
    """
    errors = results["loss_3d"].to_numpy()
    subjects = results["subject"].to_numpy()
    return {
        "num_samples": len(errors),
        "mean_deg": float(errors.mean()),
        "std_deg": float(errors.std(ddof=1)) if len(errors) > 1 else None,
        "interval_over_samples_deg": asdict(bootstrap_interval(errors)),
        "interval_over_subjects_deg": _subject_interval(errors, subjects),
        "mean_yaw_error_deg": float(results["error_y"].to_numpy().mean()),
        "mean_pitch_error_deg": float(results["error_p"].to_numpy().mean()),
        "by": error_slices(results),
    }


def _subject_interval(errors: Float, subjects: npt.NDArray[Any]) -> dict[str, float] | None:
    """Return the interval under resampling of whole people; None for a single person."""
    if len(np.unique(subjects)) < 2:
        return None
    return asdict(bootstrap_interval(errors, clusters=subjects))


SLICE_DEG = {"head_yaw": 15.0, "head_pitch": 15.0, "yaw_t": 5.0, "pitch_t": 5.0}


def error_slices(results: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return mean error and count by subject and by bins of head pose and gaze, in degrees.

    A bin is named by its centre; its width is in `SLICE_DEG`.
    """
    slices = {"subject": _grouped(results, pl.col("subject"))}
    for name, width in SLICE_DEG.items():
        # Rounding away float dust first, so that -15 deg sits in the middle of its bin.
        slices[name] = _grouped(results, (pl.col(name).round(3) / width).round() * width + 0.0)
    return slices


def _grouped(results: pl.DataFrame, key: pl.Expr) -> list[dict[str, Any]]:
    grouped = results.group_by(key.alias("slice")).agg(
        pl.len().alias("num_samples"), pl.col("loss_3d").mean().alias("mean_deg")
    )
    return grouped.sort("slice").to_dicts()


def _baselines(datamodule: Any) -> dict[str, float]:
    """Return the errors of two predictors that look at no pixel.

    One says the mean of the data set's train part, the other where the face points.
    """
    gaze, head_pose = datamodule.labels(datamodule.test_part)
    straight = torch.from_numpy(face_direction(head_pose))
    baselines = {"head_pose_deg": _mean_error_deg(straight, torch.from_numpy(gaze).double())}
    if "train" in set(datamodule.table["part"]):
        mean = torch.from_numpy(datamodule.labels("train")[0].mean(axis=0)).double()
        target = torch.from_numpy(gaze).double()
        baselines["train_mean_deg"] = _mean_error_deg(mean.expand_as(target), target)
    return baselines


def _mean_error_deg(prediction: torch.Tensor, target: torch.Tensor) -> float:
    return float(torch.rad2deg(angular_error(prediction, target)).mean())
