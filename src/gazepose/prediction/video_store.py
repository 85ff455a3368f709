"""A video -> a table of its faces, by the road of preprocessing, in a folder that may be lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from tqdm import tqdm

from common.atomic import partial_path
from common.faces.analysis import FaceAnalyzer, Image
from common.faces.detection import Face
from common.faces.tracking import TrackingSettings
from common.media.video import num_frames
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.preprocessing.group import LamRecipe
from gazepose.preprocessing.preparation import LamPreparation
from gazepose.readers.clip_faces import clip_faces
from gazepose.readers.detected_clip import video_clip
from gazepose.readers.sample import FacePreparer, RawFace
from gazepose.store.ranking import fit_gaussian, gaussian_cdf
from gazepose.store.reading import FRAMES_FILE
from gazepose.store.writing import write_frames

LOG = logging.getLogger(__name__)
Gaussian = tuple[float, float]
GROUP = "video"


@dataclass
class OneVideo:
    """Reads one video's faces; see `gazepose.readers.sample.LamReader`.

    Attributes:
        path: of the video.
        analyzer: finds the faces; built once for many videos.
        tracking: when faces of two frames are one.
        name: of the data set.
    """

    path: Path
    analyzer: FaceAnalyzer
    tracking: TrackingSettings
    name: str = GROUP

    @property
    def settings(self) -> dict[str, Any]:
        """Return nothing: no store outlives the video."""
        return {}

    def groups(self) -> list[str]:
        """Return the only group."""
        return [GROUP]

    def count(self, group: str) -> int:
        """Return the video's frames."""
        return num_frames(self.path)

    def faces(self, group: str, preparer: FacePreparer) -> Iterator[RawFace | Skipped]:
        """Yield the video's faces, track by track."""
        what = f"{self.path.name}: faces"
        with tqdm(total=self.count(group), unit="frame", desc=what, leave=False) as bar:
            analyzer = _CountedAnalyzer(self.analyzer, bar.update)
            clip = video_clip(self.path, group, analyzer, self.tracking)
        yield from clip_faces(clip, preparer)

    def fingerprint(self, group: str) -> None:
        """Return nothing: no store outlives the video."""

    def doctor(self) -> list[Finding]:
        """Return nothing: whatever is wrong is said where it is met."""
        return []


class _CountedAnalyzer(FaceAnalyzer):
    """Tells of every frame it looks at; the slowest step of all wants a bar."""

    def __init__(self, analyzer: FaceAnalyzer, on_frame: Callable[[], object]) -> None:
        self._analyzer = analyzer
        self._on_frame = on_frame

    @property
    def detector_name(self) -> str:
        return self._analyzer.detector_name

    def detect(self, image: Image) -> list[Face]:
        self._on_frame()
        return self._analyzer.detect(image)


def write_video_table(
    video: OneVideo,
    preparation: LamPreparation,
    ranking: Gaussian | None,
    store_dir: Path,
) -> pl.DataFrame:
    """Make the store of one video.

    Args:
        video: with what finds its faces.
        preparation: as of the training data.
        ranking: mean and standard deviation of the sharpness that faces are ranked by; None ranks
            them among themselves.
        store_dir: where it goes.

    Returns:
        The table as written, one row a face and frame.

    Raises:
        ValueError: If the video cannot be opened, or its faces cannot be prepared.
    """
    why = LamRecipe(video.name, video, store_dir, preparation).make(GROUP, lambda: None)
    if why is not None:
        raise ValueError(why)
    write_frames(store_dir, 1)
    frames = pl.read_parquet(store_dir / FRAMES_FILE)
    if ranking is None:
        return frames
    ranks = gaussian_cdf(frames["sharpness"].to_numpy(), *ranking)
    frames = frames.with_columns(pl.Series("sharpness_p", ranks))
    with partial_path(store_dir / FRAMES_FILE) as partial:
        frames.write_parquet(partial)
    return frames


def trained_ranking(store_dir: Path | None) -> Gaussian | None:
    """Return mean and standard deviation of the sharpness of a store's training images.

    Args:
        store_dir: of the training data; None or a folder that is gone gives None.
    """
    path = None if store_dir is None else store_dir / FRAMES_FILE
    if path is None or not path.is_file():
        LOG.info("no training store at hand: a video's faces are ranked among themselves")
        return None
    is_ranked = (pl.col("part") == "train") & pl.col("sharpness").is_not_nan()
    sharpness = pl.scan_parquet(path).filter(is_ranked).select("sharpness").collect()
    return fit_gaussian(sharpness["sharpness"].to_numpy())
