"""What a person wants to know of each face of a video: when it was seen, how long it looked."""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from common.evaluation.events import Event, add_frame
from common.files.atomic import partial_path, write_text_atomically
from common.media.presentation import Shown
from common.prediction.gaze_samples import GazeSamples

LOOKING = "looking"
SCHEMA: dict[str, Any] = {
    "track_id": pl.String,
    "first_frame": pl.Int64,
    "last_frame": pl.Int64,
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "num_frames": pl.Int64,
    "looking_share": pl.Float64,
    "num_looks": pl.Int64,
    "longest_look_s": pl.Float64,
    "looks_s": pl.String,
}


class FrameTimes:
    """Begins and ends of frames in seconds; eight bytes a frame and time.

    A frame is shown until the next one. Where some between were lost, each has its equal share.

    Attributes:
        total_s: when the last frame is shown no more.
    """

    def __init__(self) -> None:
        self._numbers = array("q")
        self._times_s = array("d")
        self.total_s = 0.0

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, shown: Shown) -> None:
        """Take the next frame; its duration counts if it stays the last."""
        self._numbers.append(number)
        self._times_s.append(shown.time_s)
        self.total_s = shown.time_s + shown.duration_s

    def begin_s(self, number: int) -> float:
        """Return when a frame that was added is first shown."""
        return self._times_s[bisect_right(self._numbers, number) - 1]

    def end_s(self, number: int) -> float:
        """Return when it is shown no more."""
        following = bisect_right(self._numbers, number)
        if following == len(self._numbers):
            return self.total_s
        begin_s = self._times_s[following - 1]
        num_frames = self._numbers[following] - number
        return begin_s + (self._times_s[following] - begin_s) / num_frames

    def stretches_s(self, stretches: Iterable[Event]) -> list[tuple[float, float]]:
        """Return begin and end of stretches of frames; one frame has a length, too."""
        return [(self.begin_s(first), self.end_s(last)) for first, last in stretches]


@dataclass
class TrackSummary:
    """One face's frames, as they come: stretches of them, as `common.evaluation.events` has it.

    Attributes:
        seen: in which it was seen.
        judged: of those, the ones in which eye contact is known.
        looks: of those, the ones with eye contact.
    """

    seen: list[Event] = field(default_factory=list)
    judged: list[Event] = field(default_factory=list)
    looks: list[Event] = field(default_factory=list)

    def add(self, frame: int, is_looking: bool | None) -> None:
        """Take the next frame; `is_looking` is None where eye contact is not known."""
        add_frame(self.seen, frame)
        if is_looking is not None:
            add_frame(self.judged, frame)
        if is_looking:
            add_frame(self.looks, frame)

    def row(self, times: FrameTimes) -> dict[str, Any]:
        """Return the track's columns; those of eye contact are null where none was judged."""
        looks_s = times.stretches_s(self.looks)
        first_frame, last_frame = self.seen[0][0], self.seen[-1][1]
        seen = {
            "first_frame": first_frame,
            "last_frame": last_frame,
            "start_s": round(times.begin_s(first_frame), 3),
            "end_s": round(times.end_s(last_frame), 3),
            "num_frames": _num_frames(self.seen),
        }
        if not self.judged:
            return seen
        return seen | {
            "looking_share": round(_num_frames(self.looks) / _num_frames(self.judged), 4),
            "num_looks": len(looks_s),
            "longest_look_s": round(max((end - start for start, end in looks_s), default=0.0), 3),
            "looks_s": ";".join(f"{start:.3f}-{end:.3f}" for start, end in looks_s),
        }


class TrackSummaries:
    """All faces of a video by track; grows by tracks and looks, not by frames.

    Attributes:
        tracks: by name, in order of appearance.
        gaze: of all of them.
    """

    def __init__(self) -> None:
        self.tracks: defaultdict[str, TrackSummary] = defaultdict(TrackSummary)
        self.gaze = GazeSamples()

    def __len__(self) -> int:
        return len(self.tracks)

    def add(self, frame: int, record: Mapping[str, Any]) -> None:
        """Take a face of a frame: its ``track_id`` and, where known, ``is_looking`` and gaze."""
        self.tracks[record["track_id"]].add(frame, record.get("is_looking"))
        self.gaze.add(frame, record)

    @property
    def is_judged(self) -> bool:
        """Whether eye contact is known of any face in any frame."""
        return any(track.judged for track in self.tracks.values())

    def write_csv(self, path: Path, times: FrameTimes) -> None:
        """Write one row a track, in order of appearance, whole or not at all."""
        rows = [{"track_id": name} | track.row(times) for name, track in self.tracks.items()]
        with partial_path(path) as partial:
            pl.DataFrame(rows, schema=SCHEMA).write_csv(partial)

    def write_elan(self, path: Path, times: FrameTimes) -> None:
        """Write one row a look, tab-separated under a header, as ELAN imports text."""
        rows = [
            f"{subject}\t{begin_s:.3f}\t{end_s:.3f}\t{end_s - begin_s:.3f}\t{LOOKING}"
            for begin_s, end_s, subject in self._looks(times)
        ]
        header = "tier\tbegin_s\tend_s\tduration_s\tannotation"
        write_text_atomically(path, "\n".join([header, *rows]) + "\n")

    def write_boris(self, path: Path, times: FrameTimes) -> None:
        """Write two rows a look, its begin and its end, as BORIS takes them from the clipboard.

        BORIS (from version 8 on) wants time, subject, behaviour, modifier, comment and frame index,
        without a header or an empty line, and reads no file.
        """
        moments = sorted(
            (time_s, subject) for *both, subject in self._looks(times) for time_s in both
        )
        rows = [f"{time_s:.3f}\t{subject}\t{LOOKING}\t\t\tNA" for time_s, subject in moments]
        write_text_atomically(path, "\n".join(rows))

    def _looks(self, times: FrameTimes) -> list[tuple[float, float, str]]:
        """Return begin, end in seconds, and whose it is, of all looks in the order of time."""
        return sorted(
            (begin_s, end_s, f"face {name}")
            for name, track in self.tracks.items()
            for begin_s, end_s in times.stretches_s(track.looks)
        )


def _num_frames(stretches: list[Event]) -> int:
    return sum(last - first + 1 for first, last in stretches)
