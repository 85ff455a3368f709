"""The originals' own intermediate files: tracks and labels as their label scripts write them.

``split/<part>.list`` names clips, ``json_original/<clip>/<track>.json`` holds a track's boxes and
``result_LAM/<clip>.json`` who looks at the camera when. With the published rule the samples are
those of the original's ``make_dataset``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.files.checksums import files_digest
from common.files.foreign_files import read_json
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.face_imgs.doctor import trackless_clips
from gazepose.readers.face_imgs.files import LOOKS_DIR, SPLIT_DIR, TRACKS_DIR
from gazepose.readers.json_entries import BOX_KEYS, JsonEntries, id_text, malformed_entries
from gazepose.readers.split_lists import check_disjoint, read_split_list
from gazepose.readers.track_boxes import RawTrack, box_place, frame_number, skipped_box
from gazepose.readers.tracks import Segments, TrackRule, all_tracks

_ROWS = "rows"


@dataclass(frozen=True)
class BaselineTracks:
    """Reads a ``data`` folder of the originals.

    Attributes:
        data_dir: with ``split``, ``json_original`` and ``result_LAM``.
        rule: what becomes of the boxes; the original's by default.
        parts: that the doctor looks at.
    """

    data_dir: Path
    rule: TrackRule = field(default_factory=lambda: TrackRule("published"))
    parts: tuple[str, ...] = ("train", "val")

    def check(self) -> None:
        """Refuse a folder of another kind.

        Raises:
            ValueError: If a folder is missing.
        """
        needed = [self.data_dir / name for name in (SPLIT_DIR, TRACKS_DIR, LOOKS_DIR)]
        for folder in (self.data_dir, *needed):
            if not folder.is_dir():
                raise ValueError(
                    f"no folder {folder}; expected the data folder of GazePose or "
                    "the Ego4D baseline, with json/av_train.json and av_val.json, or with split, "
                    "json_original and result_LAM: data.raw_dir=FOLDER"
                )

    def clips(self, part: str) -> list[str]:
        """Return a part's clips, in the order of its list.

        Raises:
            ValueError: If a folder or the list is missing, or it names no clip.
        """
        self.check()
        path = self.data_dir / SPLIT_DIR / f"{part}.list"
        if not path.is_file():
            raise ValueError(
                f"no split list {path}, which the {part} part needs: copy it there, or leave the "
                "part out with data.reader.parts=[...]"
            )
        return read_split_list(path)

    def count(self, clip_uid: str) -> int:
        """Return how many frames the clip's tracks have; errors as `tracks`."""
        return sum(len(track) for track in self.tracks(clip_uid)[0])

    def tracks(self, clip_uid: str) -> tuple[tuple[FaceTrack, ...], tuple[Skipped, ...]]:
        """Return a clip's tracks in the order of their names, and what was left out.

        A track file that is no JSON is left out as a whole.

        Raises:
            ValueError: If the clip has no folder of tracks, its labels are damaged, or its tracks
                would be longer than memory holds.
        """
        folder = self.data_dir / TRACKS_DIR / clip_uid
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}: run the baseline's get_json.py for this clip")
        looks, malformed = read_looks(self.data_dir / LOOKS_DIR / f"{clip_uid}.json")
        raws: list[RawTrack] = []
        skipped = malformed_entries(clip_uid, "", malformed)
        for path in sorted(folder.glob("*.json")):
            try:
                raw, malformed = read_track(path)
            except ValueError as error:
                skipped.append(Skipped(f"{clip_uid}:{path.stem}", path.stem, clip_uid, str(error)))
                continue
            raws.append(raw)
            skipped += malformed_entries(clip_uid, path.stem, malformed)
        tracks: list[FaceTrack] = []
        try:
            for found, dropped in all_tracks(raws, looks, self.rule):
                tracks += found
                skipped += [skipped_box(clip_uid, box) for box in dropped]
        except ValueError as error:
            raise ValueError(f"{folder}: {error}") from error
        return tuple(tracks), tuple(skipped)

    def digest(self, clip_uid: str) -> str:
        """Return a digest of the files that `tracks` reads: another text, another content."""
        looks = self.data_dir / LOOKS_DIR / f"{clip_uid}.json"
        tracks = sorted((self.data_dir / TRACKS_DIR / clip_uid).glob("*.json"))
        return files_digest([*tracks, *([looks] if looks.is_file() else [])])

    def findings(self) -> list[Finding]:
        """Say what is missing or inconsistent."""
        try:
            clips = {part: self.clips(part) for part in self.parts}
            check_disjoint(clips)
        except ValueError as error:
            return [Finding("error", str(error), str(self.data_dir))]
        return [f for part in clips for f in trackless_clips(self.data_dir, part, clips[part])]


def read_track(path: Path) -> tuple[RawTrack, list[str]]:
    """Read ``json_original/<clip>/<track>.json``.

    Returns:
        The track, and what of it is not as ``get_json.py`` writes it.

    Raises:
        ValueError: If it is no list.
    """
    entries = JsonEntries()
    needed = ("frameNumber", "Person ID", *BOX_KEYS)
    rows = []
    for place, row in entries.boxes({_ROWS: _read_rows(path)}, _ROWS, needed=needed):
        if frame_number(row["frameNumber"]) is None:
            entries.note(f"{place}.frameNumber", row["frameNumber"])
        elif id_text(row["Person ID"]) is None:
            entries.note(f"{place}.Person ID", row["Person ID"])
        else:
            rows.append(row)
    track = RawTrack(
        path.stem,
        [id_text(row["Person ID"]) or "" for row in rows],
        np.array([frame_number(row["frameNumber"]) for row in rows], dtype=np.int64),
        np.array([box_place(row, BOX_KEYS) for row in rows], dtype=np.float64).reshape(-1, 4),
    )
    return track, entries.malformed


def read_looks(path: Path) -> tuple[Segments, list[str]]:
    """Read ``result_LAM/<clip>.json``.

    Returns:
        By person, (first, last) frames of looking at the camera, and what is not as
        ``get_lam_result.py`` writes it. Nothing if there is no file: the baseline writes none for
        a clip in which nobody looks, and then cannot read the clip.

    Raises:
        ValueError: If it is no list.
    """
    if not path.is_file():
        return {}, []
    entries = JsonEntries()
    looks: dict[str, list[tuple[int, int]]] = {}
    for place, row in entries.objects({_ROWS: _read_rows(path)}, _ROWS):
        first, last = (frame_number(row.get(key)) for key in ("start_frame", "end_frame"))
        person_id = id_text(row.get("label"))
        if first is None or last is None or not person_id:
            entries.note(place, row)
        else:
            looks.setdefault(person_id, []).append((first, last))
    return looks, entries.malformed


def _read_rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = read_json(path)
    except ValueError as error:
        # The scripts append, so that a second run leaves two documents in one file.
        hint = (
            "the baseline's script ran twice and appended: delete it and run the script again"
            if "Extra data" in str(error)
            else "it is cut short or damaged"
        )
        raise ValueError(f"{error}: {hint}") from error
    if not isinstance(rows, list):
        raise ValueError(f"{path} holds a {type(rows).__name__}, expected a list")
    return rows
