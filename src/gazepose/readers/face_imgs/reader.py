"""GazePose's own tree, whatever of it is there: see `gazepose.readers.face_imgs.files`."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from common.preprocessing.findings import Finding
from gazepose.readers.ego4d.clips import AnnotatedClips
from gazepose.readers.ego4d.joined import PARTS, JoinedReader
from gazepose.readers.ego4d.reader import Ego4DVideos
from gazepose.readers.face_imgs.annotated import AnnotatedFaces, CutFaces, FaceImages
from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.readers.face_imgs.files import TreeFiles
from gazepose.readers.json_prior.files import PriorFiles
from gazepose.readers.tracks import RuleName, TrackRule
from gazepose.readers.videos_challenge import VideosChallengeReader, find_challenge_dir


class FaceImgsReader(JoinedReader):
    """Reads the tree.

    Face images are taken as they are, with the tracks and labels that the label scripts wrote, or
    what they would write from the annotations. Where there are none, the annotations' faces are
    cut from the videos, or from the images of their frames.

    Args:
        raw_dir: the folder ``data``, the one that holds it, or one in it.
        parts: which of train, val and test. A clip may be in one part only; test only where
            ``videos_challenge`` lies in ``data`` or beside it.
        track_rule: ``published`` or ``repaired``; see `gazepose.readers.tracks.TrackRule`.

    Raises:
        ValueError: If a part has no such name.
    """

    name = "face_imgs"

    def __init__(
        self,
        raw_dir: str | Path,
        *,
        parts: Sequence[str] = PARTS,
        track_rule: RuleName = "published",
    ) -> None:
        self._tree = TreeFiles.locate(Path(raw_dir))
        super().__init__(self._tree.data_dir, parts)
        self._rule = TrackRule(track_rule)

    def prior_files(self) -> Mapping[str, PriorFiles]:
        """Return the parts' prior files."""
        return {p: files for reader in self._readers for p, files in reader.prior_files().items()}

    def prior_files_of(self, group: str) -> PriorFiles | None:
        """Return the prior files of a group's part."""
        return self._reader_of[group].prior_files_of(group)

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without opening the images."""
        return self._tree.findings() + super().doctor()

    def _challenge(self) -> VideosChallengeReader:
        root = find_challenge_dir(self.raw_dir, is_beside=True)
        return VideosChallengeReader(root, self._tree.prior_dir)

    @cached_property
    def _annotated(self) -> AnnotatedFaces:
        tree, parts = self._tree, self.annotated_parts
        clips = AnnotatedClips(tree.data_dir, parts, self._rule)
        if tree.has_annotations and not tree.has_faces:
            return CutFaces(tree, parts, Ego4DVideos(clips))
        if tree.has_annotations and not tree.has_written_tracks:
            return FaceImages(tree, parts, clips)
        return FaceImages(tree, parts, BaselineTracks(tree.data_dir, self._rule, parts))
