"""The Lightning module of GazePose and GazeLSTM: does a face look at the camera?"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from common.onnx.writing import Exportable
from common.training.checkpoints.reading import read_checkpoint, save_checkpoint
from common.training.module import MakeOptimizer, MakeScheduler
from common.training.sample_loss import MeanLoss, SampleLosses
from gazepose.batch import ClipBatch, EyeContactOutput
from gazepose.data.stretches import StretchBatch
from gazepose.evaluation.metrics import LamAveragePrecision
from gazepose.evaluation.threshold import Threshold, ThresholdRule
from gazepose.nets.dense import dense_scores
from gazepose.nets.parts import ClipNet, FrameFeatures
from gazepose.nets.pixels import normalise
from gazepose.originals.start_weights import InitPart
from gazepose.originals.weights import load_original, original_state_dict
from gazepose.priors import mirror_landmarks
from gazepose.training.exportable import exportable_scores
from gazepose.training.losses import WeightedCrossEntropy
from gazepose.training.started import StartedModule

LOG = logging.getLogger(__name__)


class EyeContactModule(StartedModule):
    """Trains and tests a net that tells whether a clip's middle face looks at the camera.

    Args:
        net: one of `gazepose.nets`.
        loss: weighs the classes as the training data ask.
        optimizer: of `SuiteModule`, as are `scheduler` and `channels_last`.
        init_checkpoint: of `StartedModule`, as is `init_part`.
        flip_average: a test's score is the mean of the clip's and its mirror image's.
        mirror_priors: the mirror image's landmarks are mirrored too, as in training.
        threshold: the arguments of `ThresholdRule`.

    Attributes:
        flip_average: as given.
        threshold: from which score on a face counts as looking, as the latest validation chose it;
            None where none was. A checkpoint has that of its weights.

    Raises:
        ValueError: If `init_part` is unknown, or as `ThresholdRule`.
    """

    loss: WeightedCrossEntropy

    def __init__(
        self,
        net: ClipNet,
        loss: WeightedCrossEntropy,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler | None,
        init_checkpoint: str | None = None,
        init_part: InitPart = "backbone",
        flip_average: bool = False,
        mirror_priors: bool = False,
        channels_last: bool = False,
        threshold: Mapping[str, Any] | None = None,
    ) -> None:
        parts = (net, loss, optimizer, scheduler, channels_last)
        super().__init__(*parts, init_checkpoint=init_checkpoint, init_part=init_part)
        self.val_loss = MeanLoss()
        self.val_map = LamAveragePrecision()
        self.flip_average = flip_average
        self._mirror_priors = mirror_priors
        self._threshold_rule = ThresholdRule(**(threshold or {}))
        self.threshold: Threshold | None = None

    def forward(self, batch: ClipBatch) -> Tensor:
        """Return logits (B, 2) of "not looking" and "looking"."""
        logits: Tensor = self.net(
            normalise(batch["clip"]), batch.get("head_bins"), batch.get("landmarks")
        )
        return logits.float()

    def scores(self, batch: ClipBatch | StretchBatch) -> Tensor:
        """Return the probability of looking at the camera (B,), as a test gives it."""
        scores = self._plain_scores(batch)
        if not self.flip_average:
            return scores
        return (scores + self._plain_scores(self._mirrored(batch))) / 2

    def look(self, frames: Tensor) -> list[FrameFeatures]:
        """Return what the net sees in frames (M, 3, H, W) uint8, each for itself.

        Twice where scores are means of both: in the frames, and in their mirror images.
        """
        views = [frames, frames.flip(-1)] if self.flip_average else [frames]
        return [self.net.frame_features(normalise(view)) for view in views]

    def decide(
        self,
        views: Sequence[FrameFeatures],
        windows: Tensor,
        head_bins: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return what `scores` does of clips whose frames `look` has seen.

        Args:
            views: of F frames, in `look`'s order.
            windows: (B, T) int64 which of the frames each clip shows.
            head_bins: (B, 3), as `landmarks` (B, 15) of `ClipBatch`.
            landmarks: likewise.
        """
        mirrored = landmarks
        if landmarks is not None and self._mirror_priors:
            mirrored = mirror_landmarks(landmarks)
        scores = []
        for (embedding, maps), points in zip(views, (landmarks, mirrored), strict=False):
            centre_map = None if maps is None else maps[windows[:, windows.shape[1] // 2]]
            logits = self.net.decide(embedding[windows], centre_map, head_bins, points)
            scores.append(logits.float().softmax(1)[:, 1])
        return torch.stack(scores).mean(dim=0)

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> EyeContactOutput:
        """Update the validation metrics; return the scores for the callbacks."""
        logits, label = self(batch), batch["label"]
        self._measure("val/loss", self.val_loss, batch, *self._losses(logits, batch))
        scores = logits.softmax(1)[:, 1]
        self._measure("val/map", self.val_map, batch, scores, label, prog_bar=True)
        return EyeContactOutput(score=scores, label=label, row=batch["row"])

    def on_validation_epoch_end(self) -> None:
        """Choose the threshold of these weights."""
        chosen = self._threshold_rule(*self.val_map.known_samples())
        rule = self._threshold_rule.description
        self.threshold = None if chosen is None else Threshold(chosen, rule)

    def on_train_epoch_start(self) -> None:
        """Forget the threshold: it is not that of the weights to come."""
        self.threshold = None

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the threshold beside the weights."""
        checkpoint["threshold"] = None if self.threshold is None else asdict(self.threshold)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the threshold of the weights; earlier versions' checkpoints have none."""
        state = checkpoint.get("threshold")
        self.threshold = None if state is None else Threshold(**state)

    def test_step(self, batch: ClipBatch | StretchBatch, batch_idx: int) -> EyeContactOutput:
        """Return the scores for the callbacks, which measure and log them."""
        return EyeContactOutput(score=self.scores(batch), label=batch["label"], row=batch["row"])

    def adopt(self, datamodule: Any) -> None:
        """Take the class weights of the training data."""
        self.loss.set_weights(torch.as_tensor(datamodule.class_weights(), dtype=torch.float32))

    def export_checkpoint(self, checkpoint_path: Path, path: Path) -> None:
        """Write one of this module's checkpoints as the original's state dict."""
        self.load_state_dict(read_checkpoint(checkpoint_path)["state_dict"])
        save_checkpoint(original_state_dict(self.net), path)

    def exportable(
        self, inputs: Mapping[str, Any], annotator: Mapping[str, Any] | None
    ) -> Exportable:
        """Return what an ONNX file of it holds; arguments as `exportable_scores`."""
        flips = {"flip_average": self.flip_average, "mirror_priors": self._mirror_priors}
        return exportable_scores(self.net, self.threshold, inputs, annotator, **flips)

    def load_original(self, path: Path, trained_on: str | None) -> dict[str, Any]:
        """Load an original's weights.

        Returns:
            The name of its training data: as given, else ``published``.
        """
        LOG.info("%s", load_original(self.net, path))
        return {"name": trained_on or "published", "recipe": {}}

    def _losses(self, predicted: Tensor, batch: ClipBatch) -> SampleLosses:
        return self.loss.of_samples(predicted, batch["label"])

    def _trained(self) -> Iterable[nn.Parameter]:
        return [value for value in self.net.parameters() if value.requires_grad]

    def _plain_scores(self, batch: Any) -> Tensor:
        if "windows" not in batch:
            return self(batch).softmax(1)[:, 1]
        frames = batch["frames"]
        return dense_scores(
            self.net,
            frames,
            batch["windows"].cpu().numpy(),
            batch.get("head_bins"),
            batch.get("landmarks"),
        ).to(frames.device)

    def _mirrored(self, batch: Any) -> Any:
        pixels = "frames" if "windows" in batch else "clip"
        mirrored = {**batch, pixels: batch[pixels].flip(-1)}
        if self._mirror_priors and "landmarks" in batch:
            mirrored["landmarks"] = mirror_landmarks(batch["landmarks"])
        return mirrored
