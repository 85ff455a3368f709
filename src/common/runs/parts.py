"""What a run asks of the lines' modules."""

from pathlib import Path
from typing import Any, Protocol

from pytorch_lightning import Trainer


class SuiteDataModule(Protocol):
    """What a run asks of a data module, beside its loaders."""

    name: str

    def fingerprint(self) -> dict[str, Any]:
        """Return what identifies data, split and conventions, as plain values."""


class SuiteModule(Protocol):
    """What a run asks of a Lightning module, beside training."""

    def adopt(self, datamodule: Any) -> None:
        """Take from the training data what the module needs, e.g. ranges or class weights."""

    def import_checkpoint(self, path: Path, resumable_path: Path, trainer: Trainer) -> None:
        """Load an original's training checkpoint, and write it as one Lightning resumes from."""

    def export_checkpoint(self, checkpoint_path: Path, path: Path) -> None:
        """Write one of this module's checkpoints in the original's form."""

    def load_original(self, path: Path, trained_on: str | None) -> dict[str, Any]:
        """Load an original's weights, with what was published of its training data.

        Args:
            path: the original's file.
            trained_on: name of its training data, if the user says it.

        Returns:
            What is known of its training data, as a `fingerprint`: at least ``name`` and
            ``recipe``.
        """
