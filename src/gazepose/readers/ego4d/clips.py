"""The clips that an Ego4D folder's annotations hold: their tracks, and who looks when."""

import logging
from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from common.files.foreign_files import is_name
from common.listing import counted_names, listed
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.ego4d.annotation import ClipAnnotation, clip_uid_of, parse_clip
from gazepose.readers.ego4d.doctor import examine
from gazepose.readers.ego4d.files import Ego4DFiles
from gazepose.readers.ego4d.spans import ClipSpan, iterate_clips, read_clip
from gazepose.readers.split_lists import check_disjoint, read_split_list, rebuilt_list
from gazepose.readers.tracks import TrackRule

LOG = logging.getLogger(__name__)


class ClipEntry(NamedTuple):
    """A clip that a part wants.

    Attributes:
        part: train or val.
        span: where its annotations lie; None if no file has them.
        num_rows: frames of its tracks, gaps filled; 0 if its annotations are damaged.
    """

    part: str
    span: ClipSpan | None
    num_rows: int


@dataclass
class AnnotatedClips:
    """Clips of train and val.

    The annotations are gone through once, where the clips are listed; after that it is known
    where in the files each clip lies, and a worker process parses its own clips alone. The fields
    are as of `gazepose.readers.ego4d.reader.Ego4DReader`.
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
        """The clips in their lists' order: train, val.

        Those that a list names and no file has are among them: they will fail, and be reported,
        one by one.

        Raises:
            ValueError: If a part's annotations are missing or damaged, its list is empty, or a
                clip is in two lists.
        """
        annotated = {part: self._annotated(part) for part in self.parts}
        # A list may name clips of any part's annotations; the first file that has one counts.
        known = dict(ChainMap(*annotated.values()))
        wanted = {part: self._wanted(part, clips, known) for part, clips in annotated.items()}
        check_disjoint(wanted)
        nowhere = (None, 0)
        return {
            uid: ClipEntry(part, *known.get(uid, nowhere))
            for part, clips in wanted.items()
            for uid in clips
        }

    def clips(self, part: str) -> list[str]:
        """Return a part's clips, in the order of its list; errors as `entries`."""
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
        return self.annotation(clip_uid).face_tracks(self.rule)

    def digest(self, clip_uid: str) -> str:
        """Return a digest of what `tracks` reads; errors as `annotation`."""
        return self.annotation(clip_uid).digest()

    def findings(self, *, with_videos: bool = False) -> list[Finding]:
        """Say what is missing or inconsistent; of videos where faces are to be cut from them."""
        if not self.parts:
            return []
        try:
            files = self.files
        except ValueError as error:
            return [Finding("error", str(error), str(self.raw_dir))]
        return examine(files, self.parts, self.rule, with_videos=with_videos)

    def _annotated(self, part: str) -> dict[str, tuple[ClipSpan, int]]:
        """Return the clips of a part's annotations: where each lies, and its number of rows."""
        path = self.files.annotation_path(part)
        found: dict[str, tuple[ClipSpan, int]] = {}
        for span, clip in iterate_clips(path):
            uid = clip_uid_of(clip)
            if uid in found:
                LOG.warning("%s has clip %s twice; the first counts", path, uid)
            elif not is_name(uid):
                LOG.warning("%s has a clip without a usable clip_uid (%.80r), left out", path, uid)
            else:
                found[uid] = (span, _num_rows(clip, self.rule))
        return found

    def _wanted(
        self, part: str, annotated: Collection[str], known: Mapping[str, object]
    ) -> list[str]:
        """Return the clips of a part's list, or of its annotations if there is none."""
        path = self.files.list_path(part)
        if path is None:
            rebuilt = rebuilt_list(annotated)
            LOG.info(
                "no %s.list: its %d clips are those of %s, less %d that the published list leaves "
                "out",
                part,
                len(rebuilt),
                self.files.annotation_path(part),
                len(annotated) - len(rebuilt),
            )
            return rebuilt
        clips = read_split_list(path)
        unknown = sorted(set(clips).difference(known))
        if unknown:
            LOG.warning("%s names clips without annotations: %s", path, listed(unknown))
        return clips


def _num_rows(clip: Any, rule: TrackRule) -> int:
    try:
        annotation = parse_clip(clip)
        num_rows = annotation.num_rows(rule)
    except ValueError:
        return 0  # reading the clip will say what is wrong
    if annotation.oddities.renamed_tracks:
        names = annotation.oddities.renamed_tracks
        what = counted_names(names, "tracks whose id another of its tracks has; called now")
        LOG.warning("clip %s has %s", annotation.clip_uid, what)
    return num_rows
