"""Tests of eye contact, as ``gazepose.evaluation.callback`` writes them, in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.report.kinds.columns import (
    Column,
    config_column,
    ending_columns,
    epochs_column,
    model_column,
    number_column,
    summary_column,
    value_text,
)
from common.report.kinds.kind import (
    Measure,
    Quantity,
    ResultKind,
    Validation,
    rounded,
    slice_counts,
)
from common.report.run import ModelTest, Run, lookup
from common.report.samples import read_eye_contact_samples

_MEASURE = Measure(
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
_BASELINES = {
    "constant": "constant score",
    "head_pose": "head pose alone",
    "sharpness": "sharpness alone",
}
_PRIORS = ("head", "landmarks")
_MODEL_SETTINGS = {
    "image size": "config.model.image_size",
    "zoom": "config.model.zoom",
    "started from": "config.model.init_checkpoint",
}
# Parts of a model: all that is said of them is a setting.
_MODEL_PARTS = ("backbone", "transformer")
_EXPLANATION = (
    "mAP: the mean of the average precisions (AP) of both classes, in per cent: LAM, the person "
    "looks at the camera, and not LAM. Accuracy: in per cent, at a score of one half. The interval "
    "is a 95 % bootstrap interval of the mAP that resamples whole clips; a dash stands where there "
    "is none. Tests share a table only if data, part, stride, clips with their numbers of samples "
    "and positives, and the baselines are the same; what else sets two of them apart is named as a "
    "setting. The baselines need no training: one gives every face the same score, one a higher "
    "score the more the head faces the camera, one the sharper the image is."
)


@dataclass(frozen=True)
class EyeContactProtocol:
    """What two tests of eye contact must share to stand in one table.

    Clips and baselines come from the tested samples themselves, so data that changed under an
    unchanged name do not slip into the same table. Where a model's priors come from, and which
    frames it leaves out, is the model's own affair: a setting.
    """

    tested_on: str
    part: str
    stride: int
    num_samples: int
    num_positive: int
    clips: tuple[tuple[Any, ...], ...]  # name, number of samples, of positives
    constant: float | None
    head_pose: float | None
    sharpness: float | None

    @property
    def title(self) -> str:
        """Headline of its section."""
        return f"{self.tested_on}, {self.part} part: eye contact"

    @property
    def caption(self) -> str:
        """The protocol in words."""
        return (
            f"{self.tested_on}, {self.part} part (n = {self.num_samples}, positive: "
            f"{self.num_positive}, clips: {len(self.clips)}); eye contact; stride: {self.stride}"
        )

    @property
    def baselines(self) -> dict[str, float]:
        """The mAP of the predictors that need no training, in [0, 1], by their name."""
        found = {name: getattr(self, key) for key, name in _BASELINES.items()}
        return {name: value for name, value in found.items() if value is not None}


def _protocol(test: ModelTest) -> EyeContactProtocol:
    summary = test.summary
    return EyeContactProtocol(
        tested_on=summary["tested_on"],
        part=summary["part"],
        stride=summary["stride"],
        num_samples=summary["num_samples"],
        num_positive=summary["num_positive"],
        clips=slice_counts(test, "clip"),
        constant=rounded(summary["baselines"].get("constant"), 5),
        head_pose=rounded(summary["baselines"].get("head_pose"), 5),
        sharpness=rounded(summary["baselines"].get("sharpness"), 5),
    )


def _settings(run: Run, summary: Mapping[str, Any]) -> dict[str, Any]:
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
        **{name: value for name, value in priors.items() if name not in _PRIORS},
        **dropout,
        **{name: _plain(value) for name, value in protocol.items()},
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


def _other_settings(test: ModelTest, tests: Sequence[ModelTest]) -> str:
    return ", ".join(test.kind.other_texts(test.settings, [other.settings for other in tests]))


def _setting_column(name: str) -> Column:
    return Column(name, lambda test, _: value_text(test.settings[name]))


def _per_cent_column(name: str, key: str) -> Column:
    return Column(name, lambda test, _: _MEASURE.text(test.summary[key]), is_numeric=True)


def _conditions(test: ModelTest) -> dict[str, Any]:
    sources = ("landmark_source", "head_pose_source")
    return {
        "stride": test.summary["stride"],
        **{name: lookup(test.summary, f"protocol.{name}") for name in sources},
        **{name: test.settings[name] for name in ("priors", "dropout")},
    }


def _test_settings(test: ModelTest) -> dict[str, Any]:
    """Return the test's conditions but for the dropout, which is the model's."""
    conditions = test.summary["protocol"].items()
    return {name: value for name, value in conditions if name not in ("dropout", "stride")}


def _numbers(test: ModelTest) -> dict[str, Any]:
    summary = test.summary
    own = ("num_positive", "num_clips", "map", "ap_lam", "ap_not_lam", "accuracy")
    return {
        **{key: summary[key] for key in own},
        "clips_low": lookup(summary, "interval_over_clips.low"),
        "clips_high": lookup(summary, "interval_over_clips.high"),
        **{f"{key}_baseline": summary["baselines"].get(key) for key in _BASELINES},
    }


EYE_CONTACT = ResultKind(
    name="eye_contact_test",
    required=(
        *("model", "trained_on", "tested_on", "part", "stride", "protocol", "num_samples"),
        *("num_clips", "num_positive", "map", "ap_lam", "ap_not_lam", "accuracy"),
        *("interval_over_clips", "baselines", "by"),
    ),
    predictions_suffix="_pred.csv",
    samples=read_eye_contact_samples,
    cluster="clips",
    measure=_MEASURE,
    beside=Quantity(key="accuracy", name="accuracy", unit="%", factor=100.0),
    protocol=_protocol,
    columns=(
        number_column(),
        model_column(),
        _setting_column("priors"),
        _setting_column("dropout"),
        Column("other settings", _other_settings),
        config_column("seed", "config.seed"),
        epochs_column(),
        Column(
            _MEASURE.label,
            lambda test, _: _MEASURE.text(test.summary["map"]),
            lambda baseline: baseline.value,
            is_numeric=True,
        ),
        Column("95 % interval", lambda test, _: _MEASURE.interval_text(test)),
        _per_cent_column("AP LAM", "ap_lam"),
        _per_cent_column("AP not LAM", "ap_not_lam"),
        _per_cent_column("accuracy", "accuracy"),
        summary_column("trained on", "trained_on"),
        *ending_columns(),
    ),
    settings=_settings,
    main_settings=("priors", "dropout"),
    test_settings=_test_settings,
    conditions=_conditions,
    numbers=_numbers,
    slicings={
        "sharpness": "sharpness",
        "face_size": "face size [px]",
        "head_yaw": "|head yaw| [deg]",
        "head_pitch": "|head pitch| [deg]",
        "track_length": "track [frames]",
    },
    slice_counts={"num_samples": "n", "num_positive": "positive"},
    figure_stem="map",
    bars_caption="mAP and its 95 % interval",
    details_title="Precision and recall, mAP by slice, confusion",
    explanation=_EXPLANATION,
)
