"""What ``predict.py source=`` means: photos, videos, a folder or glob of both, or a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from common.media.camera_recording import record_camera
from common.media.sources import find_files
from common.prediction import photos, videos
from common.prediction.photos import PhotoAnnotator, annotate_photos
from common.prediction.videos import VideoAnnotator, annotate_videos


class Annotator(PhotoAnnotator, VideoAnnotator, Protocol):
    """Knows photos and videos."""


def annotate_source(source: str, annotator: Annotator, output_dir: Path, camera_s: float) -> str:
    """Annotate whatever a user means.

    Args:
        source: a photo, a video, a folder or a glob pattern of both; a number is a camera, of
            which `camera_s` seconds are recorded into `output_dir` first.
        annotator: says something about the faces.
        output_dir: where everything goes.
        camera_s: how long to record; Ctrl-C ends it earlier.

    Returns:
        What was found, as a person reads it.

    Raises:
        ValueError: If there is nothing to annotate, or it cannot be told from the output.
    """
    if source.isdecimal() and not Path(source).exists():
        recording_dir = output_dir / "recording"
        recorded = record_camera(int(source), recording_dir / f"camera{source}.mp4", camera_s)
        return annotate_videos(str(recorded), annotator, output_dir)
    has_videos = bool(find_files(source, videos.SUFFIXES))
    # A file of another suffix is tried as a photo.
    has_photos = bool(find_files(source, photos.SUFFIXES)) or (
        Path(source).is_file() and not has_videos
    )
    if not has_videos and not has_photos:
        raise ValueError(
            f"source={source}: no photo or video there; expected a file, a folder, a glob pattern "
            f"of {', '.join(photos.SUFFIXES + videos.SUFFIXES)}, or the number of a camera"
        )
    said = [annotate_videos(source, annotator, output_dir)] if has_videos else []
    said += [annotate_photos(source, annotator, output_dir)] if has_photos else []
    return "; ".join(said)
