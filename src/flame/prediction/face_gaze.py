"""A face and where it looks: as plain values for files, and drawn for the eye."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from common.arrays import Float, Image
from common.faces.analysis import FaceObservation
from common.faces.drawing import (
    draw_box,
    draw_eye_landmarks,
    draw_gaze_arrow,
    draw_head_axes,
    draw_label,
    face_size_px,
)
from common.prediction.annotator import Schema


@dataclass(frozen=True)
class FaceGaze:
    """A face and where it looks.

    Attributes:
        face: box, landmarks and head pose.
        gaze: (2,) [yaw, pitch] in radians: the mean direction of both eyes.
        eye_gaze: (2, 2) of the subject's right and left eye alone.
        eyes_in_frame: whether all landmarks of both eyes lie in the photo. Where one does not,
            the net saw padding; preprocessing skips such photos.
        track_id: which face of the video; empty in a photo.
    """

    face: FaceObservation
    gaze: Float
    eye_gaze: Float
    eyes_in_frame: bool
    track_id: str = ""

    @property
    def bbox_xyxy_px(self) -> Float:
        """Return the detector's box (4,)."""
        return self.face.bbox_xyxy_px

    def record(self) -> dict[str, Any]:
        """Return plain values; angles in degrees, the box in pixels."""
        right, left = np.rad2deg(self.eye_gaze).round(3).tolist()
        yaw_deg, pitch_deg = np.rad2deg(self.gaze).round(3).tolist()
        head_pitch_deg, head_yaw_deg, head_roll_deg = (
            np.rad2deg(self.face.head_pose).round(3).tolist()
        )
        return {
            "bbox_xyxy_px": np.round(self.face.bbox_xyxy_px, 1).tolist(),
            "confidence": round(self.face.confidence, 4),
            "gaze_yaw_deg": yaw_deg,
            "gaze_pitch_deg": pitch_deg,
            "right_eye_gaze_yaw_pitch_deg": right,
            "left_eye_gaze_yaw_pitch_deg": left,
            "head_pitch_deg": head_pitch_deg,
            "head_yaw_deg": head_yaw_deg,
            "head_roll_deg": head_roll_deg,
            "eyes_in_frame": self.eyes_in_frame,
        }

    def draw(self, image: Image) -> None:
        """Draw box, eye landmarks, head axes, gaze arrow and track into a photo (H, W, 3) RGB."""
        draw_box(image, self.bbox_xyxy_px)
        self.draw_inside(image)
        if self.track_id:
            draw_label(image, self.track_id, self.bbox_xyxy_px)

    def draw_inside(self, image: Image) -> None:
        """Draw eye landmarks, head axes and gaze arrow."""
        landmarks, size_px = self.face.eye_landmarks, face_size_px(self.bbox_xyxy_px)
        draw_eye_landmarks(image, landmarks)
        draw_head_axes(image, self.face.head_pose, self.face.mesh[1, :2], size_px)
        draw_gaze_arrow(image, self.gaze, landmarks.reshape(2, -1).mean(axis=1), size_px)


# Of `FaceGaze.record`.
COLUMNS: Schema = {
    "bbox_xyxy_px": pl.Array(pl.Float64, 4),
    "confidence": pl.Float64,
    "gaze_yaw_deg": pl.Float64,
    "gaze_pitch_deg": pl.Float64,
    "right_eye_gaze_yaw_pitch_deg": pl.Array(pl.Float64, 2),
    "left_eye_gaze_yaw_pitch_deg": pl.Array(pl.Float64, 2),
    "head_pitch_deg": pl.Float64,
    "head_yaw_deg": pl.Float64,
    "head_roll_deg": pl.Float64,
    "eyes_in_frame": pl.Boolean,
}
