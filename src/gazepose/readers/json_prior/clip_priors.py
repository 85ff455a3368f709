"""What the originals' prior files say of one clip."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from common.arrays import Bools, Float
from common.store.skipped import Skipped
from gazepose.priors import NUM_POINTS

ODD_RANKS = "sharpness ranks outside [0, 1] are taken for unknown"
FAR_POINTS = "points lie far outside the face image, kept: fractions are expected, not pixels"
_MOST = 0.5
# x, y and score; z is not used.
_POINT_COLUMNS = [0, 1, 3]
_NUM_ANGLES = 3
# Angles, label and two zeros; in test the angles alone. Other lengths are unknown, as there.
_LENGTH_OF_ANGLES = {"train": 6, "val": 6, "test": _NUM_ANGLES}
# README of the original says "-", its code ":".
SEPARATORS = (":", "-")


@dataclass(frozen=True)
class ClipPriors:
    """What the prior files say of one clip.

    Attributes:
        clip_uid: the clip.
        part: train, val or test.
        mesh: {track: {key: points}}.
        rank: {track: {key: p}}.
        angles: {"clip:track:...": values}.
        filters: {"clip:track:frame": {"max_index", "array"}}.
    """

    clip_uid: str
    part: str
    mesh: Mapping[str, Any] = field(default_factory=dict)
    rank: Mapping[str, Any] = field(default_factory=dict)
    angles: Mapping[str, Any] = field(default_factory=dict)
    filters: Mapping[str, Any] = field(default_factory=dict)

    def points(self, track: str, key: str) -> Float | None:
        """Return (5, 3) [x, y, score] as in the file; None if they are not five.

        `key` is the frame, in test the unique id.
        """
        found = _inner(self.mesh, track, key)
        try:
            points = np.array(list(found)[:NUM_POINTS], np.float64)[:, _POINT_COLUMNS]
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
        is_whole = len(points) == NUM_POINTS and np.isfinite(points).all()
        return np.asarray(points) if is_whole else None

    def head_pose_deg(self, track: str, *names: str) -> Float | None:
        """Return (3,) [yaw, pitch, roll]; `names` are the frame, in test unique id and frame."""
        found = self._flat(self.angles, track, *names)
        try:
            values = np.array(found, np.float64)
        except (TypeError, ValueError, OverflowError):
            return None
        is_whole = values.shape == (_LENGTH_OF_ANGLES[self.part],) and np.isfinite(values).all()
        return values[:_NUM_ANGLES] if is_whole else None

    def sharpness_p(self, track: str, key: str) -> float | None:
        """Return the Gaussian CDF of the sharpness; None if the file says none in [0, 1]."""
        found = _inner(self.rank, track, key)
        is_number = isinstance(found, int | float)
        return float(found) if is_number and 0 <= found <= 1 else None

    def doubts(self) -> list[Skipped]:
        """Return what looks like values of another unit, with how many of them there are."""
        ranks = [(t, key) for t, key in _keys(self.rank) if self.rank[t][key] is not None]
        num_odd = sum(self.sharpness_p(*names) is None for names in ranks)
        points = [self.points(*names) for names in _keys(self.mesh)]
        found = [xy[:, :2] for xy in points if xy is not None]
        num_far = sum(bool(_are_far(xy).mean() > _MOST) for xy in found)
        doubts = []
        if num_odd:
            doubts.append((f"{num_odd} of {len(ranks)} ranks", ODD_RANKS))
        if num_far > _MOST * len(found):
            doubts.append((f"{num_far} of {len(found)} faces", FAR_POINTS))
        uid = self.clip_uid
        return [Skipped(f"{uid}: {num}", "", uid, what) for num, what in doubts]

    def is_filtered(self, track: str, frame: str) -> bool | None:
        """Return whether the original drops the keyframe: the best of the window is not positive.

        None if the file says nothing.
        """
        found = self._flat(self.filters, track, frame)
        try:
            return bool(found["array"][found["max_index"]] <= 0)
        except (TypeError, KeyError, IndexError):
            return None

    def _flat(self, values: Mapping[str, Any], *names: str) -> Any:
        keys = (separator.join((self.clip_uid, *names)) for separator in SEPARATORS)
        return next((values[key] for key in keys if key in values), None)


def _inner(values: Mapping[str, Any], track: str, key: str) -> Any:
    of_track = values.get(track)
    return of_track.get(key) if isinstance(of_track, dict) else None


def _keys(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for track, of_track in values.items():
        if isinstance(of_track, dict):
            yield from ((track, key) for key in of_track)


def _are_far(points: Float) -> Bools:
    """Return (N,) whether points (N, 2) lie more than an image beyond the image."""
    return ((points < -1) | (points > 2)).any(axis=1)
