"""The Lightning module of the four FLAME nets: gaze angles from eye crops."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import torch
from pytorch_lightning import Trainer
from torch import Tensor

from common.evaluation.metrics import AngularError
from common.geometry import gaze_within_range
from common.onnx.writing import Exportable
from common.training.module import MakeOptimizer, MakeScheduler, SuiteModule
from common.training.sample_loss import MeanLoss, SampleLoss, SampleLosses
from flame.batch import GazeBatch, GazeOutput
from flame.data.statistics import (
    Statistics,
    gaze_convention_of,
    gaze_frame_of,
    load_statistics,
    published_ranges,
)
from flame.evaluation.calibration import Calibration, read_calibration, weights_sha256
from flame.nets.heatmaps import render_heatmaps
from flame.nets.parts import GazeNet
from flame.originals.checkpoint import load_original_state_dict, read_checkpoint
from flame.originals.exchange import export_training, import_training
from flame.training.exportable import exportable_gaze

LOG = logging.getLogger(__name__)
InputRange = Literal["unit", "byte"]
_STATISTICS_KEY = "flame_statistics"
_FRAME_KEY = "gaze_frame"
# Directions at random are 90 degrees off; straight ahead, of gazes spread evenly over all that
# lie before a face, 57 (1 radian).
_LOST_DEG = 60.0


class GazeAngleModule(SuiteModule):
    """Trains and tests a `GazeNet`.

    Owns what surrounds the net: pixel range, heatmaps, normalisation by the train part's ranges,
    loss, metrics. The ranges travel in the checkpoint, so a test on another data set uses those
    of the training data, as the original does.

    Args:
        net: one of `flame.nets`.
        loss: forward(prediction, target) on (B, 2) angles in radians.
        optimizer: of `SuiteModule`, as are `scheduler` and `channels_last`.
        input_range: ``unit`` feeds 0..1, ``byte`` 0..255. Which of the two the published
            checkpoints saw is not known (facts: uint8 files give 0..1, float files 0..255).
        statistics: ranges of gaze and head pose; may come later, by `adopt` or from a checkpoint.

    Attributes:
        gaze_frame: in which it was trained; travels as the ranges do.
        calibration: of the person it is asked about; None for whoever it is.

    Raises:
        ValueError: If the input range is unknown.
    """

    takes_calibration: ClassVar[bool] = True

    def __init__(
        self,
        net: GazeNet,
        loss: SampleLoss,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler | None = None,
        input_range: InputRange = "unit",
        channels_last: bool = False,
        statistics: Statistics | None = None,
    ) -> None:
        super().__init__(net, loss, optimizer, scheduler, channels_last)
        if input_range not in get_args(InputRange):
            raise ValueError(f"input_range is {input_range!r}, expected {get_args(InputRange)}")
        self.statistics = statistics
        self.gaze_frame = "camera"
        self.calibration: Calibration | None = None
        self.val_loss = MeanLoss()
        self.val_error = AngularError()
        self.test_error = AngularError()
        self._input_range = input_range
        self._channels_last = channels_last

    def forward(self, batch: GazeBatch) -> Tensor:
        """Return gaze (B, 2) in radians for a batch on this module's device."""
        assert self.statistics is not None, "statistics are set before the first batch"
        head_pose = self.statistics.normalise_head_pose(batch["head_pose"])
        heatmap = self._heatmap(batch) if self.net.uses_heatmap else None
        normalised = self.net(self._pixels(batch["rgb"]), heatmap, head_pose)
        full = torch.promote_types(normalised.dtype, torch.float32)
        gaze = gaze_within_range(self.statistics.denormalise_gaze(normalised.to(full)))
        return gaze if self.calibration is None else self.calibration(gaze)

    def validation_step(self, batch: GazeBatch, batch_idx: int) -> GazeOutput:
        """Update the validation metrics and return the predictions for the callbacks."""
        prediction, gaze = self(batch), batch["gaze"]
        self._measure("val/loss", self.val_loss, batch, *self._losses(prediction, batch))
        error = "val/angular_error_deg"
        self._measure(error, self.val_error, batch, prediction, gaze, prog_bar=True)
        return _output(prediction, batch)

    def on_validation_epoch_end(self) -> None:
        """Warn of a training that learns nothing: the loss is periodic in the angles."""
        error_deg = float(self.val_error.compute())
        if error_deg > _LOST_DEG and self.trainer.is_global_zero:
            LOG.warning(
                "epoch %d: %.0f degrees off in validation: gazes were thrown around the circle, "
                "where the loss hardly shows the way back. Begin again with a lower "
                "model.learning_rate, or with model.module.optimizer._target_=torch.optim.RAdam, "
                "which rises by itself",
                *(self.current_epoch, error_deg),
            )

    def test_step(self, batch: GazeBatch, batch_idx: int) -> GazeOutput:
        """Update the test metric and return the predictions for the callbacks."""
        prediction = self(batch)
        self._measure("test/angular_error_deg", self.test_error, batch, prediction, batch["gaze"])
        return _output(prediction, batch)

    def adopt(self, datamodule: Any) -> None:
        """Take the ranges of the training data, and the frame of its angles."""
        self.statistics = datamodule.statistics()
        self.gaze_frame = datamodule.gaze_frame

    def calibrate(self, path: Path, trained_on: Mapping[str, Any]) -> None:
        """Take a person's own map of gaze from a file; from here on it is in `forward`.

        Args:
            path: the file, of a test of this module's weights.
            trained_on: fingerprint of its training data.

        Raises:
            ValueError: As `read_calibration`.
        """
        convention = trained_on["recipe"].get("gaze_convention")
        weights = weights_sha256(self.net)
        self.calibration = read_calibration(path, weights, convention, self.gaze_frame)

    def import_checkpoint(self, path: Path, resumable_path: Path, trainer: Trainer) -> None:
        """Load an original's training checkpoint, and write it as one Lightning resumes from.

        The ranges stay those of the data at hand; the original trained with the published ones.
        """
        if self.statistics not in published_ranges():
            LOG.warning(
                "%s was trained with given ranges of gaze and head pose, this run's are none that "
                "were published: unless they are from its own file, type "
                "data.datamodule.statistics=columbiagaze (or eyediap, or that FILE.pkl)",
                path,
            )
        import_training(path, resumable_path, self, trainer)

    def export_checkpoint(self, checkpoint_path: Path, path: Path) -> None:
        """Write one of this module's checkpoints in the original's form."""
        export_training(checkpoint_path, self, path)

    def exportable(
        self, inputs: Mapping[str, Any], annotator: Mapping[str, Any] | None
    ) -> Exportable:
        """Return what an ONNX file of it holds; arguments as `exportable_gaze`."""
        return exportable_gaze(self, self.net, self.gaze_frame, annotator)

    def load_original(self, path: Path, trained_on: str | None) -> dict[str, Any]:
        """Load an original's weights, with the ranges of its training data.

        Args:
            path: the original's file.
            trained_on: the data set whose published ranges are taken, or a file of ranges.

        Returns:
            Name, gaze convention and frame of that data set, as a fingerprint has them.

        Raises:
            ValueError: If the data set is not named, or there are no such ranges.
        """
        if trained_on is None:
            raise ValueError("whose ranges? Give statistics=columbiagaze or statistics=eyediap")
        load_original_state_dict(self.net, read_checkpoint(path).model_state_dict)
        self.statistics = load_statistics(trained_on)
        self.gaze_frame = gaze_frame_of(trained_on)
        recipe = {
            "gaze_convention": gaze_convention_of(trained_on),
            "gaze_frame": self.gaze_frame,
        }
        return {"name": Path(trained_on).stem, "recipe": recipe}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the ranges and the frame beside the weights."""
        assert self.statistics is not None
        checkpoint[_STATISTICS_KEY] = self.statistics.to_dict()
        checkpoint[_FRAME_KEY] = self.gaze_frame

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the ranges and the frame that the weights were trained in."""
        self.statistics = Statistics.from_dict(checkpoint[_STATISTICS_KEY])
        # Checkpoints that do not say are from before there were two.
        self.gaze_frame = checkpoint.get(_FRAME_KEY, "camera")

    def _losses(self, predicted: Tensor, batch: GazeBatch) -> SampleLosses:
        return self.loss.of_samples(predicted, batch["gaze"])

    def _pixels(self, rgb: Tensor) -> Tensor:
        pixels = rgb.float() / 255 if self._input_range == "unit" else rgb.float()
        return self._laid_out(pixels)

    def _heatmap(self, batch: GazeBatch) -> Tensor:
        height, width = batch["rgb"].shape[-2:]
        return self._laid_out(render_heatmaps(batch["landmarks"], height, width))

    def _laid_out(self, images: Tensor) -> Tensor:
        # trainer.precision=64-true: the weights are not float32.
        images = images.to(next(self.net.parameters()).dtype)
        return images.to(memory_format=torch.channels_last) if self._channels_last else images


def _output(prediction: Tensor, batch: GazeBatch) -> GazeOutput:
    return GazeOutput(prediction=prediction, gaze=batch["gaze"], row=batch["row"], eye=batch["eye"])
