"""What all data modules share: how their loaders go through samples."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset, default_collate

from common.training.distributed import Collate, shared_loader
from common.training.sampler import EpochSampler

_PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Loading:
    """How batches are made.

    Attributes:
        batch_size: of training, over all processes.
        eval_batch_size: of validation and test, over all processes.
        drop_last: leave out the last, smaller batch of a training epoch.
        num_workers: loader processes.
        seed: of order and draws.
        repeat_first_epoch: train every epoch on the first one's order and draws, to overfit.
    """

    batch_size: int
    eval_batch_size: int
    drop_last: bool
    num_workers: int
    seed: int
    repeat_first_epoch: bool = False


class Samples(NamedTuple):
    """The samples of a part."""

    dataset: Dataset[Any]
    sampler: EpochSampler
    collate: Collate = default_collate


class SuiteDataModule(LightningDataModule, ABC):
    """Base of the data modules; a line says which samples a part has.

    Args:
        name: what tables call the data set.
        test_part: which part the test loader goes through.
        loading: how batches are made.

    Raises:
        ValueError: If there is no such part.
    """

    def __init__(self, name: str, test_part: Any, loading: Loading) -> None:
        super().__init__()
        if test_part not in _PARTS:
            raise ValueError(f"part is {test_part!r}, expected one of {_PARTS}")
        self.name = name
        self.test_part = test_part
        self._loading = loading

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """Return what identifies data, split and conventions, as plain values."""

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the training loader: shuffled anew every epoch.

        Raises:
            ValueError: If there is nothing to train on, or less than one batch with `drop_last`.
        """
        return self._loader(self._samples("train", trains=True))

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the validation loader, in the order of the table."""
        return self._loader(self._samples("val", trains=False))

    def test_dataloader(self) -> DataLoader[Any]:
        """Return the loader of `test_part`, in the order of the table."""
        return self._loader(self._samples(self.test_part, trains=False))

    @abstractmethod
    def _samples(self, part: Any, *, trains: bool) -> Samples:
        """Return the samples of a part, in the order of the table."""

    def _sampler(self, rows: Any, *, trains: bool) -> EpochSampler:
        return EpochSampler(rows, trains, self._loading.seed, self._loading.repeat_first_epoch)

    def _loader(self, samples: Samples) -> DataLoader[Any]:
        loading, sampler, trains = self._loading, samples.sampler, samples.sampler.shuffle
        sampler.set_epoch(self._epoch())
        batch_size = loading.batch_size if trains else loading.eval_batch_size
        drop_last = trains and loading.drop_last
        if drop_last and len(sampler) < batch_size:
            raise ValueError(
                f"{self.name}: {len(sampler)} training samples are less than one batch of "
                f"{batch_size}; set data.datamodule.batch_size lower or drop_last=false"
            )
        return shared_loader(
            samples.dataset,
            sampler,
            batch_size=batch_size,
            drop_last=drop_last,
            collate=samples.collate,
            num_workers=loading.num_workers,
            seed=loading.seed,
            trains=trains,
        )

    def _epoch(self) -> int:
        """Return the epoch a loader is made for, also right after a restart.

        Lightning 2.6 draws the first batch of a fit before it tells the sampler the epoch, so a
        resumed run would begin with the order of epoch 0.
        """
        if self.trainer is None:
            return 0
        return int(self.trainer.fit_loop.epoch_progress.current.processed)
