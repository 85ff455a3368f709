"""Head angles as Hopenet counts them, from and to the suite's head pose.

Hopenet speaks degrees [yaw, pitch, roll]: +yaw turns the face to the image's **left**, +pitch
turns it **up**, +roll turns it clockwise in the image, and the rotation is
Rx(-pitch) Ry(-yaw) Rz(-roll) in the viewer frame (read from how its authors draw the axes). All
signs are opposite to `common.geometry`'s, and so is the order of the three turns.
"""

import numpy as np

from common.arrays import Float
from common.geometry import head_pose_from_rotation, rotation_from_head_pose


def hopenet_angles_deg(head_pose: Float) -> Float:
    """Return Hopenet's angles of head poses.

    Args:
        head_pose: (..., 3) [pitch, yaw, roll] in radians, viewer frame.

    Returns:
        (..., 3) [yaw, pitch, roll] in degrees, yaw in [-90, 90], the others in [-180, 180].
    """
    rotation = rotation_from_head_pose(head_pose)
    yaw = -np.arcsin(np.clip(rotation[..., 0, 2], -1, 1))
    pitch = np.arctan2(rotation[..., 1, 2], rotation[..., 2, 2])
    roll = np.arctan2(rotation[..., 0, 1], rotation[..., 0, 0])
    return np.degrees(np.stack([yaw, pitch, roll], -1))


def head_pose_from_hopenet(angles_deg: Float) -> Float:
    """Return the head poses (..., 3) [pitch, yaw, roll] in radians of Hopenet's angles.

    Args:
        angles_deg: (..., 3) [yaw, pitch, roll] in degrees.
    """
    yaw, pitch, roll = np.moveaxis(np.radians(np.asarray(angles_deg, np.float64)), -1, 0)
    zero = np.zeros_like(yaw)
    turns = [
        rotation_from_head_pose(np.stack(turn, -1))
        for turn in ([-pitch, zero, zero], [zero, -yaw, zero], [zero, zero, -roll])
    ]
    return head_pose_from_rotation(turns[0] @ turns[1] @ turns[2])
