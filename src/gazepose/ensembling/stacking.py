"""One score from several runs' scores, learned by gradient-boosted trees."""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from common.arrays import Array, Ints

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stacking:
    """How the trees are grown; small ones, because scores of few runs hold little more.

    The result never falls when the score of any run rises.

    Attributes:
        num_trees: grown one after the other.
        max_depth: decisions from root to leaf.
        learning_rate: weight of each tree, in (0, 1].
        num_folds: of `cross_fitted`.
        seed: of the folds.
    """

    num_trees: int = 100
    max_depth: int = 2
    learning_rate: float = 0.1
    num_folds: int = 5
    seed: int = 0

    def fit_predict(self, scores: Float, labels: Ints, others: Float) -> Float:
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
        xgboost = _xgboost()
        settings = {
            "objective": "binary:logistic",
            "max_depth": self.max_depth,
            "eta": self.learning_rate,
            "monotone_constraints": (1,) * scores.shape[1],
            "tree_method": "hist",
            "seed": self.seed,
        }
        samples = xgboost.DMatrix(scores, label=labels)
        trees = xgboost.train(settings, samples, num_boost_round=self.num_trees)
        predicted: Float = trees.predict(xgboost.DMatrix(others)).astype(np.float64)
        return predicted

    def cross_fitted(self, scores: Float, labels: Ints, clips: Array) -> Float:
        """Score each sample by trees that saw no sample of its clip.

        Args:
            scores: (N, K) of K runs, in [0, 1].
            labels: (N,) as `fit_predict` takes them; samples of unknown label are scored too.
            clips: (N,) which clip a sample is of.

        Returns:
            (N,) in [0, 1].

        Raises:
            ValueError: If there is only one clip, a fold's training samples are of one class, or
                XGBoost is not installed.
        """
        folds = self._folds(clips)
        combined = np.empty(len(scores))
        for fold in np.unique(folds):
            is_out = folds == fold
            combined[is_out] = self.fit_predict(scores[~is_out], labels[~is_out], scores[is_out])
        return combined

    def _folds(self, clips: Array) -> Ints:
        """Return a fold for every sample: the same for all of a clip."""
        numbers = np.unique(clips, return_inverse=True)[1]
        num_clips = numbers.max(initial=-1) + 1
        if num_clips < 2:
            raise ValueError(
                f"got samples of {num_clips} clips, expected two or more: trees must be judged on "
                "clips they have not seen"
            )
        order = np.random.default_rng(self.seed).permutation(num_clips)
        fold_of_clip = np.argsort(order) % min(self.num_folds, num_clips)
        folds: Ints = fold_of_clip[numbers]
        return folds


def _xgboost() -> Any:
    try:
        return importlib.import_module("xgboost")
    except ImportError as error:
        raise ValueError(
            "stacking needs XGBoost, which is not installed: type pip install xgboost, or choose "
            "--method mean"
        ) from error
