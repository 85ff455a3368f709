"""The five face points of GazePose: nose, left eye, right eye, mouth left, mouth right.

Left and right are the subject's. Each is [x, y, score] with x and y as fractions of the face
image, 0 and 1 at its edges, possibly outside.
"""

import numpy as np

from common.arrays import Float
from gazepose.preprocessing.face_image import FaceWindow

# MediaPipe's face mesh: tip of the nose, both iris centres, both corners of the mouth.
MESH_INDICES = (1, 473, 468, 291, 61)
# MediaPipe Pose: nose, left eye, right eye, mouth left, mouth right.
POSE_INDICES = (0, 2, 5, 9, 10)
# The mesh says nothing of single points: all of a found face count as seen.
MESH_SCORE = 1.0


def points_from_mesh(mesh: Float, window: FaceWindow) -> Float:
    """Return the five points (5, 3) of a refined face mesh (478, 3) in frame pixels."""
    points = window.normalised(mesh[list(MESH_INDICES), :2])
    return np.column_stack([points, np.full(len(points), MESH_SCORE)])


def points_from_pose(pose: Float) -> Float:
    """Return the five points (5, 3) of MediaPipe Pose; its visibility is the score.

    Args:
        pose: (33, 4) [x, y, z, visibility] as fractions of the face image.
    """
    points = pose[list(POSE_INDICES)][:, [0, 1, 3]]
    points[:, 2] = points[:, 2].clip(0.0, 1.0)
    return np.asarray(points)
