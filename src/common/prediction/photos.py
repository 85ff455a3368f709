"""Photos in, drawn photos and one JSON line a face out."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from common.atomic import kept_lines
from common.media.image_codec import write_image
from common.media.photo import UnreadablePhotoError, read_photo
from common.media.sources import check_output_dir, find_files, unique_stems

LOG = logging.getLogger(__name__)
Float = npt.NDArray[np.floating[Any]]
Image = npt.NDArray[np.uint8]
NO_FACE = "no face found"
_DRAWN_QUALITY = 95
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


class PhotoAnnotator(Protocol):
    """Says something about the faces of a photo."""

    def annotate(
        self, image: Image, camera_matrix: Float | None
    ) -> tuple[list[dict[str, Any]], Image]:
        """Return one record a face, as plain values, and the photo with them drawn.

        Args:
            image: (H, W, 3) uint8 RGB, upright.
            camera_matrix: (3, 3) intrinsics in pixels, None if the photo does not tell them.
        """


def find_photos(source: str) -> list[Path]:
    """Return the photos a user means: one file, all of a folder, or a glob pattern's.

    Raises:
        ValueError: If there is none.
    """
    # A file named by the user is tried whatever its suffix.
    photos = [Path(source)] if Path(source).is_file() else find_files(source, SUFFIXES)
    if not photos:
        raise ValueError(
            f"source={source}: no photo there; expected a file, a folder or a glob pattern of "
            f"{', '.join(SUFFIXES)}"
        )
    return photos


def annotate_photos(source: str, annotator: PhotoAnnotator, output_dir: Path) -> str:
    """Annotate all photos of a source.

    Writes ``faces.jsonl`` and one drawn photo each. A photo that cannot be read, in which no
    face is found or on which the annotator fails gets a line with the reason and stops nothing.
    The lines of an interrupted call are kept.

    Returns:
        What was found, as a person reads it.

    Raises:
        ValueError: If the source holds no photo, or the output would lie among its photos.
    """
    photos = find_photos(source)
    check_output_dir(output_dir, "photos", photos)
    num_faces, num_empty = 0, 0
    with kept_lines(output_dir / "faces.jsonl") as lines:
        bar = tqdm(photos, unit="photo", desc="predict")
        for path, stem in zip(bar, unique_stems(photos), strict=True):
            for record in _annotate(path, annotator, output_dir / f"{stem}.jpg"):
                num_faces += "bbox_xyxy_px" in record
                num_empty += "reason" in record
                lines.write(json.dumps({"photo": str(path), **record}) + "\n")
    return f"{num_faces} faces in {len(photos)} photos ({num_empty} without a face) -> {output_dir}"


def _annotate(path: Path, annotator: PhotoAnnotator, drawn_path: Path) -> list[dict[str, Any]]:
    """Return a photo's lines; whatever goes wrong with it becomes one, and stops no other."""
    try:
        image, camera_matrix = read_photo(path)
        records, drawn = annotator.annotate(image, camera_matrix)
        write_image(drawn_path, drawn, _DRAWN_QUALITY)
    except UnreadablePhotoError as error:
        return [{"reason": str(error)}]
    except Exception as error:
        LOG.warning("%s failed", path, exc_info=True)
        return [{"reason": f"failed: {type(error).__name__}: {error}"}]
    return [{"drawn": drawn_path.name, **record} for record in records or [{"reason": NO_FACE}]]
