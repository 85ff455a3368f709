"""The originals' own tree of face images, with their tracks, labels and prior files.

::

    data/
      split/<part>.list                    clips of a part
      json_original/<clip>/<track>.json    boxes
      result_LAM/<clip>.json               who looks at the camera when
      face_imgs/<clip>/<track>/face_XXXXX.jpg
      json_prior/                          `gazepose.readers.json_prior.files`
    videos_challenge/                      the test set,
    `gazepose.readers.videos_challenge`
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import FaceTrack
from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.readers.face_imgs.doctor import FACES_DIR, part_findings
from gazepose.readers.joined import JoinedReader
from gazepose.readers.json_prior.clip_priors import ClipPriors
from gazepose.readers.json_prior.files import PRIOR_DIR, PriorFiles, mixed_ranks
from gazepose.readers.sample import BringsPriors, RawFace, RawReader
from gazepose.readers.source_digest import image_names, plain_digest
from gazepose.readers.split_lists import check_disjoint
from gazepose.readers.tracks import RuleName, TrackRule, source_track_id
from gazepose.readers.videos_challenge import CHALLENGE_DIR, VideosChallengeReader
from gazepose.readers.videos_challenge import PART as TEST

DATA_DIR = "data"
_ANNOTATED = ("train", "val")


class FaceImgsReader(JoinedReader):
    """Reads face images and tracks of the originals.

    Args:
        raw_dir: the folder ``data``, or the one that holds it.
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
        raw_dir = Path(raw_dir)
        self._data_dir = raw_dir / DATA_DIR if (raw_dir / DATA_DIR).is_dir() else raw_dir
        self._parts = tuple(parts)
        annotated = tuple(part for part in parts if part != TEST)
        self._annotated = AnnotatedFaceImgs(self._data_dir, annotated, TrackRule(track_rule))

    def missing_priors(self, wanted: Collection[str]) -> list[Finding]:
        """Return an error for each prior file that a part lacks; see `BringsPriors`."""
        return [f for reader in self._readers for f in reader.missing_priors(wanted)]

    def prior_sizes(self, group: str, wanted: Collection[str]) -> dict[str, int]:
        """Return the sizes of the prior files in use; see `BringsPriors`."""
        reader = self._reader_of[group]
        assert isinstance(reader, BringsPriors)
        return reader.prior_sizes(group, wanted)

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without opening the images."""
        findings = super().doctor()
        if TEST in self._parts and len(self._readers) == 1:
            note = f"no folder {CHALLENGE_DIR}: no test part"
            findings.append(Finding("note", note, str(self._data_dir)))
        return findings

    @cached_property
    def _readers(self) -> Sequence[AnnotatedFaceImgs | VideosChallengeReader]:
        beside = (self._data_dir / CHALLENGE_DIR, self._data_dir.parent / CHALLENGE_DIR)
        root = next((path for path in beside if path.is_dir()), None)
        if TEST not in self._parts or root is None:
            return [self._annotated]
        return [self._annotated, VideosChallengeReader(root, self._data_dir / PRIOR_DIR)]


class AnnotatedFaceImgs(RawReader):
    """Reads train and val.

    Args:
        data_dir: the folder ``data``.
        parts: of train and val.
        rule: what becomes of the boxes.
    """

    name = "face_imgs"

    def __init__(self, data_dir: Path, parts: Sequence[str], rule: TrackRule) -> None:
        self._data_dir = data_dir
        self._parts = tuple(parts)
        self._baseline = BaselineTracks(data_dir, rule)

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""
        return {"track_rule": self._baseline.rule.name}

    def groups(self) -> list[str]:
        """Return the clips in their lists' order: train, val.

        Raises:
            ValueError: If a folder is missing, a list is empty, a clip is in two parts, or a
                prior file is damaged.
        """
        for priors in self._priors.values():
            priors.open()
        return list(self._part_of)

    def missing_priors(self, wanted: Collection[str]) -> list[Finding]:
        """Return an error for each prior file that a part lacks; see `BringsPriors`."""
        return [f for priors in self._priors.values() for f in priors.missing(wanted)]

    def prior_sizes(self, group: str, wanted: Collection[str]) -> dict[str, int]:
        """Return the sizes of the prior files in use; see `BringsPriors`."""
        return self._priors[self._part_of[group]].sizes_bytes(wanted)

    def count(self, group: str) -> int:
        """Return how many frames the clip's tracks have."""
        return sum(len(track) for track in self._baseline.tracks(group)[0])

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the clip's rows, track by track, whether a frame's file is there or not.

        Raises:
            ValueError: If the clip has no tracks or no folder of face images.
        """
        folder = self._faces_dir(group)
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}: the clip's face images are missing")
        tracks, skipped = self._baseline.tracks(group)
        yield from skipped
        priors = self._priors[self._part_of[group]].of_clip(group)
        yield from priors.doubts()
        for track in tracks:
            yield from _track_rows(priors, folder / source_track_id(track.track_id), track)

    def fingerprint(self, group: str) -> str | None:
        """Return a digest of part, tracks, labels, names of images and sizes of rank and filter.

        None without the clip's folder of images.
        """
        folder, part = self._faces_dir(group), self._part_of[group]
        if not folder.is_dir():
            return None
        priors = self._priors[part].sizes_bytes()
        return plain_digest([part, self._baseline.digest(group), image_names(folder), priors])

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without opening the images."""
        try:
            parts = self._clips
            check_disjoint(parts)
        except ValueError as error:
            return [Finding("error", str(error), str(self._data_dir))]
        findings = mixed_ranks(self._priors)
        for part, clips in parts.items():
            findings += part_findings(self._data_dir, part, clips)
            findings += self._priors[part].findings(clips)
        return findings

    def _faces_dir(self, clip_uid: str) -> Path:
        return self._data_dir / FACES_DIR / clip_uid

    @cached_property
    def _clips(self) -> dict[str, list[str]]:
        self._baseline.check()
        return {part: self._baseline.clips(part) for part in self._parts}

    @cached_property
    def _part_of(self) -> dict[str, str]:
        check_disjoint(self._clips)
        return {clip: part for part, clips in self._clips.items() for clip in clips}

    @cached_property
    def _priors(self) -> dict[str, PriorFiles]:
        return {part: PriorFiles(self._data_dir / PRIOR_DIR, part) for part in self._clips}


def _track_rows(priors: ClipPriors, folder: Path, track: FaceTrack) -> Iterator[RawFace]:
    rows = track.rows(priors.clip_uid, priors.part, lambda frame: folder / f"face_{frame:05d}.jpg")
    for row in rows:
        names = folder.name, str(row.frame)
        yield replace(
            row,
            head_pose_deg=priors.head_pose_deg(*names),
            points=priors.points(*names),
            sharpness_p=priors.sharpness_p(*names),
            is_filtered=priors.is_filtered(*names),
        )
