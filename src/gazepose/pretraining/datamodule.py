"""Faces of known gaze, to pretrain a backbone on where Gaze360's weights are not to be had."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import cv2
import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor
from torch.utils.data import Dataset

from common.arrays import Image
from common.geometry import mirror_gaze
from common.store.reading import FaceStore, read_recipe, warn_if_incomplete
from common.training.datamodule import Loading, Samples, SuiteDataModule
from gazepose.data.augmentation import NUM_CROP_DRAWS, NUM_TRIES, crop_boxes, mirrored
from gazepose.data.face_view import FaceView

Gaze = npt.NDArray[np.float32]
SQUARE_PX = 224


class GazeBatch(TypedDict):
    """Still faces as clips of one frame. B samples."""

    clip: Tensor  # (B, 1, 3, H, W) uint8 RGB
    gaze: Tensor  # (B, 2) [yaw, pitch] in radians, viewer frame
    row: Tensor  # (B,) int64


class GazeFacesDataModule(SuiteDataModule):
    """Loaders over the store of a gaze data set, split by its own lists or by person.

    A face is squeezed into a square, as Ego4D's boxes are. In training it is mirrored at random,
    cropped at random, and shown as small as a face across the room.

    Args:
        name: the gaze data set.
        store_dir: its face store.
        val_fraction: share of the people held out; None takes the parts of the data set's own
            lists, where the store has them.
        batch_size: of both loaders.
        image_size: side of what the net sees.
        zoom: 1 shows the whole face; see `FaceView`.
        random_crop: training crops each face at random.
        least_width_px: smallest width, drawn between this and 224; None leaves it.
        num_workers: loader processes.
        seed: of the held-out people and of all random choices.
        test_part: what the test loader goes through: "val" or, of own lists, "test".

    Raises:
        ValueError: If there is no store, it has no gaze, or too few people.
    """

    def __init__(
        self,
        name: str,
        store_dir: str,
        val_fraction: float | None,
        batch_size: int,
        image_size: int,
        zoom: float,
        random_crop: bool,
        least_width_px: int | None,
        num_workers: int,
        seed: int,
        test_part: str = "val",
    ) -> None:
        store = FaceStore(store_dir)
        table = _with_parts(store.table, val_fraction, seed, store_dir)
        _check_part(table, test_part, store_dir)
        drop_last = int((table["part"] == "train").sum()) > batch_size
        loading = Loading(batch_size, batch_size, drop_last, num_workers, seed)
        super().__init__(name, test_part, loading)
        self._store, self.table = store, table
        self._recipe = read_recipe(Path(store_dir))
        warn_if_incomplete(Path(store_dir))
        own_lists = val_fraction is None
        self._split = "own lists" if own_lists else f"held-out people, seed {seed}"
        gaze = self.table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy()
        self._gaze = gaze.astype(np.float32)
        self._view = FaceView(image_size, zoom)
        self._augmentation = FaceAugmentation(random_crop, least_width_px)

    def fingerprint(self) -> dict[str, Any]:
        """Return what identifies data and split."""
        columns = ("sample_id", "part", "gaze_yaw_rad", "gaze_pitch_rad", "crc32")
        hashed = self.table.select(columns).write_csv().encode()
        return {
            "name": self.name,
            "recipe": self._recipe,
            "split": self._split,
            "table_sha256": hashlib.sha256(hashed).hexdigest(),
        }

    def _samples(self, part: str, *, trains: bool) -> Samples:
        rows = np.flatnonzero((self.table["part"] == part).fill_null(False).to_numpy())
        augmentation = self._augmentation if trains else None
        dataset = GazeFaces(self._store, self._gaze, self._view, augmentation)
        return Samples(dataset, self._sampler(rows, trains=trains))


@dataclass(frozen=True)
class FaceAugmentation:
    """What training does to a face, beside mirroring every other one.

    Attributes:
        random_crop: crop it, by the rule of clips' frames.
        least_width_px: show it as if photographed this small, or larger; None leaves it.

    Raises:
        ValueError: If the width is none of a face as it is squeezed.
    """

    random_crop: bool
    least_width_px: int | None

    def __post_init__(self) -> None:
        if self.least_width_px is not None and not 1 <= self.least_width_px <= SQUARE_PX:
            raise ValueError(
                f"least_width_px is {self.least_width_px}, expected 1 to {SQUARE_PX}, or null"
            )

    def __call__(
        self, image: Image, gaze: Gaze, generator: np.random.Generator
    ) -> tuple[Image, Gaze]:
        """Return a square face of another look, and where it then looks."""
        if generator.random() > 0.5:
            image, gaze = mirrored(image), mirror_gaze(gaze)
        if self.random_crop:
            draws = generator.random((1, NUM_TRIES, NUM_CROP_DRAWS))
            top, left, height, width = crop_boxes(draws, len(image))[0].tolist()
            image = image[top : top + height, left : left + width]
        if self.least_width_px is not None:
            image = _resized(image, int(generator.integers(self.least_width_px, SQUARE_PX + 1)))
        return image, gaze


class GazeFaces(Dataset[GazeBatch]):
    """Faces of a store; indexed by (row, draw seed) pairs.

    Args:
        store: with a gaze.
        gaze: (N, 2) of all rows.
        view: what is shown of a face.
        augmentation: of training; None shows faces as they are.
    """

    def __init__(
        self,
        store: FaceStore,
        gaze: Gaze,
        view: FaceView,
        augmentation: FaceAugmentation | None,
    ) -> None:
        self._store = store
        self._gaze = gaze
        self._view = view
        self._augmentation = augmentation

    def __getitem__(self, key: tuple[int, int]) -> GazeBatch:
        row, seed = key
        # Squeezed into a square, as Ego4D's boxes are.
        image, gaze = _resized(self._store.image(row), SQUARE_PX), self._gaze[row]
        if self._augmentation is not None:
            generator = np.random.default_rng(seed)
            image, gaze = self._augmentation(image, gaze, generator)
        image = self._view(image)
        frame = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        return GazeBatch(clip=frame[None], gaze=torch.from_numpy(gaze), row=torch.tensor(row))


def _resized(image: Image, side: int) -> Image:
    shrinks = side < min(image.shape[:2])
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (side, side), interpolation=interpolation), dtype=np.uint8)


def _with_parts(
    table: pl.DataFrame, val_fraction: float | None, seed: int, where: str
) -> pl.DataFrame:
    if "gaze_yaw_rad" not in table.columns:
        raise ValueError(f"{where} holds no gaze: expected the store of a gaze data set")
    if val_fraction is None:
        if "part" not in table.columns or not table["part"].count():
            raise ValueError(
                f"{where} has no parts of its own: type data.datamodule.val_fraction=0.1"
            )
        return table
    people = sorted(set(table["subject"]))
    num_val = max(1, round(val_fraction * len(people)))
    if num_val >= len(people):
        raise ValueError(f"{where} has {len(people)} people: too few to hold out {num_val}")
    held_out = np.random.default_rng(seed).permutation(people)[:num_val].tolist()
    is_val = pl.col("subject").is_in(held_out)
    return table.with_columns(
        pl.when(is_val).then(pl.lit("val")).otherwise(pl.lit("train")).alias("part")
    )


def _check_part(table: pl.DataFrame, part: str, where: str) -> None:
    there = sorted(set(table["part"].drop_nulls()))
    if part not in there:
        raise ValueError(f"test_part is {part!r}, expected one of {there}, the parts of {where}")
