"""Tests of gaze angles, as ``flame.evaluation.callback`` writes them, in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from common.report.kinds.columns import (
    Column,
    config_column,
    count_column,
    ending_columns,
    epochs_column,
    model_column,
    number_column,
    summary_column,
)
from common.report.kinds.kind import (
    NOT_RECORDED,
    Measure,
    Quantity,
    ResultKind,
    Validation,
    rounded,
    slice_counts,
)
from common.report.run import ModelTest, Run, lookup
from common.report.samples import read_gaze_samples

_MEASURE = Measure(
    key="mean_deg",
    name="mean angular error",
    unit="deg",
    factor=1.0,
    best="lowest",
    higher_is_better=False,
    interval="interval_over_subjects_deg",
    validation=Validation(
        metric="val/angular_error_deg",
        axis="val/angular_error [deg]",
        column="last val error",
    ),
)
_EXPLANATION = (
    "Error: the angle between predicted and true gaze vector, in degrees; mean +- standard "
    "deviation over the samples. The interval is a 95 % bootstrap interval of the mean that "
    "resamples whole subjects; a dash stands where one subject was tested. Tests share a table "
    "only if data, part, split, eye rule, gaze convention, subjects and the errors of the "
    "baselines are the same. The baselines look at no pixel: one always says the mean gaze of the "
    "train part, the other takes the direction of the face for the gaze."
)


@dataclass(frozen=True)
class GazeAngleProtocol:
    """What two tests of gaze angles must share to stand in one table.

    Subjects and baselines come from the tested samples themselves (and the train part's labels),
    so data or splits that changed under an unchanged name do not slip into the same table.
    """

    tested_on: str
    part: str
    split: str
    eye_rule: str
    gaze_convention: str
    num_samples: int
    subjects: tuple[tuple[Any, ...], ...]  # name, number of samples
    train_mean_deg: float | None
    head_pose_deg: float | None

    @property
    def title(self) -> str:
        """Headline of its section."""
        return f"{self.tested_on}, {self.part} part"

    @property
    def caption(self) -> str:
        """The protocol in words."""
        return (
            f"{self.tested_on}, {self.part} part (n = {self.num_samples}, subjects: "
            f"{len(self.subjects)}); split: {self.split}; eyes: {self.eye_rule}; "
            f"gaze convention: {self.gaze_convention}"
        )

    @property
    def baselines(self) -> dict[str, float]:
        """Errors of the predictors that look at no pixel, in degrees, by their name."""
        errors = {
            "mean of the train part": self.train_mean_deg,
            "head pose as gaze": self.head_pose_deg,
        }
        return {name: error for name, error in errors.items() if error is not None}


def _protocol(test: ModelTest) -> GazeAngleProtocol:
    """Return a test's protocol.

    Split and gaze convention are those that the summary names; for the test at the end of a
    training, whose data are the run's, those of the run.
    """
    summary = test.summary
    data = test.run.snapshot.get("data", {}) if test.path.parent.name == "test" else {}
    split = summary.get("split") or data.get("split")
    convention = summary.get("gaze_convention") or lookup(data, "recipe.gaze_convention")
    return GazeAngleProtocol(
        tested_on=summary["tested_on"],
        part=summary["part"],
        split=split or NOT_RECORDED,
        eye_rule=summary["eye_rule"],
        gaze_convention=convention or NOT_RECORDED,
        num_samples=summary["num_samples"],
        subjects=slice_counts(test, "subject"),
        train_mean_deg=rounded(summary["baselines"].get("train_mean_deg"), 3),
        head_pose_deg=rounded(summary["baselines"].get("head_pose_deg"), 3),
    )


def _error_text(test: ModelTest, _: Sequence[ModelTest]) -> str:
    std = test.summary["std_deg"]
    return _MEASURE.text(test.summary["mean_deg"]) + ("" if std is None else f" +- {std:.2f}")


def _settings(run: Run, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"width": run.setting("config.model.width")}


def _conditions(test: ModelTest) -> dict[str, Any]:
    values = asdict(_protocol(test))
    return {name: values[name] for name in ("split", "eye_rule", "gaze_convention")}


def _numbers(test: ModelTest) -> dict[str, Any]:
    summary = test.summary
    return {
        "mean_deg": summary["mean_deg"],
        "std_deg": summary["std_deg"],
        "subjects_low_deg": lookup(summary, "interval_over_subjects_deg.low"),
        "subjects_high_deg": lookup(summary, "interval_over_subjects_deg.high"),
        "samples_low_deg": lookup(summary, "interval_over_samples_deg.low"),
        "samples_high_deg": lookup(summary, "interval_over_samples_deg.high"),
        "train_mean_baseline_deg": lookup(summary, "baselines.train_mean_deg"),
        "head_pose_baseline_deg": lookup(summary, "baselines.head_pose_deg"),
    }


GAZE_ANGLE = ResultKind(
    name="gaze_angle_test",
    required=(
        *("model", "trained_on", "tested_on", "part", "eye_rule", "num_samples", "mean_deg"),
        *("std_deg", "interval_over_subjects_deg", "baselines", "by"),
    ),
    predictions_suffix=".csv",
    samples=read_gaze_samples,
    cluster="subjects",
    measure=_MEASURE,
    beside=Quantity(key="std_deg", name="std of samples", unit="deg", factor=1.0),
    protocol=_protocol,
    columns=(
        number_column(),
        model_column(),
        Column("mean +- std [deg]", _error_text, lambda baseline: baseline.value),
        Column("95 % interval", lambda test, _: _MEASURE.interval_text(test)),
        config_column("width", "config.model.width"),
        summary_column("trained on", "trained_on"),
        config_column("seed", "config.seed"),
        count_column("n", "num_samples"),
        epochs_column(),
        *ending_columns(),
    ),
    settings=_settings,
    main_settings=("width",),
    test_settings=lambda _: {},
    conditions=_conditions,
    numbers=_numbers,
    slicings={},
    slice_counts={"num_samples": "n"},
    figure_stem="errors",
    bars_caption="Mean error and its 95 % interval",
    details_title="Predicted angles and error by slice",
    explanation=_EXPLANATION,
)
