"""One clip of ``av_*.json``: who is seen where, and who looks at the camera when.

What the published description says and the files do not keep: ``is_at_me`` is False and ``target``
null in every row of the looking segments, so that a segment's being listed is the label; a segment
may name no person; the wearer is not always the first person.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from math import nan
from typing import Any

from common.files.foreign_files import is_name, shown
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.json_entries import JsonEntries, id_text, malformed_entries
from gazepose.readers.track_boxes import (
    NO_FRAME,
    DroppedBox,
    RawTrack,
    frame_number,
    skipped_box,
)
from gazepose.readers.tracks import Segments, TrackRule, all_tracks

_SUSPECT = "a box of a track that the annotators marked as suspect"
_WEARER_ID = "0"
_FPS_HZ = 30.0
_MAX_SHOWN = 80
# Of frames or seconds: three years.
_MAX_NUMBER = 1e8


@dataclass(frozen=True)
class Oddities:
    """What a clip's annotations hold that had to be passed over or changed.

    Attributes:
        renamed_tracks: ids that were taken, as they are called now.
        suspect_tracks: ids that the annotators marked as suspect.
        num_unowned_segments: looking segments that name no person.
        num_useless_segments: looking segments without frames, or that end before they start.
        malformed: entries that are no objects, and places of boxes that are no numbers, each as
            ``persons[0].tracking_paths[1].track[2].x is "left"``.
    """

    renamed_tracks: tuple[str, ...]
    suspect_tracks: tuple[str, ...]
    num_unowned_segments: int
    num_useless_segments: int
    malformed: tuple[str, ...]


@dataclass(frozen=True)
class ClipAnnotation:
    """A clip's annotations.

    Attributes:
        clip_uid: the clip.
        video_uid: the recording it is cut from, empty if not said.
        video_start_frame: the clip's frame 0 in the recording, None if not said.
        num_frames: by the annotations, 0 if they do not say.
        fps_hz: by the annotations, 30 if they do not say or mean it but for rounding.
        is_valid: False if the annotators say so.
        is_labelled: False if the looking segments are null: nobody looks, then.
        tracks: everybody's but the wearer's.
        looks: by person, (first, last) frames of looking at the camera, both included.
        dropped: boxes without a frame number (called -1).
        oddities: what was passed over or changed.
    """

    clip_uid: str
    video_uid: str
    video_start_frame: int | None
    num_frames: int
    fps_hz: float
    is_valid: bool
    is_labelled: bool
    tracks: tuple[RawTrack, ...]
    looks: Segments
    dropped: tuple[DroppedBox, ...]
    oddities: Oddities

    def num_rows(self, rule: TrackRule) -> int:
        """Return how many frames the tracks have, boxes outside the image included.

        Raises:
            ValueError: As `face_tracks`.
        """
        return sum(map(len, all_tracks(self.tracks, {}, rule)[0]))

    def face_tracks(
        self,
        rule: TrackRule,
        image_size: tuple[int, int] | None = None,
        *,
        keep_suspect: bool = True,
    ) -> tuple[tuple[FaceTrack, ...], tuple[Skipped, ...]]:
        """Return the labelled tracks, and what of the annotations was left out.

        `image_size` is (width, height) px of the video, None if it is not known.

        Raises:
            ValueError: If the tracks would be longer than memory holds.
        """
        suspect = () if keep_suspect else self.oddities.suspect_tracks
        kept = [raw for raw in self.tracks if raw.track_id not in suspect]
        try:
            tracks, dropped = all_tracks(kept, self.looks, rule, image_size)
        except ValueError as error:
            raise ValueError(f"clip {self.clip_uid}: {error}") from error
        marked = [
            DroppedBox(raw.track_id, int(frame), _SUSPECT)
            for raw in self.tracks
            if raw.track_id in suspect
            for frame in raw.frames
        ]
        skipped = malformed_entries(self.clip_uid, "", self.oddities.malformed)
        skipped += [skipped_box(self.clip_uid, box) for box in (*self.dropped, *marked, *dropped)]
        return tuple(tracks), tuple(skipped)

    def digest(self) -> str:
        """Return a digest of what the clip's rows depend on in its annotations."""
        sha256 = hashlib.sha256()
        for track in self.tracks:
            sha256.update(json.dumps([track.track_id, list(track.person_ids)]).encode())
            sha256.update(track.frames.tobytes())
            sha256.update(track.boxes_xywh_px.tobytes())
        rest = [sorted(self.looks.items()), self.oddities.suspect_tracks, self.video_start_frame]
        sha256.update(json.dumps(rest).encode())
        return sha256.hexdigest()


