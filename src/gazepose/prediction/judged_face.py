"""What is known of a face in a frame: as plain values for files, and drawn for the eye."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from common.arrays import Float, Image
from common.faces.drawing import (
    draw_box,
    draw_head_axes,
    draw_label,
    draw_points,
    draw_score_bar,
    face_size_px,
)
from common.prediction.annotator import Schema
from gazepose.prediction.contact_stream import ScoredFace
from gazepose.preprocessing.face_image import face_window
from gazepose.preprocessing.head_angles import head_pose_from_hopenet

LOOKING_COLOUR = (40, 200, 60)
OTHER_COLOUR = (150, 150, 150)


@dataclass(frozen=True)
class JudgedFace:
    """A face and whether it looks at the camera.

    Attributes:
        track_id: which face of the video; empty in a photo.
        bbox_xyxy_px: (4,) tight face box in frame pixels.
        score: probability of looking at the camera; None where the frame shows no such pixel.
        threshold: score from which the face counts as looking.
        points_px: (5, 2) nose, left eye, right eye, mouth left, mouth right in frame pixels; NaN
            where not found.
        head_pose: (3,) [pitch, yaw, roll] in radians, viewer frame; NaN where unknown.
        sharpness_p: rank of the image's sharpness in [0, 1], NaN where there is none.
        is_interpolated: the detector did not find the face in this frame.
    """

    track_id: str
    bbox_xyxy_px: Float
    score: float | None
    threshold: float
    points_px: Float
    head_pose: Float
    sharpness_p: float
    is_interpolated: bool

    @property
    def is_looking(self) -> bool | None:
        """Return whether the face looks at the camera; None where that is not known."""
        return None if self.score is None else self.score >= self.threshold

    def record(self) -> dict[str, Any]:
        """Return plain values: the box in pixels, angles in degrees, viewer frame."""
        pitch_deg, yaw_deg, roll_deg = (_number(v, 3) for v in np.rad2deg(self.head_pose))
        return {
            "bbox_xyxy_px": np.round(self.bbox_xyxy_px, 1).tolist(),
            "score": None if self.score is None else round(self.score, 5),
            "is_looking": self.is_looking,
            "head_pitch_deg": pitch_deg,
            "head_yaw_deg": yaw_deg,
            "head_roll_deg": roll_deg,
            "points_px": [[_number(v, 1) for v in point] for point in self.points_px],
            "sharpness_p": _number(self.sharpness_p, 4),
            "is_interpolated": self.is_interpolated,
        }

    def draw(self, image: Image) -> None:
        """Draw box, number, five points, head axes and score into a frame (H, W, 3) RGB."""
        colour = LOOKING_COLOUR if self.is_looking else OTHER_COLOUR
        draw_box(image, self.bbox_xyxy_px, colour)
        self.draw_inside(image)
        if self.score is not None:
            draw_score_bar(image, self.score, self.threshold, self.bbox_xyxy_px, colour)
        said = "" if self.score is None else f"{self.score:.2f}"
        draw_label(image, " ".join(filter(None, [self.track_id, said])), self.bbox_xyxy_px)

    def draw_inside(self, image: Image) -> None:
        """Draw five points and head axes."""
        size_px = face_size_px(self.bbox_xyxy_px)
        draw_points(image, self.points_px, size_px)
        if np.isfinite(self.head_pose).all() and np.isfinite(self.points_px[0]).all():
            draw_head_axes(image, self.head_pose, self.points_px[0], size_px)


# Of `JudgedFace.record`.
COLUMNS: Schema = {
    "bbox_xyxy_px": pl.Array(pl.Float64, 4),
    "score": pl.Float64,
    "is_looking": pl.Boolean,
    "head_pitch_deg": pl.Float64,
    "head_yaw_deg": pl.Float64,
    "head_roll_deg": pl.Float64,
    "points_px": pl.Array(pl.Array(pl.Float64, 2), 5),
    "sharpness_p": pl.Float64,
    "is_interpolated": pl.Boolean,
}


def judged_face(
    found: ScoredFace, image_shape: tuple[int, ...], margin: float, threshold: float
) -> JudgedFace:
    """Return a scored face as a person reads it.

    The margin is that of the face image, the shape that of the frame.
    """
    box, face = found.box.bbox_xyxy_px, found.face
    window = face_window(box, image_shape, margin)
    points, head_pose = np.full((5, 2), np.nan), np.full(3, np.nan)
    if face is not None and face.points is not None and window is not None:
        points = window.in_frame(face.points[:, :2])
    if face is not None and face.head_pose_deg is not None:
        head_pose = head_pose_from_hopenet(face.head_pose_deg)
    return JudgedFace(
        track_id=found.box.track_id,
        bbox_xyxy_px=box,
        score=found.score if np.isfinite(found.score) else None,
        threshold=threshold,
        points_px=points,
        head_pose=head_pose,
        sharpness_p=found.sharpness_p,
        is_interpolated=found.box.is_interpolated,
    )


def _number(value: float, digits: int) -> float | None:
    # JSON has no NaN.
    return round(float(value), digits) if np.isfinite(value) else None
