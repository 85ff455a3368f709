"""The originals' own tree of face images, with their tracks, labels and prior files.

::

    data/
      split/<part>.list                    clips of a part
      json_original/<clip>/<track>.json    boxes
      result_LAM/<clip>.json               who looks at the camera when
      face_imgs/<clip>/<track>/face_XXXXX.jpg
      json_prior/                          `gazepose.readers.face_imgs.json_prior`
    videos_challenge/                      the test set,
    `gazepose.readers.face_imgs.videos_challenge`
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.readers.face_imgs.clip_priors import ClipPriors
from gazepose.readers.face_imgs.doctor import FACES_DIR, part_findings
from gazepose.readers.face_imgs.json_prior import PRIOR_DIR, PriorFiles, mixed_ranks
from gazepose.readers.face_imgs.videos_challenge import CHALLENGE_DIR, VideosChallengeReader
from gazepose.readers.face_imgs.videos_challenge import PART as TEST
from gazepose.readers.sample import FacePreparer, FaceTrack, PreparedFace, RawFace
from gazepose.readers.source_digest import image_names, plain_digest
from gazepose.readers.split_lists import check_disjoint
from gazepose.readers.tracks import RuleName, TrackRule, source_track_id

DATA_DIR = "data"
NO_FILE = "no face image"
_ANNOTATED = ("train", "val")


class FaceImgsReader:
    """Reads face images and tracks of the originals; see `gazepose.readers.sample.LamReader`.

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
        self.data_dir = raw_dir / DATA_DIR if (raw_dir / DATA_DIR).is_dir() else raw_dir
        self._parts = tuple(parts)
        self._baseline = BaselineTracks(self.data_dir, TrackRule(track_rule))

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""
        return {"track_rule": self._baseline.rule.name}

    def groups(self) -> list[str]:
        """Return the clips in their lists' order: train, val, test.

        Raises:
            ValueError: If a folder is missing, a list is empty, a clip is in two parts, or a
                prior file is damaged.
        """
        for priors in self._priors.values():
            priors.open()
        return [*self._part_of, *self._challenge_groups]

    def missing_priors(self, wanted: Collection[str]) -> list[Finding]:
        """Return an error for each prior file that a part lacks; see `missing_priors`."""
        findings = [f for priors in self._priors.values() for f in priors.missing(wanted)]
        return (
            findings
            if self._challenge is None
            else [*findings, *self._challenge.missing_priors(wanted)]
        )

    def prior_sizes(self, group: str, wanted: Collection[str]) -> dict[str, int]:
        """Return the sizes of the prior files in use; see `gazepose.preprocessing.prior_check`."""
        if self._challenge is not None and group in self._challenge_groups:
            return self._challenge.prior_sizes(group, wanted)
        return self._priors[self._part_of[group]].sizes_bytes(wanted)

    def count(self, group: str) -> int:
        """Return how many frames the clip's tracks have."""
        if self._challenge is not None and group in self._challenge_groups:
            return self._challenge.count(group)
        return sum(len(track) for track in self._baseline.tracks(group)[0])

    def faces(self, group: str, preparer: FacePreparer) -> Iterator[RawFace | Skipped]:
        """Yield the clip's rows, track by track; frames without a file have no image.

        Raises:
            ValueError: If the clip has no tracks or no folder of face images.
        """
        if self._challenge is not None and group in self._challenge_groups:
            yield from self._challenge.faces(group, preparer)
            return
        folder = self._faces_dir(group)
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}: the clip's face images are missing")
        tracks, skipped = self._baseline.tracks(group)
        yield from skipped
        part = self._part_of[group]
        priors = self._priors[part].of_clip(group)
        yield from priors.doubts()
        for track in tracks:
            images = folder / source_track_id(track.track_id)
            yield from _track_faces(priors, part, images, track, preparer)

    def fingerprint(self, group: str) -> str | None:
        """Return a digest of part, tracks, labels, names of images and sizes of rank and filter.

        None without the clip's folder of images.
        """
        if self._challenge is not None and group in self._challenge_groups:
            return self._challenge.fingerprint(group)
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
            return [Finding("error", str(error), str(self.data_dir))]
        findings = mixed_ranks(self._priors)
        for part, clips in parts.items():
            findings += part_findings(self.data_dir, part, clips)
            findings += self._priors[part].findings(clips)
        if self._challenge is not None:
            findings += self._challenge.doctor()
        elif TEST in self._parts:
            note = f"no folder {CHALLENGE_DIR}: no test part"
            findings.append(Finding("note", note, str(self.data_dir)))
        return findings

    def _faces_dir(self, clip_uid: str) -> Path:
        return self.data_dir / FACES_DIR / clip_uid

    @cached_property
    def _clips(self) -> dict[str, list[str]]:
        self._baseline.check()
        return {part: self._baseline.clips(part) for part in self._parts if part != TEST}

    @cached_property
    def _part_of(self) -> dict[str, str]:
        check_disjoint(self._clips)
        return {clip: part for part, clips in self._clips.items() for clip in clips}

    @cached_property
    def _priors(self) -> dict[str, PriorFiles]:
        return {part: PriorFiles(self.data_dir / PRIOR_DIR, part) for part in self._clips}

    @cached_property
    def _challenge(self) -> VideosChallengeReader | None:
        beside = (self.data_dir / CHALLENGE_DIR, self.data_dir.parent / CHALLENGE_DIR)
        root = next((path for path in beside if path.is_dir()), None)
        if TEST not in self._parts or root is None:
            return None
        return VideosChallengeReader(root, self.data_dir / PRIOR_DIR)

    @cached_property
    def _challenge_groups(self) -> tuple[str, ...]:
        return () if self._challenge is None else tuple(self._challenge.groups())


def _track_faces(
    priors: ClipPriors, part: str, folder: Path, track: FaceTrack, preparer: FacePreparer
) -> Iterator[RawFace | Skipped]:
    for index, frame in enumerate(track.frames.tolist()):
        face = _prepared(folder / f"face_{frame:05d}.jpg", preparer)
        if isinstance(face, str):
            sample_id = f"{priors.clip_uid}:{track.track_id}:{frame}"
            yield Skipped(sample_id, track.track_id, priors.clip_uid, face)
        key, name = str(frame), folder.name
        yield RawFace(
            clip_uid=priors.clip_uid,
            track_id=track.track_id,
            person_id=track.person_id,
            part=part,
            frame=frame,
            track_index=index,
            label=int(track.labels[index]),
            bbox_xyxy_px=track.boxes_xyxy_px[index],
            is_interpolated=bool(track.is_interpolated[index]),
            unique_id="",
            face=None if isinstance(face, str) else face,
            head_pose_deg=priors.head_pose_deg(name, key),
            points=priors.points(name, key),
            sharpness_p=priors.sharpness_p(name, key),
            is_filtered=priors.is_filtered(name, key),
        )


def _prepared(path: Path, preparer: FacePreparer) -> PreparedFace | str:
    """Return the face, or why there is none."""
    try:
        return preparer.from_file(path.read_bytes())
    except FileNotFoundError:
        return NO_FILE
    except (ValueError, OSError) as error:
        return str(error)
