"""Photos in, drawn photos and a row a face out."""

import json
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from common.media.image_codec import write_image
from common.media.photo import UnreadablePhotoError, read_photo
from common.media.sources import check_output_dir, unique_stems
from common.prediction.annotator import Annotator
from common.prediction.face_table import OF_PHOTO, kept_table
from common.prediction.outcomes import (
    NO_FACE,
    Annotated,
    NotWrittenError,
    Outcome,
    counts,
    writing,
)

LOG = logging.getLogger(__name__)
_DRAWN_QUALITY = 95


def annotate_photos(
    photos: Sequence[Path], annotator: Annotator, output_dir: Path, table_format: str = "jsonl"
) -> Annotated:
    """Annotate photos.

    Writes ``faces.jsonl`` (or of another format) and one drawn photo each. A photo that cannot be
    read, in which no face is found, on which the annotator fails or which cannot be written drawn
    gets a line with the reason and stops nothing. The lines of an interrupted call are kept.

    Raises:
        ValueError: If the output would lie among the photos.
        NotWrittenError: If ``faces.jsonl`` cannot be written.
    """
    check_output_dir(output_dir, "photos", photos)
    num_faces, outcomes = 0, Counter[Outcome]()
    path_of_table = output_dir / f"faces.{table_format}"
    schema = {**OF_PHOTO, **annotator.columns}
    with writing(path_of_table), kept_table(path_of_table, schema) as lines:
        bar = tqdm(photos, unit="photo", desc="predict")
        for path, stem in zip(bar, unique_stems(photos), strict=True):
            outcome, records = _annotate(path, annotator, output_dir / f"{stem}.jpg")
            outcomes[outcome] += 1
            num_faces += len(records) if outcome is Outcome.FACES else 0
            for record in records:
                lines.write(json.dumps({"photo": str(path), **record}) + "\n")
    said = f"{num_faces} faces in {len(photos)} photos ({counts(outcomes)}) -> {output_dir}"
    return Annotated(said, outcomes)


def _annotate(
    path: Path, annotator: Annotator, drawn_path: Path
) -> tuple[Outcome, list[dict[str, Any]]]:
    """Return a photo's lines; whatever goes wrong with it becomes one, and stops no other."""
    try:
        image, camera_matrix = read_photo(path)
        records, drawn = annotator.annotate(image, camera_matrix)
        with writing(drawn_path):
            write_image(drawn_path, drawn, _DRAWN_QUALITY)
    except (UnreadablePhotoError, NotWrittenError) as error:
        LOG.warning("%s: %s", path, error)
        is_written = isinstance(error, UnreadablePhotoError)
        outcome = Outcome.UNREADABLE if is_written else Outcome.NOT_WRITTEN
        return outcome, [{"reason": str(error)}]
    except Exception as error:
        LOG.warning("%s failed", path, exc_info=True)
        return Outcome.FAILED, [{"reason": f"failed: {type(error).__name__}: {error}"}]
    outcome = Outcome.FACES if records else Outcome.NO_FACE
    named = {"drawn": drawn_path.name}
    return outcome, [named | record for record in records or [{"reason": NO_FACE}]]
