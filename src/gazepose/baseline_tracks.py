"""The originals' own intermediate files: tracks and labels as their label scripts write them.

``split/<part>.list`` names clips, ``json_original/<clip>/<track>.json`` holds a track's boxes and
``result_LAM/<clip>.json`` who looks at the camera when. With the published rule the samples are
those of the original's ``make_dataset``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.skipped import Skipped
from gazepose.sample import FaceTrack
from gazepose.split_lists import read_split_list
from gazepose.track_boxes import DroppedBox, RawTrack
from gazepose.tracks import Segments, TrackRule, face_tracks

_BOX_KEYS = ("x", "y", "width", "height")


@dataclass(frozen=True)
class BaselineTracks:
    """Reads a ``data`` folder of the originals.

    Attributes:
        data_dir: with ``split``, ``json_original`` and ``result_LAM``.
        rule: what becomes of the boxes; the original's by default.
    """

    data_dir: Path
    rule: TrackRule = field(default_factory=lambda: TrackRule("published"))

    def check(self) -> None:
        """Refuse a folder of another kind.

        Raises:
            ValueError: If a folder is missing.
        """
        for name in ("split", "json_original", "result_LAM"):
            if not (self.data_dir / name).is_dir():
                raise ValueError(
                    f"no folder {self.data_dir / name}; expected the data folder of the Ego4D "
                    "baseline, with split, json_original and result_LAM"
                )

    def parts(self) -> list[str]:
        """Return which of train, val and test have a list."""
        names = ("train", "val", "test")
        return [name for name in names if self._list_path(name).is_file()]

    def clips(self, part: str) -> list[str]:
        """Return a part's clips, in the order of its list.

        Raises:
            ValueError: If the list is missing or names no clip.
        """
        return read_split_list(self._list_path(part))

    def tracks(self, clip_uid: str) -> tuple[tuple[FaceTrack, ...], tuple[Skipped, ...]]:
        """Return a clip's tracks in the order of their names, and what was left out.

        A track file that is no JSON is left out as a whole.

        Raises:
            ValueError: If the clip has no folder of tracks, or its labels are damaged.
        """
        folder = self.data_dir / "json_original" / clip_uid
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}: run the baseline's get_json.py for this clip")
        looks = read_looks(self.data_dir / "result_LAM" / f"{clip_uid}.json")
        tracks: list[FaceTrack] = []
        skipped: list[Skipped] = []
        for path in sorted(folder.glob("*.json")):
            try:
                found, dropped = face_tracks(read_track(path), looks, self.rule)
            except ValueError as error:
                skipped.append(Skipped(f"{clip_uid}:{path.stem}", path.stem, clip_uid, str(error)))
                continue
            tracks += found
            skipped += [skipped_box(clip_uid, box) for box in dropped]
        return tuple(tracks), tuple(skipped)

    def _list_path(self, part: str) -> Path:
        return self.data_dir / "split" / f"{part}.list"


def skipped_box(clip_uid: str, box: DroppedBox) -> Skipped:
    """Return a box that a rule left out as an entry of the report."""
    name = f"{clip_uid}:{box.track_id}:{box.frame}"
    return Skipped(name, box.track_id, clip_uid, box.reason)


def read_track(path: Path) -> RawTrack:
    """Read ``json_original/<clip>/<track>.json``.

    Raises:
        ValueError: If it is not what ``get_json.py`` writes.
    """
    rows = _read_rows(path)
    try:
        return RawTrack(
            path.stem,
            [str(row["Person ID"] or "") for row in rows],
            np.array([row["frameNumber"] for row in rows], dtype=np.int64),
            np.array([[row[key] for key in _BOX_KEYS] for row in rows], dtype=np.float64),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: a box without {error}; expected frameNumber, 'Person ID', x, y, width, height"
        ) from error


def read_looks(path: Path) -> Segments:
    """Read ``result_LAM/<clip>.json``.

    Returns:
        By person, (first, last) frames of looking at the camera. Nothing if there is no file: the
        baseline writes none for a clip in which nobody looks, and then cannot read the clip.

    Raises:
        ValueError: If it is not what ``get_lam_result.py`` writes.
    """
    if not path.is_file():
        return {}
    looks: dict[str, list[tuple[int, int]]] = {}
    try:
        for row in _read_rows(path):
            segment = (int(row["start_frame"]), int(row["end_frame"]))
            looks.setdefault(str(row["label"]), []).append(segment)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: a segment without {error}; expected label, start_frame, end_frame"
        ) from error
    return looks


def _read_rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        # The scripts append, so that a second run leaves two documents in one file.
        hint = (
            "the baseline's script ran twice and appended: delete it and run the script again"
            if error.msg == "Extra data"
            else "it is cut short or damaged"
        )
        raise ValueError(f"{path} is no JSON ({error.msg}): {hint}") from error
    if not isinstance(rows, list):
        raise ValueError(f"{path} holds a {type(rows).__name__}, expected a list")
    return rows
