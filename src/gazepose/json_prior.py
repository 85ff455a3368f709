"""The originals' prior files: five points, head angles, sharpness ranks and the train filter.

==============================  ==============================================================
file (folder ``json_prior``)    content
==============================  ==============================================================
``<part>_mesh.json``            {clip: {track: {key: [[x, y, z, score] x 5]}}}
``<part>_headpose.json``        {"clip:track:frame": [yaw, pitch, roll, label, 0, 0]} in degrees;
                                test: {"clip:track:unique id:frame": [yaw, pitch, roll]}; val is
                                ``val_headpose-all.json``
``<part>_p.json``               {clip: {track: {key: Gaussian CDF of the sharpness}}}
``train_filter_all.json``       {"clip:track:frame": {"max_index", "array"}}
==============================  ==============================================================

``key`` is the frame, in test the unique id. Every file may be missing and may lack frames: the
original crashes on some of that, here it is unknown. A file is gone through once, for the places
of its clips; the process that prepares a clip then parses that clip's share alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.findings import Finding
from common.json_members import object_members, read_span
from gazepose.priors import NUM_POINTS

Float = npt.NDArray[np.floating[Any]]

PRIOR_DIR = "json_prior"
# x, y and score; z is not used.
_POINT_COLUMNS = [0, 1, 3]
_NUM_ANGLES = 3
# Angles, label and two zeros; in test the angles alone. Other lengths are unknown, as there.
_LENGTH_OF_ANGLES = {"train": 6, "val": 6, "test": _NUM_ANGLES}
# README of the original says "-", its code ":".
_SEPARATORS = (":", "-")
_NUM_UUID_PARTS = 5
_Spans = dict[str, list[tuple[int, int]]]


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

        Args:
            track: its id.
            key: the frame, in test the unique id.
        """
        found = _inner(self.mesh, track, key)
        try:
            points = np.array(list(found)[:NUM_POINTS], np.float64)[:, _POINT_COLUMNS]
        except (TypeError, ValueError, IndexError):
            return None
        is_whole = len(points) == NUM_POINTS and np.isfinite(points).all()
        return np.asarray(points) if is_whole else None

    def head_pose_deg(self, track: str, *names: str) -> Float | None:
        """Return (3,) [yaw, pitch, roll]; `names` are the frame, in test unique id and frame."""
        found = self._flat(self.angles, track, *names)
        try:
            values = np.array(found, np.float64)
        except (TypeError, ValueError):
            return None
        is_whole = values.shape == (_LENGTH_OF_ANGLES[self.part],) and np.isfinite(values).all()
        return values[:_NUM_ANGLES] if is_whole else None

    def sharpness_p(self, track: str, key: str) -> float | None:
        """Return the Gaussian CDF of the sharpness, [0, 1]; None if the file says nothing."""
        found = _inner(self.rank, track, key)
        is_number = isinstance(found, int | float) and math.isfinite(found)
        return float(found) if is_number else None

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
        keys = (separator.join((self.clip_uid, *names)) for separator in _SEPARATORS)
        return next((values[key] for key in keys if key in values), None)


@dataclass(frozen=True)
class PriorFiles:
    """The prior files of a part.

    Attributes:
        prior_dir: the folder.
        part: train, val or test.
    """

    prior_dir: Path
    part: str

    def are_there(self) -> bool:
        """Return whether there is any."""
        return any(file is not None for file in self._files.values())

    def open(self) -> None:
        """Note the places of all clips.

        Raises:
            ValueError: If a file is cut short or damaged.
        """
        for file in self._files.values():
            if file is not None:
                file.spans  # noqa: B018 - cached for the processes that this object is sent to

    def sizes_bytes(self) -> dict[str, int]:
        """Return the sizes of the files that are there, by their names."""
        files = filter(None, self._files.values())
        return {file.path.name: file.path.stat().st_size for file in files}

    def of_clip(self, clip_uid: str) -> ClipPriors:
        """Return what the files say of a clip.

        Raises:
            ValueError: If a file is cut short or damaged.
        """
        found = {
            kind: {} if file is None else file.read(clip_uid) for kind, file in self._files.items()
        }
        return ClipPriors(clip_uid, self.part, **found)

    def findings(self, clips: Sequence[str]) -> list[Finding]:
        """Say which files are there, and which clips they lack."""
        where = str(self.prior_dir)
        if not self.are_there():
            return [Finding("note", f"{self.part}: no prior files", where)]
        return [
            Finding("note", f"no {self._names[kind][0]}", where)
            if file is None
            else file.finding(clips)
            for kind, file in self._files.items()
        ]

    @property
    def _names(self) -> dict[str, list[str]]:
        """Return what the files may be called, by the fields of `ClipPriors`."""
        names = {
            "mesh": [f"{self.part}_mesh.json"],
            "rank": [f"{self.part}_p.json"],
            "angles": [f"{self.part}_headpose.json", f"{self.part}_headpose-all.json"],
        }
        # The original filters training keyframes only.
        return names | ({"filters": ["train_filter_all.json"]} if self.part == "train" else {})

    @cached_property
    def _files(self) -> dict[str, _PriorFile | None]:
        return {kind: self._first(kind, names) for kind, names in self._names.items()}

    def _first(self, kind: str, names: list[str]) -> _PriorFile | None:
        paths = (self.prior_dir / name for name in names)
        path = next((path for path in paths if path.is_file()), None)
        return None if path is None else _PriorFile(path, kind in ("angles", "filters"))


@dataclass(frozen=True)
class _PriorFile:
    """A prior file; `is_flat`: its keys name clip, track and frame together."""

    path: Path
    is_flat: bool

    @cached_property
    def spans(self) -> _Spans:
        """Where each clip's share lies; neighbours in the file are one."""
        spans: _Spans = {}
        last = ""
        for member in object_members(self.path):
            clip = _clip_of(member.key) if self.is_flat else member.key
            start = member.start if self.is_flat else member.value_start
            places = spans.setdefault(clip, [])
            if self.is_flat and clip == last:
                places[-1] = (places[-1][0], member.end)
            else:
                places.append((start, member.end))
            last = clip
        return spans

    def read(self, clip_uid: str) -> dict[str, Any]:
        """Parse a clip's share."""
        values: dict[str, Any] = {}
        for start, end in self.spans.get(clip_uid, []):
            content = read_span(self.path, start, end)
            found = json.loads(b"{%s}" % content if self.is_flat else content)
            if isinstance(found, dict):
                values.update(found)
        return values

    def finding(self, clips: Sequence[str]) -> Finding:
        try:
            missing = [clip for clip in clips if clip not in self.spans]
        except ValueError as error:
            remedy = "copy it again, or move it away to go without"
            return Finding("error", str(error), str(self.path), remedy)
        what = f"{self.path.name} knows {len(clips) - len(missing)} of {len(clips)} clips"
        return Finding("warning" if missing else "note", what, str(self.path))


def _clip_of(key: str) -> str:
    if _SEPARATORS[0] in key:
        return key.partition(_SEPARATORS[0])[0]
    return "-".join(key.split("-")[:_NUM_UUID_PARTS])


def _inner(values: Mapping[str, Any], track: str, key: str) -> Any:
    of_track = values.get(track)
    return of_track.get(key) if isinstance(of_track, dict) else None
