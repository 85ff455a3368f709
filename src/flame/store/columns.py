"""The columns of a face store's table: every value with its source and its quality.

=========================  =================================================================
column                     meaning
=========================  =================================================================
sample_id subject index    as in `flame.readers.sample.RawSample`
frame                      video frame, null for photos
part                       train, val or test where the data set's own lists say so; else null
gaze_yaw_rad               labels, viewer frame; ``gaze_source`` is the convention that they
gaze_pitch_rad             follow (`flame.readers.sample.RawReader.gaze_convention`)
head_pitch_rad             head pose, viewer frame; ``head_pose_source`` is dataset, mesh or
head_yaw_rad               openface; null where it is none
head_roll_rad
head_pose_error            mesh: misfit of the template over the face's size; else null
head_pose_confidence       openface: its confidence in the face, 0..1; else null
landmarks_px               (112,) in the stored face image; ``landmark_source`` is mesh,
                           openface, dataset or iris; null where it is none
landmark_confidence        openface: its confidence in the face, 0..1; else null, as the
                           mesh gives none
face_x0_px ... face_y1_px  face box in the photo; ``box_source`` is mesh (the extent of its
                           points) or dataset (the whole image, which is a face image)
detector                   what found the face, null if nothing was looked for
detector_confidence        its score, 0..1
=========================  =================================================================

`common.store.writing` adds each image's place and checksum.
"""

from typing import Any

import numpy as np

from common.arrays import Float

Columns = dict[str, Any]


def pose_columns(
    head_pose: Float | None,
    source: str,
    *,
    error: float | None = None,
    confidence: float | None = None,
) -> Columns:
    """Return the head pose (3,) [pitch, yaw, roll] in radians with its source and quality."""
    pitch_rad, yaw_rad, roll_rad = (None,) * 3 if head_pose is None else map(float, head_pose)
    return {
        "head_pitch_rad": pitch_rad,
        "head_yaw_rad": yaw_rad,
        "head_roll_rad": roll_rad,
        "head_pose_source": source,
        "head_pose_error": error,
        "head_pose_confidence": confidence,
    }


def landmark_columns(
    landmarks: Float | None, source: str, *, confidence: float | None = None
) -> Columns:
    """Return the landmarks (112,) in pixels of the face image with their source and quality."""
    return {
        "landmarks_px": None if landmarks is None else np.asarray(landmarks, float).tolist(),
        "landmark_source": source,
        "landmark_confidence": confidence,
    }


def box_columns(bbox_xyxy_px: Float, source: str) -> Columns:
    """Return the face box (4,) in pixels of the photo with its source."""
    x0, y0, x1, y1 = (float(value) for value in bbox_xyxy_px)
    return {
        "face_x0_px": x0,
        "face_y0_px": y0,
        "face_x1_px": x1,
        "face_y1_px": y1,
        "box_source": source,
    }


def detection_columns(detector: str | None, confidence: float | None) -> Columns:
    """Return what found the face, and how sure it was."""
    return {"detector": detector, "detector_confidence": confidence}
