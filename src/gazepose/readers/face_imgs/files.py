"""Where GazePose's README puts things in its folder ``data``.

::

    csv/manifest.csv                     of the downloader; looked at by the doctor only
    json/av_train.json, av_val.json      annotations
    split/<part>.list                    clips of a part
    videos/<clip or video>.mp4
    video_imgs/<clip>/img_00001.jpg      frames, by scripts/extract_frame.sh
    json_original/<clip>/<track>.json    boxes, by scripts/preprocessing.py from json/
    result_LAM/<clip>.json               who looks at the camera when, likewise
    face_imgs/<clip>/<track>/face_XXXXX.jpg, also below video_imgs
    json_prior/                          see `gazepose.readers.json_prior.files`

The test set ``videos_challenge`` lies in it or beside it.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from common.preprocessing.findings import Finding
from gazepose.readers.ego4d.files import Ego4DFiles
from gazepose.readers.json_prior.files import PRIOR_DIR

DATA_DIR, FACES_DIR = "data", "face_imgs"
SPLIT_DIR, TRACKS_DIR, LOOKS_DIR = "split", "json_original", "result_LAM"
_VIDEO_DIRS = ("videos", "video_imgs")
_FOLDERS = ("csv", "json", SPLIT_DIR, *_VIDEO_DIRS, TRACKS_DIR, LOOKS_DIR)


@dataclass(frozen=True)
class TreeFiles:
    """The folder ``data``."""

    data_dir: Path

    @classmethod
    def locate(cls, raw_dir: Path) -> "TreeFiles":
        """Find the folder: `raw_dir`, ``data`` in it, or the one that holds it."""
        if (raw_dir / DATA_DIR).is_dir():
            return cls(raw_dir / DATA_DIR)
        is_part = raw_dir.name in (*_FOLDERS, FACES_DIR, PRIOR_DIR)
        is_too_low = is_part and (raw_dir.parent / SPLIT_DIR).is_dir()
        return cls(raw_dir.parent if is_too_low else raw_dir)

    @cached_property
    def faces_dir(self) -> Path:
        """Where the face images are, there or not."""
        folders = [self.data_dir / FACES_DIR, self.data_dir / "video_imgs" / FACES_DIR]
        return next((folder for folder in folders if _has_clips(folder)), folders[0])

    @property
    def prior_dir(self) -> Path:
        """Where the prior files are, there or not."""
        return self.data_dir / PRIOR_DIR

    @cached_property
    def has_faces(self) -> bool:
        """Whether there are face images of some clip."""
        return _has_clips(self.faces_dir)

    @property
    def has_written_tracks(self) -> bool:
        """Whether the label scripts have written tracks and labels of clips that lists name."""
        folders = (SPLIT_DIR, TRACKS_DIR, LOOKS_DIR)
        return all((self.data_dir / name).is_dir() for name in folders)

    @cached_property
    def has_annotations(self) -> bool:
        """Whether there are annotations of Ego4D, in ``json`` or as the downloader lays them."""
        try:
            Ego4DFiles.locate(self.data_dir)
        except ValueError:
            return False
        return True

    def findings(self) -> list[Finding]:
        """Say what of the tree is there, and what is taken from where."""
        if not self.data_dir.is_dir():
            return []  # the tracks' source has an error to say
        where, faces = str(self.data_dir), str(self.faces_dir.relative_to(self.data_dir))
        folders = [*_FOLDERS, faces, PRIOR_DIR]
        found = [name for name in folders if (self.data_dir / name).is_dir()]
        missing = [name for name in folders if name not in found]
        findings = [Finding("note", f"there: {_named(found)}; not there: {_named(missing)}", where)]
        return [*findings, Finding("note", self._sources(), where, self._other_way())]

    def _sources(self) -> str:
        faces = self.faces_dir.relative_to(self.data_dir)
        if self.has_annotations and not self.has_faces:
            return f"no {faces}: faces are cut from videos or video_imgs where av_*.json has boxes"
        if not (self.has_annotations or self.has_written_tracks):
            return f"no json/av_*.json, nor {TRACKS_DIR} and {LOOKS_DIR}: no tracks and no labels"
        written = self.has_written_tracks
        tracks = f"{TRACKS_DIR} and {LOOKS_DIR}" if written else "av_*.json"
        return f"face images of {faces} as they are; tracks and labels of {tracks}"

    def _other_way(self) -> str:
        has_videos = any((self.data_dir / name).is_dir() for name in _VIDEO_DIRS)
        if self.has_faces and self.has_annotations and has_videos:
            return f"to cut them from the videos: data=ego4d data.raw_dir={self.data_dir}"
        return ""


def _has_clips(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_dir() for path in folder.iterdir())


def _named(folders: list[str]) -> str:
    return " ".join(folders) or "nothing"
