"""Scores that need no training: what a model has to beat."""

import polars as pl

from common.arrays import Array
from common.evaluation.average_precision import lam_precision
from gazepose.evaluation.metrics import defined

BASELINE_NAMES = {
    "constant": "constant score",
    "head_pose": "head pose alone",
    "sharpness": "sharpness alone",
}


def baseline_maps(predictions: pl.DataFrame) -> dict[str, float | None]:
    """Return the mAP of three scores that look at no eye; None where it is not defined.

    ``constant``: the same score for everybody; 0.5, by the rule for ties.
    ``head_pose``: the cosine of the angle between face direction and camera. A head of unknown
    pose counts as turned away by 90 degrees, as the nets take it; None if no pose is known.
    ``sharpness``: the sharper, the higher; None if no sharpness is known.

    Predictions are as `summarise` takes them.
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
