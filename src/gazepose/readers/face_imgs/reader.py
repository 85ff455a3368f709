"""GazePose's own tree, whatever of it is there: see `gazepose.readers.face_imgs.files`."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from common.preprocessing.findings import Finding
from gazepose.readers.ego4d.annotated_clips import AnnotatedClips
from gazepose.readers.ego4d.reader import Ego4DVideos
from gazepose.readers.face_imgs.annotated import AnnotatedFaces, CutFaces, FaceImages
from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.readers.face_imgs.files import TreeFiles
from gazepose.readers.joined import JoinedReader
from gazepose.readers.json_prior.files import BringsPriors, PriorFiles
from gazepose.readers.tracks import RuleName, TrackRule
from gazepose.readers.videos_challenge import CHALLENGE_DIR, VideosChallengeReader
from gazepose.readers.videos_challenge import PART as TEST

_ANNOTATED = ("train", "val")


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
        parts: Sequence[str] = (*_ANNOTATED, TEST),
        track_rule: RuleName = "published",
    ) -> None:
        if not parts or not set(parts) <= {*_ANNOTATED, TEST}:
            raise ValueError(
                f"data.reader.parts is {list(parts)}, expected some of train, val, test"
            )
        self._tree = TreeFiles.locate(Path(raw_dir))
        self.raw_dir = self._tree.data_dir
        self.parts = tuple(parts)
        self._rule = TrackRule(track_rule)

    def prior_files(self) -> Mapping[str, PriorFiles]:
        """Return the parts' prior files; see `BringsPriors`."""
        return {part: f for reader in self._readers for part, f in reader.prior_files().items()}

    def prior_files_of(self, group: str) -> PriorFiles:
        """Return the prior files of a group's part; see `BringsPriors`."""
        reader = self._reader_of[group]
        assert isinstance(reader, BringsPriors)
        return reader.prior_files_of(group)

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without opening the images."""
        findings = self._tree.findings() + super().doctor()
        if TEST in self.parts and len(self._readers) == 1:
            what = f"no folder {CHALLENGE_DIR}: no test part"
            findings.append(Finding(self._severity_of_no_test, what, str(self.raw_dir)))
        return findings

    @cached_property
    def _readers(self) -> Sequence[AnnotatedFaces | VideosChallengeReader]:
        challenge = self._tree.challenge_dir
        if TEST not in self.parts or challenge is None:
            return [self._annotated()]
        return [self._annotated(), VideosChallengeReader(challenge, self._tree.prior_dir)]

    def _annotated(self) -> AnnotatedFaces:
        tree, parts = self._tree, tuple(part for part in self.parts if part != TEST)
        clips = AnnotatedClips(tree.data_dir, parts, self._rule)
        if tree.has_annotations and not tree.has_faces:
            return CutFaces(tree, parts, Ego4DVideos(clips))
        if tree.has_annotations and not tree.has_written_tracks:
            return FaceImages(tree, parts, clips)
        return FaceImages(tree, parts, BaselineTracks(tree.data_dir, self._rule, parts))
