"""Where the Ego4D downloader puts things, and where people move them.

``ego4d -o RAW`` writes ``RAW/v2/annotations/av_train.json``, ``RAW/v2/clips/<clip>.mp4`` and
``RAW/v2/full_scale/<video>.mp4``, each folder with a ``manifest.csv``; version 1 writes ``RAW/v1``.
The split lists come with the Looking-At-Me baseline, as ``data/split/train.list``; in its folder
``data``, which is GazePose's too, the rest is ``json/av_train.json``, ``csv/manifest.csv``,
``videos/<clip or video>.mp4`` and ``video_imgs/<clip>/img_00001.jpg``, a clip's frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.files.foreign_files import is_name, read_csv

_VERSIONS = ("v2", "v1", ".")
_BASELINE_DIR = "data"
_PLACES = (*_VERSIONS, _BASELINE_DIR)
_ANNOTATION_FOLDERS = ("annotations", "json")
_SPLIT_FOLDERS = ("split", "data/split")
_CLIPS = ("clips/{}.mp4", "videos/{}.mp4")
_WHOLE = ("full_scale/{}.mp4", "videos/{}.mp4")
_SMALL_WHOLE = ("video_540ss/{}.mp4",)
_FRAMES = ("video_imgs/{}",)
# The baseline's manifest does not lie beside the videos.
_MANIFESTS = {"clips": "clips", "full_scale": "full_scale", "csv": "videos"}
_S3_COLUMNS = ("canonical_s3_location", "s3_path")
_SMALL = "540ss"
_MOST = 20
USE_FULL_SCALE = (
    "download clips or full_scale, or give data.reader.annotations_dir=.../annotations_540ss"
)


class NoVideoError(ValueError):
    """No video shows a clip; `kind` is one of `gazepose.readers.ego4d.survey.WORDINGS`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Ego4DFiles:
    """An Ego4D folder.

    Attributes:
        raw_dir: where the downloader wrote, or one of its ``v2`` and ``v1`` folders; or the
            baseline's ``data``, or the folder that holds it.
        annotations_dir: with ``av_train.json`` and ``av_val.json``.
        split_dir: with ``train.list`` and ``val.list``, None if there is none.
    """

    raw_dir: Path
    annotations_dir: Path
    split_dir: Path | None

    @classmethod
    def locate(
        cls, raw_dir: Path, annotations_dir: Path | None = None, split_dir: Path | None = None
    ) -> "Ego4DFiles":
        """Find annotations and split lists, unless they are given.

        Raises:
            ValueError: If there are no annotations, a given folder is not there, or a given
                `split_dir` has no list of train or val.
        """
        for option, folder in (("annotations_dir", annotations_dir), ("split_dir", split_dir)):
            if folder is not None and not folder.is_dir():
                raise ValueError(f"data.reader.{option}: no folder {folder}")
        lists = [] if split_dir is None else [split_dir / f"{p}.list" for p in ("train", "val")]
        if lists and not any(path.is_file() for path in lists):
            raise ValueError(
                f"data.reader.split_dir={split_dir} has neither train.list nor val.list: give the "
                "baseline's data/split, or null to make the lists from the annotations"
            )
        return cls(
            raw_dir,
            annotations_dir or _found_annotations(raw_dir),
            split_dir or _found_split_dir(raw_dir),
        )

    def annotation_path(self, part: str) -> Path:
        """Return where a part's annotations are, there or not."""
        return self.annotations_dir / f"av_{part}.json"

    def list_path(self, part: str) -> Path | None:
        """Return a part's split list, None if there is none."""
        path = None if self.split_dir is None else self.split_dir / f"{part}.list"
        return path if path is not None and path.is_file() else None

    def find_video(
        self, clip_uid: str, video_uid: str, start_frame: int | None
    ) -> tuple[Path, int | None]:
        """Return the video that shows a clip, and the clip's first frame in a whole recording.

        Args:
            clip_uid: of ``clips/<clip_uid>.mp4``, which is preferred, and of its frames in
                ``video_imgs/<clip_uid>``, which come last.
            video_uid: of ``full_scale/<video_uid>.mp4``.
            start_frame: the clip's first frame in the latter, None if it is not known.

        Returns:
            A file or a folder of frames; with those of the clip, None in place of the first frame.

        Raises:
            NoVideoError: If there is none, or only the recording and the frame is not known.
        """
        clip = None if self.is_small else self._first(_CLIPS, clip_uid)
        if clip is not None:
            return clip, None
        whole = _SMALL_WHOLE if self.is_small else _WHOLE
        video = self._first(whole, video_uid) if video_uid else None
        if video is not None and start_frame is not None:
            return video, start_frame
        frames = None if self.is_small else self._first(_FRAMES, clip_uid)
        if frames is not None:
            return frames, None
        command = download_command(self.raw_dir, "clips", clip_uid)
        if video is not None:
            raise NoVideoError(
                "no_start",
                f"clip {clip_uid}: its annotations say neither video_start_frame nor "
                f"video_start_sec, so that nothing tells where in {video} it is. Download it: "
                f"{command}",
            )
        if not self.is_small and self._first(_SMALL_WHOLE, video_uid):
            raise NoVideoError(
                "small_video",
                f"clip {clip_uid} is there as video_540ss only, while the boxes are full-scale "
                f"pixels: {USE_FULL_SCALE}",
            )
        raise NoVideoError(
            "no_video",
            f"no video of clip {clip_uid}: neither clips/{clip_uid}.mp4 nor "
            f"full_scale/{video_uid}.mp4 under {self.raw_dir} or its v2 and v1, neither of them in "
            f"videos, nor frames in video_imgs/{clip_uid}. Download it: {command}",
        )

    @property
    def is_small(self) -> bool:
        """Return whether the boxes are those of videos of 540 px (``annotations_540ss``)."""
        return _SMALL in self.annotations_dir.name

    def manifests(self) -> dict[Path, Path]:
        """Return the manifests that are there, and the folders of the videos they list."""
        folders = {
            self.raw_dir / place / kind / "manifest.csv": self.raw_dir / place / videos
            for place in _PLACES
            for kind, videos in _MANIFESTS.items()
        }
        return {path: videos for path, videos in folders.items() if path.is_file()}

    def _first(self, names: Sequence[str], uid: str) -> Path | None:
        paths = (self.raw_dir / place / name.format(uid) for place in _PLACES for name in names)
        return next((path for path in paths if path.exists()), None)


