"""A folder of anybody's videos as a data set: tracks from the face detector, nothing labelled."""

import logging
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from common.faces.analysis import FaceAnalyzer
from common.faces.settings import AnalyzerSettings
from common.faces.tracking import TrackingSettings
from common.files.checksums import plain_digest
from common.files.foreign_files import is_name
from common.listing import counted_names
from common.media.sources import VIDEO_SUFFIXES, files_under, kind_of
from common.media.video import VideoInfo, num_frames, video_info
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.clip import Clip
from gazepose.readers.detected_clip import video_clip
from gazepose.readers.sample import RawFace, RawReader

LOG = logging.getLogger(__name__)
LEFT_OUT = "files left out (no video)"
# Ego4D's. A clip of seven frames at another rate lasts longer or shorter than in training.
TRAINED_FPS_HZ = 30.0
FPS_TOLERANCE = 0.2
# Of four bytes at most.
_MAX_LETTERS = 45


@dataclass
class VideosReader(RawReader):
    """Reads a folder of videos, sub-folders included, or one; whatever FFmpeg opens is a video.

    A group is a video, named by its file; characters that a name had better not have become
    ``_``. The suffix stays, so that a video that comes later changes no other's name. All are of
    the test part.
    """

    raw_dir: str | Path
    analyzer: AnalyzerSettings = field(default_factory=AnalyzerSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    name: str = "videos"

    @property
    def settings(self) -> dict[str, Any]:
        """Return how faces are found and joined, as plain values."""
        tracking = {**asdict(self.tracking), "follows_camera": True}
        return {"analyzer": self.analyzer.recipe(), "tracking": tracking}

    def groups(self) -> list[str]:
        """Return the videos' names.

        Raises:
            ValueError: If there is no folder, or no video in it.
        """
        if self._found.left_out:
            LOG.warning("%s", counted_names(self._found.left_out, LEFT_OUT))
        return sorted(self._paths)

    def count(self, group: str) -> int:
        """Return the video's frames: as many rows as with one face in each."""
        return num_frames(self._paths[group])

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the video's faces, track by track; errors as `clip`."""
        yield from self.clip(group).rows()

    def clip(self, group: str) -> Clip:
        """Return a video with the tracks that the detector finds, in one pass over it.

        Raises:
            ValueError: If it cannot be opened as a video.
        """
        return video_clip(self._paths[group], group, self._analyzer, self.tracking)

    def fingerprint(self, group: str) -> str | None:
        """Return the video's size in bytes, None if it is gone."""
        path = self._paths[group]
        return str(path.stat().st_size) if path.is_file() else None

    def doctor(self) -> list[Finding]:
        """Say which videos there are, which cannot be opened, and which run at another rate."""
        try:
            paths = self._paths
        except ValueError as error:
            remedy = "data.raw_dir=FOLDER of videos"
            return [Finding("error", str(error), str(self.raw_dir), remedy)]
        found = [_finding(paths[group]) for group in sorted(paths)]
        if self._found.left_out:
            what = counted_names(self._found.left_out, LEFT_OUT)
            found.append(Finding("note", what, str(self.raw_dir)))
        return found

    @property
    def _paths(self) -> dict[str, Path]:
        return self._found.by_name

    @cached_property
    def _found(self) -> "_Found":
        return _found_videos(Path(self.raw_dir))

    @cached_property
    def _analyzer(self) -> FaceAnalyzer:
        return self.analyzer.build()


class _Found(NamedTuple):
    """The videos of a folder by name, and the places of its other files."""

    by_name: dict[str, Path]
    left_out: list[str]


def _found_videos(folder: Path) -> _Found:
    """Return the videos under a folder, or the one video.

    Raises:
        ValueError: If there is no folder, or no video in it.
    """
    if folder.is_file():
        return _Found({_safe(Path(folder.name)): folder}, [])
    if not folder.is_dir():
        raise ValueError(f"data.raw_dir={folder} is not there; expected a folder of videos, or one")
    files = sorted(files_under(folder))
    # One of these names is opened by whoever makes its group; the others take a look inside.
    paths = [p for p in files if p.suffix.lower() in VIDEO_SUFFIXES or kind_of(p) == "video"]
    others = [str(path.relative_to(folder)) for path in files if path not in set(paths)]
    if not paths:
        said = f": {counted_names(others, LEFT_OUT)}" if others else ""
        raise ValueError(f"data.raw_dir={folder} holds no video{said}")
    named: dict[str, Path] = {}
    for path in paths:
        name = _safe(path.relative_to(folder))
        # a b.mp4 and a_b.mp4
        while name in named:
            name += "_"
        named[name] = path
    return _Found(named, others)


def _safe(path: Path) -> str:
    """Return a relative path as one name that every file system takes."""
    name = re.sub(r"[^\w.-]", "_", "_".join(path.parts)).lstrip(".")
    if is_name(name):
        return name
    # The end tells more videos apart than the folders do.
    return f"{plain_digest(name)[:8]}_{name[-_MAX_LETTERS:]}"


def _finding(path: Path) -> Finding:
    try:
        info = video_info(path)
    except ValueError as error:
        return Finding("error", str(error), str(path), "copy or convert it again, or remove it")
    if info.num_beyond_end:
        what = f"{_described(info)}, the last {info.num_beyond_end} of them cut off"
        return Finding("warning", what, str(path), "what is there is used; copy it again")
    if info.num_missing_bytes:
        what = f"{_described(info)}, cut off: {info.num_missing_bytes} bytes are missing"
        return Finding("warning", what, str(path), "what is there is used; copy it again")
    if abs(info.fps_hz / TRAINED_FPS_HZ - 1) > FPS_TOLERANCE:
        what = f"{_described(info)}: a clip of 7 frames lasts {7 / max(info.fps_hz, 1):.2f} s"
        remedy = "scores may suffer; ffmpeg -i IN -vf fps=30 OUT.mp4 makes it as Ego4D's"
        return Finding("warning", f"{what}, in training 0.23 s", str(path), remedy)
    return Finding("note", _described(info), str(path))


def _described(info: VideoInfo) -> str:
    size = f"{info.width} x {info.height}"
    return f"{info.num_frames or 'unknown number of'} frames of {size} at {info.fps_hz:.4g} Hz"
