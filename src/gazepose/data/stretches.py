"""Stretches of a table: many clips whose frames are decoded, sent and looked at once."""

from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from common.arrays import Image, Ints
from gazepose.batch import BLACK
from gazepose.data.clip_frames import ClipFrames
from gazepose.data.dataset import ClipRecipe, priors_of
from gazepose.data.temporal_dropout import Mode, positions_to_show
from gazepose.data.windows import window_rows
from gazepose.store.table import LamTable, Rows


class StretchBatch(TypedDict):
    """The clips around N frames, which share F frames."""

    frames: Tensor  # (F, 3, H, W) uint8 RGB
    windows: Tensor  # (N, 7) int64, which of the frames each clip shows, after dropout and packing
    label: Tensor  # (N,) int64
    row: Tensor  # (N,) int64, row of the table
    head_bins: NotRequired[Tensor]  # (N, 3), as in `ClipBatch`
    landmarks: NotRequired[Tensor]  # (N, 15), as in `ClipBatch`


class ClipStretches(Dataset[StretchBatch]):
    """What `ClipDataset` gives in validation or test, a stretch of the table at a time.

    Tracks are frames that follow each other there; a stretch holds many that are short.

    Args:
        table: all frames, with the priors that `recipe` asks for.
        recipe: how clips are made; nothing is drawn by chance.
        mode: ``val`` or ``test``.
        rows: (n,) middle frames, in the order of the table.
        length: clips of a stretch, at most; of whole tracks it decodes as many frames,
            of one that it cuts up to six more.
    """

    def __init__(
        self, table: LamTable, recipe: ClipRecipe, mode: Mode, rows: Rows, length: int = 128
    ) -> None:
        assert mode != "train"
        self._table = table
        self._recipe = recipe
        self._mode = mode
        self._stretches = _cut(rows, table.group(rows), length)
        self._frames = ClipFrames(table, recipe.view)

    def __len__(self) -> int:
        return len(self._stretches)

    def __getitem__(self, number: int) -> StretchBatch:
        rows = self._stretches[number]
        window = window_rows(self._table, rows)
        sharpness_p = np.where(window < 0, np.nan, self._table.sharpness_p[window])
        kept = np.where(self._recipe.dropout.dropped(sharpness_p, self._mode), -1, window)
        asked = np.unique(kept[kept >= 0])
        images = self._frames.read(asked)
        priors = priors_of(self._table, rows, window, self._recipe, self._mode)
        batch: dict[str, Any] = {
            "frames": _stacked(images, self._recipe.view.size),
            "windows": torch.from_numpy(_shown(kept, asked, images)),
            "label": torch.from_numpy(self._table.label[rows].astype(np.int64)),
            "row": torch.from_numpy(rows),
            **{name: torch.from_numpy(values) for name, values in priors.items()},
        }
        return StretchBatch(**batch)  # type: ignore[typeddict-item]


def _cut(rows: Rows, groups: Ints, length: int) -> list[Rows]:
    """Cut rows where another pack begins, and into pieces of at most `length`."""
    of_packs = np.split(rows, np.flatnonzero(np.diff(groups)) + 1)
    return [
        piece[start : start + length]
        for piece in of_packs
        for start in range(0, len(piece), length)
    ]


def _stacked(images: list[Image | None], size: int) -> Tensor:
    """Return (F, 3, H, W) uint8; a frame that could not be read is never shown."""
    blank = np.zeros((size, size, 3), np.uint8)
    stacked = [blank if image is None else image for image in images] or [blank]
    return torch.from_numpy(np.stack(stacked)).permute(0, 3, 1, 2)


def _shown(kept: Rows, asked: Rows, images: list[Image | None]) -> Rows:
    """Return the place among `asked` of what each position of each clip (N, 7) shows."""
    has_image = np.array([image is not None for image in images] + [False])
    is_black = np.array([image is not None and not image.any() for image in images] + [False])
    # Rows that nobody asked for lead to the last entry, which has no image.
    places = np.where(kept < 0, len(asked), np.searchsorted(asked, kept))
    positions = positions_to_show(has_image[places], is_black[places])
    shown = np.take_along_axis(places, np.maximum(positions, 0).astype(np.int64), -1)
    return np.where((positions == BLACK) | ~has_image[shown], BLACK, shown)
