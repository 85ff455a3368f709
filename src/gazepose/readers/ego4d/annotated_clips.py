"""The clips that an Ego4D folder's annotations hold: their tracks, and who looks when."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.ego4d.annotation import ClipAnnotation, annotation_digest, parse_clip
from gazepose.readers.ego4d.clips import ClipEntry, clip_tracks, find_clips
from gazepose.readers.ego4d.doctor import examine
from gazepose.readers.ego4d.files import Ego4DFiles
from gazepose.readers.ego4d.spans import read_clip
from gazepose.readers.tracks import TrackRule


@dataclass
class AnnotatedClips:
    """Clips of train and val.

    The annotations are gone through once, where the clips are listed; after that it is known
    where in the files each clip lies, and a worker process parses its own clips alone.

    Attributes:
        raw_dir: as of `gazepose.readers.ego4d.reader.Ego4DReader`, and so are the others.
        parts: of train and val.
        rule: what becomes of the boxes.
        annotations_dir: where ``av_*.json`` lie; None finds them.
        split_dir: where the lists lie; None finds them.
    """

    raw_dir: Path
    parts: tuple[str, ...]
    rule: TrackRule
    annotations_dir: Path | None = None
    split_dir: Path | None = None

    @cached_property
    def files(self) -> Ego4DFiles:
        """Where everything lies; ValueError if there are no annotations."""
        return Ego4DFiles.locate(self.raw_dir, self.annotations_dir, self.split_dir)

    @cached_property
    def entries(self) -> dict[str, ClipEntry]:
        """The clips in their lists' order: train, val; errors as `find_clips`."""
        return find_clips(self.files, self.parts, self.rule) if self.parts else {}

    def clips(self, part: str) -> list[str]:
        """Return a part's clips, in the order of its list; errors as `find_clips`."""
        return [uid for uid, entry in self.entries.items() if entry.part == part]

    def count(self, clip_uid: str) -> int:
        """Return how many frames the clip's tracks have."""
        return self.entries[clip_uid].num_rows

    def annotation(self, clip_uid: str) -> ClipAnnotation:
        """Return what the annotations hold of a clip.

        Raises:
            ValueError: If that is nothing, or damaged.
        """
        entry = self.entries[clip_uid]
        if entry.span is None:
            raise ValueError(
                f"{entry.part}.list names clip {clip_uid}, which no av_*.json of "
                f"{self.files.annotations_dir} has: take it out of the list, or download the "
                "annotations again"
            )
        annotation = parse_clip(read_clip(entry.span))
        if annotation.clip_uid != clip_uid:
            raise ValueError(f"{entry.span.path} changed while it was in use: run again")
        return annotation

    def tracks(self, clip_uid: str) -> tuple[tuple[FaceTrack, ...], tuple[Skipped, ...]]:
        """Return a clip's tracks and what was left out, its video unseen; errors as `annotation`.

        With the published rule they are those that the baseline's scripts write to
        ``json_original`` and ``result_LAM``.
        """
        return clip_tracks(self.annotation(clip_uid), self.rule, None, keep_suspect=True)

    def digest(self, clip_uid: str) -> str:
        """Return a digest of what `tracks` reads; errors as `annotation`."""
        return annotation_digest(self.annotation(clip_uid))

    def findings(self, *, with_videos: bool = False) -> list[Finding]:
        """Say what is missing or inconsistent.

        Args:
            with_videos: whether faces are to be cut from videos.
        """
        if not self.parts:
            return []
        try:
            files = self.files
        except ValueError as error:
            return [Finding("error", str(error), str(self.raw_dir))]
        return examine(files, self.parts, self.rule, with_videos=with_videos)
