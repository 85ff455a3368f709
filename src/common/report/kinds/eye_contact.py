"""Tests of eye contact, as ``gazepose.evaluation.callback`` writes them, in the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from common.evaluation.resampling import Samples, map_of_samples
from common.evaluation.score_slices import NUMBERS_OF_SAMPLES, summarise
from common.files.foreign_tables import named_table_errors
from common.files.form import ANY, COUNT, FLAG, NUMBER, PLAIN, TEXT, Each, Maybe
from common.files.sealed import read_table
from common.report.kinds.contact_protocol import EyeContactProtocol
from common.report.kinds.contact_settings import PRIORS, as_words, model_settings, priors_text
from common.report.kinds.measure import Measure, Quantity, Validation
from common.report.kinds.model_test import (
    FOLD_FORM,
    INTERVAL,
    TEST_AGAIN,
    TEST_FORM,
    ModelTest,
    Settings,
    slices_form,
)
from common.report.run import Run, lookup, text_or_dash

_SLICES = slices_form("map", "num_samples", "num_positive")
_SLICINGS = {
    "sharpness": "sharpness",
    "face_height": "face height [px]",
    "face_size": "face size [px]",
    "head_yaw": "|head yaw| [deg]",
    "head_pitch": "|head pitch| [deg]",
    "track_length": "track [frames]",
    "source": "source",
}


class EyeContactTest(ModelTest):
    """A test of eye contact: the mean average precision of its samples."""

    kind_name = "eye_contact_test"
    form: ClassVar = {
        **TEST_FORM,
        **{"stride": PLAIN, "protocol": Each(ANY)},
        **dict.fromkeys(("num_clips", "num_positive"), COUNT),
        **dict.fromkeys(("map", "ap_lam", "ap_not_lam", "accuracy"), Maybe(NUMBER)),
        "interval_over_clips": INTERVAL,
        "by": {"clip": _SLICES, **dict.fromkeys(_SLICINGS, Maybe(_SLICES))},
    }
    optional_form: ClassVar = {
        "clips_are": Maybe(TEXT),
        "at_threshold": Maybe(
            {
                "threshold": NUMBER,
                "is_chosen_here": FLAG,
                "f1": Maybe(NUMBER),
                "kappa": Maybe(NUMBER),
            }
        ),
        "events": Maybe({"f1": Maybe(NUMBER)}),
        **FOLD_FORM,
    }
    predictions_suffix = "_pred.csv"
    samples_suffix = "_predictions.parquet"
    sample_numbers = ("label", "score")
    measure = Measure(
        key="map",
        name="mAP",
        unit="%",
        factor=100.0,
        best="highest mAP",
        higher_is_better=True,
        interval="interval_over_clips",
        validation=Validation(
            metric="val/map",
            axis="val/map [%]",
            column="last val mAP",
            factor=100.0,
            is_from_zero=False,
        ),
    )
    beside = (
        Quantity(key="ap_lam", name="AP LAM", unit="%", factor=100.0),
        Quantity(key="accuracy", name="accuracy", unit="%", factor=100.0),
    )
    columns = (
        *("#", "model", "priors", "dropout", "other settings", "seed", "epochs", "mAP [%]"),
        *("95 % interval", "AP LAM", "AP not LAM", "accuracy", "threshold", "F1", "kappa"),
        *("event F1", "trained on", "status", "files"),
    )
    optional_columns = frozenset({"threshold", "F1", "kappa", "event F1"})
    numeric_columns = optional_columns | {"mAP [%]", "AP LAM", "AP not LAM", "accuracy"}
    main_settings = ("priors", "dropout")
    slicings = _SLICINGS
    slice_counts: ClassVar = {"num_samples": "n", "num_positive": "positive"}
    number_places: ClassVar = {
        **{n: n for n in ("num_positive", "num_clips", "map", "ap_lam", "ap_not_lam", "accuracy")},
        **{f"clips_{end}": f"interval_over_clips.{end}" for end in ("low", "high")},
        "threshold": "at_threshold.threshold",
        "threshold_rule": "at_threshold.rule",
        "threshold_chosen_here": "at_threshold.is_chosen_here",
        **{f"{name}_lam": f"at_threshold.{name}" for name in ("precision", "recall", "f1")},
        "kappa": "at_threshold.kappa",
        **{
            f"{name}_{end}": f"at_threshold.{name}_interval_over_clips.{end}"
            for name in ("f1", "kappa")
            for end in ("low", "high")
        },
        "accuracy_at_threshold": "at_threshold.accuracy",
        **{
            f"event_{name}": f"events.{name}"
            for name in (
                *("num_true", "num_predicted", "precision", "recall", "f1"),
                *("onset_difference_s", "duration_difference_s", "time_resolution_s"),
            )
        },
        **{f"{key}_baseline": f"baselines.{key}" for key in EyeContactProtocol.baseline_names},
    }
    fixed_settings = (
        *("priors.landmark_index", "priors.train_landmark_codes", "priors.mirror"),
        *("priors.csplit", "dropout.margin", "dropout.threshold", "dropout.drop_rate"),
        *("dropout.drop_centre_at_test", "model.image_size", "model.zoom", "model.backbone"),
    )
    figure_stem = "map"
    bars_caption = "mAP and its 95 % interval"
    details_title = "Precision and recall, mAP by slice, confusion"
    explanation = (
        "mAP: the mean of the average precisions (AP) of both classes, in per cent: LAM, the "
        "person looks at the camera, and not LAM. Accuracy: in per cent, at a score of one half. "
        "F1 of LAM, in per cent, and Cohen's kappa: at the threshold that validation chose (*: on "
        "the very samples of the test), or at one half where it chose none. Event F1, in per cent: "
        "looks as stretches of time, the same as a true one if they share half of their time. "
        "The interval is a 95 % bootstrap interval of the mAP that resamples whole clips; of "
        "photos, people, or photos where nobody knows the people. A dash stands where there is "
        "none. Tests share a table only if data, part, stride, clips with their numbers of samples "
        "and positives, and the baselines are the same; what else sets "
        "two of them apart is named as a setting. The baselines need no training: one gives every "
        "face the same score, one a higher score the more the head faces the camera, one the "
        "sharper the image is."
    )

    @staticmethod
    def settings_of(run: Run, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return priors and dropout, what is behind them, and what the test did."""
        protocol = dict(summary.get("protocol", {}))
        priors = run.setting("config.priors") or {}
        dropout = dict(run.setting("config.dropout") or {})
        trained_with, tested_with = dropout.pop("kind", None), protocol.pop("dropout", None)
        return {
            "priors": priors_text(priors),
            "dropout": trained_with or tested_with,
            "tested with dropout": None if trained_with in (None, tested_with) else tested_with,
            **model_settings(run),
            **run.extras,
            **{name: value for name, value in priors.items() if name not in PRIORS},
            **dropout,
            **{name: as_words(value) for name, value in protocol.items()},
        }

    @property
    def cluster(self) -> str:
        """Clips; of photos the people, or photos. Earlier versions knew clips only."""
        return str(self.summary.get("clips_are", "clips"))

    @property
    def protocol(self) -> EyeContactProtocol:
        """Its protocol."""
        own = ("tested_on", "part", "stride", "num_samples", "num_positive")
        return EyeContactProtocol(
            **{name: self.summary[name] for name in own},
            fold=EyeContactProtocol.fold_of(self.summary),
            clips=self.counts_by("clip"),
            clips_are=self.cluster,
            **EyeContactProtocol.baseline_values(self.summary),
        )

    @staticmethod
    def read_samples(path: Path) -> pl.DataFrame:
        """Return label, score and clip of the labelled samples."""
        table = read_table(path, TEST_AGAIN, ["uid", "label", "score"])
        return table.filter(pl.col("label") >= 0)

    def predictions(self) -> pl.DataFrame | None:
        """Return label, score and clip; of a fold only if all that its slices need is there, too.

        Raises:
            ValueError: As that of all tests.
        """
        found = super().predictions()
        if found is not None and self.summary.get("fold"):
            _whole_samples(self.samples_path)
        return found

    @staticmethod
    def pooled_summary(folds: Sequence[ModelTest]) -> dict[str, Any] | None:
        """Return the numbers of the heads of all folds in one ranking.

        Each fold decides by a threshold of its own, and looks in time are not counted: both left
        out.
        """
        if not all(fold.has_sound_predictions and fold.samples_path.is_file() for fold in folds):
            return None
        samples = pl.concat([_whole_samples(fold.samples_path) for fold in folds])
        others = dict.fromkeys(("fold", "at_threshold", "events"))
        return {**folds[0].summary, **summarise(samples), **others}

    @staticmethod
    def samples_of(predictions: pl.DataFrame) -> Samples:
        """Return the scores by clip."""
        columns = (predictions[name].to_numpy() for name in ("score", "label", "uid"))
        return map_of_samples(*columns)

    def own_cells(self, others: Sequence[Settings]) -> dict[str, str]:
        """Return settings, precisions in per cent, and decisions at a threshold."""
        settings, summary, percent = self.settings, self.summary, self.measure.text
        at, events = (summary.get(name) or {} for name in ("at_threshold", "events"))
        kappa = at.get("kappa")
        return {
            **{name: text_or_dash(settings[name]) for name in self.main_settings},
            "other settings": ", ".join(self.other_texts(settings, others)),
            "mAP [%]": percent(self.value),
            "AP LAM": percent(summary["ap_lam"]),
            "AP not LAM": percent(summary["ap_not_lam"]),
            "accuracy": percent(summary["accuracy"]),
            "threshold": f"{at['threshold']:.3f}{'*' * at['is_chosen_here']}" if at else "-",
            "F1": percent(at.get("f1")),
            "kappa": "-" if kappa is None else f"{kappa:.3f}",
            "event F1": percent(events.get("f1")),
        }

    def baseline_cells(self, name: str, value: float) -> dict[str, str]:
        """Return a baseline's mAP."""
        return {"model": name, "mAP [%]": self.measure.text(value)}

    @property
    def conditions(self) -> Settings:
        """Stride, sources of the priors, priors and dropout."""
        sources, settings = ("landmark_source", "head_pose_source"), self.settings
        return {
            "stride": self.summary["stride"],
            **{name: lookup(self.summary, f"protocol.{name}") for name in sources},
            **{name: settings[name] for name in self.main_settings},
        }

    @property
    def test_settings(self) -> Settings:
        """The test's conditions but for the dropout, which is the model's."""
        conditions = self.summary["protocol"].items()
        return {name: value for name, value in conditions if name not in ("dropout", "stride")}


def _whole_samples(path: Path) -> pl.DataFrame:
    """Return all that slices and baselines need of the labelled samples."""
    table = read_table(path, TEST_AGAIN)
    with named_table_errors(path, TEST_AGAIN):
        return table.filter(pl.col("label") >= 0).select(
            *("label", "score"),
            pl.col("uid", "person_id", "photo", "source").cast(pl.String),
            pl.col(NUMBERS_OF_SAMPLES).cast(pl.Float64),
        )
