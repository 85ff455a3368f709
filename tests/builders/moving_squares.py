"""Squares on a textured ground, with a detector and a mesh that find them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.faces.analysis import FaceAnalyzer
from common.faces.detection import Face
from common.media.presentation import Shown
from common.media.video import TimedFrame

HEIGHT, WIDTH, SIDE = 240, 320, 40
# What a square's colour is, by whose it is; nothing else is so bright.
LEVELS = (255, 230)


def ground(seed: int = 0) -> np.ndarray:
    """Dark and grey tiles, in which no square is seen and which tell grounds apart."""
    tiles = np.random.default_rng(seed).choice([0, 180], (HEIGHT // 16, WIDTH // 16, 1))
    return np.tile(np.kron(tiles[..., 0], np.ones((16, 16)))[..., None], 3)


def frames(
    places: Mapping[int, Sequence[tuple[int, int] | None]], grounds: Sequence[int] | None = None
) -> list[TimedFrame]:
    """Frames with squares; by whose they are: (left, top) in each frame, None where it is away."""
    num = len(next(iter(places.values())))
    seeds = [0] * num if grounds is None else grounds
    made = []
    for number in range(num):
        image = ground(seeds[number]).astype(np.uint8)
        for who, path in places.items():
            place = path[number]
            if place is not None:
                left, top = place
                image[max(top, 0) : top + SIDE, max(left, 0) : left + SIDE] = LEVELS[who]
        made.append(TimedFrame(number, image, Shown(number / 30, 1 / 30)))
    return made


def _boxes(image: np.ndarray) -> list[tuple[float, np.ndarray]]:
    found = []
    for level in LEVELS:
        rows, columns = np.nonzero((image == level).all(axis=-1))
        if len(rows) > SIDE**2 / 4:
            corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            found.append((level / 255, np.array(corners, np.float64)))
    return found


class Squares:
    """A detector.

    Attributes:
        num_whole: how many whole frames it has searched.
        num_near: how many parts of frames.
        overlooks: frames, by the count of whole ones, in which it finds nothing.
    """

    name = "squares"

    def __init__(self, overlooks: Sequence[int] = ()) -> None:
        self.num_whole = self.num_near = 0
        self.overlooks = overlooks

    def detect(self, image: np.ndarray) -> list[Face]:
        if image.shape[:2] != (HEIGHT, WIDTH):
            self.num_near += 1
        else:
            self.num_whole += 1
            if self.num_whole - 1 in self.overlooks:
                return []
        return [Face(box, 0.9 * score) for score, box in _boxes(image)]


class SquareMesh:
    """A mesh of 478 points in the square whose middle lies in the box.

    Attributes:
        blind_to: levels of squares that have none.
    """

    def __init__(self, blind_to: Sequence[int] = ()) -> None:
        self.blind_to = blind_to

    def landmarks(self, image: np.ndarray, bbox_xyxy_px: np.ndarray) -> Any:
        for score, box in _boxes(image):
            middle = (box[:2] + box[2:]) / 2
            is_inside = (middle >= bbox_xyxy_px[:2]).all() and (middle <= bbox_xyxy_px[2:]).all()
            if is_inside and round(255 * score) not in self.blind_to:
                spread = np.random.default_rng(0).uniform(0.1, 0.9, (478, 3))
                size = box[2:] - box[:2]
                return np.append(box[:2], 0) + spread * [*size, size[0]]
        return None


def square_analyzer(detector: Squares, mesh: SquareMesh | None = None) -> FaceAnalyzer:
    return FaceAnalyzer(detector, mesh or SquareMesh())  # type: ignore[arg-type]
