"""A data set as FLAME's README draws it, of noise faces whose brightness tells their gaze."""

import pickle
from pathlib import Path

import numpy as np
import torch

from builders.small_store import eye_landmarks
from flame import render_heatmaps

HEIGHT_PX, WIDTH_PX = 150, 200


def write_flame_tree(root: Path, *, num_subjects: int = 6, num_images: int = 4) -> None:
    """Write ``subject01``, ``subject02``, ... with the images 1.npy, 2.npy, ..."""
    generator = np.random.default_rng(0)
    for number in range(1, num_subjects + 1):
        rows: dict[str, list[np.ndarray]] = {
            "facial_landmarks_2d": [eye_landmarks(generator) for _ in range(num_images)],
            "head_pose": list(generator.uniform(-0.5, 0.5, (num_images, 3))),
            "gaze_target": list(generator.uniform(-0.3, 0.3, (num_images, 2))),
        }
        _write_subject(root, f"subject{number:02d}", rows, generator)


def _write_subject(
    root: Path, subject: str, rows: dict[str, list[np.ndarray]], generator: np.random.Generator
) -> None:
    for folder, values in rows.items():
        path = root / folder / f"{subject}.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(values))
    labels = zip(rows["gaze_target"], rows["facial_landmarks_2d"], strict=True)
    for number, (gaze, landmarks) in enumerate(labels, start=1):
        noise = generator.integers(0, 60, (HEIGHT_PX, WIDTH_PX, 3))
        image = (noise + 100 + 300 * np.append(gaze, 0)).astype(np.uint8)
        points = torch.from_numpy(landmarks)[None]
        heatmap = render_heatmaps(points, HEIGHT_PX, WIDTH_PX)[0].permute(1, 2, 0).numpy()
        for folder, array in (("images", image), ("heatmaps", heatmap)):
            path = root / folder / subject / f"{number}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, array)
