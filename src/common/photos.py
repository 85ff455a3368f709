"""Photos in, drawn photos and one JSON line a face out."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from common.atomic import partial_path

Image = npt.NDArray[np.uint8]
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class PhotoAnnotator(Protocol):
    """Says something about the faces of a photo."""

    def annotate(self, image: Image) -> tuple[list[dict[str, Any]], Image]:
        """Return one record a face, as plain values, and the photo with them drawn."""


def find_photos(source: str) -> list[Path]:
    """Return the photos a user means: one file, all of a folder, or a glob pattern's.

    Raises:
        ValueError: If there is none.
    """
    path = Path(source)
    if path.is_file():
        return [path]
    candidates = path.iterdir() if path.is_dir() else map(Path, glob.glob(source, recursive=True))
    photos = sorted(found for found in candidates if found.suffix.lower() in SUFFIXES)
    if not photos:
        raise ValueError(
            f"source={source}: no photo there; expected a file, a folder or a glob pattern of "
            f"{', '.join(SUFFIXES)}"
        )
    return photos


def annotate_photos(source: str, annotator: PhotoAnnotator, output_dir: Path) -> str:
    """Annotate all photos of a source.

    Writes ``faces.jsonl`` and one drawn photo each. A photo that cannot be read, or in which no
    face is found, gets a line with the reason and stops nothing.

    Returns:
        What was found, as a person reads it.

    Raises:
        ValueError: If the source holds no photo, or the output would lie among its photos.
    """
    photos = find_photos(source)
    if output_dir.resolve() in {path.resolve().parent for path in photos}:
        raise ValueError(f"output_dir={output_dir} holds photos of the source; name another folder")
    num_faces, num_empty = 0, 0
    with partial_path(output_dir / "faces.jsonl") as partial, partial.open("w") as lines:
        bar = tqdm(photos, unit="photo", desc="predict")
        for path, drawn_name in zip(bar, _drawn_names(photos), strict=True):
            for record in _annotate(path, annotator, output_dir / drawn_name):
                num_faces += "bbox_xyxy_px" in record
                num_empty += "reason" in record
                lines.write(json.dumps({"photo": str(path), **record}) + "\n")
    return f"{num_faces} faces in {len(photos)} photos ({num_empty} without a face) -> {output_dir}"


def _drawn_names(photos: list[Path]) -> Iterator[str]:
    """Yield a file name for each drawn photo: its own, numbered where another has the same."""
    given: set[str] = set()
    for path in photos:
        candidates = (f"{path.stem}{f'_{n}' if n > 1 else ''}.jpg" for n in count(1))
        name = next(name for name in candidates if name.casefold() not in given)
        given.add(name.casefold())
        yield name


def _annotate(path: Path, annotator: PhotoAnnotator, drawn_path: Path) -> Iterator[dict[str, Any]]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        yield {"reason": "the file cannot be read as a photo"}
        return
    records, drawn = annotator.annotate(cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8))
    with partial_path(drawn_path) as partial:
        cv2.imwrite(str(partial), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    for record in records or [{"reason": "no face found"}]:
        yield {"drawn": drawn_path.name, **record}
