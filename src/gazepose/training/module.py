"""The Lightning module of GazePose and GazeLSTM: does a face look at the camera?"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from common.training.checkpoint import read_checkpoint, save_checkpoint
from common.training.sample_loss import MeanLoss
from gazepose.batch import ClipBatch, EyeContactOutput
from gazepose.data.stretches import StretchBatch
from gazepose.evaluation.metrics import LamAveragePrecision
from gazepose.evaluation.threshold import Threshold, ThresholdRule
from gazepose.nets.dense import dense_scores
from gazepose.nets.parts import ClipNet
from gazepose.nets.pixels import normalise
from gazepose.originals.start_weights import InitPart, StartWeights
from gazepose.originals.weights import load_original, original_state_dict
from gazepose.priors import mirror_landmarks
from gazepose.training.losses import WeightedCrossEntropy

LOG = logging.getLogger(__name__)


class EyeContactModule(LightningModule):
    """Trains and tests a net that tells whether a clip's middle face looks at the camera.

    Args:
        net: one of `gazepose.nets`.
        loss: weighs the classes as the training data ask.
        optimizer: called with the parameters that are trained.
        scheduler: called with the optimizer; stepped once an epoch.
        init_checkpoint: weights a fresh training starts from: Gaze360's file, an original's, or a
            checkpoint of this suite. A resumed run has its own.
        init_part: ``backbone`` takes what makes a frame's features, ``all`` whatever fits.
        flip_average: a test's score is the mean of the clip's and its mirror image's.
        mirror_priors: the mirror image's landmarks are mirrored too, as in training.
        channels_last: keep images in the channels-last memory format; faster with bf16.
        threshold: the arguments of `ThresholdRule`.

    Attributes:
        threshold: from which score on a face counts as looking, as the latest validation chose it;
            None where none was. A checkpoint has that of its weights.

    Raises:
        ValueError: If `init_part` is unknown, or as `ThresholdRule`.
    """

    def __init__(
        self,
        net: ClipNet,
        loss: WeightedCrossEntropy,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler] | None,
        init_checkpoint: str | None = None,
        init_part: InitPart = "backbone",
        flip_average: bool = False,
        mirror_priors: bool = False,
        channels_last: bool = False,
        threshold: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._start = StartWeights(init_checkpoint, init_part)
        self.net = net.to(memory_format=torch.channels_last) if channels_last else net
        self.loss = loss
        self.train_loss = MeanLoss()
        self.val_loss = MeanLoss()
        self.val_map = LamAveragePrecision()
        self.test_map = LamAveragePrecision()
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._flip_average = flip_average
        self._mirror_priors = mirror_priors
        self._threshold_rule = ThresholdRule(**(threshold or {}))
        self.threshold: Threshold | None = None

    @property
    def flip_average(self) -> bool:
        """Return whether a test averages over clip and mirror image."""
        return self._flip_average

    def forward(self, batch: ClipBatch) -> Tensor:
        """Return logits (B, 2) of "not looking" and "looking"."""
        logits: Tensor = self.net(
            normalise(batch["clip"]), batch.get("head_bins"), batch.get("landmarks")
        )
        return logits.float()

    def scores(self, batch: ClipBatch | StretchBatch) -> Tensor:
        """Return the probability of looking at the camera (B,), as a test gives it."""
        scores = self._plain_scores(batch)
        if not self._flip_average:
            return scores
        return (scores + self._plain_scores(self._mirrored(batch))) / 2

    def training_step(self, batch: ClipBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        losses = self.loss.of_samples(self(batch), batch["label"])
        self.train_loss.update(*losses)
        num = len(batch["row"])
        self.log("train/loss", self.train_loss, on_epoch=True, on_step=False, batch_size=num)
        return losses.mean()

    def validation_step(self, batch: ClipBatch, batch_idx: int) -> EyeContactOutput:
        """Update the validation metrics; return the scores for the callbacks."""
        logits, num = self(batch), len(batch["row"])
        self.val_loss.update(*self.loss.of_samples(logits, batch["label"]))
        self.log("val/loss", self.val_loss, batch_size=num)
        scores = logits.softmax(1)[:, 1]
        self.val_map.update(scores, batch["label"], batch["row"])
        self.log("val/map", self.val_map, prog_bar=True, batch_size=num)
        return EyeContactOutput(score=scores, label=batch["label"], row=batch["row"])

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
        """Update the test metric where labels are known; return the scores for the callbacks."""
        scores = self.scores(batch)
        num_known = int((batch["label"] >= 0).sum())
        if num_known:
            self.test_map.update(scores, batch["label"], batch["row"])
            self.log("test/map", self.test_map, batch_size=num_known)
        return EyeContactOutput(score=scores, label=batch["label"], row=batch["row"])

    def configure_optimizers(self) -> Any:
        """Return the optimizer of what is not frozen, and the scheduler if there is one."""
        trained = [value for value in self.net.parameters() if value.requires_grad]
        optimizer = self._optimizer(trained)
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}

    def on_fit_start(self) -> None:
        """Take the weights a fresh training starts from."""
        self._start.fill(self.net, self.trainer)

    def adopt(self, datamodule: Any) -> None:
        """Take the class weights of the training data."""
        self.loss.set_weights(torch.as_tensor(datamodule.class_weights(), dtype=torch.float32))

    def import_checkpoint(self, path: Path, resumable_path: Path, trainer: Trainer) -> None:
        """Refuse to resume from an original's file: it holds no optimizer state.

        Raises:
            ValueError: Always; says what to type.
        """
        raise ValueError(
            f"{path} holds weights only, no state of a training: start a new one from them with "
            f"model.init_checkpoint={path} model.init_part=all"
        )

    def export_checkpoint(self, checkpoint_path: Path, path: Path) -> None:
        """Write one of this module's checkpoints as the original's state dict."""
        self.load_state_dict(read_checkpoint(checkpoint_path)["state_dict"])
        save_checkpoint(original_state_dict(self.net), path)

    def load_original(self, path: Path, trained_on: str | None) -> dict[str, Any]:
        """Load an original's weights.

        Returns:
            The name of its training data: as given, else ``published``.
        """
        LOG.info("%s", load_original(self.net, path))
        return {"name": trained_on or "published", "recipe": {}}

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
            image_size=frames.shape[-1],
        ).to(frames.device)

    def _mirrored(self, batch: Any) -> Any:
        pixels = "frames" if "windows" in batch else "clip"
        mirrored = {**batch, pixels: batch[pixels].flip(-1)}
        if self._mirror_priors and "landmarks" in batch:
            mirrored["landmarks"] = mirror_landmarks(batch["landmarks"])
        return mirrored