def download_command(
    raw_dir: Path, datasets: str = "annotations clips", clip_uid: str | None = None
) -> str:
    """Return what to type to download all, or one clip, into a folder, or its ``v2`` or ``v1``."""
    folder = raw_dir.parent if raw_dir.name in _VERSIONS else raw_dir
    benchmark = "" if datasets == "social_test" else " --benchmarks AV"
    one_clip = "" if clip_uid is None else f" --video_uids {clip_uid}"
    return f"ego4d -o {folder} --datasets {datasets}{benchmark}{one_clip} --version v2 -y"


def read_manifest(path: Path) -> set[str]:
    """Return the names of the files that a ``manifest.csv`` lists.

    Raises:
        ValueError: If it is no csv, or has no column of locations.
    """
    rows = read_csv(path)
    _, columns = next(rows, (1, []))
    place = next((columns.index(name) for name in _S3_COLUMNS if name in columns), None)
    if place is None:
        raise ValueError(f"{path} has columns {columns[:_MOST]}, expected one of {_S3_COLUMNS}")
    names = (row[place].rpartition("/")[2] for _, row in rows if len(row) > place)
    return {name for name in names if is_name(name)}


def _found_annotations(raw_dir: Path) -> Path:
    folders = [raw_dir / place / name for place in _PLACES for name in _ANNOTATION_FOLDERS]
    for folder in (*folders, raw_dir):
        if any(folder.glob("av_*.json")):
            return folder
    raise ValueError(
        f"no av_train.json or av_val.json in {raw_dir}, nor in a folder annotations or json of it "
        f"or of its {', '.join(_PLACES[:2])} and {_BASELINE_DIR}. Give the folder that the "
        f"downloader wrote to as data.raw_dir=FOLDER: {download_command(raw_dir)}"
    )


def _found_split_dir(raw_dir: Path) -> Path | None:
    folders = (raw_dir / version / name for version in _VERSIONS for name in _SPLIT_FOLDERS)
    return next((folder for folder in folders if any(folder.glob("*.list"))), None)
