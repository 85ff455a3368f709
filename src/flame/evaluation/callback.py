"""What a test leaves behind: predictions and errors by slice as csv, numbers as json, a figure."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch
from pytorch_lightning import Trainer

from common.evaluation.result_files import ResultFiles, headline
from common.files.atomic import partial_path
from common.files.checksums import file_sha256
from common.files.sealed import write_json
from common.geometry import angular_error, face_direction, gaze_angles, gaze_vector
from common.listing import counted, counted_names
from common.loggers.dashboard import log_picture
from common.training.module import Outputs
from flame.batch import LEFT, GazeOutput
from flame.evaluation.calibrated_errors import (
    CalibratedTest,
    CalibrationSettings,
    calibrate_people,
    prior_of,
)
from flame.evaluation.calibration import write_calibration
from flame.evaluation.calibration_fit import PeoplePrior
from flame.evaluation.error_slices import describe_errors, error_slices, slice_table
from flame.evaluation.figures import save_calibration_figure, save_error_figure

LOG = logging.getLogger(__name__)
_BASELINE_NAMES = {
    "train_mean_deg": "mean of the train part",
    "head_pose_deg": "head pose as gaze",
}


class TestResults(ResultFiles):
    """Writes the predictions of a test in the order of the data.

    Args:
        output_dir: of `ResultFiles`, as are the next two and `chosen_by`.
        model_key: the model's name.
        trained_on: name of the training data set.
        chosen_by: the metric that the tested checkpoint is the best by.
        calibration: of people by samples of their own: arguments of `CalibrationSettings`.
    """

    __test__ = False  # no test class of pytest's

    def __init__(
        self,
        output_dir: str,
        model_key: str,
        trained_on: str,
        chosen_by: str | None = None,
        calibration: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(output_dir, model_key, trained_on, chosen_by)
        self._calibration = None if calibration is None else CalibrationSettings(**calibration)
        self._prior: PeoplePrior | None = None

    def learn_people(self, outputs: Outputs, table: pl.DataFrame) -> None:
        """Learn how people differ, for a calibration of others: arguments of `results_table`.

        Raises:
            ValueError: If a sample has no label.
        """
        self._prior = prior_of(results_table(outputs, table))

    def on_test_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Write predictions and slices as csv, numbers as json, and the figure.

        Raises:
            ValueError: As `calibrate_people`.
        """
        datamodule = trainer.datamodule
        results = results_table(pl_module.outputs, datamodule.table)
        summary = summarise(results) | {"baselines": _baselines(datamodule)}
        if self._calibration:
            assert self._prior, "people are learnt before the test"
            calibrated = calibrate_people(results, self._calibration, self._prior)
            summary["calibration"] = calibrated.summary
            self._write_calibrations(calibrated, datamodule, pl_module.net)
        stem = self._stem(datamodule)
        described = {
            "kind": "gaze_angle_test",
            "unit": "deg",
            **self._described(trainer),
            "precision": trainer.precision,
            "split": datamodule.split.name,
            **({"fold": datamodule.fold} if datamodule.fold else {}),
            "gaze_convention": datamodule.gaze_convention,
            "gaze_frame": datamodule.gaze_frame,
            "eye_rule": datamodule.fingerprint()["eval_eye"],
        }
        slices = slice_table(summary["by"])
        for name, table in ((stem, results.select(CSV_COLUMNS)), (f"{stem}_slices", slices)):
            with partial_path(self._output_dir / f"{name}.csv") as partial:
                table.write_csv(partial)
        numbers = described | summary
        # A csv has no place for a checksum of its own.
        sha256 = {"predictions_sha256": file_sha256(self._output_dir / f"{stem}.csv")}
        write_json(self._output_dir / f"{stem}.json", numbers | sha256)
        LOG.info("%s", summary_line(stem, numbers))
        if "calibration" in numbers:
            LOG.info("%s", calibration_text(numbers["calibration"]))
        figure_path = self._output_dir / f"{stem}.png"
        save_error_figure(results, summary, figure_path, title=stem)
        log_picture(trainer.loggers, "test/figure", figure_path, trainer.global_step)

    def _write_calibrations(self, calibrated: CalibratedTest, datamodule: Any, net: Any) -> None:
        """Write the error by number of samples as csv and figure, and everybody's map."""
        if calibrated.left_out:
            LOG.warning(
                "%s; a calibration by %d samples is tested on others",
                counted_names(calibrated.left_out, "persons left out, with too few samples"),
                calibrated.settings.samples,
            )
        stem, table = f"{self._stem(datamodule)}_calibration", calibrated.table()
        with partial_path(self._output_dir / f"{stem}.csv") as partial:
            table.write_csv(partial)
        save_calibration_figure(table, self._output_dir / f"{stem}.png", title=stem)
        for name, person in calibrated.people.items():
            described = {
                "run": calibrated.settings.run,
                "model": self._model_key,
                "trained_on": self._trained_on,
                "tested_on": datamodule.name,
                "gaze_convention": datamodule.gaze_convention,
                "gaze_frame": datamodule.gaze_frame,
                "sample_ids": person.sample_ids,
            }
            folder = self._output_dir / "calibrations"
            write_calibration(folder, name, person.calibration, net, described)


