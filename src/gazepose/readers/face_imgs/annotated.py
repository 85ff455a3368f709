"""Train and val of the tree: face images as they are, or cut from videos; priors from files."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from common.files.checksums import plain_digest
from common.listing import counted_names
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.ego4d.clips import AnnotatedClips
from gazepose.readers.ego4d.reader import Ego4DVideos
from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.readers.face_imgs.files import TreeFiles
from gazepose.readers.frame_images import image_names
from gazepose.readers.json_prior.clip_priors import ClipPriors
from gazepose.readers.json_prior.files import PriorFiles, mixed_ranks
from gazepose.readers.sample import RawFace, RawReader
from gazepose.readers.split_lists import check_disjoint
from gazepose.readers.tracks import source_track_id

# Tracks and labels of clips.
TrackSource = AnnotatedClips | BaselineTracks


class AnnotatedFaces(RawReader):
    """Reads labelled clips of train and val, and what prior files say of them."""

    def __init__(self, tree: TreeFiles, parts: Sequence[str], tracks: TrackSource) -> None:
        self._tree = tree
        self._parts = tuple(parts)
        self._tracks = tracks
        self._priors = {part: PriorFiles(tree.prior_dir, part) for part in parts}

    def groups(self) -> list[str]:
        """Return the clips in their lists' order: train, val.

        Raises:
            ValueError: If a folder is missing, a list is empty, a clip is in two parts, or a
                prior file is damaged.
        """
        for priors in self._priors.values():
            priors.open()
        return list(self._part_of)

    def prior_files(self) -> Mapping[str, PriorFiles]:
        """Return the parts' prior files."""
        return {part: self._priors[part] for part in self._clips}

    def prior_files_of(self, group: str) -> PriorFiles:
        """Return the prior files of a clip's part."""
        return self._priors[self._part_of[group]]

    def count(self, group: str) -> int:
        """Return how many frames the clip's tracks have."""
        return self._tracks.count(group)

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the clip's rows, track by track; errors as the images' or the videos'."""
        priors = self.prior_files_of(group).of_clip(group)
        yield from priors.doubts()
        for row in self._rows(group):
            yield row if isinstance(row, Skipped) else _with_priors(priors, row)

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without opening the images."""
        findings = self._findings()
        try:
            parts = self._clips
        except ValueError:
            return findings  # which say why
        findings += mixed_ranks(self._priors)
        return findings + [f for p, clips in parts.items() for f in self._priors[p].findings(clips)]

    @abstractmethod
    def _rows(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the clip's rows without priors."""

    @abstractmethod
    def _findings(self) -> list[Finding]:
        """Say what is missing or inconsistent beside prior files."""

    @cached_property
    def _clips(self) -> dict[str, list[str]]:
        return {part: self._tracks.clips(part) for part in self._parts}

    @cached_property
    def _part_of(self) -> dict[str, str]:
        check_disjoint(self._clips)
        return {clip: part for part, clips in self._clips.items() for clip in clips}


class FaceImages(AnnotatedFaces):
    """Takes face images as they are."""

    name = "face_imgs"

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""
        return {"track_rule": self._tracks.rule.name}

    def fingerprint(self, group: str) -> str | None:
        """Return a digest of part, tracks, labels, names of images and sizes of rank and filter.

        None without the clip's folder of images.
        """
        folder, part = self._tree.faces_dir / group, self._part_of[group]
        if not folder.is_dir():
            return None
        priors = self._priors[part].sizes_bytes()
        return plain_digest([part, self._tracks.digest(group), image_names(folder), priors])

    def _rows(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the clip's rows, whether a frame's file is there or not.

        Raises:
            ValueError: If the clip has no tracks or no folder of face images.
        """
        folder = self._tree.faces_dir / group
        if not folder.is_dir():
            raise ValueError(f"no folder {folder}: the clip's face images are missing")
        tracks, skipped = self._tracks.tracks(group)
        yield from skipped
        part = self._part_of[group]
        for track in tracks:
            track_dir = folder / source_track_id(track.track_id)
            yield from track.rows(group, part, partial(_face_image, track_dir))

    def _findings(self) -> list[Finding]:
        findings = self._tracks.findings()
        try:
            parts = self._clips
        except ValueError:
            return findings
        faces_dir = self._tree.faces_dir
        for part, clips in parts.items():
            without = [clip for clip in clips if not (faces_dir / clip).is_dir()]
            if without:
                named = counted_names(without, f"clips without a folder in {faces_dir.name}")
                remedy = "they fail; cut their faces too, or take them out of the list"
                findings.append(Finding("error", f"{part}: {named}", str(faces_dir), remedy))
        return findings


class CutFaces(AnnotatedFaces):
    """Cuts the faces from videos."""

    name = "videos"

    def __init__(self, tree: TreeFiles, parts: Sequence[str], videos: Ego4DVideos) -> None:
        super().__init__(tree, parts, videos.annotated)
        self._videos = videos

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""
        return self._videos.settings

    def fingerprint(self, group: str) -> str | None:
        """Return what the videos' reader does, and a digest of the sizes of rank and filter."""
        made_from = self._videos.fingerprint(group)
        priors = self.prior_files_of(group).sizes_bytes()
        return f"{made_from} {plain_digest(priors)}" if made_from and priors else made_from

    def _rows(self, group: str) -> Iterator[RawFace | Skipped]:
        return self._videos.read(group)

    def _findings(self) -> list[Finding]:
        return self._videos.doctor()


def _face_image(track_dir: Path, frame: int) -> Path:
    return track_dir / f"face_{frame:05d}.jpg"


def _with_priors(priors: ClipPriors, row: RawFace) -> RawFace:
    names = source_track_id(row.track_id), str(row.frame)
    return replace(
        row,
        head_pose_deg=priors.head_pose_deg(*names),
        points=priors.points(*names),
        sharpness_p=priors.sharpness_p(*names),
        is_filtered=priors.is_filtered(*names),
    )
