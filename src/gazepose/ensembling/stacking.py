"""One score from several runs' scores, learned by gradient-boosted trees.

They are small, because scores of few runs hold little more. The result never falls when the score
of any run rises.
"""

import numpy as np
import numpy.typing as npt

from common.arrays import Array, Ints
from common.config.optional_packages import optional

Float = npt.NDArray[np.float64]
_NUM_TREES, _NUM_FOLDS = 100, 5


def fit_predict(scores: Float, labels: Ints, others: Float) -> Float:
    """Learn from labelled samples and score others.

    Args:
        scores: (N, K) of K runs, in [0, 1].
        labels: (N,) 1 looks at the camera, 0 not, -1 unknown: such a sample teaches nothing.
        others: (M, K) of the same runs.

    Returns:
        (M,) in [0, 1].

    Raises:
        ValueError: If the labels are of one class, or XGBoost is not installed.
    """
    is_known = labels >= 0
    scores, labels = scores[is_known], labels[is_known]
    if len(np.unique(labels)) < 2:
        raise ValueError(
            f"cannot learn from {len(labels)} labelled samples of one class, expected both"
        )
    told = "stacking needs XGBoost; type pip install xgboost, or choose --method mean"
    xgboost = optional("xgboost", told)
    settings = {
        "objective": "binary:logistic",
        "max_depth": 2,
        "eta": 0.1,
        "monotone_constraints": (1,) * scores.shape[1],
        "tree_method": "hist",
        "seed": 0,
    }
    samples = xgboost.DMatrix(scores, label=labels)
    trees = xgboost.train(settings, samples, num_boost_round=_NUM_TREES)
    predicted: Float = trees.predict(xgboost.DMatrix(others)).astype(np.float64)
    return predicted


def cross_fitted(scores: Float, labels: Ints, clips: Array) -> Float:
    """Score each sample by trees that saw no sample of its clip.

    Args:
        scores: (N, K) of K runs, in [0, 1].
        labels: (N,) as `fit_predict` takes them; samples of unknown label are scored too.
        clips: (N,) which clip a sample is of.

    Returns:
        (N,) in [0, 1].

    Raises:
        ValueError: If there is only one clip, or as `fit_predict`.
    """
    folds = _folds(clips)
    combined = np.empty(len(scores))
    for fold in np.unique(folds):
        is_out = folds == fold
        combined[is_out] = fit_predict(scores[~is_out], labels[~is_out], scores[is_out])
    return combined


def _folds(clips: Array) -> Ints:
    """Return a fold for every sample: the same for all of a clip."""
    numbers = np.unique(clips, return_inverse=True)[1]
    num_clips = numbers.max(initial=-1) + 1
    if num_clips < 2:
        raise ValueError(
            f"got samples of {num_clips} clips, expected two or more: trees must be judged on "
            "clips they have not seen"
        )
    order = np.random.default_rng(0).permutation(num_clips)
    fold_of_clip = np.argsort(order) % min(_NUM_FOLDS, num_clips)
    folds: Ints = fold_of_clip[numbers]
    return folds