def parse_clip(clip: Any) -> ClipAnnotation:
    """Read a clip object of ``av_*.json``, of version 1 or 2.

    Raises:
        ValueError: If it is no object, lacks its ``clip_uid`` or holds something else than the
            description says. Single persons, tracks, boxes and segments are passed over instead.
    """
    uid = clip_uid_of(clip)
    if not uid:
        raise ValueError("an entry of clips has no clip_uid")
    try:
        return _parsed(clip)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"clip {uid[:_MAX_SHOWN]} is not as Ego4D's are: {error}") from error


def clip_uid_of(clip: Any) -> str:
    """Return the id of a clip object of ``av_*.json``, empty if it has none."""
    uid = clip.get("clip_uid") if isinstance(clip, dict) else None
    return uid if isinstance(uid, str) else ""


def _parsed(clip: dict[str, Any]) -> ClipAnnotation:
    tracks: list[RawTrack] = []
    dropped: list[DroppedBox] = []
    renamed: list[str] = []
    suspect: list[str] = []
    entries = JsonEntries()
    for person_id, place, path in _tracking_paths(clip, entries):
        wanted = path.get("track_id") or "unnamed"
        # Face images lie in folders of that name.
        if not (isinstance(wanted, str) and is_name(wanted)):
            entries.note(f"{place}.track_id", wanted)
            continue
        track_id = _free_name(wanted, {track.track_id for track in tracks})
        boxes = [box for _, box in entries.boxes(path, "track", f"{place}.")]
        framed = [box for box in boxes if frame_number(box.get("frame")) is not None]
        dropped += [DroppedBox(track_id, -1, NO_FRAME)] * (len(boxes) - len(framed))
        tracks.append(RawTrack.of(track_id, [person_id] * len(framed), framed, "frame"))
        renamed += [track_id] * (track_id != wanted)
        suspect += [track_id] * bool(path.get("suspect"))
    segments = [row for _, row in entries.objects(clip, "social_segments_looking")]
    looks, num_unowned, num_useless = _looks(segments)
    video_uid = clip.get("video_uid") or ""
    if video_uid and not (isinstance(video_uid, str) and is_name(video_uid)):
        raise ValueError(f"video_uid is {shown(video_uid)}, expected a name")
    return ClipAnnotation(
        clip_uid=clip["clip_uid"],
        video_uid=video_uid,
        video_start_frame=_video_start_frame(clip),
        num_frames=int(_number(clip, "clip_end_frame") or 0),
        fps_hz=_fps_hz(clip),
        is_valid=clip.get("valid") is not False,
        is_labelled=clip.get("social_segments_looking") is not None,
        tracks=tuple(tracks),
        looks=looks,
        dropped=tuple(dropped),
        oddities=Oddities(
            tuple(renamed), tuple(suspect), num_unowned, num_useless, tuple(entries.malformed)
        ),
    )


def _tracking_paths(
    clip: Mapping[str, Any], entries: JsonEntries
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (person id, place, tracking path) of everybody but the wearer."""
    for place, person in entries.objects(clip, "persons"):
        person_id = id_text(person.get("person_id"))
        if person_id is None:
            entries.note(f"{place}.person_id", person["person_id"])
            continue
        if person.get("camera_wearer") is True or person_id == _WEARER_ID:
            continue
        for path_place, path in entries.objects(person, "tracking_paths", f"{place}."):
            yield person_id, path_place, path


def _free_name(wanted: str, taken: set[str]) -> str:
    names = chain([wanted], (f"{wanted}#{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _looks(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[dict[str, list[tuple[int, int]]], int, int]:
    """Return the segments by person, and how many name nobody, and how many no frames."""
    looks: dict[str, list[tuple[int, int]]] = {}
    num_unowned = num_useless = 0
    for row in rows:
        first, last = (frame_number(row.get(key)) for key in ("start_frame", "end_frame"))
        person_id = id_text(row.get("person"))
        if not person_id:
            num_unowned += 1
        elif first is None or last is None or last < first:
            num_useless += 1
        else:
            looks.setdefault(person_id, []).append((first, last))
    return looks, num_unowned, num_useless


def _fps_hz(clip: Mapping[str, Any]) -> float:
    end_s, end_frame = _number(clip, "clip_end_sec"), _number(clip, "clip_end_frame")
    if not end_s or not end_frame or abs(end_frame - _FPS_HZ * end_s) <= 1:
        return _FPS_HZ
    return end_frame / end_s


def _number(values: Mapping[str, Any], key: str) -> float | None:
    """Return a number that the annotations may say as text, too; None for null."""
    value = values.get(key)
    if value is None or value == "":
        return None
    number = float(value) if isinstance(value, int | float | str) else nan
    if not 0 <= number <= _MAX_NUMBER:
        raise ValueError(f"{key} is {shown(value)}, expected a number from 0 on")
    return number


def _video_start_frame(clip: Mapping[str, Any]) -> int | None:
    frame, start_s = frame_number(clip.get("video_start_frame")), _number(clip, "video_start_sec")
    if frame is None and start_s is not None:
        return round(start_s * _fps_hz(clip))
    return frame
