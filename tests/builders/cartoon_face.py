"""A drawn face that MediaPipe takes for one: no photo of a person is needed."""

import cv2
import numpy as np

# Where the detector puts the box of a cartoon of side 1.
CARTOON_BOX = np.array([0.25, 0.34, 0.75, 0.84])


def draw_ellipses(image: np.ndarray, ellipses: list) -> None:
    scale = image.shape[0] / 256
    for centre, axes, colour in ellipses:
        fixed = [tuple(round(value * scale * 16) for value in pair) for pair in (centre, axes)]
        cv2.ellipse(image, *fixed, 0, 0, 360, colour, -1, cv2.LINE_AA, 4)


def cartoon(side: int) -> np.ndarray:
    image = np.full((side, side, 3), (120, 135, 150), np.uint8)
    hair, skin, shade, lip = (60, 40, 30), (224, 180, 150), (205, 158, 130), (180, 80, 80)
    parts = [((128, 120), (72, 92), hair), ((128, 135), (60, 80), skin)]
    for x in (103, 153):
        parts += [
            ((x, 117), (15, 7), (120, 80, 60)),
            ((x, 120), (14, 7), (245, 245, 245)),
            ((x, 120), (6, 6), (70, 50, 40)),
            ((x, 103), (17, 4), (70, 45, 35)),
        ]
    parts += [((128, 140), (7, 20), shade), ((122, 158), (4, 3), (130, 80, 70))]
    parts += [((134, 158), (4, 3), (130, 80, 70)), ((128, 182), (24, 7), lip)]
    parts += [((128, 182), (23, 1), (110, 40, 40))]
    draw_ellipses(image, parts)
    return cv2.GaussianBlur(image, (0, 0), 1.5 * side / 256)
