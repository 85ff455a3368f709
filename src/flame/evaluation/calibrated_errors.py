"""A test of people's own calibration: fitted on some of a person's samples, tested on the others.

A sample is a photo: its two eyes, where both are seen, are never on both sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import torch

from common.arrays import Array, Float
from common.geometry import angular_error
from flame.evaluation.calibration import AFFINE_FROM, Calibration, fit_calibration
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
        people: by name.
        left_out: who has too few samples.
    """

    settings: CalibrationSettings
    people: Mapping[str, CalibratedPerson]
    left_out: list[str]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Return the errors by number of samples; of all people, on the same held-out samples."""
        subjects = [[name] * one.errors_deg.shape[1] for name, one in self.people.items()]
        errors_deg = np.concatenate([one.errors_deg for one in self.people.values()], axis=1)
        return {
            **{name: getattr(self.settings, name) for name in ("samples", "repeats", "seed")},
            "num_subjects": len(self.people),
            "left_out": self.left_out,
            "by_samples": [
                {
                    "samples": num,
                    "mean_deg": float(errors.mean()),
                    "interval_over_subjects_deg": subject_interval(
                        errors, np.concatenate(subjects)
                    ),
                }
                for num, errors in zip(self.settings.tried, errors_deg, strict=True)
            ],
        }

    def table(self) -> pl.DataFrame:
        """Return the mean errors by number of samples: of all, without a subject, then of each."""
        of_all = [
            {
                "subject": None,
                "samples": item["samples"],
                "mean_deg": item["mean_deg"],
                **{
                    f"subjects_{end}_deg": (item["interval_over_subjects_deg"] or {}).get(end)
                    for end in ("low", "high")
                },
            }
            for item in self.summary["by_samples"]
        ]
        of_each = [
            {"subject": name, "samples": num, "mean_deg": float(errors.mean())}
            for name, one in self.people.items()
            for num, errors in zip(self.settings.tried, one.errors_deg, strict=True)
        ]
        types = {"subject": pl.String, "subjects_low_deg": pl.Float64}
        types["subjects_high_deg"] = pl.Float64
        return pl.DataFrame([*of_all, *of_each], schema_overrides=types)


def calibrate_people(results: pl.DataFrame, settings: CalibrationSettings) -> CalibratedTest:
    """Calibrate every person of a test who has more samples than that takes.

    Args:
        results: a row a prediction (`flame.evaluation.callback.results_table`), in any order.
        settings: how.

    Raises:
        ValueError: If a sample has no label, or nobody has enough samples.
    """
    if not np.isfinite(results.select("yaw_t", "pitch_t").to_numpy()).all():
        raise ValueError(
            "calibration= got samples without labels, expected a label of each: leave it out, or "
            "type another split="
        )
    rows_of = results.sort("subject", "sample_id", "eye").partition_by("subject", as_dict=True)
    people = {str(name): rows for (name,), rows in rows_of.items()}
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
        name: _calibrated(name, rows, settings)
        for name, rows in people.items()
        if name not in left_out
    }
    return CalibratedTest(settings, calibrated, left_out)


def _calibrated(name: str, rows: pl.DataFrame, settings: CalibrationSettings) -> CalibratedPerson:
    prediction, target = (
        np.radians(rows.select(f"yaw_{of}", f"pitch_{of}").to_numpy()) for of in ("p", "t")
    )
    ids, numbers = np.unique(rows["sample_id"].to_numpy(), return_inverse=True)
    generator = np.random.default_rng([settings.seed, *name.encode()])
    # A sample's place in a draw; that of fewer samples is the beginning of that of more.
    draws = [generator.permutation(len(ids)) for _ in range(settings.repeats)]
    errors, maps = [], []
    for places in (draw[numbers] for draw in draws):
        fits = [_fit(prediction, target, places, num) for num in settings.tried[1:]]
        is_held_out = places >= settings.samples
        errors.append(_errors_deg(prediction[is_held_out], target[is_held_out], fits))
        maps.append(fits[-1])
    fitted_on = ids[draws[0] < settings.samples].tolist()
    return CalibratedPerson(maps[0], fitted_on, np.concatenate(errors, axis=1))


def _fit(prediction: Float, target: Float, places: Array, num: int) -> Calibration:
    is_drawn = places < num
    return fit_calibration(prediction[is_drawn], target[is_drawn], is_affine=num >= AFFINE_FROM)


def _errors_deg(prediction: Float, target: Float, maps: list[Calibration]) -> Float:
    """Return the errors (K, N) without a map, and with each."""
    gaze = torch.from_numpy(prediction)
    mapped = torch.stack([gaze, *(calibration(gaze) for calibration in maps)])
    return np.asarray(torch.rad2deg(angular_error(mapped, torch.from_numpy(target))).numpy())
