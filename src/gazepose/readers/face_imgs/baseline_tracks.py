"""The originals' own intermediate files: tracks and labels as their label scripts write them.

``split/<part>.list`` names clips, ``json_original/<clip>/<track>.json`` holds a track's boxes and
``result_LAM/<clip>.json`` who looks at the camera when. With the published rule the samples are
those of the original's ``make_dataset``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.files.checksums import files_digest
from common.files.foreign_files import read_json
from common.listing import counted_names
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.face_imgs.files import LOOKS_DIR, SPLIT_DIR, TRACKS_DIR
from gazepose.readers.json_entries import JsonEntries, id_text, malformed_entries
from gazepose.readers.split_lists import check_disjoint, read_split_list
from gazepose.readers.track_boxes import BOX_KEYS, RawTrack, frame_number, skipped_box
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

    def clips(self, part: str) -> list[str]:
        """Return a part's clips, in the order of its list.

        Raises:
            ValueError: If a folder or the list is missing, or it names no clip.
        """
        needed = [self.data_dir / name for name in (SPLIT_DIR, TRACKS_DIR, LOOKS_DIR)]
        for folder in (self.data_dir, *needed):
            if not folder.is_dir():
                raise ValueError(
                    f"no folder {folder}; expected the data folder of GazePose or "
                    "the Ego4D baseline, with json/av_train.json and av_val.json, or with split, "
                    "json_original and result_LAM: data.raw_dir=FOLDER"
                )
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
        try:
            tracks, dropped = all_tracks(raws, looks, self.rule)
        except ValueError as error:
            raise ValueError(f"{folder}: {error}") from error
        skipped += [skipped_box(clip_uid, box) for box in dropped]
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
        return [f for part, of_part in clips.items() for f in self._findings(part, of_part)]

    def _findings(self, part: str, clips: list[str]) -> Iterator[Finding]:
        """Say which clips the label scripts wrote nothing for."""
        tracks, looks = self.data_dir / TRACKS_DIR, self.data_dir / LOOKS_DIR
        where = str(self.data_dir)
        yield Finding("note", f"{part}: {len(clips)} clips", where)
        without = [clip for clip in clips if not (tracks / clip).is_dir()]
        if without:
            what = counted_names(without, f"clips without tracks in {TRACKS_DIR}")
            yield Finding("error", f"{part}: {what}", where)
        unseen = [clip for clip in clips if not (looks / f"{clip}.json").is_file()]
        if unseen:
            nobody = f"clips without a file in {LOOKS_DIR}: nobody looks at the camera"
            yield Finding("warning", f"{part}: {counted_names(unseen, nobody)}", where)


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
    persons = [id_text(row["Person ID"]) or "" for row in rows]
    return RawTrack.of(path.stem, persons, rows, "frameNumber"), entries.malformed


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
        raise ValueError(
            f"{error}: it is cut short or damaged, or the baseline's script ran twice and "
            "appended; delete it and run the script again"
        ) from error
    if not isinstance(rows, list):
        raise ValueError(f"{path} holds a {type(rows).__name__}, expected a list")
    return rows
