"""One clip: seven frames around a keyframe, as the nets take them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset, default_collate

from common.arrays import Array, Bools, Float, Image
from common.media.photometric import PhotometricAugmentation
from gazepose.batch import BLACK, NUM_FRAMES, ClipBatch
from gazepose.data.augmentation import NUM_CROP_DRAWS, NUM_TRIES, crop_boxes, mirrored, paint
from gazepose.data.clip_frames import ClipFrames
from gazepose.data.face_view import FaceView
from gazepose.data.framing import Framing, FramingAugmentation
from gazepose.data.temporal_dropout import NUM_NEIGHBOURS, Mode, TemporalDropout, positions_to_show
from gazepose.data.windows import window_rows
from gazepose.priors import clip_landmarks, head_bins, mirror_landmarks
from gazepose.store.table import LamTable, Rows

NUM_DRAWS = 1 + NUM_NEIGHBOURS
"""Random numbers of a `Decision`."""


@dataclass(frozen=True)
class ClipRecipe:
    """How a clip is made of its frames.

    Attributes:
        dropout: which neighbours are left out.
        split_deg: size of a bin of the head pose; None if no net asks for head poses.
        use_landmarks: whether a net asks for landmarks.
        mirror_priors: a mirrored clip's landmarks are mirrored too; published is not to.
        flip: training mirrors every other clip.
        random_crop: training crops each frame at random.
        view: what is shown of a frame.
        framing: of training, drawn for each clip.
        photometric: of training, a look for each clip; None shows frames as photographed.
    """

    dropout: TemporalDropout
    split_deg: float | None
    use_landmarks: bool
    mirror_priors: bool
    flip: bool
    random_crop: bool
    view: FaceView
    framing: FramingAugmentation = field(default_factory=FramingAugmentation)
    photometric: PhotometricAugmentation | None = None


@dataclass(frozen=True)
class Decision:
    """What chance or rule says of one clip: whether it is mirrored, which frames (7,) are out."""

    is_flipped: bool
    dropped: Bools


def decide(draws: Float, sharpness_p: Float, recipe: ClipRecipe, mode: Mode) -> Decision:
    """Decide on one clip.

    Args:
        draws: (7,) uniform in [0, 1), in the original's order: the flip, then one for each
            neighbour from frame -3 to +3, whether it is there or not.
        sharpness_p: (7,) of the frames, NaN where there is none.
        recipe: how clips are made.
        mode: only ``train`` flips.
    """
    is_flipped = mode == "train" and recipe.flip and bool(draws[0] > 0.5)
    return Decision(is_flipped, recipe.dropout.dropped(sharpness_p, mode, draws[1:]))


class ClipDataset(Dataset[dict[str, Any]]):
    """Clips of a table; indexed by (row, draw seed) pairs from `EpochSampler`.

    Args:
        table: all frames, with the priors that `recipe` asks for.
        recipe: how clips are made.
        mode: ``train`` augments and drops by chance; ``val`` and ``test`` decide by rule. In
            ``test``, the unlabelled set, no neighbour's landmarks stand in for missing ones.

    Attributes:
        frames: reads the images; counts damaged ones.
    """

    def __init__(self, table: LamTable, recipe: ClipRecipe, mode: Mode) -> None:
        self._table = table
        self._recipe = recipe
        self._mode = mode
        self.frames = ClipFrames(table, recipe.view)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        row, seed = key
        generator = np.random.default_rng(seed)
        window = window_rows(self._table, np.array([row]))[0]
        sharpness_p = np.where(window < 0, np.nan, self._table.sharpness_p[window])
        decision = decide(generator.random(NUM_DRAWS), sharpness_p, self._recipe, self._mode)
        images = self.frames.read(np.where(decision.dropped, -1, window))
        clip, look = self._painted(images, decision.is_flipped, generator)
        return {
            "clip": torch.from_numpy(clip),
            **({} if look is None else {"look": look}),
            "label": int(self._table.label[row]),
            "row": row,
            **self._priors(row, window, decision.is_flipped),
        }

    def _priors(self, row: int, window: Rows, is_flipped: bool) -> dict[str, Array]:
        priors = priors_of(self._table, row, window, self._recipe, self._mode)
        if is_flipped and self._recipe.mirror_priors and "landmarks" in priors:
            priors["landmarks"] = mirror_landmarks(priors["landmarks"])
        return priors

    def _painted(
        self, images: Sequence[Image | None], is_flipped: bool, generator: np.random.Generator
    ) -> tuple[Image, Array | None]:
        """Return the clip (7, H, W, 3) as it is shown, and what look it is still to be given."""
        view, trains = self._recipe.view, self._mode == "train"
        clip = np.zeros((NUM_FRAMES, view.size, view.size, 3), np.uint8)
        # Drawn after all else, so that flips, dropout and crops are the same with and without.
        crops = self._crops(generator)
        framing = self._recipe.framing.framing(generator) if trains else Framing()
        for target, shown, crop in zip(clip, shown_positions(images), crops, strict=True):
            image = None if shown == BLACK else images[shown]
            if image is not None:
                image = framing.moved(mirrored(image) if is_flipped else image, view)
                paint(target, image, crop)
        return clip, self._photograph(clip, framing, generator) if trains else None

    def _photograph(
        self, clip: Image, framing: Framing, generator: np.random.Generator
    ) -> Array | None:
        """Change the frames to what a camera would have made of them; black ones are none."""
        photometric = self._recipe.photometric
        left: Array | None = None
        look = None if photometric is None else photometric.look(generator)
        if photometric is not None and look is not None and photometric.on_device:
            left, look = look.numbers(), None
        if look is None and framing.width_px is None:
            return left
        for frame in clip:
            if not _is_black(frame):
                seen = framing.coarse(frame, self._recipe.view)
                frame[:] = seen if look is None else look(seen, generator)
        return left

    def _crops(self, generator: np.random.Generator) -> npt.NDArray[np.int64]:
        size = self._recipe.view.size
        if self._mode == "train" and self._recipe.random_crop:
            return crop_boxes(generator.random((NUM_FRAMES, NUM_TRIES, NUM_CROP_DRAWS)), size)
        return np.tile([0, 0, size, size], (NUM_FRAMES, 1))


def priors_of(
    table: LamTable, rows: int | Rows, window: Rows, recipe: ClipRecipe, mode: Mode
) -> dict[str, Array]:
    """Return the priors that a recipe asks for, of clips around rows (...).

    The window (..., 7) has the rows of their frames.
    """
    priors: dict[str, Array] = {}
    if recipe.split_deg is not None:
        assert table.head_pose_deg is not None
        priors["head_bins"] = head_bins(table.head_pose_deg[rows], recipe.split_deg)
    if recipe.use_landmarks:
        assert table.landmarks is not None
        priors["landmarks"] = clip_landmarks(table.landmarks, window, mode != "test")
    return priors


def shown_positions(images: Sequence[Image | None]) -> list[int]:
    """Return which of a clip's images stands at each position; `BLACK` where none does."""
    has_image = np.array([image is not None for image in images])
    if has_image.all():
        return list(range(NUM_FRAMES))
    is_black = np.array([image is not None and _is_black(image) for image in images])
    return positions_to_show(has_image, is_black).tolist()


def _is_black(image: Image) -> bool:
    # One row of pixels settles it for nearly all.
    return not (image[len(image) // 2].any() or image.any())


def collate_clips(samples: list[dict[str, Any]]) -> ClipBatch:
    """Return a batch of samples.

    Pixels keep the order in which they were decoded, colours innermost: the batch is (B, 7, 3, H,
    W) by its strides. Copying them into place would cost a fifth of a loader's time.
    """
    batch = default_collate(samples)
    batch["clip"] = batch["clip"].permute(0, 1, 4, 2, 3)
    return cast(ClipBatch, batch)
