"""A test of people's own calibration: fitted on some of a person's samples, tested on the others.

A sample is a photo: its two eyes, where both are seen, are never on both sides. As they err alike,
a fit takes their mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import torch

from common.arrays import Array, Float
from common.geometry import angular_error
from flame.evaluation.calibration import Calibration
from flame.evaluation.calibration_fit import PeoplePrior, fit_calibration, fit_prior
from flame.evaluation.error_slices import subject_interval

_USUAL_SAMPLES = (1, 3, 5, 9)


@dataclass(frozen=True)
class CalibrationSettings:
    """How people are calibrated.

    Attributes:
        samples: of each person, for the fit.
        repeats: draws of them, whose errors are averaged.
        seed: of the draws; a person's are the same whoever else is tested.
        run: what the files of the maps call the run.
    """

    samples: int
    repeats: int = 20
    seed: int = 0
    run: str = ""

    def __post_init__(self) -> None:
        for name in ("samples", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"calibration={{{name}:{getattr(self, name)}}}, expected a count from 1: type "
                    "'calibration={samples:9}'"
                )

    @property
    def tried(self) -> list[int]:
        """The numbers of samples whose errors are compared, from none on."""
        return [0, *(num for num in _USUAL_SAMPLES if num < self.samples), self.samples]


@dataclass(frozen=True)
class CalibratedPerson:
    """A person's map and errors.

    Attributes:
        calibration: of the first draw.
        sample_ids: of the samples it was fitted on.
        errors_deg: (K, N), a row of each number of samples that is tried: of the samples held out
            from the largest, those of all draws one after the other.
    """

    calibration: Calibration
    sample_ids: list[str]
    errors_deg: Float


@dataclass(frozen=True)
class CalibratedTest:
    """The people of a test, each calibrated by samples of their own.

    Attributes:
        settings: how.
        prior: how people differ, by others than these.
        people: by name.
        left_out: who has too few samples.
    """

    settings: CalibrationSettings
    prior: PeoplePrior
    people: Mapping[str, CalibratedPerson]
    left_out: list[str]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Return the errors by number of samples; of all people, on the same held-out samples."""
        return {
            **{name: getattr(self.settings, name) for name in ("samples", "repeats", "seed")},
            "prior": asdict(self.prior),
            "num_subjects": len(self.people),
            "left_out": self.left_out,
            "by_samples": self._by_samples(list(self.people)),
        }

    def table(self) -> pl.DataFrame:
        """Return the errors by number of samples: of all, without a subject, then of each."""
        of_all = [_row(None, item) for item in self.summary["by_samples"]]
        of_each = [_row(name, item) for name in self.people for item in self._by_samples([name])]
        types = {"subject": pl.String, **dict.fromkeys(list(of_all[0])[2:], pl.Float64)}
        return pl.DataFrame([*of_all, *of_each], schema_overrides=types)

    def _by_samples(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return mean error and mean difference to no calibration by number of samples."""
        errors_deg = np.concatenate([self.people[name].errors_deg for name in names], axis=1)
        subjects = np.repeat(names, [self.people[name].errors_deg.shape[1] for name in names])
        return [
            {
                "samples": num,
                **_mean(errors, subjects),
                "to_uncalibrated": _mean(errors - errors_deg[0], subjects),
            }
            for num, errors in zip(self.settings.tried, errors_deg, strict=True)
        ]


def prior_of(results: pl.DataFrame) -> PeoplePrior:
    """Return how people differ.

    Args:
        results: theirs, as in `calibrate_people`.

    Raises:
        ValueError: If a sample has no label.
    """
    photos = [_Photos.of(rows) for rows in _people(results).values()]
    return fit_prior([(each.prediction, each.residual) for each in photos])


def calibrate_people(
    results: pl.DataFrame, settings: CalibrationSettings, prior: PeoplePrior
) -> CalibratedTest:
    """Calibrate every person of a test who has more samples than that takes.

    Args:
        results: a row a prediction (`flame.evaluation.callback.results_table`), in any order.
        settings: how.
        prior: how people differ, by others than these.

    Raises:
        ValueError: If a sample has no label, or nobody has enough samples.
    """
    people = _people(results)
    counts = {name: rows["sample_id"].n_unique() for name, rows in people.items()}
    left_out = [name for name, count in counts.items() if count <= settings.samples]
    most = max(counts.values())
    if most <= settings.samples:
        raise ValueError(
            f"calibration={{samples:{settings.samples}}}, expected fewer than a person has, as the "
            f"others are tested: nobody has more than {most}. Type "
            + (f"'calibration={{samples:{most - 1}}}'" if most > 1 else "it on other data")
        )
    calibrated = {
        name: _calibrated(name, rows, settings, prior)
        for name, rows in people.items()
        if name not in left_out
    }
    return CalibratedTest(settings, prior, calibrated, left_out)


def _people(results: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return everybody's results, in an order of their own."""
    if not np.isfinite(results.select("yaw_t", "pitch_t").to_numpy()).all():
        raise ValueError(
            "calibration= got samples without labels, of the tested part or the run's validation, "
            "expected a label of each: leave it out, or type another split="
        )
    rows_of = results.sort("subject", "sample_id", "eye").partition_by("subject", as_dict=True)
    return {str(name): rows for (name,), rows in rows_of.items()}


@dataclass(frozen=True)
class _Photos:
    """A person's photos, the mean of what is said of their eyes.

    Attributes:
        ids: (N,) sorted.
        of_row: (R,) which of them a row of the results is of.
        prediction: (N, 2) in radians.
        residual: (N, 2) label less prediction.
    """

    ids: Array
    of_row: Array
    prediction: Float
    residual: Float

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "_Photos":
        ids, of_row = np.unique(rows["sample_id"].to_numpy(), return_inverse=True)
        prediction, target = _angles(rows)
        # From -179 to 179 degrees it is 2, not 358; a net may say 370 for 10.
        residual = np.remainder(target - prediction + np.pi, 2 * np.pi) - np.pi
        eyes = np.bincount(of_row)[:, None]
        means = [
            np.column_stack([np.bincount(of_row, axis) for axis in values.T]) / eyes
            for values in (prediction, residual)
        ]
        return cls(ids, of_row, *means)


def _angles(rows: pl.DataFrame) -> list[Float]:
    """Return predictions and labels, (R, 2) each in radians."""
    return [np.radians(rows.select(f"yaw_{of}", f"pitch_{of}").to_numpy()) for of in ("p", "t")]


def _calibrated(
    name: str, rows: pl.DataFrame, settings: CalibrationSettings, prior: PeoplePrior
) -> CalibratedPerson:
    photos, (prediction, target) = _Photos.of(rows), _angles(rows)
    generator = np.random.default_rng([settings.seed, *name.encode()])
    # A photo's place in a draw; that of fewer samples is the beginning of that of more.
    draws = [generator.permutation(len(photos.ids)) for _ in range(settings.repeats)]
    errors, maps = [], []
    for places in draws:
        fits = [
            fit_calibration(photos.prediction[places < num], photos.residual[places < num], prior)
            for num in settings.tried[1:]
        ]
        is_held_out = places[photos.of_row] >= settings.samples
        errors.append(_errors_deg(prediction[is_held_out], target[is_held_out], fits))
        maps.append(fits[-1])
    fitted_on = photos.ids[draws[0] < settings.samples].tolist()
    return CalibratedPerson(maps[0], fitted_on, np.concatenate(errors, axis=1))


def _errors_deg(prediction: Float, target: Float, maps: list[Calibration]) -> Float:
    """Return the errors (K, N) without a map, and with each."""
    gaze = torch.from_numpy(prediction)
    mapped = torch.stack([gaze, *(calibration(gaze) for calibration in maps)])
    return np.asarray(torch.rad2deg(angular_error(mapped, torch.from_numpy(target))).numpy())


def _mean(values_deg: Float, subjects: Array) -> dict[str, Any]:
    return {
        "mean_deg": float(values_deg.mean()),
        "interval_over_subjects_deg": subject_interval(values_deg, subjects),
    }


def _row(subject: str | None, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the table: what `_by_samples` nests, in columns of their own."""
    columns: dict[str, Any] = {"subject": subject, "samples": item["samples"]}
    for prefix, mean in (("", item), ("to_uncalibrated_", item["to_uncalibrated"])):
        interval = mean["interval_over_subjects_deg"] or {}
        columns[f"{prefix}mean_deg"] = mean["mean_deg"]
        columns |= {f"{prefix}subjects_{end}_deg": interval.get(end) for end in ("low", "high")}
    return columns
