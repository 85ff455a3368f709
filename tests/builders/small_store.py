"""A face store of noise images with labels: what training needs, in a second."""

from pathlib import Path

import numpy as np

from common.media.image_codec import encode_image
from common.store.writing import GroupWriter, claim_store

HEIGHT_PX, WIDTH_PX = 150, 200


def write_small_store(
    store_dir: Path,
    *,
    num_subjects: int = 4,
    num_faces: int = 8,
    gaze_convention: str = "columbia_target_angles",
) -> None:
    """Write `num_subjects` groups "s0", "s1", ... of `num_faces` rows each.

    The brightness of an image tells its gaze, so that a net can learn something.
    """
    generator = np.random.default_rng(0)
    claim_store(store_dir, {"data": "small", "gaze_convention": gaze_convention})
    for subject in range(num_subjects):
        with GroupWriter(store_dir, f"s{subject}") as writer:
            for index in range(num_faces):
                yaw, pitch = generator.uniform(-0.3, 0.3, 2)
                noise = generator.integers(0, 60, (HEIGHT_PX, WIDTH_PX, 3))
                image = (noise + 150 + 300 * np.array([yaw, pitch, 0])).astype(np.uint8)
                writer.add(
                    encode_image(image, "png", 0),
                    small_row(f"s{subject}", index, (yaw, pitch), eye_landmarks(generator)),
                )


def small_row(
    subject: str, index: int, gaze: tuple[float, float], landmarks: np.ndarray
) -> dict[str, object]:
    """Return a row as preprocessing writes it; the head looks where the eyes do, halfway."""
    yaw, pitch = gaze
    return {
        "sample_id": f"{subject}_{index}",
        "subject": subject,
        "index": index,
        "gaze_yaw_rad": yaw,
        "gaze_pitch_rad": pitch,
        "head_pitch_rad": -pitch / 2,
        "head_yaw_rad": yaw / 2,
        "head_roll_rad": 0.0,
        "landmarks_px": landmarks.tolist(),
    }


def eye_landmarks(generator: np.random.Generator) -> np.ndarray:
    """Return (112,) landmarks of two eyes side by side, jittered by a pixel or two."""
    angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    right_x, left_x = 65 + 18 * np.cos(angles), 135 + 18 * np.cos(angles)
    y = 75 + 8 * np.sin(angles)
    points = np.concatenate([right_x, left_x, y, y])
    return points + generator.normal(0, 1, 112)
