"""The Lightning module of gaze pretraining: Gaze360's task, so that a backbone can start there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from common.evaluation.metrics import AngularError
from common.onnx.writing import Exportable
from common.training.module import MakeOptimizer, MakeScheduler
from common.training.sample_loss import SampleLosses
from gazepose.batch import NUM_FRAMES
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.pixels import normalise
from gazepose.originals.start_weights import InitPart
from gazepose.pretraining.datamodule import GazeBatch
from gazepose.training.exportable import exportable_gaze
from gazepose.training.losses import PinballLoss
from gazepose.training.started import StartedModule

_NO_ORIGINAL = "gaze pretraining makes a start for gazelstm, gazepose and gaze_cone"


class GazePretrainingModule(StartedModule):
    """Trains a net to tell gaze angles with their uncertainty.

    It is shown stills as clips of seven equal frames, so that the LSTM which eye contact starts
    from has seen clips. (Gaze360's own was trained on seven frames of a video.)

    Args:
        net: GazeLSTM with Gaze360's head.
        loss: of angles and uncertainty.
        optimizer: of `SuiteModule`, as are `scheduler` and `channels_last`.
        init_checkpoint: of `StartedModule`, as is `init_part`.
    """

    def __init__(
        self,
        net: Gaze360,
        loss: PinballLoss,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler | None = None,
        init_checkpoint: str | None = None,
        init_part: InitPart = "backbone",
        channels_last: bool = False,
    ) -> None:
        parts = (net, loss, optimizer, scheduler, channels_last)
        super().__init__(*parts, init_checkpoint=init_checkpoint, init_part=init_part)
        self.val_error = AngularError()
        self.test_error = AngularError()

    def forward(self, batch: GazeBatch) -> tuple[Tensor, Tensor]:
        """Return gaze (B, 2) in radians, viewer frame, and its uncertainty (B, 1) in radians."""
        frame = normalise(batch["clip"].flatten(0, 1))
        embedding = self.net.look(frame)[0][:, None].expand(-1, NUM_FRAMES, -1)
        gaze, uncertainty = self.net.estimate(embedding)
        return gaze.float(), uncertainty.float()

    def validation_step(self, batch: GazeBatch, batch_idx: int) -> None:
        """Update the validation metric."""
        angles = (self(batch)[0], batch["gaze"])
        self._measure("val/angular_error_deg", self.val_error, batch, *angles, prog_bar=True)

    def test_step(self, batch: GazeBatch, batch_idx: int) -> None:
        """Update the test metric."""
        angles = (self(batch)[0], batch["gaze"])
        self._measure("test/angular_error_deg", self.test_error, batch, *angles)

    def export_checkpoint(self, checkpoint_path: Path, path: Path) -> None:
        """Refuse: see `load_original`."""
        raise ValueError(f"export={path}: {_NO_ORIGINAL}; give {checkpoint_path} to those")

    def exportable(
        self, inputs: Mapping[str, Any], annotator: Mapping[str, Any] | None
    ) -> Exportable:
        """Return what an ONNX file of it holds; nothing annotates with it."""
        return exportable_gaze(self.net, inputs)

    def load_original(self, path: Path, trained_on: str | None) -> dict[str, Any]:
        """Refuse: Gaze360's own file goes to the nets that start from it.

        Raises:
            ValueError: Always; says what to type.
        """
        raise ValueError(f"{_NO_ORIGINAL}: type model=gazelstm model.init_checkpoint={path}")

    def _losses(self, predicted: tuple[Tensor, Tensor], batch: GazeBatch) -> SampleLosses:
        return self.loss.of_samples(*predicted, batch["gaze"])
