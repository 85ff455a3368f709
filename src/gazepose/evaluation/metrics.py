"""How well scores tell who looks at the camera: the official mAP of nets and files."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from common.arrays import Float, Ints
from common.evaluation.average_precision import lam_precision
from common.evaluation.scores import describe_scores
from gazepose.submission.official_csv import read_pairs

LOG = logging.getLogger(__name__)


class LamAveragePrecision(Metric):
    """The official mAP (`common.evaluation.average_precision`) of everything it was shown.

    Exact when the samples are split over processes, in whatever shares and order: all scores are
    gathered, and tied scores count together. Samples of unknown label (-1) are left out. A sample
    that is shown twice counts twice; `common.training.distributed.BatchShares` repeats none.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    scores: list[Tensor]
    labels: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        # All float32, because torchmetrics lets a process without samples join as float32.
        for name in ("scores", "labels"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, score: Tensor, label: Tensor) -> None:
        """Add scores (B,) in [0, 1] and labels (B,): 1 looks at the camera, 0 not, -1 unknown."""
        self.scores.append(score.detach().float())
        self.labels.append(label.float())

    def compute(self) -> Tensor:
        """Return the mAP; nan, with a warning that says why, if it is not defined."""
        scores, labels = self._known_samples()
        reason = undefined_reason(scores, labels)
        if reason:
            LOG.warning("mAP is not defined: %s", reason)
        value = float("nan") if reason else lam_precision(scores, labels).mean
        return torch.tensor(value, dtype=torch.float32, device=self.device)

    def known_samples(self) -> tuple[Float, Ints]:
        """Return scores and labels of everything it was shown, in all processes; (N,) each."""
        with self.sync_context():
            return self._known_samples()

    def _known_samples(self) -> tuple[Float, Ints]:
        if not len(self.scores):
            return np.empty(0), np.empty(0, int)
        # On the CPU, because MPS has no float64.
        score = dim_zero_cat(self.scores).cpu().double().numpy()
        label = dim_zero_cat(self.labels).cpu().long().numpy()
        return score[label >= 0], label[label >= 0]


def evaluate_lam(gt_csv: str | Path, pred_csv: str | Path) -> dict[str, Any]:
    """Evaluate a prediction file against the truth as Ego4D's tool does.

    Where the official tool stops with an error or gives a number without a warning, this differs:
    numeric track ids are read as text (official: TypeError); files that share no sample are an
    error (official: mAP 0.0); one-class truth gives nan and a warning (official: ValueError).

    Args:
        gt_csv: rows ``uid,frame,x1,y1,x2,y2,trackid,label`` without a header.
        pred_csv: rows ``uid,frame,x1,y1,x2,y2,trackid,1,score`` without a header.

    Returns:
        `describe_scores` of the paired rows.

    Raises:
        ValueError: If a file is not of this form or the two do not describe the same samples;
            says file, row and reason.
    """
    pairs = read_pairs(Path(gt_csv), Path(pred_csv))
    scores, labels = pairs["score"].to_numpy(), pairs["label"].to_numpy()
    reason = undefined_reason(scores, labels)
    if reason:
        LOG.warning("mAP of %s is not defined: %s", pred_csv, reason)
    return describe_scores(scores, labels)


def undefined_reason(scores: Float, labels: Ints) -> str:
    """Return why the mAP of scores and labels (1 or 0) is not defined; empty if it is."""
    num_positive = int((labels == 1).sum())
    num_bad = int((~np.isfinite(scores)).sum())
    if not len(labels):
        return "no sample has a known label"
    if num_bad:
        return f"{num_bad} of {len(scores)} scores are not finite"
    if num_positive in (0, len(labels)):
        lacking = "nobody looks" if num_positive == 0 else "everybody looks"
        return f"{lacking} at the camera in any of {len(labels)} samples, it needs both classes"
    return ""
