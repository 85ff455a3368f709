"""Tests of eye contact, as ``gazepose.evaluation.callback`` writes them, in the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from common.evaluation.resampling import Samples, map_of_samples
from common.files.foreign_tables import named_table_errors
from common.files.form import ANY, COUNT, FLAG, NUMBER, PLAIN, TEXT, Each, Maybe
from common.files.sealed import read_table
from common.report.kinds.measure import Measure, Quantity, Validation, rounded
from common.report.kinds.model_test import (
    FOLD,
    INTERVAL,
    TEST_AGAIN,
    ModelTest,
    TestProtocol,
    checked_predictions,
    slices_form,
)
from common.report.run import Run, lookup, text_or_dash

_PRIORS = ("head", "landmarks")
_MODEL_SETTINGS = {
    "image size": "config.model.image_size",
    "zoom": "config.model.zoom",
    "started from": "config.model.init_checkpoint",
}
# Of summaries that have them: entries of the csv, by where they stand.
_DECISIONS = {
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
        for name in ("num_true", "num_predicted", "precision", "recall", "f1")
    },
    "event_onset_difference_s": "events.onset_difference_s",
    "event_duration_difference_s": "events.duration_difference_s",
    "event_time_resolution_s": "events.time_resolution_s",
}
# Parts of a model: all that is said of them is a setting.
_MODEL_PARTS = ("backbone", "transformer")


@dataclass(frozen=True)
class EyeContactProtocol(TestProtocol):
    """What two tests of eye contact must share to stand in one table.

    Clips and baselines (mAP, in [0, 1]) come from the tested samples themselves, so data that
    changed under an unchanged name do not slip into the same table. Where a model's priors come
    from, and which frames it leaves out, is the model's own affair: a setting.
    """

    stride: int
    num_samples: int
    num_positive: int
    clips: tuple[tuple[Any, ...], ...]  # name, number of samples, of positives
    clips_are: str  # clips, photos or people
    constant: float | None
    head_pose: float | None
    sharpness: float | None
    baseline_names: ClassVar[Mapping[str, str]] = {
        "constant": "constant score",
        "head_pose": "head pose alone",
        "sharpness": "sharpness alone",
    }

    @property
    def title(self) -> str:
        """Headline of its section."""
        return f"{super().title}: eye contact"

    @property
    def caption(self) -> str:
        """The protocol in words."""
        return (
            f"{self.tested_on}, {self.part} part (n = {self.num_samples}, positive: "
            f"{self.num_positive}, {self.clips_are}: {len(self.clips)}); eye contact; "
            f"stride: {self.stride}"
        )


class EyeContactTest(ModelTest):
    """A test of eye contact: the mean average precision of its samples."""

    kind_name = "eye_contact_test"
    required = (
        *("model", "trained_on", "tested_on", "part", "stride", "protocol", "num_samples"),
        *("num_clips", "num_positive", "map", "ap_lam", "ap_not_lam", "accuracy"),
        *("interval_over_clips", "baselines", "by"),
    )
    form: ClassVar = {
        **dict.fromkeys(("model", "trained_on", "tested_on", "part"), TEXT),
        "stride": PLAIN,
        "protocol": Each(ANY),
        "clips_are": Maybe(TEXT),
        **dict.fromkeys(("num_samples", "num_clips", "num_positive"), COUNT),
        **dict.fromkeys(("map", "ap_lam", "ap_not_lam", "accuracy"), Maybe(NUMBER)),
        "interval_over_clips": INTERVAL,
        "fold": FOLD,
        "baselines": Each(Maybe(NUMBER)),
        "at_threshold": Maybe(
            {
                **{"threshold": NUMBER, "is_chosen_here": FLAG},
                **dict.fromkeys(("f1", "kappa"), Maybe(NUMBER)),
            }
        ),
        "events": Maybe({"f1": Maybe(NUMBER)}),
        "by": {
            "clip": slices_form("map", "num_samples", "num_positive"),
            **dict.fromkeys(
                ("sharpness", "face_size", "head_yaw", "head_pitch", "track_length", "source"),
                Maybe(slices_form("map", "num_samples", "num_positive")),
            ),
        },
    }
    predictions_suffix = "_pred.csv"
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
    beside = Quantity(key="accuracy", name="accuracy", unit="%", factor=100.0)
    numeric_columns = frozenset(
        {"mAP [%]", "AP LAM", "AP not LAM", "accuracy", "threshold", "F1", "kappa", "event F1"}
    )
    main_settings = ("priors", "dropout")
    slicings: ClassVar = {
        "sharpness": "sharpness",
        "face_size": "face size [px]",
        "head_yaw": "|head yaw| [deg]",
        "head_pitch": "|head pitch| [deg]",
        "track_length": "track [frames]",
        "source": "source",
    }
    slice_counts: ClassVar = {"num_samples": "n", "num_positive": "positive"}
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
            "priors": _priors_text(priors),
            "dropout": trained_with or tested_with,
            "tested with dropout": None if trained_with in (None, tested_with) else tested_with,
            **_model_settings(run),
            **run.extras,
            **{name: value for name, value in priors.items() if name not in _PRIORS},
            **dropout,
            **{name: _plain(value) for name, value in protocol.items()},
        }

    @property
    def cluster(self) -> str:
        """Clips; of photos the people, or photos. Earlier versions knew clips only."""
        return str(self.summary.get("clips_are", "clips"))

    @property
    def protocol(self) -> EyeContactProtocol:
        """Its protocol."""
        summary = self.summary
        return EyeContactProtocol(
            tested_on=summary["tested_on"],
            part=summary["part"],
            stride=summary["stride"],
            num_samples=summary["num_samples"],
            num_positive=summary["num_positive"],
            clips=self.counts_by("clip"),
            clips_are=self.cluster,
            constant=rounded(summary["baselines"].get("constant"), 5),
            head_pose=rounded(summary["baselines"].get("head_pose"), 5),
            sharpness=rounded(summary["baselines"].get("sharpness"), 5),
        )

    def predictions(self) -> pl.DataFrame | None:
        """Return label, score and clip of the labelled samples."""
        path = self.path.with_name(f"{self.path.stem}_predictions.parquet")
        if not path.is_file():
            return None
        table = read_table(path, TEST_AGAIN, ["uid", "label", "score"])
        with named_table_errors(path, TEST_AGAIN):
            table = table.filter(pl.col("label") >= 0)
        return checked_predictions(table, ["label", "score"], path)

    def samples_of(self, predictions: pl.DataFrame) -> Samples:
        """Return the scores by clip."""
        columns = (predictions[name].to_numpy() for name in ("score", "label", "uid"))
        return map_of_samples(*columns)

    def cells(self, tests: Sequence[ModelTest]) -> dict[str, str]:
        """Return its row of the result table, in per cent."""
        settings, others = self.settings, [test.settings for test in tests]
        parts = {"AP LAM": "ap_lam", "AP not LAM": "ap_not_lam", "accuracy": "accuracy"}
        return {
            "#": str(self.run.number),
            "model": self.model,
            **{name: text_or_dash(settings[name]) for name in self.main_settings},
            "other settings": ", ".join(self.other_texts(settings, others)),
            "seed": self.run.setting_text("config.seed"),
            "epochs": self.run.epochs_text,
            self.measure.label: self.measure.text(self.value),
            "95 % interval": self.interval_text,
            **{name: self.measure.text(self.summary[key]) for name, key in parts.items()},
            **self._decision_cells(tests),
            "trained on": str(self.summary["trained_on"]),
            "status": self.run.status,
            "files": self.folder,
        }

    def _decision_cells(self, tests: Sequence[ModelTest]) -> dict[str, str]:
        """Return the cells of decisions at a threshold; no column that is empty in all tests."""
        at, events = (self.summary.get(name) or {} for name in ("at_threshold", "events"))
        threshold = f"{at['threshold']:.3f}{'*' * at['is_chosen_here']}" if at else "-"
        kappa = at.get("kappa")
        cells = {
            "threshold": ("at_threshold", threshold),
            "F1": ("at_threshold", self.measure.text(at.get("f1"))),
            "kappa": ("at_threshold", "-" if kappa is None else f"{kappa:.3f}"),
            "event F1": ("events", self.measure.text(events.get("f1"))),
        }
        found = {name for test in tests for name, value in test.summary.items() if value}
        return {column: text for column, (entry, text) in cells.items() if entry in found}

    def baseline_cells(self, name: str, value: float) -> dict[str, str]:
        """Return a baseline's mAP."""
        return {"model": name, self.measure.label: self.measure.text(value)}

    @property
    def conditions(self) -> dict[str, Any]:
        """Stride, sources of the priors, priors and dropout."""
        sources, settings = ("landmark_source", "head_pose_source"), self.settings
        return {
            "stride": self.summary["stride"],
            **{name: lookup(self.summary, f"protocol.{name}") for name in sources},
            **{name: settings[name] for name in self.main_settings},
        }

    @property
    def test_settings(self) -> dict[str, Any]:
        """The test's conditions but for the dropout, which is the model's."""
        conditions = self.summary["protocol"].items()
        return {name: value for name, value in conditions if name not in ("dropout", "stride")}

    @property
    def numbers(self) -> dict[str, Any]:
        """Counts, mAP and its parts, interval, decisions and baselines."""
        summary = self.summary
        own = ("num_positive", "num_clips", "map", "ap_lam", "ap_not_lam", "accuracy")
        baselines = EyeContactProtocol.baseline_names
        return {
            **{key: summary[key] for key in own},
            "clips_low": lookup(summary, "interval_over_clips.low"),
            "clips_high": lookup(summary, "interval_over_clips.high"),
            **{name: lookup(summary, path) for name, path in _DECISIONS.items()},
            **{f"{key}_baseline": summary["baselines"].get(key) for key in baselines},
        }


def _model_settings(run: Run) -> dict[str, Any]:
    """Return settings of the model; none of an original's checkpoint, which has no run."""
    if run.setting("config.model") is None:
        return {}
    of_parts = {
        f"{part} {name.strip('_')}": value
        for part in _MODEL_PARTS
        for name, value in (run.setting(f"config.model.{part}") or {}).items()
    }
    return {name: run.setting(path) for name, path in _MODEL_SETTINGS.items()} | of_parts


def _plain(value: Any) -> Any:
    """Return a group of settings as text, its kind first: ``median (width_frames 5)``."""
    if not isinstance(value, Mapping):
        return value
    details = [f"{name} {detail}" for name, detail in value.items() if name != "kind"]
    return f"{value.get('kind')} ({', '.join(details)})"


def _priors_text(priors: Mapping[str, Any]) -> str | None:
    """Return the name of a choice of priors; None for a model that has none to choose."""
    if not priors:
        return None
    used = [name for name in _PRIORS if priors.get(name)]
    return ("none", "".join(used), "all")[len(used)]
