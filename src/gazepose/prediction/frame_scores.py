"""Scores of faces in the frames around them: a trained net at preprocessing's end."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from common.arrays import Bools, Float, Image, Ints
from common.media.image_codec import decode_image
from common.training.inference import at_precision
from gazepose.batch import BLACK, CENTRE, NUM_FRAMES
from gazepose.data.dataset import ClipRecipe
from gazepose.data.temporal_dropout import positions_to_show
from gazepose.nets.parts import FrameFeatures
from gazepose.preprocessing.preparation import PreparedFace
from gazepose.priors import NUM_POINTS, clip_landmarks, eye_centred, head_bins, num_beyond
from gazepose.training.module import EyeContactModule


class Look(NamedTuple):
    """What a net sees in one face image.

    Attributes:
        views: of the image, and of its mirror image where scores are means of both; each (E,) and
            (C, h, w) or None.
        is_black: the image is all zero: some clips do without it.
    """

    views: list[FrameFeatures]
    is_black: bool


@dataclass(frozen=True)
class Clip:
    """The frames around a face of a video, the face in their middle.

    Attributes:
        looks: seven; None where the track has no image.
        sharpness_p: (7,) ranks, NaN where there is none.
        faces: seven, as measured; None where the track has no image.
    """

    looks: Sequence[Look | None]
    sharpness_p: Float
    faces: Sequence[PreparedFace | None]


def still(look: Look, face: PreparedFace) -> Clip:
    """Return a clip that stands still; nothing ranks its sharpness."""
    return Clip([look] * NUM_FRAMES, np.full(NUM_FRAMES, np.nan), [face] * NUM_FRAMES)


@dataclass(frozen=True)
class FrameScorer:
    """Scores faces with the frames around them, as validation does, each image looked at once.

    Attributes:
        module: in eval mode.
        recipe: how clips are made, with the priors that its net uses.
        precision: of `common.training.inference`.
    """

    module: EyeContactModule
    recipe: ClipRecipe
    precision: str = "32-true"

    def pixels(self, face: PreparedFace) -> Image:
        """Return a face as the net sees it, coded and decoded as in a store."""
        image = decode_image(face.encoded)
        assert image is not None, "it was encoded just now"
        return self.recipe.view(image)

    @torch.inference_mode()
    def look(self, images: Sequence[Image]) -> list[Look]:
        """Look at face images, each (S, S, 3) RGB as the recipe's view shows it, once."""
        if not images:
            return []
        frames = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        with at_precision(self.module, self.precision):
            views = self.module.look(frames.to(self.module.device))
        return [
            Look([_row(view, place) for view in views], not image.any())
            for place, image in enumerate(images)
        ]

    @torch.inference_mode()
    def scores(self, clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
        """Return the probabilities (n,) that the middle faces look at the camera."""
        if not clips:
            return np.empty(0)
        shown = [look for clip in clips for look in self._shown(clip)]
        # Clips of neighbouring frames share theirs.
        distinct = list({id(look): look for look in shown}.values())
        place_of = {id(look): place for place, look in enumerate(distinct)}
        windows = np.array([place_of[id(look)] for look in shown]).reshape(-1, NUM_FRAMES)
        views = [
            FrameFeatures(
                torch.stack([look.views[view].embedding for look in distinct]),
                _stacked([look.views[view].map for look in distinct]),
            )
            for view in range(len(distinct[0].views))
        ]
        with at_precision(self.module, self.precision):
            asked = torch.from_numpy(windows).to(self.module.device)
            scores = self.module.decide(views, asked, **self._priors(clips))
        return scores.cpu().double().numpy()

    def num_beyond(self, clips: Sequence[Clip]) -> int:
        """Return of how many clips the head pose has an angle beyond the last bin."""
        if self.recipe.split_deg is None or not clips:
            return 0
        return num_beyond(_head_poses(clips), self.recipe.split_deg)

    def _shown(self, clip: Clip) -> list[Look]:
        """Return what stands at each of seven places, after dropout and packing."""
        dropped = self.recipe.dropout.dropped(clip.sharpness_p, "val")
        kept = np.array([look is not None for look in clip.looks]) & ~dropped
        is_black = _are_black(clip.looks, kept)
        places: Ints = positions_to_show(kept, is_black)
        looks = [None if place == BLACK else clip.looks[place] for place in places.tolist()]
        return [self._black if look is None else look for look in looks]

    def _priors(self, clips: Sequence[Clip]) -> dict[str, Tensor]:
        priors: dict[str, Tensor] = {}
        device = self.module.device
        if self.recipe.split_deg is not None:
            bins = head_bins(_head_poses(clips), self.recipe.split_deg)
            priors["head_bins"] = torch.from_numpy(bins).to(device)
        if self.recipe.use_landmarks:
            points = np.array([_points(face) for clip in clips for face in clip.faces])
            window = np.arange(len(points)).reshape(-1, NUM_FRAMES)
            landmarks = clip_landmarks(eye_centred(points), window, use_neighbours=True)
            priors["landmarks"] = torch.from_numpy(landmarks).to(device)
        return priors

    @cached_property
    def _black(self) -> Look:
        size = self.recipe.view.size
        return self.look([np.zeros((size, size, 3), np.uint8)])[0]


def _row(view: FrameFeatures, place: int) -> FrameFeatures:
    return FrameFeatures(view.embedding[place], None if view.map is None else view.map[place])


def _stacked(maps: list[Tensor | None]) -> Tensor | None:
    known = [one for one in maps if one is not None]
    return torch.stack(known) if known else None


def _are_black(looks: Sequence[Look | None], kept: Bools) -> Bools:
    pairs = zip(looks, kept.tolist(), strict=True)
    return np.array([is_kept and look is not None and look.is_black for look, is_kept in pairs])


def _head_poses(clips: Sequence[Clip]) -> npt.NDArray[np.float64]:
    middles = [clip.faces[CENTRE] for clip in clips]
    return np.array(
        [
            np.full(3, np.nan) if face is None or face.head_pose_deg is None else face.head_pose_deg
            for face in middles
        ]
    )


def _points(face: PreparedFace | None) -> Float:
    return np.full((NUM_POINTS, 3), np.nan) if face is None or face.points is None else face.points
