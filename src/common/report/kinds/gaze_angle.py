"""Tests of gaze angles, as ``flame.evaluation.callback`` writes them, in the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl

from common.evaluation.resampling import Samples, mean_of_samples
from common.files.form import NUMBER, POSITIVE, TEXT, Maybe
from common.report.kinds.measure import Measure, Quantity, Validation
from common.report.kinds.model_test import (
    FOLD_FORM,
    INTERVAL,
    TEST_FORM,
    ModelTest,
    Settings,
    slices_form,
)
from common.report.kinds.protocol import TestProtocol
from common.report.run import NOT_RECORDED, Run, lookup

_MEASURE_COLUMN, _OTHER_COLUMN = "mean +- std [deg]", "other settings"


@dataclass(frozen=True)
class GazeAngleProtocol(TestProtocol):
    """What two tests of gaze angles must share to stand in one table.

    Subjects and baselines come from the tested samples themselves (and the train part's labels),
    so data or splits that changed under an unchanged name do not slip into the same table. The
    baselines look at no pixel.
    """

    split: str
    eye_rule: str
    gaze_convention: str
    num_samples: int
    subjects: tuple[tuple[Any, ...], ...]  # name, number of samples
    train_mean_deg: float | None
    head_pose_deg: float | None
    baseline_digits: ClassVar[int] = 3
    baseline_names: ClassVar[Mapping[str, str]] = {
        "train_mean_deg": "mean of the train part",
        "head_pose_deg": "head pose as gaze",
    }

    @property
    def caption(self) -> str:
        """The protocol in words."""
        return (
            f"{self.tested_on}, {self.part} part (n = {self.num_samples}, subjects: "
            f"{len(self.subjects)}); split: {self.split}{self.fold_words}; eyes: {self.eye_rule}; "
            f"gaze convention: {self.gaze_convention}"
        )


class GazeAngleTest(ModelTest):
    """A test of gaze angles: the mean angular error of its samples."""

    kind_name = "gaze_angle_test"
    form: ClassVar = {
        **TEST_FORM,
        **{"eye_rule": TEXT, "num_samples": POSITIVE},
        **{"mean_deg": Maybe(NUMBER), "std_deg": Maybe(NUMBER)},
        "interval_over_subjects_deg": INTERVAL,
        "by": {"subject": slices_form("mean_deg", "num_samples")},
    }
    optional_form: ClassVar = {
        **dict.fromkeys(("split", "gaze_convention"), Maybe(TEXT)),
        "interval_over_samples_deg": INTERVAL,
        **FOLD_FORM,
    }
    predictions_suffix = samples_suffix = ".csv"
    sample_numbers = ("loss_3d",)
    measure = Measure(
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
    beside = (Quantity(key="std_deg", name="std of samples", unit="deg", factor=1.0),)
    columns = (
        *("#", "model", _MEASURE_COLUMN, "95 % interval", "width", _OTHER_COLUMN, "trained on"),
        *("seed", "n", "epochs", "status", "files"),
    )
    optional_columns = frozenset({_OTHER_COLUMN})
    main_settings = ("width",)
    slice_counts: ClassVar = {"num_samples": "n"}
    number_places: ClassVar = {
        **{"mean_deg": "mean_deg", "std_deg": "std_deg"},
        "subjects_low_deg": "interval_over_subjects_deg.low",
        "subjects_high_deg": "interval_over_subjects_deg.high",
        "samples_low_deg": "interval_over_samples_deg.low",
        "samples_high_deg": "interval_over_samples_deg.high",
        "train_mean_baseline_deg": "baselines.train_mean_deg",
        "head_pose_baseline_deg": "baselines.head_pose_deg",
    }
    fixed_settings = ("model.image_size", "model.width", "model.backbone")
    figure_stem = "errors"
    bars_caption = "Mean error and its 95 % interval"
    details_title = "Predicted angles and error by slice"
    explanation = (
        "Error: the angle between predicted and true gaze vector, in degrees; mean +- standard "
        "deviation over the samples. The interval is a 95 % bootstrap interval of the mean that "
        "resamples whole subjects; a dash stands where one subject was tested. Tests share a "
        "table only if data, part, split, eye rule, gaze convention, subjects and the errors of "
        "the baselines are the same. The baselines look at no pixel: one always says the mean gaze "
        "of the train part, the other takes the direction of the face for the gaze."
    )

    @staticmethod
    def settings_of(run: Run, summary: Mapping[str, Any]) -> Settings:
        """Return the net's width, and what was switched on for the training."""
        return {"width": run.setting("config.model.width"), **run.extras}

    @property
    def cluster(self) -> str:
        """Subjects."""
        return "subjects"

    @property
    def protocol(self) -> GazeAngleProtocol:
        """Its protocol.

        Split and gaze convention are those that the summary names; for the test at the end of a
        training, whose data are the run's, those of the run.
        """
        summary = self.summary
        data = self.run.snapshot.get("data", {}) if self.path.parent.name == "test" else {}
        split = summary.get("split") or data.get("split")
        convention = summary.get("gaze_convention") or lookup(data, "recipe.gaze_convention")
        return GazeAngleProtocol(
            **{key: summary[key] for key in ("tested_on", "part", "eye_rule", "num_samples")},
            split=split or NOT_RECORDED,
            fold=GazeAngleProtocol.fold_of(summary),
            gaze_convention=convention or NOT_RECORDED,
            subjects=self.counts_by("subject"),
            **GazeAngleProtocol.baseline_values(self.summary),
        )

    @staticmethod
    def read_samples(path: Path) -> pl.DataFrame:
        """Return error and subject of every sample."""
        types = {"loss_3d": pl.Float64, "subject": pl.String}
        return pl.read_csv(path, glob=False, columns=list(types), schema_overrides=types)

    @staticmethod
    def samples_of(predictions: pl.DataFrame) -> Samples:
        """Return the errors by subject."""
        return mean_of_samples(*(predictions[name].to_numpy() for name in ("loss_3d", "subject")))

    @staticmethod
    def pooled_summary(folds: Sequence[ModelTest]) -> dict[str, Any]:
        """Return the summary of all samples of all folds; the interval is left to the study."""
        summaries = [fold.summary for fold in folds]
        counts = np.array([summary["num_samples"] for summary in summaries])
        means = np.array([summary["mean_deg"] for summary in summaries], dtype=float)
        stds = np.array([summary["std_deg"] or 0.0 for summary in summaries])
        mean = float(np.average(means, weights=counts))
        squares = (counts - 1) * stds**2 + counts * (means - mean) ** 2
        baselines = {
            name: float(np.average(values, weights=counts))
            for name in summaries[0]["baselines"]
            if None not in (values := [one["baselines"].get(name) for one in summaries])
        }
        subjects = [item for summary in summaries for item in summary["by"]["subject"]]
        return {
            **summaries[0],
            "fold": None,
            "num_samples": int(counts.sum()),
            "mean_deg": mean,
            "std_deg": float(np.sqrt(squares.sum() / (counts.sum() - 1))),
            "interval_over_subjects_deg": None,
            "baselines": baselines,
            "by": {"subject": sorted(subjects, key=lambda item: str(item["slice"]))},
        }

    def own_cells(self, others: Sequence[Settings]) -> dict[str, str]:
        """Return error, width, what else sets it apart, and number of samples."""
        std = self.summary["std_deg"]
        deviation = "" if std is None else f" +- {std:.2f}"
        return {
            _MEASURE_COLUMN: self.measure.text(self.value) + deviation,
            "width": self.run.setting_text("config.model.width"),
            _OTHER_COLUMN: ", ".join(self.other_texts(self.settings, others)),
            "n": str(self.summary["num_samples"]),
        }

    def baseline_cells(self, name: str, value: float) -> dict[str, str]:
        """Return a baseline's error, on the same number of samples."""
        samples = str(self.summary["num_samples"])
        return {"model": name, _MEASURE_COLUMN: self.measure.text(value), "n": samples}

    @property
    def conditions(self) -> Settings:
        """Split, eye rule and gaze convention."""
        protocol = self.protocol
        names = ("split", "fold", "eye_rule", "gaze_convention")
        return {name: getattr(protocol, name) for name in names}
