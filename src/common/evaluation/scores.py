"""The numbers of labelled scores of looking, and of scores that need no training.

Samples are rows of a table: ``label`` (1 looks at the camera, 0 does not), ``score`` in [0, 1],
``uid``, what intervals resample as a whole, and what is known of the face.
"""

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from common.arrays import Array, Float, Ints
from common.evaluation.average_precision import checked, lam_precision
from common.evaluation.resampling import cluster_interval, map_of_samples

THRESHOLD = 0.5
BASELINE_NAMES = {
    "constant": "constant score",
    "head_pose": "head pose alone",
    "sharpness": "sharpness alone",
}


def defined(value: Any) -> Any:
    """Return a value, None in place of nan."""
    return None if isinstance(value, float) and np.isnan(value) else value


def describe_scores(scores: Float, labels: Ints) -> dict[str, Any]:
    """Return the official numbers of scores (N,), finite, and labels (N,), 1 or 0.

    Returns:
        ``map``, ``ap_lam``, ``ap_not_lam``: `lam_precision`; nan where a class has no samples.
        ``accuracy``: share of right decisions at score >= 0.5.
        ``confusion``: [[tn, fp], [fn, tp]] at score >= 0.5; positive is LAM.

    Raises:
        ValueError: As `checked`, or if nothing is given.
    """
    scores, labels = checked(scores, labels)
    if not len(scores):
        raise ValueError("no sample: expected at least one score")
    precision, confusion = lam_precision(scores, labels), confusion_matrix(scores, labels)
    return {
        "map": precision.mean,
        "ap_lam": precision.lam,
        "ap_not_lam": precision.not_lam,
        "accuracy": (confusion[0][0] + confusion[1][1]) / len(scores),
        "confusion": confusion,
    }


def confusion_matrix(scores: Float, labels: Ints, threshold: float = THRESHOLD) -> list[list[int]]:
    """Return [[tn, fp], [fn, tp]] at score >= threshold; positive is LAM, a row is a true class."""
    said = (scores >= threshold).astype(np.int64)
    counts = np.bincount(2 * labels + said, minlength=4)
    return [[int(count) for count in row] for row in counts.reshape(2, 2)]


def describe_samples(predictions: pl.DataFrame) -> dict[str, Any]:
    """Return the official numbers of labelled predictions, at least one, and how far to trust them.

    Returns:
        ``num_samples``, ``num_clips``, ``num_positive``;
        `describe_scores`, None for what is not defined;
        ``interval_over_clips``: low and high end of the 95 % bootstrap interval of the mAP, or None
        (`cluster_interval`).
    """
    scores, labels = predictions["score"].to_numpy(), predictions["label"].to_numpy()
    samples = map_of_samples(scores, labels, predictions["uid"].to_numpy())
    interval = cluster_interval(samples)
    numbers = describe_scores(scores, labels)
    return {
        "num_samples": len(predictions),
        "num_clips": predictions["uid"].n_unique(),
        "num_positive": int((labels == 1).sum()),
        **{name: defined(value) for name, value in numbers.items()},
        "interval_over_clips": None if interval is None else asdict(interval),
    }


def clips_are(predictions: pl.DataFrame) -> str:
    """Return what the ``uid`` of predictions names: clips, photos, people, or people and photos."""
    if "photo" not in predictions.columns or predictions["photo"].is_null().all():
        return "clips"
    is_known = predictions["person_id"] != ""
    if is_known.all():
        return "people"
    return "people and photos" if is_known.any() else "photos"


def known_map(predictions: pl.DataFrame) -> float | None:
    """Return the official mAP of samples of known label (not -1), None if it is not defined."""
    known = predictions.filter(pl.col("label") >= 0)
    return defined(lam_precision(known["score"].to_numpy(), known["label"].to_numpy()).mean)


def baseline_maps(predictions: pl.DataFrame) -> dict[str, float | None]:
    """Return the mAP of three scores that look at no eye; None where it is not defined.

    ``constant``: the same score for everybody; 0.5, by the rule for ties.
    ``head_pose``: the cosine of the angle between face direction and camera. A head of unknown
    pose counts as turned away by 90 degrees, as the nets take it; None if no pose is known.
    ``sharpness``: the sharper, the higher; None if no sharpness is known.
    """
    yaw, pitch = (pl.col(f"head_{axis}_deg").fill_nan(None).radians() for axis in ("yaw", "pitch"))
    scores = predictions.select(
        constant=pl.lit(1.0),
        head_pose=yaw.cos() * pitch.cos(),
        sharpness=pl.col("sharpness").fill_nan(None),
    )
    labels = predictions["label"].to_numpy()
    return {score.name: _map(score, labels) for score in scores}


def _map(scores: pl.Series, labels: Array) -> float | None:
    if scores.null_count() == len(scores):
        return None
    # Of an angle of 90 degrees, and of an image without any edge.
    return defined(lam_precision(scores.fill_null(0.0).to_numpy(), labels).mean)
