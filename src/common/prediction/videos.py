"""Videos in; out come drawn videos, their pages, a row a face and frame, a table of the tracks."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from common.arrays import Image
from common.media.presentation import Shown
from common.media.sources import check_output_dir, unique_stems
from common.media.video import VideoInfo, num_frames, video_info
from common.media.video_writer import write_timed_video
from common.prediction.annotator import AnnotatedFrame, Annotator
from common.prediction.face_table import OF_VIDEO, kept_table, rows_of
from common.prediction.outcomes import (
    NO_FACE,
    Annotated,
    NotWrittenError,
    Outcome,
    counts,
    writing,
)
from common.prediction.track_summary import FrameTimes, TrackSummaries
from common.prediction.video_page import write_video_page

LOG = logging.getLogger(__name__)


@dataclass
class _Progress:
    """What came of one video so far."""

    num_frames: int = 0
    num_faces: int = 0
    times: FrameTimes = field(default_factory=FrameTimes)
    tracks: TrackSummaries = field(default_factory=TrackSummaries)
    stopped_by: BaseException | None = None

    @property
    def outcome(self) -> Outcome:
        if isinstance(self.stopped_by, NotWrittenError):
            return Outcome.NOT_WRITTEN
        if self.stopped_by is None:
            return Outcome.FACES if self.num_faces else Outcome.NO_FACE
        if self.num_frames:
            return Outcome.INCOMPLETE
        return Outcome.UNREADABLE if isinstance(self.stopped_by, ValueError) else Outcome.FAILED


def annotate_videos(
    videos: Sequence[Path], annotator: Annotator, output_dir: Path, table_format: str = "jsonl"
) -> Annotated:
    """Annotate videos.

    Writes of each video ``<stem>.mp4`` with its faces drawn, ``<stem>_faces.jsonl`` (or of another
    format) with one line a face and frame, and one for a frame without a face,
    ``<stem>_tracks.csv`` with one row a face (`TrackSummaries`), and ``<stem>.html`` that shows all
    of it; where eye contact is known, its events as ``<stem>_elan.tsv`` and ``<stem>_boris.tsv``
    too. A video that cannot be read, in
    which no face is found, on which the annotator fails or whose files cannot be written gets a
    line with the reason and stops no other; of a damaged or interrupted one all that was done is
    kept. Seconds are the video's own: each frame has the time at which players show it, in the
    files and in the drawn video.

    Raises:
        ValueError: If the output would lie among the videos.
        NotWrittenError: If ``<stem>_faces.jsonl`` cannot be written.
    """
    check_output_dir(output_dir, "videos", videos)
    all_of_them = []
    for path, stem in zip(videos, unique_stems(videos), strict=True):
        path_of_table = output_dir / f"{stem}_faces.{table_format}"
        schema = {**OF_VIDEO, **annotator.columns}
        with writing(path_of_table), kept_table(path_of_table, schema) as lines:
            progress = _annotate(path, annotator, output_dir / stem, lines)
        all_of_them.append(progress)
        if isinstance(progress.stopped_by, KeyboardInterrupt):
            raise progress.stopped_by
    outcomes = Counter(progress.outcome for progress in all_of_them)
    return Annotated(_said(all_of_them, outcomes, output_dir), outcomes)


def _annotate(path: Path, annotator: Annotator, stem_path: Path, lines: TextIO) -> _Progress:
    """Write a video's files; whatever goes wrong with it becomes a line."""
    progress = _Progress()
    try:
        info = video_info(path)
    except ValueError as error:
        progress.stopped_by = error
    else:
        frames = _recorded(path, annotator, lines, progress)
        _write_drawn(_with_suffix(stem_path, ".mp4"), frames, info, progress)
        _write_tracks(stem_path, progress)
    _write_reason(path, lines, progress)
    return progress


def _write_tracks(stem_path: Path, progress: _Progress) -> None:
    tracks, times, error = progress.tracks, progress.times, progress.stopped_by
    reason = None if error is None else _reason(error, progress)
    page = partial(write_video_page, tracks=tracks, reason=reason)
    writers: dict[str, Callable[[Path, FrameTimes], None]]
    writers = {"_tracks.csv": tracks.write_csv, ".html": page}
    if tracks.is_judged:
        writers |= {"_elan.tsv": tracks.write_elan, "_boris.tsv": tracks.write_boris}
    for suffix, write in writers.items():
        path = _with_suffix(stem_path, suffix)
        try:
            with writing(path):
                write(path, times)
        except NotWrittenError as error:
            progress.stopped_by = progress.stopped_by or error


