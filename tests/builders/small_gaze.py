"""A small gaze store: pictures whose slopes of colour are where the face looks."""

from pathlib import Path

import numpy as np

from common.media.image_codec import encode_image
from common.store.writing import GroupWriter, claim_store

HEIGHT_PX, WIDTH_PX = 48, 40
LARGEST_RAD = 0.5
# Levels from edge to edge, of a gaze of one radian.
LEVELS_PER_RAD = 480


def write_small_gaze(store_dir: Path, *, num_people: int = 4, num_faces: int = 24) -> None:
    """Write the people "p0", "p1", ...; mirrored, a picture's slope and its yaw change sign."""
    generator = np.random.default_rng(0)
    claim_store(store_dir, {"data": "small_gaze", "gaze_convention": "slopes"})
    for person in range(num_people):
        with GroupWriter(store_dir, f"p{person}") as writer:
            for index in range(num_faces):
                yaw, pitch = generator.uniform(-LARGEST_RAD, LARGEST_RAD, 2)
                row = {
                    "sample_id": f"p{person}_{index}",
                    "subject": f"p{person}",
                    "gaze_yaw_rad": yaw,
                    "gaze_pitch_rad": pitch,
                }
                writer.add(encode_image(slope_image(yaw, pitch), "png", 0), row)


def slope_image(yaw_rad: float, pitch_rad: float) -> np.ndarray:
    """(48, 40, 3): redder to the right and greener above, the more the face looks there."""
    right = np.linspace(-1, 1, WIDTH_PX)[None, :, None]
    up = np.linspace(1, -1, HEIGHT_PX)[:, None, None]
    slopes = yaw_rad * right * [1, 0, 0] + pitch_rad * up * [0, 1, 0]
    return np.rint(128 + LEVELS_PER_RAD / 2 * slopes).astype(np.uint8)


def shown_gaze(images: np.ndarray) -> np.ndarray:
    """Return the gaze (N, 2) in radians that whole pictures (N, 3, H, W) show."""
    levels = images.astype(np.float64)
    steps = (images.shape[-1] - 1) / LEVELS_PER_RAD
    yaw = np.diff(levels[:, 0], axis=2).mean((1, 2)) * steps
    pitch = -np.diff(levels[:, 1], axis=1).mean((1, 2)) * steps
    return np.stack([yaw, pitch], 1)
