"""The tight box of a face, as annotators and face detectors draw it, from the head's pose."""

import numpy as np

from common.arrays import Float
from common.geometry import CAMERA_TO_VIEWER, rotation_from_head_pose
from common.synthetic.people.identity import Traits
from common.synthetic.rendering.placement import FACE_TO_VIEWER, project

# The face reaches from the middle of the forehead, y in face axes, to the chin.
FOREHEAD_Y_CM = -6.0
# Rings around the face: depth f, and half width and half height as parts of the face's.
RINGS = ((2.5, 0.97, 0.85), (5.5, 0.85, 0.95), (8.5, 0.55, 0.98))
POINTS_PER_RING = 16


def face_points_cm(traits: Traits) -> Float:
    """Return points (n, 3) around the face in face axes."""
    skull = traits.skull
    chin_y_cm = skull.half_height_cm * skull.chin_stretch
    middle_y_cm, half_cm = (chin_y_cm + FOREHEAD_Y_CM) / 2, (chin_y_cm - FOREHEAD_Y_CM) / 2
    angle = np.arange(POINTS_PER_RING) / POINTS_PER_RING * 2 * np.pi
    rings = [
        np.stack(
            [
                wide * skull.half_width_cm * np.cos(angle),
                middle_y_cm + tall * half_cm * np.sin(angle),
                np.full(POINTS_PER_RING, depth_cm),
            ],
            1,
        )
        for depth_cm, wide, tall in RINGS
    ]
    nose_tip = [[0.0, traits.nose.tip_y_cm, 9.5 + traits.nose.height_cm]]
    return np.concatenate([*rings, nose_tip])


def face_boxes_xyxy_px(
    traits: Traits, head_pose: Float, position_cm: Float, camera_matrix: Float
) -> Float:
    """Return the face's boxes (N, 4) in pixels; they may reach beyond the image.

    Args:
        traits: the person.
        head_pose: (N, 3) [pitch, yaw, roll], radians, viewer frame.
        position_cm: (N, 3) middle of the head in camera axes.
        camera_matrix: (3, 3).
    """
    axes = CAMERA_TO_VIEWER.T @ rotation_from_head_pose(head_pose) @ FACE_TO_VIEWER
    points_cm = np.einsum("nij,kj->nki", axes, face_points_cm(traits)) + position_cm[:, None]
    pixels = project(camera_matrix, points_cm)
    return np.concatenate([pixels.min(1), pixels.max(1)], 1)
