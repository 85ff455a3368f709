"""Face store -> eye crops, as a Lightning data module."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Float
from common.config.checks import frame_of
from common.files.checksums import arrays_sha256
from common.media.photometric import PhotometricAugmentation
from common.media.photometric_batch import with_looks
from common.store.reading import FaceStore, read_recipe, warn_if_incomplete
from common.training.datamodule import Loading, Samples, SuiteDataModule
from flame.batch import EyeRule, GazeBatch
from flame.data.augmentation import EyeAugmentation
from flame.data.dataset import EyeDataset
from flame.data.partition import choose_split, log_gaps, names_in, with_parts, write_split
from flame.data.sampler import EyeSampler
from flame.data.splits import PARTS, Part
from flame.data.statistics import (
    Statistics,
    load_statistics,
    train_statistics,
    write_statistics,
)
from flame.store.labels import GazeLabels


class GazeDataModule(SuiteDataModule):
    """Train, val and test loaders of one gaze data set.

    Args:
        name: what tables call the data set.
        store_dir: its face store.
        split: name of a published split, path of a split's file, ``own_lists`` for the data
            set's own, or ``cross_person`` / ``random`` / ``person_folds`` to draw one with
            `split_seed`.
        split_fractions: shares of train, val and test of a drawn split; of folds, that of val.
        split_seed: of a drawn split; apart from `seed`, so that seeds of a study share a split.
        num_folds: parts that the people are divided into, for ``person_folds``.
        fold: which of them, from 0, is the test part.
        statistics: ``train`` takes minimum and maximum over the train part; any other name takes
            the published ones of that data set; a path those of a file.
        batch_size: of `Loading`, as are `eval_batch_size`, `drop_last`, `num_workers`, `seed`
            (which draws eyes, too) and `repeat_first_epoch`.
        train_eye: eye rule of training.
        augmentation: as of `EyeDataset`, as is `photometric`.
        eval_eye: eye rule of validation and test.
        test_part: which part the test loader goes through.

    Attributes:
        table: rows of the store with the columns ``part`` and ``row``.
        gaze_convention: how the data set defines gaze.
        gaze_frame: in which its angles are.
        fold: ``number`` and ``of`` how many, of a split into folds; else None.
    """

    def __init__(
        self,
        name: str,
        store_dir: str,
        split: str,
        split_fractions: Sequence[float] = (0.8, 0.1, 0.1),
        split_seed: int = 0,
        num_folds: int | None = None,
        fold: int | None = None,
        statistics: str = "train",
        batch_size: int = 8,
        eval_batch_size: int = 16,
        train_eye: EyeRule = "random",
        augmentation: EyeAugmentation | None = None,
        photometric: PhotometricAugmentation | None = None,
        eval_eye: EyeRule = "parity",
        drop_last: bool = True,
        num_workers: int = 2,
        seed: int = 0,
        test_part: Part = "test",
        repeat_first_epoch: bool = False,
    ) -> None:
        sizes = (batch_size, eval_batch_size, drop_last)
        super().__init__(name, test_part, Loading(*sizes, num_workers, seed, repeat_first_epoch))
        self._store = FaceStore(store_dir)
        self._labels = GazeLabels.from_table(self._store.table)
        self._dataset = EyeDataset(self._store, self._labels)
        self._train_dataset = EyeDataset(self._store, self._labels, augmentation, photometric)
        self._recipe = read_recipe(Path(store_dir))
        warn_if_incomplete(Path(store_dir))
        self.gaze_convention: str = self._recipe["gaze_convention"]
        self.gaze_frame = frame_of(self._recipe)
        self.fold = {"number": fold, "of": num_folds} if split == "person_folds" else None
        self.split = choose_split(
            split, self._store.table, split_fractions, split_seed, num_folds, fold
        )
        self.table = with_parts(self._store.table, self.split)
        log_gaps(name, self._store.table, self.split)
        self._statistics_source = statistics
        self._train_eye = train_eye
        self._eval_eye = eval_eye

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Give crops the looks that the loader left to the device."""
        return with_looks(batch, "rgb")

    def statistics(self) -> Statistics:
        """Return the ranges by which gaze and head pose are normalised."""
        if self._statistics_source != "train":
            return load_statistics(self._statistics_source)
        return train_statistics(*self.labels("train"))

    def write_split(self, path: Path | None) -> str:
        """Write the split in use, and say where.

        Args:
            path: a ``.json`` file, or ``.pkl`` for FLAME's own form; None puts it into the store.

        Raises:
            ValueError: If the file's suffix is another.
        """
        path = path or self._store.store_dir / f"split_{self._split_stem}.json"
        write_split(path, self.split, self.table)
        sizes = ", ".join(f"{len(getattr(self.split, part))} {part}" for part in PARTS)
        return f"split {self.split.name}: {sizes} ({self.split.unit}s) -> {path}"

    def write_statistics(self, path: Path | None) -> str:
        """Write the train part's ranges, and say where; arguments and errors as `write_split`."""
        path = path or self._store.store_dir / f"statistics_{self._split_stem}.json"
        ranges = train_statistics(*self.labels("train"))
        landmarks = self._labels.landmarks[self._rows("train")]
        conventions = {"gaze_convention": self.gaze_convention, "gaze_frame": self.gaze_frame}
        write_statistics(path, ranges, landmarks, conventions)
        numbers = ", ".join(f"{name} {value:.4f}" for name, value in ranges.to_dict().items())
        return f"{numbers} rad, split {self.split.name} -> {path}"

    @property
    def _split_stem(self) -> str:
        """Return the split's name for files; folds share one, and no parts."""
        return self.split.name + (f"_fold{self.fold['number']}" if self.fold else "")

    def labels(self, part: Part) -> tuple[Float, Float]:
        """Return gaze (N, 2) and head pose (N, 3) of a part, in the order of the table."""
        rows = self._rows(part)
        return self._labels.gaze[rows], self._labels.head_pose[rows]

    def sample(self, row: int, eye: int) -> GazeBatch:
        """Return one eye of a row of the table, as a batch holds it, without the batch axis."""
        return self._dataset[row, eye, 0]

    def fingerprint(self) -> dict[str, Any]:
        """Return what identifies data, split and conventions."""
        parts = self.table["part"].value_counts().rows()
        # Folds of one division are parts of one test: the parts differ, the data must not.
        hashed = self.table.drop("part") if self.fold else self.table
        return {
            "name": self.name,
            "recipe": self._recipe,
            "split": self.split.name,
            "split_source": self.split.source,
            "fold": self.fold,
            "num_samples": {str(part): count for part, count in sorted(parts, key=str)},
            "eval_eye": self._eval_eye,
            "table_sha256": _table_hash(hashed),
            "priors_sha256": arrays_sha256([self._labels.head_pose, self._labels.landmarks]),
        }

    def _rows(self, part: Part) -> npt.NDArray[np.int64]:
        rows = self.table.filter(pl.col("part") == part)["row"].to_numpy().astype(np.int64)
        if not len(rows):
            raise ValueError(
                f"{self.name}: split {self.split.name!r} leaves no sample for {part!r}; the store "
                f"has the {self.split.unit}s {names_in(self._store.table, self.split)}"
            )
        return rows

    def _samples(self, part: Part, *, trains: bool) -> Samples:
        rows, loading = self._rows(part), self._loading
        eye = self._train_eye if trains else self._eval_eye
        indices = self._labels.index[rows]
        sampler = EyeSampler(rows, indices, eye, trains, loading.seed, loading.repeat_first_epoch)
        return Samples(self._train_dataset if trains else self._dataset, sampler)


def _table_hash(table: pl.DataFrame) -> str:
    """Hash labels, parts if there are any, and images (by their checksums) of all rows."""
    names = ("sample_id", "part", "gaze_yaw_rad", "gaze_pitch_rad", "crc32")
    columns = table.select(name for name in names if name in table.columns)
    return hashlib.sha256(columns.write_csv().encode()).hexdigest()
