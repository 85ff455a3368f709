"""Where the faces of a video look: of every frame, or of so many that a film's fit into a page."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

# 1.5 MB of a page; an hour of one face at 25 Hz.
MAX_SAMPLES = 100_000


class GazeSample(NamedTuple):
    """Where a face looks in a frame: [yaw, pitch] in the viewer frame."""

    frame: int
    yaw_deg: float
    pitch_deg: float


class GazeSamples:
    """Gaze by track; of every frame, and as that becomes too much of every 2nd, 4th, 8th, ...

    Args:
        max_samples: of all tracks together.

    Attributes:
        step_frames: from a sample to the next of its track.
    """

    def __init__(self, max_samples: int = MAX_SAMPLES) -> None:
        self.step_frames = 1
        self._max_samples = max_samples
        self._num_samples = 0
        self._of_track: defaultdict[str, list[GazeSample]] = defaultdict(list)

    def add(self, frame: int, record: Mapping[str, Any]) -> None:
        """Take a face of a frame: its ``track_id`` and, where known, ``gaze_yaw_deg`` and pitch."""
        yaw_deg = record.get("gaze_yaw_deg")
        if yaw_deg is None or frame % self.step_frames:
            return
        sample = GazeSample(frame, yaw_deg, record["gaze_pitch_deg"])
        self._of_track[record["track_id"]].append(sample)
        self._num_samples += 1
        if self._num_samples > self._max_samples:
            self._thin_out()

    def stretches(self, track_id: str) -> list[list[GazeSample]]:
        """Return a track's samples, in stretches in which none is missing."""
        stretches: list[list[GazeSample]] = []
        for sample in self._of_track.get(track_id, []):
            if not stretches or sample.frame - stretches[-1][-1].frame > self.step_frames:
                stretches.append([])
            stretches[-1].append(sample)
        return stretches

    def _thin_out(self) -> None:
        # Frames that all steps have in common: it does not matter when a track began.
        self.step_frames *= 2
        for track_id, samples in self._of_track.items():
            kept = [sample for sample in samples if sample.frame % self.step_frames == 0]
            self._of_track[track_id] = kept
        self._num_samples = sum(map(len, self._of_track.values()))