# The first eight are the original's; its unnamed first column is called `index` in its README.
CSV_COLUMNS = [
    *("index", "yaw_p", "pitch_p", "yaw_t", "pitch_t", "loss_3d", "error_y", "error_p"),
    *("subject", "sample_id", "eye"),
]


def results_table(outputs: Outputs, table: pl.DataFrame) -> pl.DataFrame:
    """Return one row a prediction, angles and errors in degrees, in the order of the data.

    Outputs are each a `GazeOutput`; subject, sample id and head pose come from the data's table.
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
    """Return the error of all samples (`describe_errors`), and the error by slice; degrees.

    Where all samples were tested with both eyes, ``both_eyes`` has the error of their mean
    direction, as `predict.py` says it of a photo.
    """
    has_both = len(results) == 2 * results["row"].n_unique()
    return {
        **({"both_eyes": _both_eyes_error(results)} if has_both else {}),
        **describe_errors(results["loss_3d"].to_numpy(), results["subject"].to_numpy()),
        "mean_yaw_error_deg": float(results["error_y"].to_numpy().mean()),
        "mean_pitch_error_deg": float(results["error_p"].to_numpy().mean()),
        "by": error_slices(results),
    }


def _both_eyes_error(results: pl.DataFrame) -> dict[str, Any]:
    """Return `describe_errors` of the mean direction of each two rows, a sample's both eyes."""
    predicted, target = (
        np.radians(results.select(f"yaw_{of}", f"pitch_{of}").to_numpy()).reshape(-1, 2, 2)
        for of in "pt"
    )
    mean = torch.from_numpy(gaze_angles(gaze_vector(predicted).sum(axis=1)))
    errors = torch.rad2deg(angular_error(mean, torch.from_numpy(target[:, 0])))
    return describe_errors(errors.numpy(), results["subject"].to_numpy()[::2])


def summary_line(stem: str, summary: Mapping[str, Any]) -> str:
    """Return a test's mean error beside those of the baselines, of what ``STEM.json`` holds."""
    measured = f"mean error {summary['mean_deg']:.2f} deg"
    if "both_eyes" in summary:
        measured += f" (of both eyes' mean {summary['both_eyes']['mean_deg']:.2f})"
    return headline(stem, measured, summary, _BASELINE_NAMES, 2)


def calibration_text(calibration: Mapping[str, Any]) -> str:
    """Return the error by number of samples as a table, of what a summary's ``calibration`` holds.

    The difference to no calibration is on the same held-out samples, its interval over people.
    """
    lines = [
        f"calibrated by samples of each of {counted(calibration['num_subjects'], 'subjects')}; how "
        f"people differ is known from {calibration['prior']['num_people']} of the validation",
        "samples  mean error, deg  to uncalibrated  95 % over people",
    ]
    for item in calibration["by_samples"]:
        change = item["to_uncalibrated"]
        interval = change["interval_over_subjects_deg"]
        ends = f"[{interval['low']:+.2f}, {interval['high']:+.2f}]" if interval else ""
        lines.append(
            f"{item['samples']:7}  {item['mean_deg']:15.2f}  {change['mean_deg']:+15.2f}  {ends}"
        )
    return "\n".join(line.rstrip() for line in lines)


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
