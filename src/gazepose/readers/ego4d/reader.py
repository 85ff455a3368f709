"""Ego4D's social benchmark as downloaded: clips, tracks of faces, who looks at the camera.

Train and val are videos with ``av_train.json`` and ``av_val.json``; test is the challenge's tree
of face images, read by `gazepose.readers.videos_challenge`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import Clip
from gazepose.readers.ego4d.annotation import ClipAnnotation
from gazepose.readers.ego4d.clips import AnnotatedClips
from gazepose.readers.ego4d.joined import PARTS, JoinedReader
from gazepose.readers.ego4d.video_check import check_video
from gazepose.readers.frame_images import picture_info, picture_size
from gazepose.readers.sample import RawFace, RawReader
from gazepose.readers.tracks import RuleName, TrackRule


class Ego4DReader(JoinedReader):
    """Reads Ego4D, clip by clip.

    The defaults repair what the Ego4D baseline does to the annotations. As the baseline:
    ``track_rule=published frame_offset=1``.

    Args:
        raw_dir: where the downloader wrote, or its ``v2`` or ``v1`` folder; or the folder ``data``
            of the Ego4D baseline and GazePose, or the one that holds it.
        annotations_dir: holds ``av_*.json``; found under `raw_dir` if not given. Give a folder
            ``annotations_540ss`` to read the videos of ``video_540ss``.
        split_dir: holds ``train.list`` and ``val.list``; found under `raw_dir` if not given, and
            rebuilt from the annotations if there is none.
        parts: which of train, val and test; test only where the challenge's tree is there.
        track_rule: ``repaired`` or ``published``: what becomes of gaps, doubled frames and boxes
            beyond the image, see `gazepose.readers.tracks.TrackRule`.
        max_gap: missing frames over which the repaired rule interpolates; a track is split over
            longer gaps. Null interpolates over any.
        frame_offset: 0 takes an annotated frame's own image; 1 the one before, as the baseline
            does by counting images from 1, and leaves out frame 0.
        keep_suspect: keep tracks that the annotators marked as suspect, as the baseline does.
        check_length: refuse a clip whose video is longer or shorter than its annotations.

    Raises:
        ValueError: If an option has no such value.
    """

    name = "ego4d"

    def __init__(
        self,
        raw_dir: str | Path,
        *,
        annotations_dir: str | Path | None = None,
        split_dir: str | Path | None = None,
        parts: Sequence[str] = PARTS,
        track_rule: RuleName = "repaired",
        max_gap: int | None = 15,
        frame_offset: int = 0,
        keep_suspect: bool = True,
        check_length: bool = True,
    ) -> None:
        super().__init__(Path(raw_dir), parts)
        if frame_offset not in (0, 1):
            raise ValueError(
                f"data.reader.frame_offset is {frame_offset}, expected 0, or 1 as the baseline"
            )
        annotated = AnnotatedClips(
            self.raw_dir,
            self.annotated_parts,
            TrackRule(track_rule, max_gap, min_frame=frame_offset),
            None if annotations_dir is None else Path(annotations_dir),
            None if split_dir is None else Path(split_dir),
        )
        self._videos = Ego4DVideos(
            annotated,
            frame_offset=frame_offset,
            keep_suspect=keep_suspect,
            check_length=check_length,
        )

    def clip(self, group: str) -> Clip:
        """Return a clip of train or val; errors as `Ego4DVideos.clip`."""
        return self._videos.clip(group)

    @property
    def _annotated(self) -> RawReader:
        return self._videos


@dataclass
class Ego4DVideos(RawReader):
    """Reads train and val; the options are those of `Ego4DReader`."""

    annotated: AnnotatedClips
    frame_offset: int = 0
    keep_suspect: bool = True
    check_length: bool = True
    name: str = "ego4d"

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""
        is_repaired = self.annotated.rule.name == "repaired"
        return {
            "track_rule": self.annotated.rule.name,
            "max_gap": self.annotated.rule.max_gap if is_repaired else None,
            "frame_offset": self.frame_offset,
            "keep_suspect": self.keep_suspect,
        }

    def groups(self) -> list[str]:
        """Return the clips in their lists' order: train, val.

        Raises:
            ValueError: If annotations are missing or damaged, a list is empty, or a clip is in two
                parts.
        """
        return list(self.annotated.entries)

    def count(self, group: str) -> int:
        """Return how many frames the clip's tracks have."""
        return self.annotated.count(group)

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the clip's rows, track by track; errors as `clip`."""
        yield from self.clip(group).rows()

    def clip(self, group: str) -> Clip:
        """Return a clip.

        Raises:
            ValueError: If its annotations or its video are missing or damaged, or do not belong
                together.
        """
        entry = self.annotated.entries[group]
        annotation = self.annotated.annotation(group)
        path, start = self._video(annotation)
        info = picture_info(path)
        check_video(path, info, annotation, start, check_length=self.check_length)
        size = info.width, info.height
        tracks, skipped = annotation.face_tracks(
            self.annotated.rule, size, keep_suspect=self.keep_suspect
        )
        first = (start or 0) - self.frame_offset
        return Clip(group, entry.part, path, first, tracks, skipped)

    def fingerprint(self, group: str) -> str | None:
        """Return the clip's part, a digest of its annotations, and the size of its video.

        None without the video.

        Raises:
            ValueError: If its annotations are missing or damaged.
        """
        entry = self.annotated.entries[group]
        annotation = self.annotated.annotation(group)
        try:
            path, _ = self._video(annotation)
        except ValueError:
            return None
        return f"{entry.part} {annotation.digest()} {picture_size(path)}"

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without decoding the videos."""
        return self.annotated.findings(with_videos=True)

    def _video(self, annotation: ClipAnnotation) -> tuple[Path, int | None]:
        return self.annotated.files.find_video(
            annotation.clip_uid, annotation.video_uid, annotation.video_start_frame
        )
