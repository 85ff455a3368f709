"""What the doctor of Ego4D calls what it saw in single clips and tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Wording:
    """How a kind of case is reported.

    Attributes:
        severity: of the finding.
        what: the cases in the plural.
        remedy: what to do; may name ``{download}`` and ``{split}``.
    """

    severity: Literal["error", "warning", "note"]
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
        "download clips or full_scale, or give data.reader.annotations_dir=.../annotations_540ss",
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
        "warning",
        "clips without a start in their whole video",
        "they fail; {download}",
    ),
    "other_length": Wording(
        "warning",
        "videos whose length is not the annotations'",
        "they fail; download them again, or data.reader.check_length=false takes them as they are",
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
        "note", "tracks marked as suspect", "data.reader.keep_suspect=false leaves them out"
    ),
    "long_gap": Wording(
        "note",
        "tracks with gaps longer than max_gap",
        "{split}",
    ),
}
