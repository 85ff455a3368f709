"""The test set of the challenge: face images without boxes and labels.

``videos_challenge/<video>/<track>/<frame>_<unique id>.jpg``, where the unique id is what stands
between the first ``_`` and the first dot. Frames are compared as numbers: the baseline looks for
``00012`` anywhere in a name, and so takes frame 100012, or one whose unique id holds those digits.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from common.files.checksums import plain_digest
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.frame_images import image_names
from gazepose.readers.json_prior.files import PRIOR_DIR, PriorFiles
from gazepose.readers.sample import RawFace, RawReader

CHALLENGE_DIR = "videos_challenge"
PART = "test"
# Below what the downloader writes to; walking through all its folders comes last.
_USUAL_PLACES = ("", "social_test", "v2/social_test", "v1/social_test")
# Millions of images, which are not walked through.
_IMAGE_DIRS = {"face_imgs", "video_imgs"}
_NAME = re.compile(r"(?P<frame>[0-9]{1,9})_(?P<unique_id>[^_.]+)(?:[_.].*)?\.jpe?g", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class ChallengeFace:
    """A face image by its name; `unique_id` is what the submission calls it."""

    frame: int
    unique_id: str
    path: Path

    @property
    def frame_text(self) -> str:
        """Return the frame as the name has it, with its zeros."""
        return self.path.name.partition("_")[0]


class VideosChallengeReader(RawReader):
    """Reads the challenge's tree, a video a group.

    Args:
        raw_dir: the folder ``videos_challenge``, or one that holds it somewhere.
        prior_dir: holds ``test_mesh.json``, ``test_headpose.json``, ``test_p.json``; null takes
            ``json_prior`` beside the videos, if it is there.
    """

    name = "videos_challenge"

    def __init__(self, raw_dir: str | Path, prior_dir: str | Path | None = None) -> None:
        self.raw_dir = Path(raw_dir)
        self._prior_dir = None if prior_dir is None else Path(prior_dir)

    def groups(self) -> list[str]:
        """Return the videos.

        Raises:
            ValueError: If there is no such folder, no video in it, or a prior file is damaged.
        """
        # .ipynb_checkpoints and its like are no videos.
        folders = (path for path in self._root.iterdir() if path.is_dir())
        videos = sorted(path.name for path in folders if not path.name.startswith("."))
        if not videos:
            raise ValueError(f"{self._root} holds no video folder")
        self._priors.open()
        return videos

    def prior_files(self) -> dict[str, PriorFiles]:
        """Return the prior files of the part test."""
        return {PART: self._priors}

    def prior_files_of(self, group: str) -> PriorFiles:
        """Return the prior files of the part test."""
        return self._priors

    def count(self, group: str) -> int:
        """Return how many images a video has."""
        return sum(len(found) for found, _ in self._tracks(group).values())

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the video's rows, track by track, frames ascending."""
        priors = self._priors.of_clip(group)
        yield from priors.doubts()
        for track, (faces, strange) in self._tracks(group).items():
            for path in strange:
                why = "the file's name is not <frame>_<unique id>.jpg"
                yield Skipped(f"{group}:{track}:{path.name}", track, group, why)
            for index, name in enumerate(faces):
                yield RawFace(
                    clip_uid=group,
                    part=PART,
                    track_id=track,
                    frame=name.frame,
                    track_index=index,
                    label=-1,
                    bbox_xyxy_px=np.full(4, np.nan),
                    image=name.path,
                    unique_id=name.unique_id,
                    head_pose_deg=priors.head_pose_deg(track, name.unique_id, name.frame_text),
                    points=priors.points(track, name.unique_id),
                    sharpness_p=priors.sharpness_p(track, name.unique_id),
                )

    def fingerprint(self, group: str) -> str:
        """Return a digest of the images' names and the size of the ranks' file."""
        return plain_digest([image_names(self._root / group), self._priors.sizes_bytes()])

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent."""
        try:
            videos = self.groups()
        except ValueError as error:
            return [Finding("error", str(error), str(self.raw_dir))]
        where = str(self._root)
        counts = {video: self._tracks(video) for video in videos}
        num_tracks = sum(map(len, counts.values()))
        num_images = sum(len(faces) for tracks in counts.values() for faces, _ in tracks.values())
        num_strange = sum(len(odd) for tracks in counts.values() for _, odd in tracks.values())
        what = f"{PART}: {len(videos)} videos, {num_tracks} tracks, {num_images} images"
        findings = [Finding("note", what, where), *self._priors.findings(videos)]
        if num_strange:
            what = f"{num_strange} files are not named <frame>_<unique id>.jpg"
            findings.append(Finding("warning", what, where, "they are left out"))
        return findings

    @cached_property
    def _root(self) -> Path:
        return find_challenge_dir(self.raw_dir)

    @cached_property
    def _priors(self) -> PriorFiles:
        return PriorFiles(self._prior_dir or self._root.parent / PRIOR_DIR, PART)

    def _tracks(self, group: str) -> dict[str, tuple[list[ChallengeFace], list[Path]]]:
        """Return each track's faces in order, and the files that are none."""
        folders = sorted(path for path in (self._root / group).iterdir() if path.is_dir())
        return {folder.name: challenge_faces(folder) for folder in folders}


def find_challenge_dir(raw_dir: Path, *, is_beside: bool = False) -> Path:
    """Return the folder ``videos_challenge``: `raw_dir`, the first one below it, or beside it.

    Links are followed, each folder is looked into once. It may lie beside GazePose's ``data``, or
    where `is_beside` says so.

    Raises:
        ValueError: If there is none, or it is still packed.
    """
    if raw_dir.name == CHALLENGE_DIR and raw_dir.is_dir():
        return raw_dir
    usual = [raw_dir / place / CHALLENGE_DIR for place in _USUAL_PLACES]
    if is_beside or raw_dir.name == "data":
        usual.append(raw_dir.parent / CHALLENGE_DIR)
    found = next((folder for folder in usual if folder.is_dir()), None)
    if found is not None:
        return found
    packed, seen = "", {raw_dir.resolve()}
    for folder, subfolders, files in os.walk(raw_dir, followlinks=True):
        if CHALLENGE_DIR in subfolders:
            return Path(folder, CHALLENGE_DIR)
        wanted = set(subfolders) - _IMAGE_DIRS
        named = {Path(folder, name).resolve(): name for name in sorted(wanted, reverse=True)}
        subfolders[:] = sorted(named[target] for target in named.keys() - seen)
        seen |= named.keys()
        here = [name for name in files if name.startswith(CHALLENGE_DIR)]
        packed = packed or (f"; unpack {Path(folder, here[0])} first" if here else "")
    raise ValueError(f"no folder {CHALLENGE_DIR} in {raw_dir}{packed}")


def challenge_faces(track_dir: Path) -> tuple[list[ChallengeFace], list[Path]]:
    """Return a track's faces by frame and unique id, and the files whose name is no face's."""
    faces, strange = [], []
    for path in sorted(track_dir.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None:
            strange.append(path)
        else:
            faces.append(ChallengeFace(int(match["frame"]), match["unique_id"], path))
    return sorted(faces), strange
