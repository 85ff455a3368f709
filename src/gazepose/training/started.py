"""What both modules of this package share: a training that starts from given weights."""

from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from common.training.module import SuiteModule
from gazepose.originals.start_weights import InitPart, StartWeights


class StartedModule(SuiteModule):
    """Starts a fresh training from another net's weights, as far as they fit.

    Args:
        parts: of `SuiteModule`.
        init_checkpoint: the weights: Gaze360's file, an original's, or a checkpoint of this suite.
            A resumed run has its own.
        init_part: ``backbone`` takes what makes a frame's features, ``all`` whatever fits.

    Raises:
        ValueError: If `init_part` is unknown.
    """

    def __init__(self, *parts: Any, init_checkpoint: str | None, init_part: InitPart) -> None:
        super().__init__(*parts)
        self._start = StartWeights(init_checkpoint, init_part)

    def on_fit_start(self) -> None:
        """Take the weights a fresh training starts from."""
        self._start.fill(self.net, self.trainer)

    def import_checkpoint(self, path: Path, resumable_path: Path, trainer: Trainer) -> None:
        """Refuse to resume from another's file: it holds no optimizer state.

        Raises:
            ValueError: Always; says what to type.
        """
        raise ValueError(
            f"ckpt_path={path} holds weights only, no state of a training, and only a run's own "
            f".ckpt goes on: start from them with model.init_checkpoint={path} model.init_part=all"
        )