def _write_drawn(
    path: Path, frames: Iterator[AnnotatedFrame], info: VideoInfo, progress: _Progress
) -> None:
    first = next(frames, None)
    if first is None:
        return
    try:
        write_timed_video(path, _without_gaps(first, frames), info)
    except Exception as error:
        why = f"{path} was not written: {type(error).__name__}: {error}"
        # What is known of the other frames counts more than their picture.
        for _ in frames:
            pass
        progress.stopped_by = progress.stopped_by or NotWrittenError(why)


def _recorded(
    path: Path, annotator: Annotator, lines: TextIO, progress: _Progress
) -> Iterator[AnnotatedFrame]:
    """Yield the frames while their records are written; an error or Ctrl-C ends them."""
    try:
        with tqdm(total=num_frames(path), unit="frame", desc=path.name) as bar:
            for frame in annotator.annotate_video(path):
                _write_records(path, frame, lines, progress)
                bar.update(frame.number + 1 - bar.n)
                yield frame
    except (Exception, KeyboardInterrupt) as error:
        # Not raised: the encoder shall finish the video that it has so far.
        progress.stopped_by = error


def _write_records(path: Path, frame: AnnotatedFrame, lines: TextIO, progress: _Progress) -> None:
    progress.num_frames += 1
    progress.num_faces += len(frame.records)
    progress.times.add(frame.number, frame.shown)
    place = {"video": str(path), "frame": frame.number, "time_s": round(frame.shown.time_s, 3)}
    with writing(Path(lines.name)):
        lines.writelines(json.dumps(row) + "\n" for row in rows_of(place, frame.records))
    for record in frame.records:
        progress.tracks.add(frame.number, record)


def _write_reason(path: Path, lines: TextIO, progress: _Progress) -> None:
    """Write why a video is incomplete or has no face, if so."""
    error = progress.stopped_by
    if error is not None:
        is_told = isinstance(error, ValueError | NotWrittenError)
        LOG.warning("%s stopped: %s", path.name, error, exc_info=None if is_told else error)
        reason = _reason(error, progress)
    elif not progress.num_faces:
        reason = NO_FACE
    else:
        return
    lines.write(json.dumps({"video": str(path), "reason": reason}) + "\n")


def _reason(error: BaseException, progress: _Progress) -> str:
    if isinstance(error, NotWrittenError):
        return str(error)
    after = f"stopped after {progress.num_frames} frames: " if progress.num_frames else ""
    return f"{after}{type(error).__name__}: {error}"


def _without_gaps(
    first: AnnotatedFrame, rest: Iterator[AnnotatedFrame]
) -> Iterator[tuple[Image, Shown]]:
    """Yield an image a frame of the video: a damaged one is replaced by the one before it.

    Players and tables then count alike. The time between two sound frames is shared evenly.
    """
    time_s, duration_s = first.shown
    for place in range(first.number):
        yield first.drawn, Shown(time_s * place / first.number, duration_s)
    yield first.drawn, first.shown
    last = first
    for frame in rest:
        time_s, duration_s = last.shown
        gap, gap_s = frame.number - last.number, frame.shown.time_s - time_s
        for place in range(1, gap):
            yield last.drawn, Shown(time_s + gap_s * place / gap, duration_s)
        yield frame.drawn, frame.shown
        last = frame


def _with_suffix(stem_path: Path, suffix: str) -> Path:
    # Not `with_suffix`: a stem may have dots.
    return stem_path.with_name(stem_path.name + suffix)


def _said(videos: list[_Progress], outcomes: Counter[Outcome], output_dir: Path) -> str:
    num_frames = sum(progress.num_frames for progress in videos)
    num_tracks = sum(len(progress.tracks) for progress in videos)
    return (
        f"{num_tracks} face tracks in {num_frames} frames of {len(videos)} videos "
        f"({counts(outcomes)}) -> {output_dir}"
    )
