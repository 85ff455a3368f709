"""A stand-in for MediaPipe's iris model that knows where the eyes are.

`pair_of_eyes` has x as its red and y as its green, so that a patch of it tells the model where it
was cut, how large, and whether it was flipped.
"""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from common.faces.mediapipe import iris

WIDTH_PX, HEIGHT_PX = 250, 140
CENTRES = np.array([[70.0, 66.0], [176.0, 74.0]])
# Lids are straight from corner to apex: upper and lower, image-left corner first.
HALF_WIDTH_PX, UPPER_PX, LOWER_PX = 24.0, 12.0, 6.0
IRIS_SHIFT, IRIS_RADIUS_PX = np.array([7.0, -2.0]), 8.0


def pair_of_eyes() -> np.ndarray:
    """Return the image (HEIGHT_PX, WIDTH_PX, 3)."""
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


def lid(centre: np.ndarray, height_px: float, num_points: int) -> np.ndarray:
    """Return points at even distances from the image-left corner to the right one."""
    x = np.linspace(-1, 1, num_points)
    return centre + np.stack([HALF_WIDTH_PX * x, height_px * (np.abs(x) - 1)], axis=1)


def eye_points(centre: np.ndarray) -> np.ndarray:
    """Return OpenFace's 28 points (28, 2) of one eye."""
    angle = np.pi * (1 + np.arange(8) / 4)  # clockwise on the screen, from the left
    ring = IRIS_RADIUS_PX * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    iris = centre + IRIS_SHIFT
    upper, lower = lid(centre, UPPER_PX, 7), lid(centre, -LOWER_PX, 7)
    return np.concatenate([iris + ring, upper, lower[5:0:-1], iris + 0.435 * ring[::-1]])


def true_landmarks() -> np.ndarray:
    """Return the (112,) landmarks of `pair_of_eyes`."""
    return np.concatenate([eye_points(centre) for centre in CENTRES]).T.reshape(-1)


class FakeInterpreter:
    """Has LiteRT's calls and the iris model's form."""

    def __init__(self, model_path: str) -> None:
        assert model_path.endswith("iris_landmark.tflite")

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 7}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 8}, {"index": 9}]

    def set_tensor(self, index: int, patch: np.ndarray) -> None:
        assert (index, patch.shape, patch.dtype) == (7, (1, 64, 64, 3), np.float32)
        self._patch = patch[0] * 255

    def invoke(self) -> None:
        # Value = first + step * pixel, away from the image's border, which is repeated.
        (x0, x_step), (y0, y_step) = (
            np.polyfit(*_inside(self._patch[..., channel].mean(axis=channel), limit), 1)[::-1]
            for channel, limit in enumerate((WIDTH_PX, HEIGHT_PX))
        )
        middle = [x0 + 31.5 * x_step, y0 + 31.5 * y_step]
        centre = CENTRES[np.linalg.norm(CENTRES - middle, axis=1).argmin()]
        lower, upper = lid(centre, -LOWER_PX, 9), lid(centre, UPPER_PX, 9)
        arms = IRIS_RADIUS_PX * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]])
        if x_step < 0:
            lower, upper, arms = lower[::-1], upper[::-1], arms * [-1, 1]
        brow = np.full((71 - 16, 2), -1e3)
        eye = np.concatenate([lower, upper[1:-1], brow])
        # The model counts from the edge of the first pixel.
        self._found = {
            output: (points - [x0, y0]) / [x_step, y_step] + 0.5
            for output, points in {8: eye, 9: centre + IRIS_SHIFT + arms}.items()
        }

    def get_tensor(self, index: int) -> np.ndarray:
        points = self._found[index]
        depth = np.zeros((len(points), 1))
        return np.concatenate([points, depth], axis=1).astype(np.float32).reshape(1, -1)


def _inside(values: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    places = np.flatnonzero((values > 1) & (values < limit - 2))
    return places, values[places]


def install_fake_iris(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `common.faces.mediapipe.iris` find this interpreter as LiteRT's, and a model for it."""
    fake = SimpleNamespace(Interpreter=FakeInterpreter)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", fake)
    monkeypatch.setattr(iris, "_model_path", lambda: "iris_landmark.tflite")
