"""Faces of known gaze, to pretrain a backbone on where Gaze360's weights are not to be had."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt
import polars as pl
import torch
from torch import Tensor
from torch.utils.data import Dataset

from common.arrays import Array, Image
from common.geometry import mirror_gaze
from common.media.photometric import PhotometricAugmentation
from common.media.photometric_batch import with_looks
from common.store.reading import FaceStore, read_recipe, warn_if_incomplete
from common.training.datamodule import Loading, Samples, SuiteDataModule
from gazepose.data.augmentation import NUM_CROP_DRAWS, NUM_TRIES, crop_boxes, mirrored
from gazepose.data.face_view import FaceView
from gazepose.data.framing import FACE_PX, FramingAugmentation

Gaze = npt.NDArray[np.float32]
_WHOLE_FACE = FaceView(FACE_PX)


class GazeBatch(TypedDict):
    """Still faces as clips of one frame. B samples."""

    clip: Tensor  # (B, 1, 3, H, W) uint8 RGB
    gaze: Tensor  # (B, 2) [yaw, pitch] in radians, viewer frame
    row: Tensor  # (B,) int64
    look: NotRequired[Tensor]  # (B, 15), as in `ClipBatch`


class GazeFacesDataModule(SuiteDataModule):
    """Loaders over the store of a gaze data set, split by its own lists or by person.

    A face is squeezed into a square, as Ego4D's boxes are. In training it is mirrored at random,
    cropped at random, and, if asked, framed and photographed otherwise.

    Args:
        name: the gaze data set.
        store_dir: its face store.
        val_fraction: share of the people held out; None takes the parts of the data set's own
            lists, where the store has them.
        batch_size: of both loaders.
        image_size: side of what the net sees.
        zoom: 1 shows the whole face; see `FaceView`.
        random_crop: training crops each face at random.
        least_width_px: of `FramingAugmentation`, as are `max_shift` and `max_zoom`.
        num_workers: loader processes.
        seed: of the held-out people and of all random choices.
        test_part: what the test loader goes through: "val" or, of own lists, "test".
        photometric: as of `GazeFaces`, in training.
        repeat_first_epoch: of `Loading`.

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
        max_shift: float = 0.0,
        max_zoom: float = 0.0,
        photometric: PhotometricAugmentation | None = None,
        repeat_first_epoch: bool = False,
    ) -> None:
        store = FaceStore(store_dir)
        table = _with_parts(store.table, val_fraction, seed, store_dir)
        _check_part(table, test_part, store_dir)
        drop_last = int((table["part"] == "train").sum()) > batch_size
        sizes = (batch_size, batch_size, drop_last)
        loading = Loading(*sizes, num_workers, seed, repeat_first_epoch)
        super().__init__(name, test_part, loading)
        self._store, self.table = store, table
        self._recipe = read_recipe(Path(store_dir))
        warn_if_incomplete(Path(store_dir))
        own_lists = val_fraction is None
        self._split = "own lists" if own_lists else f"held-out people, seed {seed}"
        gaze = self.table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy()
        self._gaze = gaze.astype(np.float32)
        self._view = FaceView(image_size, zoom)
        framing = FramingAugmentation(max_shift, max_zoom, least_width_px)
        self._augmentation = FaceAugmentation(random_crop, framing)
        self._photometric = photometric

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Give faces the looks that the loader left to the device."""
        return with_looks(batch, "clip")

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
        changes = (self._augmentation, self._photometric) if trains else (None, None)
        dataset = GazeFaces(self._store, self._gaze, self._view, *changes)
        return Samples(dataset, self._sampler(rows, trains=trains))


@dataclass(frozen=True)
class FaceAugmentation:
    """What training does to a face, beside mirroring every other one.

    Attributes:
        random_crop: crop it, by the rule of clips' frames.
        framing: of clips, too.
    """

    random_crop: bool
    framing: FramingAugmentation

    def __call__(
        self, image: Image, gaze: Gaze, generator: np.random.Generator
    ) -> tuple[Image, Gaze]:
        """Return a square face of another look, and where it then looks."""
        if generator.random() > 0.5:
            image, gaze = mirrored(image), mirror_gaze(gaze)
        top, left, height, width = self._crop(len(image), generator)
        framing = self.framing.framing(generator)
        image = framing.moved(image, _WHOLE_FACE)[top : top + height, left : left + width]
        if framing.width_px is not None:
            image = FaceView(framing.width_px)(image)
        return image, gaze

    def _crop(self, size: int, generator: np.random.Generator) -> list[int]:
        if not self.random_crop:
            return [0, 0, size, size]
        draws = generator.random((1, NUM_TRIES, NUM_CROP_DRAWS))
        return crop_boxes(draws, size)[0].tolist()


class GazeFaces(Dataset[GazeBatch]):
    """Faces of a store; indexed by (row, draw seed) pairs.

    Args:
        store: with a gaze.
        gaze: (N, 2) of all rows.
        view: what is shown of a face.
        augmentation: of training; None shows faces as they are.
        photometric: of how they look, in training; None shows them as photographed.
    """

    def __init__(
        self,
        store: FaceStore,
        gaze: Gaze,
        view: FaceView,
        augmentation: FaceAugmentation | None,
        photometric: PhotometricAugmentation | None,
    ) -> None:
        self._store = store
        self._gaze = gaze
        self._view = view
        self._augmentation = augmentation
        self._photometric = photometric

    def __getitem__(self, key: tuple[int, int]) -> GazeBatch:
        row, seed = key
        # Squeezed into a square, as Ego4D's boxes are.
        image, gaze = _WHOLE_FACE(self._store.image(row)), self._gaze[row]
        generator = np.random.default_rng(seed)
        if self._augmentation is not None:
            image, gaze = self._augmentation(image, gaze, generator)
        image = self._view(image)
        look: Array | None = None
        if self._photometric is not None:
            image, look = self._photometric(image, generator)
        frame = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        face = GazeBatch(clip=frame[None], gaze=torch.from_numpy(gaze), row=torch.tensor(row))
        if look is not None:
            face["look"] = torch.from_numpy(look)
        return face


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
