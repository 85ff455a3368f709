"""Small pictures of samples, with words below them, side by side in one."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from common.arrays import Image

Colour = tuple[int, int, int]
RIGHT, WRONG, NEUTRAL = (46, 160, 67), (215, 58, 73), (110, 110, 110)
INK: Colour = (30, 30, 30)
PAPER = 255
_FONT, _SCALE, _LINE_PX, _GAP_PX = cv2.FONT_HERSHEY_SIMPLEX, 0.38, 15, 6


def captioned(image: Image, lines: Sequence[str], colour: Colour = INK) -> Image:
    """Return an image (H, W, 3) uint8 RGB with lines of ASCII below it, the first one in a colour.

    A line that is too long loses its beginning.
    """
    width = image.shape[1]
    words = np.full((_LINE_PX * len(lines) + 4, width, 3), PAPER, np.uint8)
    for number, line in enumerate(lines):
        place = (1, _LINE_PX * (number + 1) - 3)
        _write(words, line, place, INK if number else colour)
    return np.concatenate([image, words])


def grid(tiles: Sequence[Image], num_columns: int, legend: str) -> Image:
    """Return tiles (H, W, 3) uint8 RGB row by row, on white, below an ASCII legend."""
    height, width = (side + _GAP_PX for side in tiles[0].shape[:2])
    num_columns = min(num_columns, len(tiles))
    num_rows = math.ceil(len(tiles) / num_columns)
    page_width = num_columns * width + _GAP_PX
    page = np.full((_LINE_PX + num_rows * height + _GAP_PX, page_width, 3), PAPER, np.uint8)
    _write(page, legend, (_GAP_PX, _LINE_PX), NEUTRAL)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, num_columns)
        top, left = _LINE_PX + _GAP_PX + row * height, _GAP_PX + column * width
        page[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return page


def _write(image: Image, text: str, place: tuple[int, int], colour: Colour) -> None:
    shown = _fitting(text, image.shape[1] - place[0])
    cv2.putText(image, shown, place, _FONT, _SCALE, colour, 1, cv2.LINE_AA)


def _fitting(line: str, width: int) -> str:
    # An identifier's end tells more than its beginning.
    shown = line
    while len(shown) > 1 and cv2.getTextSize(shown, _FONT, _SCALE, 1)[0][0] > width - 2:
        shown = ".." + shown.removeprefix("..")[1:]
    return shown
