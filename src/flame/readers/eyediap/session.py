"""One EYEDIAP session: its files joined on the frame number, and a label or a reason a frame."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from common.arrays import Float
from flame.readers.eyediap.files import (
    Calibration,
    read_calibration,
    read_gaze_states,
    read_table,
)
from flame.readers.eyediap.geometry import (
    FrameLabel,
    camera_to_world,
    geometric_label,
    is_official_vga,
    published_label,
)

LOG = logging.getLogger(__name__)

_LABELS = {"geometric": geometric_label, "published": published_label}
# Pixel columns of eye_tracking.txt, left and right eye.
_EYE_COLUMNS = {"vga": slice(0, 4), "hd": slice(8, 12)}
_GAZE_STATES = {"BK": "blink", "NL": "not looking at the target"}
# Of the image's width; the tracker's pixels and the projection differ by a few pixels at most.
_MAX_PROJECTION_ERROR = 0.02


@dataclass(frozen=True)
class LabelRule:
    """How frames are labelled: see `flame.readers.eyediap.reader.EyediapReader`."""

    camera: str
    gaze: str
    keep_gaze_states: tuple[str, ...]


@dataclass(frozen=True)
class EyediapSession:
    """One session: its folder of videos and texts, and its gaze states, if there are any."""

    session_dir: Path
    gaze_state_path: Path | None

    @property
    def name(self) -> str:
        """Return the session's name, such as ``1_A_CS_S``."""
        return self.session_dir.name

    @property
    def is_screen(self) -> bool:
        """Return whether the target is on the screen, not the floating ball."""
        return "_FT_" not in self.name

    def video_path(self, camera: str) -> Path:
        """Return the video of a camera, ``vga`` or ``hd``, whether it exists or not."""
        return self.session_dir / f"rgb_{camera}.mov"

    def calibration(self, camera: str) -> Calibration:
        """Read the calibration of a camera; ValueError if it is missing or malformed."""
        return read_calibration(self.session_dir / f"rgb_{camera}_calibration.txt")

    def frames(self, frame_step: int) -> list[int]:
        """Return every `frame_step`-th frame that any table names, sorted."""
        named = set().union(*(table for table in self._tables.values() if table is not None))
        return sorted(frame for frame in named if frame % frame_step == 0)

    def label(self, frames: Iterable[int], rule: LabelRule) -> dict[int, FrameLabel | str]:
        """Return a label, or the reason why there is none, for each frame."""
        try:
            vga, camera = self.calibration("vga"), self.calibration(rule.camera)
        except ValueError as error:
            return dict.fromkeys(frames, str(error))
        if not is_official_vga(vga):
            LOG.warning("%s: the VGA camera is not where EYEDIAP's scripts have it", self.name)
        states = self._gaze_states()
        results: dict[int, FrameLabel | str] = {}
        for frame in frames:
            reason = _state_fault(states, frame, rule.keep_gaze_states)
            results[frame] = reason or self._label(frame, rule, vga, camera)
        self._check_projection(results, rule.camera, camera)
        return results

    @cached_property
    def _tables(self) -> dict[str, dict[int, Float | None] | None]:
        target = "screen_coordinates" if self.is_screen else "ball_tracking"
        names = {"head": "head_pose.txt", "eyes": "eye_tracking.txt", "target": f"{target}.txt"}
        paths = {key: self.session_dir / name for key, name in names.items()}
        return {key: read_table(path) if path.is_file() else None for key, path in paths.items()}

    def _gaze_states(self) -> dict[int, str] | None:
        if self.gaze_state_path is not None:
            return read_gaze_states(self.gaze_state_path)
        if "_DS_" not in self.name:
            LOG.warning(
                "%s: no gaze_state.txt, so frames with blinks or looks elsewhere stay in; unpack "
                "EYEDIAP_GazeStateAnnotations into the raw folder",
                self.name,
            )
        return None

    def _label(
        self, frame: int, rule: LabelRule, vga: Calibration, camera: Calibration
    ) -> FrameLabel | str:
        rows = {}
        for key, table in self._tables.items():
            row = None if table is None else table.get(frame)
            if row is None:
                return f"no file of the {key}" if table is None else f"{key} lost"
            rows[key] = row
        rotation, eyes = rows["head"][:9].reshape(3, 3), rows["eyes"][12:].reshape(2, 3)
        target = rows["target"][-3:]
        lost = _lost_values(rotation, rows["head"][9:], eyes, target)
        if lost is not None:
            return lost
        if self.is_screen:
            target = camera_to_world(target, vga)
        with np.errstate(all="ignore"):
            label = _LABELS[rule.gaze](target, eyes, rotation, camera)
        is_finite = all(np.isfinite(v).all() for v in (label.gaze, label.head_pose, label.eyes_px))
        return label if is_finite else "head, eyes or target out of all proportion"

    def _check_projection(
        self, results: dict[int, FrameLabel | str], camera_name: str, camera: Calibration
    ) -> None:
        """Warn if the 3-D eyes do not fall on the tracker's pixels: a wrong calibration."""
        eyes_table = self._tables["eyes"] or {}
        offsets = []
        for frame, label in results.items():
            row = eyes_table.get(frame)
            if row is not None and isinstance(label, FrameLabel):
                pixels = row[_EYE_COLUMNS[camera_name]].reshape(2, 2)
                if pixels.any():
                    offsets.append(np.linalg.norm(pixels.mean(axis=0) - label.eyes_px))
        if offsets and np.median(offsets) > _MAX_PROJECTION_ERROR * camera.width:
            LOG.warning(
                "%s: the eyes project %.0f px (median) from where the %s tracker has them; "
                "the calibration does not fit",
                self.name,
                np.median(offsets),
                camera_name.upper(),
            )


def _state_fault(states: dict[int, str] | None, frame: int, kept: tuple[str, ...]) -> str | None:
    if states is None:
        return None
    state = states.get(frame)
    if state is None:
        return "gaze state missing"
    return None if state in kept else _GAZE_STATES.get(state, f"gaze state {state}")


def _lost_values(rotation: Float, head: Float, eyes: Float, target: Float) -> str | None:
    """Return what a row of zeros, or a rotation that is none, says was lost."""
    if not head.any() or not np.allclose(rotation @ rotation.T, np.eye(3), atol=0.05):
        return "head lost"
    if not eyes.any(axis=1).all():
        return "eyes lost"
    return None if target.any() else "target lost"
