"""Ego4D's social benchmark as downloaded: clips, tracks of faces, who looks at the camera.

Train and val are videos with ``av_train.json`` and ``av_val.json``; test is the challenge's tree
of face images, read by `gazepose.readers.videos_challenge`.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import Clip
from gazepose.readers.ego4d.annotated_clips import AnnotatedClips
from gazepose.readers.ego4d.annotation import ClipAnnotation, annotation_digest
from gazepose.readers.ego4d.clips import clip_tracks
from gazepose.readers.ego4d.files import download_command
from gazepose.readers.ego4d.video_check import check_length, check_video
from gazepose.readers.frame_images import picture_info, picture_size
from gazepose.readers.joined import JoinedReader
from gazepose.readers.sample import RawFace, RawReader
from gazepose.readers.tracks import RuleName, TrackRule
from gazepose.readers.videos_challenge import VideosChallengeReader, find_challenge_dir

LOG = logging.getLogger(__name__)

TEST = "test"
_PARTS = ("train", "val", TEST)


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
        parts: Sequence[str] = _PARTS,
        track_rule: RuleName = "repaired",
        max_gap: int | None = 15,
        frame_offset: int = 0,
        keep_suspect: bool = True,
        check_length: bool = True,
    ) -> None:
        strange = [part for part in parts if part not in _PARTS]
        if strange or not parts:
            raise ValueError(f"data.reader.parts is {list(parts)}, expected some of {_PARTS}")
        if frame_offset not in (0, 1):
            raise ValueError(
                f"data.reader.frame_offset is {frame_offset}, expected 0, or 1 as the baseline"
            )
        self.raw_dir = Path(raw_dir)
        self.parts = tuple(parts)
        annotated = AnnotatedClips(
            self.raw_dir,
            tuple(part for part in parts if part != TEST),
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

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without decoding the videos."""
        findings = super().doctor()
        if TEST in self.parts and len(self._readers) == 1:
            what = f"{TEST}: no videos_challenge, or it is still packed"
            command = download_command(self.raw_dir, "social_test")
            remedy = f"for a submission: {command}, and unpack it"
            findings.append(Finding(self._severity_of_no_test, what, str(self.raw_dir), remedy))
        return findings

    @cached_property
    def _readers(self) -> Sequence[RawReader]:
        if TEST not in self.parts:
            return [self._videos]
        try:
            return [self._videos, VideosChallengeReader(find_challenge_dir(self.raw_dir))]
        except ValueError as error:
            LOG.info("no test part: %s", error)
            return [self._videos]


@dataclass
class Ego4DVideos(RawReader):
    """Reads train and val.

    Attributes:
        annotated: the clips.
        frame_offset: 0 or 1, as of `Ego4DReader`, and so are the others.
        keep_suspect: keep tracks that the annotators marked.
        check_length: refuse a clip whose video is of another length.
    """

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
        check_video(path, info, annotation)
        if self.check_length:
            check_length(path, info, annotation, start)
        size = info.width, info.height
        tracks, skipped = clip_tracks(annotation, self.annotated.rule, size, self.keep_suspect)
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
        return f"{entry.part} {annotation_digest(annotation)} {picture_size(path)}"

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without decoding the videos."""
        return self.annotated.findings(with_videos=True)

    def _video(self, annotation: ClipAnnotation) -> tuple[Path, int | None]:
        return self.annotated.files.find_video(
            annotation.clip_uid, annotation.video_uid, annotation.video_start_frame
        )
