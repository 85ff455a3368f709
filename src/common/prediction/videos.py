"""Videos in; out come drawn videos, one JSON line a face and frame, and a table of the tracks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from common.atomic import kept_lines
from common.media.sources import check_output_dir, find_files, unique_stems
from common.media.video import VIDEO_SUFFIXES, num_frames, video_info, write_video
from common.prediction.track_summary import TrackSummaries

LOG = logging.getLogger(__name__)
Image = npt.NDArray[np.uint8]
NO_FACE = "no face found"
# Of a video whose header does not tell its own.
USUAL_FPS_HZ = 30.0


@dataclass(frozen=True)
class AnnotatedFrame:
    """What is known of one frame.

    Attributes:
        number: 0-based position in the decoded video.
        records: one a face, as plain values; each has a ``track_id``. Where eye contact is known,
            ``is_looking`` says so.
        drawn: (H, W, 3) uint8 RGB, the frame with its faces drawn.
    """

    number: int
    records: list[dict[str, Any]]
    drawn: Image


class VideoAnnotator(Protocol):
    """Says something about the faces of a video."""

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        """Yield every frame in ascending order; damaged frames may be left out.

        May raise `common.media.video.DamagedVideoError` after the sound frames.
        """


@dataclass
class _Outcome:
    """What came of one video."""

    num_frames: int = 0
    num_faces: int = 0
    tracks: TrackSummaries = field(default_factory=TrackSummaries)
    stopped_by: BaseException | None = None


def annotate_videos(source: str, annotator: VideoAnnotator, output_dir: Path) -> str:
    """Annotate all videos of a source.

    Writes of each video ``<stem>.mp4`` with its faces drawn, ``<stem>_faces.jsonl`` with one line
    a face and frame, and ``<stem>_tracks.csv`` with one row a face (`TrackSummaries`); where eye
    contact is known, its events as ``<stem>_elan.tsv`` and ``<stem>_boris.tsv`` too. A video
    that cannot be read, in which no face is found or on which the annotator fails gets a line with
    the reason and stops no other; of a damaged or interrupted one all that was done is kept.
    Seconds are frame numbers over the mean frame rate.

    Returns:
        What was found, as a person reads it.

    Raises:
        ValueError: If the source holds no video, or the output would lie among its videos.
    """
    videos = find_files(source, VIDEO_SUFFIXES)
    if not videos:
        raise ValueError(
            f"source={source}: no video there; expected a file, a folder or a glob pattern of "
            f"{', '.join(VIDEO_SUFFIXES)}"
        )
    check_output_dir(output_dir, "videos", videos)
    outcomes = []
    for path, stem in zip(videos, unique_stems(videos), strict=True):
        with kept_lines(output_dir / f"{stem}_faces.jsonl") as lines:
            outcome = _annotate(path, annotator, output_dir / stem, lines)
        outcomes.append(outcome)
        if isinstance(outcome.stopped_by, KeyboardInterrupt):
            raise outcome.stopped_by
    return _said(outcomes, output_dir)


def _annotate(path: Path, annotator: VideoAnnotator, stem_path: Path, lines: TextIO) -> _Outcome:
    """Write a video's files; whatever goes wrong with it becomes a line."""
    outcome = _Outcome()
    try:
        fps_hz = video_info(path).fps_hz or USUAL_FPS_HZ
    except ValueError as error:
        outcome.stopped_by = error
    else:
        frames = _recorded(path, fps_hz, annotator, lines, outcome)
        _write_drawn(_with_suffix(stem_path, ".mp4"), frames, fps_hz, outcome)
        _write_tracks(stem_path, outcome.tracks, fps_hz)
    _write_reason(path, lines, outcome)
    return outcome


def _write_tracks(stem_path: Path, tracks: TrackSummaries, fps_hz: float) -> None:
    tracks.write_csv(_with_suffix(stem_path, "_tracks.csv"), fps_hz)
    if tracks.is_judged:
        tracks.write_elan(_with_suffix(stem_path, "_elan.tsv"), fps_hz)
        tracks.write_boris(_with_suffix(stem_path, "_boris.tsv"), fps_hz)


def _write_drawn(
    path: Path, frames: Iterator[AnnotatedFrame], fps_hz: float, outcome: _Outcome
) -> None:
    first = next(frames, None)
    if first is None:
        return
    try:
        # Measured at 1280 x 720: 23 instead of 61 ms a frame, and no larger.
        write_video(path, _evenly_timed(first, frames), fps_hz, preset="veryfast")
    except Exception as error:
        outcome.stopped_by = error


def _recorded(
    path: Path, fps_hz: float, annotator: VideoAnnotator, lines: TextIO, outcome: _Outcome
) -> Iterator[AnnotatedFrame]:
    """Yield the frames while their records are written; an error or Ctrl-C ends them."""
    try:
        with tqdm(total=num_frames(path), unit="frame", desc=path.name) as bar:
            for frame in annotator.annotate_video(path):
                _write_records(path, frame, fps_hz, lines, outcome)
                bar.update(frame.number + 1 - bar.n)
                yield frame
    except (Exception, KeyboardInterrupt) as error:
        # Not raised: the encoder shall finish the video that it has so far.
        outcome.stopped_by = error


def _write_records(
    path: Path, frame: AnnotatedFrame, fps_hz: float, lines: TextIO, outcome: _Outcome
) -> None:
    outcome.num_frames += 1
    outcome.num_faces += len(frame.records)
    place = {
        "video": str(path),
        "frame": frame.number,
        "time_s": round(frame.number / fps_hz, 3),
    }
    for record in frame.records:
        lines.write(json.dumps(place | record) + "\n")
        outcome.tracks.add(frame.number, record)


def _write_reason(path: Path, lines: TextIO, outcome: _Outcome) -> None:
    """Write why a video is incomplete or has no face, if so."""
    error = outcome.stopped_by
    if error is not None:
        LOG.warning("%s stopped", path, exc_info=None if isinstance(error, ValueError) else error)
        after = f"stopped after {outcome.num_frames} frames: " if outcome.num_frames else ""
        reason = f"{after}{type(error).__name__}: {error}"
    elif not outcome.num_faces:
        reason = NO_FACE
    else:
        return
    lines.write(json.dumps({"video": str(path), "reason": reason}) + "\n")


def _evenly_timed(first: AnnotatedFrame, rest: Iterator[AnnotatedFrame]) -> Iterator[Image]:
    """Yield one image a frame of the video: a damaged one is replaced by the one before it."""
    for _ in range(first.number + 1):
        yield first.drawn
    last = first
    for frame in rest:
        for _ in range(frame.number - last.number - 1):
            yield last.drawn
        yield frame.drawn
        last = frame


def _with_suffix(stem_path: Path, suffix: str) -> Path:
    # Not `with_suffix`: a stem may have dots.
    return stem_path.with_name(stem_path.name + suffix)


def _said(outcomes: list[_Outcome], output_dir: Path) -> str:
    num_frames = sum(outcome.num_frames for outcome in outcomes)
    num_tracks = sum(len(outcome.tracks) for outcome in outcomes)
    num_stopped = sum(outcome.stopped_by is not None for outcome in outcomes)
    num_empty = sum(not outcome.num_faces for outcome in outcomes)
    return (
        f"{num_tracks} face tracks in {num_frames} frames of {len(outcomes)} videos "
        f"({num_empty} without a face, {num_stopped} incomplete) -> {output_dir}"
    )
