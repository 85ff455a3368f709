"""What ``predict.py source=`` means: photos, videos, a folder or glob of both, or a camera."""

import logging
from collections import Counter
from pathlib import Path

from common.listing import counted_names
from common.media.camera_recording import record_camera
from common.media.sources import SourceFiles, find_media
from common.prediction.annotator import Annotator
from common.prediction.face_table import check_format
from common.prediction.outcomes import USED, Annotated, NotWrittenError, Outcome
from common.prediction.photos import annotate_photos
from common.prediction.videos import annotate_videos

LOG = logging.getLogger(__name__)


def annotate_source(
    source: str,
    annotator: Annotator,
    output_dir: Path,
    camera_s: float,
    table_format: str = "jsonl",
) -> str:
    """Annotate whatever a user means, and say what was found.

    Args:
        source: a photo, a video, a folder or a glob pattern of both, each recognised by its
            content; a number is a camera, of which `camera_s` seconds are recorded into
            `output_dir` first.
        annotator: says something about the faces.
        output_dir: where everything goes.
        camera_s: how long to record; Ctrl-C ends it earlier.
        table_format: of the tables of faces, one of `common.prediction.face_table.Format`.

    Raises:
        ValueError: If the format is unknown, there is nothing to annotate, or it cannot be told
            from the output; if none of it could be used, or something could not be written. All
            else is done by then.
    """
    check_format(table_format)
    if source.isdecimal() and not Path(source).exists():
        recording_dir = output_dir / "recording"
        recorded = record_camera(int(source), recording_dir / f"camera{source}.mp4", camera_s)
        found = SourceFiles(videos=[recorded])
    else:
        found = _found(source, output_dir)
    made = []
    try:
        if found.videos:
            made.append(annotate_videos(found.videos, annotator, output_dir, table_format))
        if found.photos:
            made.append(annotate_photos(found.photos, annotator, output_dir, table_format))
    except NotWrittenError as error:
        raise ValueError(f"{error}; output_dir=FOLDER names another place") from error
    return _checked(made)


def _found(source: str, output_dir: Path) -> SourceFiles:
    found = find_media(source, output_dir)
    by_reason: dict[str, list[str]] = {}
    for path, reason in found.left_out.items():
        by_reason.setdefault(reason, []).append(str(path))
    said = "; ".join(
        f"{counted_names(paths, 'files left out')} ({reason})"
        for reason, paths in by_reason.items()
    )
    if not found.photos and not found.videos:
        raise ValueError(
            f"source={source}: no photo or video there{f' ({said})' if said else ''}; expected a "
            "file, a folder, a glob pattern of what Pillow or FFmpeg open, or the number of a "
            "camera"
        )
    if said:
        LOG.warning("%s", said)
    return found


def _checked(made: list[Annotated]) -> str:
    """Return what was found, all of it.

    Raises:
        ValueError: If nothing could be used, or something could not be written.
    """
    said = "; ".join(each.said for each in made)
    outcomes = sum((each.outcomes for each in made), Counter[Outcome]())
    if outcomes[Outcome.NOT_WRITTEN]:
        raise ValueError(f"not everything could be written; the files say what: {said}")
    if not any(outcomes[kind] for kind in USED):
        raise ValueError(f"nothing could be used; the files say why: {said}")
    return said
