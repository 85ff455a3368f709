"""A look at every clip of a part: its annotations, and the header of its video.

What is seen in single clips and tracks is counted by kind; `WORDINGS` says what a kind is.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from common.media.video import VideoInfo
from common.preprocessing.findings import Severity
from gazepose.readers.ego4d.annotation import ClipAnnotation, parse_clip
from gazepose.readers.ego4d.files import USE_FULL_SCALE, Ego4DFiles, NoVideoError
from gazepose.readers.ego4d.video_check import video_cases
from gazepose.readers.frame_images import picture_info
from gazepose.readers.tracks import TrackRule, all_tracks


class Wording(NamedTuple):
    """How a kind of case is reported.

    Attributes:
        severity: of the finding.
        what: the cases in the plural.
        remedy: what to do; may name ``{download}`` and ``{split}``.
    """

    severity: Severity
    what: str
    remedy: str = ""


WORDINGS = {
    "malformed": Wording(
        "warning", "clips whose annotations cannot be read", "they fail; download them again"
    ),
    "malformed_entry": Wording(
        "warning", "places where annotations are malformed", "they are passed over"
    ),
    "no_video": Wording("warning", "clips without a video", "they fail; {download}"),
    "small_video": Wording(
        "error",
        "clips there as video_540ss only, while the boxes are full-scale pixels",
        USE_FULL_SCALE,
    ),
    "reduced_video": Wording(
        "error",
        "videos smaller than what the boxes were drawn on",
        "they fail; download clips or full_scale, not video_540ss",
    ),
    "unreadable_video": Wording(
        "warning", "videos that cannot be opened", "they fail; download them again"
    ),
    "other_rate": Wording(
        "error",
        "videos whose frame rate is not the annotations'",
        "they fail; ffmpeg -i IN.mp4 -vf fps=30 OUT.mp4",
    ),
    "short_video": Wording(
        "warning",
        "videos with boxes after their end",
        "boxes past the end have no image; the download may have been cut short",
    ),
    "no_start": Wording(
        "warning", "clips without a start in their whole video", "they fail; {download}"
    ),
    "other_length": Wording(
        "warning",
        "videos whose length is not the annotations'",
        "they fail; download them again, or data.reader.check_length=false (of data=ego4d) takes "
        "them as they are",
    ),
    "odd_length": Wording(
        "warning",
        "videos that are some frames off the annotations",
        "if frames are missing before the end, labels lie on other images",
    ),
    "cut_video": Wording(
        "warning",
        "videos whose file was cut short",
        "the frames after the cut have no image; download them again",
    ),
    "invalid": Wording(
        "warning",
        "clips that the annotators marked as not valid",
        "they are used all the same; take them out of the list",
    ),
    "unlabelled": Wording("note", "clips whose looking segments are null: nobody looks"),
    "no_tracks": Wording("note", "clips in which nobody is tracked"),
    "unowned": Wording("note", "clips with looking segments of nobody, which are passed over"),
    "useless": Wording("note", "clips with looking segments without frames, passed over"),
    "unseen": Wording("note", "clips with looking segments of persons without a track"),
    "renamed": Wording("warning", "tracks whose id another track of the clip has; renamed"),
    "suspect": Wording(
        "note",
        "tracks marked as suspect",
        "data.reader.keep_suspect=false (of data=ego4d) leaves them out",
    ),
    "long_gap": Wording("note", "tracks with gaps longer than max_gap", "{split}"),
}


@dataclass
class PartSurvey:
    """What was seen in a part's clips.

    Attributes:
        num_clips: clips with annotations.
        num_tracks: tracks, as the rule makes them.
        num_frames: frames of the tracks.
        num_positive: those in which the person looks at the camera.
        num_dropped: boxes left out, by reason.
        cases: by kind, as `WORDINGS` has them, the clips or tracks it was seen in.
    """

    num_clips: int = 0
    num_tracks: int = 0
    num_frames: int = 0
    num_positive: int = 0
    num_dropped: Counter[str] = field(default_factory=Counter)
    cases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def look_at(self, clip: Any, files: Ego4DFiles | None, rule: TrackRule) -> None:
        """Add a clip object of ``av_*.json``, and its video, if there are `files` to find it in."""
        try:
            annotation = parse_clip(clip)
            annotation.num_rows(rule)
        except ValueError as error:
            self.cases["malformed"].append(str(error))
            return
        self.num_clips += 1
        info = None if files is None else self._look_at_video(annotation, files)
        self._look_at_tracks(annotation, rule, info)
        self._look_at_oddities(annotation, rule)

    def _look_at_video(self, annotation: ClipAnnotation, files: Ego4DFiles) -> VideoInfo | None:
        uid = annotation.clip_uid
        try:
            path, start = files.find_video(uid, annotation.video_uid, annotation.video_start_frame)
        except NoVideoError as error:
            self.cases[error.kind].append(uid)
            return None
        try:
            info = picture_info(path)
        except ValueError as error:
            self.cases["unreadable_video"].append(str(error))
            return None
        for kind, what in video_cases(info, annotation, start):
            self.cases[kind].append(f"{uid} ({what})")
        return info

    def _look_at_tracks(
        self, annotation: ClipAnnotation, rule: TrackRule, info: VideoInfo | None
    ) -> None:
        size = None if info is None else (info.width, info.height)
        tracks, dropped = all_tracks(annotation.tracks, annotation.looks, rule, size)
        self.num_tracks += len(tracks)
        self.num_frames += sum(map(len, tracks))
        self.num_positive += sum(int(np.count_nonzero(t.labels == 1)) for t in tracks)
        self.num_dropped.update(box.reason for box in (*annotation.dropped, *dropped))

    def _look_at_oddities(self, annotation: ClipAnnotation, rule: TrackRule) -> None:
        uid, odd = annotation.clip_uid, annotation.oddities
        named = {"renamed": odd.renamed_tracks, "suspect": odd.suspect_tracks}
        named["long_gap"] = tuple(_with_long_gaps(annotation, rule))
        named["malformed_entry"] = odd.malformed
        for kind, names in named.items():
            self.cases[kind] += [f"{uid}:{name}" for name in names]
        persons = {person for track in annotation.tracks for person in track.person_ids}
        clips = {
            "invalid": not annotation.is_valid,
            "unlabelled": not annotation.is_labelled,
            "no_tracks": not annotation.tracks,
            "unowned": odd.num_unowned_segments > 0,
            "useless": odd.num_useless_segments > 0,
            "unseen": not persons.issuperset(annotation.looks),
        }
        for kind, is_so in clips.items():
            self.cases[kind] += [uid] * is_so


def _with_long_gaps(annotation: ClipAnnotation, rule: TrackRule) -> list[str]:
    longest = np.inf if rule.max_gap is None else rule.max_gap + 1
    return [
        track.track_id
        for track in annotation.tracks
        if len(track.frames)
        and np.diff(np.sort(track.frames), prepend=track.frames.min()).max() > longest
    ]
