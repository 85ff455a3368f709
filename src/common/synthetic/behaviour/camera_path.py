"""How the wearer of a head-mounted camera moves it: sway, looking about, quick turns."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Float
from common.geometry import rotation_from_head_pose
from common.synthetic.behaviour.motion import excursion, smooth_noise

# Pitch, yaw, roll: slow looking about, and the tremble of a walking or nodding head.
SLOW_DEG, SLOW_TAU_FRAMES = np.array([1.6, 2.8, 1.2]), 22.0
FAST_DEG, FAST_TAU_FRAMES = np.array([0.45, 0.45, 0.25]), 3.5
SWAY_CM, SWAY_TAU_FRAMES = np.array([1.2, 0.9, 1.2]), 18.0
# A quick turn of the head: to something and back.
TURN_SHARE, TURN_DEG = 0.6, (10.0, 34.0)
TURN_FRAMES, STAY_FRAMES = (6, 11), (4, 24)
# The part of the time between two frames in which light falls on the sensor.
SHUTTER = 0.5


@dataclass(frozen=True)
class CameraPath:
    """A camera over N frames, in world axes: those of the camera at rest (OpenCV's).

    Attributes:
        matrix: (3, 3) intrinsics in pixels.
        to_world: (N, 3, 3) camera axes to world axes.
        position_cm: (N, 3) in world axes.
        smear_px: (N, 2) how far the image's middle moves during an exposure, x and y.
    """

    matrix: Float
    to_world: Float
    position_cm: Float
    smear_px: Float

    def see(self, points_cm: Float) -> Float:
        """Return world points (N, 3), one a frame, in camera axes."""
        return np.einsum("nij,ni->nj", self.to_world, points_cm - self.position_cm)


def sample_camera_path(rng: np.random.Generator, num_frames: int, matrix: Float) -> CameraPath:
    """Draw how a wearer moves the camera with the intrinsics `matrix` (3, 3)."""
    angles_deg = smooth_noise(rng, num_frames, SLOW_DEG, SLOW_TAU_FRAMES, 3)
    angles_deg += smooth_noise(rng, num_frames, FAST_DEG, FAST_TAU_FRAMES, 3)
    if rng.random() < TURN_SHARE:
        angles_deg += _quick_turn_deg(rng, num_frames)
    speed_rad = np.radians(np.gradient(angles_deg, axis=0))
    # Turning the camera right moves the image left; turning it up (+pitch) moves it down.
    smear_px = -SHUTTER * matrix[0, 0] * speed_rad[:, [1, 0]] * [1, -1]
    return CameraPath(
        matrix=matrix,
        to_world=rotation_from_head_pose(np.radians(angles_deg)),
        position_cm=smooth_noise(rng, num_frames, SWAY_CM, SWAY_TAU_FRAMES, 3),
        smear_px=smear_px,
    )


def resting_camera(num_frames: int, matrix: Float) -> CameraPath:
    """Return a camera with the intrinsics `matrix` (3, 3) that does not move."""
    return CameraPath(
        matrix=matrix,
        to_world=np.tile(np.eye(3), (num_frames, 1, 1)),
        position_cm=np.zeros((num_frames, 3)),
        smear_px=np.zeros((num_frames, 2)),
    )


def _quick_turn_deg(rng: np.random.Generator, num_frames: int) -> Float:
    there, back = rng.integers(*TURN_FRAMES, 2, endpoint=True)
    stay = rng.integers(*STAY_FRAMES, endpoint=True)
    start = rng.integers(-int(there), num_frames)
    amount = excursion(num_frames, int(start), int(there), int(stay), int(back))
    sideways = rng.choice([-1, 1]) * rng.uniform(*TURN_DEG)
    return amount[:, None] * [rng.normal(0, 0.2) * sideways, sideways, 0.1 * sideways]
