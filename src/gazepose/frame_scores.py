"""Scores for every frame of a store, and for single faces: a trained net at preprocessing's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gazepose.batch import NUM_FRAMES
from gazepose.clip_frames import ClipFrames
from gazepose.dense import FrameLoader, dense_scores
from gazepose.face_view import FaceView
from gazepose.nets.parts import ClipNet
from gazepose.priors import clip_landmarks, eye_centred, head_bins, mirror_landmarks
from gazepose.table import LamTable, Rows
from gazepose.temporal import BLACK, TemporalDropout, positions_to_show
from gazepose.windows import window_rows

Float = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FrameScorer:
    """Scores frames with the frames around them, as validation does, each looked at once.

    Attributes:
        net: in eval mode.
        dropout: which blurred neighbours are left out, by rule.
        split_deg: size of a bin of the head pose, for a net that `uses_head`.
        view: what the net sees of a face.
        flip_average: scores are the mean of a clip's and its mirror image's.
        mirror_priors: the mirror image's landmarks are mirrored too, as in training.
        frames_at_once: frames that go through the net together.
    """

    net: ClipNet
    dropout: TemporalDropout
    split_deg: float
    view: FaceView
    flip_average: bool
    mirror_priors: bool
    frames_at_once: int

    def of_rows(self, table: LamTable, rows: Rows) -> npt.NDArray[np.float64]:
        """Return the probabilities (n,) that the faces of some rows look at the camera.

        Args:
            table: with the priors that the net uses.
            rows: (n,) middle frames of clips, each with an image.
        """
        window = window_rows(table, rows)
        sharpness_p = np.where(window < 0, np.nan, table.sharpness_p[window])
        is_shown = (window >= 0) & (table.num_bytes[window] > 0)
        is_shown &= ~self.dropout.dropped(sharpness_p, "val")
        # No detector finds a face in an all-black image, so none is black here.
        positions = positions_to_show(is_shown, np.zeros_like(is_shown))
        shown = np.take_along_axis(window, np.maximum(positions, 0).astype(np.int64), -1)
        return self._scores(
            self._loader(table),
            np.where(positions == BLACK, BLACK, shown),
            None if table.head_pose_deg is None else table.head_pose_deg[rows],
            None if table.landmarks is None else clip_landmarks(table.landmarks, window, True),
        )

    def of_stills(
        self, images: npt.NDArray[np.uint8], head_pose_deg: Float, points: Float
    ) -> npt.NDArray[np.float64]:
        """Return the probabilities (n,) of single faces, each as a clip that stands still.

        Args:
            images: (n, S, S, 3) RGB, as seen through `view`.
            head_pose_deg: (n, 3) [yaw, pitch, roll] as Hopenet counts, NaN where unknown.
            points: (n, 5, 3) as `gazepose.sample.PreparedFace`, NaN where not found.
        """
        window = np.repeat(np.arange(len(images))[:, None], NUM_FRAMES, axis=1)
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        landmarks = clip_landmarks(eye_centred(points), window, False)
        return self._scores(pixels.__getitem__, window, head_pose_deg, landmarks)

    def _scores(
        self, load: FrameLoader, windows: Rows, head_pose_deg: Float | None, landmarks: Float | None
    ) -> npt.NDArray[np.float64]:
        bins = None
        if self.net.uses_head and head_pose_deg is not None:
            bins = torch.from_numpy(head_bins(head_pose_deg, self.split_deg))
        around_eyes = None
        if self.net.uses_landmarks and landmarks is not None:
            around_eyes = torch.from_numpy(landmarks)
        scores = self._dense(load, windows, bins, around_eyes)
        if not self.flip_average:
            return scores
        if self.mirror_priors and around_eyes is not None:
            around_eyes = mirror_landmarks(around_eyes)
        mirrored = self._dense(lambda rows: load(rows).flip(-1), windows, bins, around_eyes)
        return (scores + mirrored) / 2

    def _dense(
        self, load: FrameLoader, windows: Rows, bins: Tensor | None, landmarks: Tensor | None
    ) -> npt.NDArray[np.float64]:
        scores = dense_scores(
            self.net,
            load,
            windows,
            bins,
            landmarks,
            image_size=self.view.size,
            frames_at_once=self.frames_at_once,
            clips_at_once=self.frames_at_once,
        )
        return scores.numpy().astype(np.float64)

    def _loader(self, table: LamTable) -> FrameLoader:
        frames = ClipFrames(table, self.view)
        black = np.zeros((self.view.size, self.view.size, 3), np.uint8)

        def load(rows: npt.NDArray[np.integer[Any]]) -> Tensor:
            groups = table.group(rows.astype(np.int64))
            # Rows ascend, so that those of one pack follow each other.
            found = [frames.read(rows[groups == group]) for group in np.unique(groups)]
            # A damaged one is black, as a missing middle frame is.
            images = [black if image is None else image for some in found for image in some]
            return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)

        return load
