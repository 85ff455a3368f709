"""A video's page: the drawn video, a timeline a face that leads into it, and a table of the faces.

The page holds its data, styles and script, and names one file, the drawn video beside it: it opens
without a server, and stays small however long the video is.
"""

from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

from common.evaluation.events import Event
from common.files.atomic import write_text_atomically
from common.page import page_text
from common.prediction.gaze_samples import GazeSample
from common.prediction.track_summary import FrameTimes, TrackSummaries

# Of the axis of gaze: the least of these that all of it fits into.
_LIMITS_DEG = (15, 30, 45, 60, 90, 180)


def write_video_page(
    path: Path, times: FrameTimes, *, tracks: TrackSummaries, reason: str | None = None
) -> None:
    """Write the page of a video's faces, whole or not at all.

    Args:
        path: ``NAME.html``; the drawn video is ``NAME.mp4`` beside it.
        times: of the video's frames.
        tracks: its faces.
        reason: why the video was left before its end, if it was.
    """
    faces = [_face(name, tracks, times) for name in tracks.tracks]
    gaze = [angle for face in faces for angle in chain(*_yaws_and_pitches(face["gaze"]))]
    reach_deg = max(map(abs, gaze), default=0.0)
    text = page_text(
        "video.html",
        name=path.stem,
        # Escaped as a whole: before a colon would stand the name of a protocol.
        drawn=quote(f"{path.stem}.mp4", safe=""),
        num_frames=len(times),
        rows=[_row(face, tracks, times) for face in faces],
        has_contact=tracks.is_judged,
        has_gaze=bool(gaze),
        step_frames=tracks.gaze.step_frames,
        reason=reason,
        data={
            "end_s": round(times.total_s, 3),
            "limit_deg": next(limit for limit in _LIMITS_DEG if reach_deg <= limit),
            "faces": faces,
        },
    )
    write_text_atomically(path, text)


def _face(name: str, tracks: TrackSummaries, times: FrameTimes) -> dict[str, Any]:
    """Return what the timeline shows, in seconds: [begin, end, begin, end, ...].

    Gaze is a list of stretches, each [time, yaw, pitch, time, yaw, pitch, ..., end].
    """
    track = tracks.tracks[name]
    last_frame = track.seen[-1][1]
    step_frames = tracks.gaze.step_frames

    def gaze_of(samples: list[GazeSample]) -> list[float]:
        end_s = times.end_s(min(samples[-1].frame + step_frames - 1, last_frame))
        values = (
            (round(times.begin_s(frame), 3), round(yaw_deg, 1), round(pitch_deg, 1))
            for frame, yaw_deg, pitch_deg in samples
        )
        return [*chain.from_iterable(values), round(end_s, 3)]

    return {
        "name": name,
        "seen": _flat(track.seen, times),
        "judged": _flat(track.judged, times),
        "looks": _flat(track.looks, times),
        "gaze": [gaze_of(samples) for samples in tracks.gaze.stretches(name)],
    }


def _row(face: dict[str, Any], tracks: TrackSummaries, times: FrameTimes) -> dict[str, Any]:
    """Return a face's values in the table, those of its row in ``_tracks.csv`` among them."""
    begins, ends = face["looks"][::2], face["looks"][1::2]
    lengths = [end - begin for begin, end in zip(begins, ends, strict=True)]
    yaws, pitches = _yaws_and_pitches(face["gaze"])
    return tracks.tracks[face["name"]].row(times) | {
        "name": face["name"],
        "seen_s": sum(face["seen"][1::2]) - sum(face["seen"][::2]),
        "looking_s": sum(lengths),
        "longest_begin_s": begins[lengths.index(max(lengths))] if lengths else None,
        "gaze_deg": (median(yaws), median(pitches)) if yaws else None,
    }


def _flat(stretches: list[Event], times: FrameTimes) -> list[float]:
    return [round(time_s, 3) for time_s in chain(*times.stretches_s(stretches))]


def _yaws_and_pitches(stretches: list[list[float]]) -> tuple[list[float], list[float]]:
    yaws, pitches = ([v for each in stretches for v in each[start:-1:3]] for start in (1, 2))
    return yaws, pitches
