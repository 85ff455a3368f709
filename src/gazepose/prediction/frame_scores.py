"""Scores for every frame of a store, and for single faces: a trained net at preprocessing's end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from common.arrays import Float, Image
from gazepose.batch import NUM_FRAMES
from gazepose.data.coverage import warn_of_wide_angles
from gazepose.data.dataset import ClipRecipe
from gazepose.data.stretches import TrackStretches
from gazepose.priors import clip_landmarks, eye_centred, head_bins
from gazepose.store.table import LamTable, Rows
from gazepose.training.module import EyeContactModule


@dataclass(frozen=True)
class FrameScorer:
    """Scores frames with the frames around them, as validation does, each looked at once.

    Attributes:
        module: in eval mode.
        recipe: how clips are made, with the priors that its net uses.
    """

    module: EyeContactModule
    recipe: ClipRecipe

    def of_rows(self, table: LamTable, rows: Rows) -> npt.NDArray[np.float64]:
        """Return the probabilities (n,) that the faces of some rows look at the camera.

        The table has the priors that the net uses; the rows (n,) are middle frames of clips, each
        with an image.
        """
        if table.head_pose_deg is not None and self.recipe.split_deg is not None:
            warn_of_wide_angles(table.head_pose_deg[rows], self.recipe.split_deg)
        stretches = TrackStretches(table, self.recipe, "val", rows)
        scores = [self._scores(stretches[i]) for i in range(len(stretches))]
        return np.concatenate([np.empty(0), *scores])

    def of_stills(
        self, images: Image, head_pose_deg: Float, points: Float
    ) -> npt.NDArray[np.float64]:
        """Return the probabilities (n,) of single faces, each as a clip that stands still.

        Args:
            images: (n, S, S, 3) RGB, as seen through the recipe's view.
            head_pose_deg: (n, 3) [yaw, pitch, roll] as Hopenet counts, NaN where unknown.
            points: (n, 5, 3) as `gazepose.preprocessing.preparation.PreparedFace`, NaN where not
                found.
        """
        window = np.repeat(np.arange(len(images))[:, None], NUM_FRAMES, axis=1)
        batch: dict[str, Tensor] = {
            "frames": torch.from_numpy(images).permute(0, 3, 1, 2),
            "windows": torch.from_numpy(window),
        }
        if self.recipe.split_deg is not None:
            warn_of_wide_angles(head_pose_deg, self.recipe.split_deg)
            batch["head_bins"] = torch.from_numpy(head_bins(head_pose_deg, self.recipe.split_deg))
        if self.recipe.use_landmarks:
            landmarks = clip_landmarks(eye_centred(points), window, use_neighbours=False)
            batch["landmarks"] = torch.from_numpy(landmarks)
        return self._scores(batch)

    def _scores(self, batch: Any) -> npt.NDArray[np.float64]:
        with torch.inference_mode():
            return self.module.scores(batch).cpu().numpy().astype(np.float64)
