"""Small folders of labelled photos: squares whose colour tells whether they look."""

import csv
import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image

from builders.coloured_faces import GREEN, RED, frame_of

HEADER = ("image", "x1", "y1", "x2", "y2", "looking_at_camera")
# Of the red square of `write_photo`.
RED_BOX = (20, 20, 60, 60)
ORIENTATION = 0x0112
QUARTER_TURN = 8  # shown turned counter-clockwise


def write_photo(path: Path, *, green_left: int | None = None, turned: bool = False) -> Path:
    """Write a photo of 160 x 96 with a red square, and a green one if wanted.

    Args:
        path: of the photo.
        green_left: left edge of the green square.
        turned: stored lying on its side, upright by its EXIF.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(green_left, turned))
    return path


@cache
def _encoded(green_left: int | None, turned: bool) -> bytes:
    shown = frame_of({RED: RED_BOX[0], GREEN: green_left})
    exif = PIL.Image.Exif()
    if turned:
        exif[ORIENTATION] = QUARTER_TURN
        shown = np.ascontiguousarray(np.rot90(shown, -1))
    content = io.BytesIO()
    PIL.Image.fromarray(shown).save(content, "jpeg", quality=95, exif=exif)
    return content.getvalue()


def write_csv(path: Path, rows: Iterable[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    """Write a label file; an empty header writes none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows] if header else rows)
    return path


def labelled_row(image: str, label: int, *more: object) -> tuple[object, ...]:
    """A row of the red square."""
    return (image, *RED_BOX, label, *more)


def write_contact_photos(folder: Path, num: int = 12) -> Path:
    """Write photos ``a/00.jpg``, ... of which every other looks, and their labels."""
    names = [f"a/{number:02d}.jpg" for number in range(num)]
    for name in names:
        write_photo(folder / "images" / name)
    rows = [labelled_row(name, number % 2) for number, name in enumerate(names)]
    write_csv(folder / "labels.csv", rows)
    return folder
