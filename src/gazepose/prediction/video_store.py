"""A video -> a table of its faces, by the road of preprocessing, in a folder that may be lost."""

from pathlib import Path

import polars as pl
from tqdm import tqdm

from common.faces.analysis import FaceAnalyzer
from common.faces.tracking import TrackingSettings
from common.files.sealed import read_table, write_table
from common.media.video import num_frames
from common.store.writing import GroupWriter
from gazepose.preprocessing.group import prepared_rows
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.readers.detected_clip import video_clip
from gazepose.store.ranking import Gaussian, gaussian_cdf
from gazepose.store.reading import FRAMES_FILE, REMEDY
from gazepose.store.writing import write_frames

GROUP = "video"


def write_video_table(
    path: Path,
    analyzer: FaceAnalyzer,
    tracking: TrackingSettings,
    preparation: PreparationSettings,
    ranking: Gaussian | None,
    store_dir: Path,
) -> pl.DataFrame:
    """Make the store of one video.

    Args:
        path: of the video.
        analyzer: finds the faces.
        tracking: when faces of two frames are one.
        preparation: as of the training data.
        ranking: mean and standard deviation of the sharpness that faces are ranked by; None ranks
            them among themselves.
        store_dir: where it goes.

    Returns:
        The table as written, one row a face and frame.

    Raises:
        ValueError: If the video cannot be opened.
    """
    what = f"{path.name}: faces"
    with tqdm(total=num_frames(path), unit="frame", desc=what, leave=False) as bar:
        clip = video_clip(path, GROUP, analyzer, tracking, bar.update)
    with GroupWriter(store_dir, GROUP) as writer:
        writer.add_all(prepared_rows(clip.rows(), preparation))
    write_frames(store_dir, 1)
    frames = read_table(store_dir / FRAMES_FILE, REMEDY)
    if ranking is None:
        return frames
    ranks = gaussian_cdf(frames["sharpness"].to_numpy(), *ranking)
    frames = frames.with_columns(pl.Series("sharpness_p", ranks))
    write_table(frames, store_dir / FRAMES_FILE)
    return frames
