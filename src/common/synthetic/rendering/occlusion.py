"""What hides faces in a video: things that pass by, nearer people, the image's border."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Bools, Float
from common.synthetic.rendering.placement import project

# Points of a face's box that are tested for being hidden.
GRID = 11
# Outline of a person, cm at the head's distance: half axes of the head, then the shoulders.
HEAD_CM, SHOULDER_HALF_CM, SHOULDER_Y_CM = np.array([9.0, 12.5]), 19.0, 20.0
# A superellipse: between an ellipse (2) and a box.
SQUARENESS = 4.0
EDGE_BLUR_PX = 3.0


@dataclass(frozen=True)
class Passer:
    """A thing close to the camera that crosses the image, over N frames.

    Attributes:
        centre_px: (N, 2).
        half_px: (2,) half sides.
        tilt_rad: turn in the image.
        rgb: (3,) linear colour.
    """

    centre_px: Float
    half_px: Float
    tilt_rad: float
    rgb: Float

    def covers(self, frame: int, points_px: Float) -> Bools:
        """Return which points (..., 2) it hides."""
        cosine, sine = np.cos(self.tilt_rad), np.sin(self.tilt_rad)
        turned = (points_px - self.centre_px[frame]) @ np.array([[cosine, -sine], [sine, cosine]])
        inside: Bools = (np.abs(turned / self.half_px) ** SQUARENESS).sum(-1) < 1
        return inside

    def paint(self, canvas: Float, frame: int) -> None:
        """Draw it onto `canvas` (H, W, 3) linear RGB, in place."""
        height, width = canvas.shape[:2]
        reach = np.hypot(*self.half_px) + 2 * EDGE_BLUR_PX
        x0, y0 = np.maximum(self.centre_px[frame] - reach, 0).astype(int)
        x1, y1 = np.minimum(self.centre_px[frame] + reach, [width, height]).astype(int)
        if x1 <= x0 or y1 <= y0:
            return
        xs, ys = np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))
        mask = self.covers(frame, np.stack([xs, ys], -1)).astype(np.float32)
        mask = cv2.GaussianBlur(mask, (0, 0), EDGE_BLUR_PX)[..., None]
        shade = 1.15 - 0.4 * (ys - y0)[..., None] / (y1 - y0)
        patch = canvas[y0:y1, x0:x1]
        patch += (shade.astype(np.float32) * self.rgb.astype(np.float32) - patch) * mask


def visible_shares(
    boxes_xyxy_px: Float,
    nearer_cm: list[Float],
    camera_matrix: Float,
    passer: Passer | None,
    image_size: tuple[int, int],
) -> Float:
    """Return how much of a face can be seen in each frame (N,), in [0, 1].

    Args:
        boxes_xyxy_px: (N, 4) the face's boxes.
        nearer_cm: for each person that may stand before it the head's place (N, 3); where that
            person is not nearer, NaN.
        camera_matrix: (3, 3).
        passer: what crosses the image, if anything.
        image_size: (width, height).
    """
    grid = np.linspace(-0.97, 0.97, GRID)
    unit = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    unit = unit[(unit**2).sum(1) <= 1]
    middle = (boxes_xyxy_px[:, None, :2] + boxes_xyxy_px[:, None, 2:]) / 2
    points = middle + unit * (boxes_xyxy_px[:, None, 2:] - boxes_xyxy_px[:, None, :2]) / 2
    seen = ((points >= 0) & (points <= np.array(image_size) - 1)).all(-1)
    for place_cm in nearer_cm:
        seen &= ~_behind_person(points, place_cm, camera_matrix)
    if passer is not None:
        hidden = [passer.covers(frame, points[frame]) for frame in range(len(points))]
        seen &= ~np.stack(hidden)
    return seen.mean(1)


def _behind_person(points_px: Float, place_cm: Float, camera_matrix: Float) -> Bools:
    """Return which points (N, k, 2) are behind the outline of a person; never where it is NaN."""
    px_per_cm = camera_matrix[0, 0] / place_cm[:, None, 2:]
    offset_cm = (points_px - project(camera_matrix, place_cm)[:, None]) / px_per_cm
    in_head = ((offset_cm / HEAD_CM) ** 2).sum(-1) < 1
    in_body = (np.abs(offset_cm[..., 0]) < SHOULDER_HALF_CM) & (offset_cm[..., 1] > SHOULDER_Y_CM)
    hidden: Bools = in_head | in_body
    return hidden
