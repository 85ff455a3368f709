"""Eye contact in photos and videos: preprocessing's road, with a trained net at its end."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.settings import AnalyzerSettings
from common.faces.tracking import TrackingSettings
from common.files.locks import temporary_folder
from common.media.image_codec import decode_image
from common.media.video import TimedFrame, read_timed_frames
from common.prediction.annotator import Annotator
from gazepose.data.dataset import ClipRecipe
from gazepose.data.face_view import FaceView
from gazepose.data.temporal_dropout import TemporalDropout
from gazepose.evaluation.metrics import THRESHOLD
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.prediction.frame_scores import FrameScorer
from gazepose.prediction.judged_face import JudgedFace, judged_face
from gazepose.prediction.video_store import GROUP, write_video_table
from gazepose.preprocessing.preparation import (
    MESH,
    PreparationSettings,
    PreparedFace,
    Preparer,
)
from gazepose.readers.detected_clip import tight_boxes
from gazepose.store.columns import BOX_COLUMNS, HEAD_POSE_COLUMNS, POINT_COLUMNS
from gazepose.store.ranking import Gaussian, trained_ranking
from gazepose.store.table import LamTable
from gazepose.training.module import EyeContactModule

LOG = logging.getLogger(__name__)


@recordable
class VideoPredictor(Annotator):
    """Finds the faces of a photo or video and says which of them look at the camera.

    A video goes the way of the training data: faces are found and tracked, cut, measured and
    coded, into a store that is thrown away; then every frame of every track is scored as
    validation scores its clips. A photo is a video that stands still.

    Frames are ranked by sharpness, for temporal dropout, among the training images; without the
    training store at hand among the video's own, as the published system ranks each part.

    Args:
        module: with its weights; averages over mirror images where its config says so.
        analyzer: how faces are found.
        tracking: when faces of two frames are one.
        preparation: as of the training data. Priors from files, which a video does not bring, are
            replaced by the face mesh's, with a warning.
        dropout: the arguments of `TemporalDropout`, as in training; None is no dropout.
        split: degrees of head pose a bin, as in training.
        image_size: side of what the net sees.
        zoom: 1 shows the whole face, as in training; see `FaceView`.
        smoothing: of a track's scores in time.
        threshold: score from which a face counts as looking, in [0, 1]; None takes the one that the
            model's validation chose, or one half if it chose none.
        trained_store_dir: store of the training data.
        trained_ranking: mean and standard deviation of the sharpness of the training images, in
            place of that store.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        module: EyeContactModule,
        analyzer: AnalyzerSettings,
        tracking: TrackingSettings,
        preparation: PreparationSettings,
        dropout: Mapping[str, Any] | None,
        smoothing: TrackSmoothing,
        split: float = 1.0,
        image_size: int = 224,
        zoom: float = 1.0,
        threshold: float | None = None,
        trained_store_dir: str | None = None,
        trained_ranking: Sequence[float] | None = None,
    ) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}, expected a score from 0 to 1")
        recipe = ClipRecipe(
            TemporalDropout(**(dropout or {})),
            split if module.net.uses_head else None,
            module.net.uses_landmarks,
            mirror_priors=False,
            flip=False,
            random_crop=False,
            view=FaceView(image_size, zoom),
        )
        self._scorer = FrameScorer(module.eval(), recipe)
        self._analyzer = analyzer.build()
        self._tracking = tracking
        self._preparation = _measured(preparation)
        self._smoothing = smoothing
        self._threshold = _chosen_threshold(module) if threshold is None else threshold
        self._trained_store_dir = None if trained_store_dir is None else Path(trained_store_dir)
        self._trained_ranking = trained_ranking

    def predict_video(self, path: Path) -> Iterator[tuple[TimedFrame, list[JudgedFace]]]:
        """Yield every frame with its faces.

        The video is decoded three times: to find the faces, to cut them, to show its frames.

        Raises:
            ValueError: If it cannot be opened.
        """
        rows = self._scored_rows(path)
        first_rows = rows["frame"].to_numpy()
        for frame in read_timed_frames(path):
            here = slice(*np.searchsorted(first_rows, [frame.number, frame.number + 1]))
            yield frame, self._judged(rows[here].iter_rows(named=True), frame.image)

    def predict(self, image: Image, camera_matrix: Float | None = None) -> list[JudgedFace]:
        """Return all faces of a photo; head poses are relative to the line of sight, as trained."""
        found = np.array([face.bbox_xyxy_px for face in self._analyzer.detect(image)])
        boxes = tight_boxes(found.reshape(-1, 4), self._analyzer.detector_name)
        prepared = [(box, self._preparer.from_frame(image, box)) for box in boxes]
        rows = [_still_row(box, face) for box, face in prepared if face is not None]
        if not rows:
            return []
        scores = self._scorer.of_stills(
            np.stack([self._pixels(face) for _, face in prepared if face is not None]),
            np.array([[row[name] for name in HEAD_POSE_COLUMNS] for row in rows]),
            np.array([[row[name] for name in POINT_COLUMNS] for row in rows]).reshape(-1, 5, 3),
        )
        scored = ({**row, "score": score} for row, score in zip(rows, scores, strict=True))
        return self._judged(scored, image)

    def _scored_rows(self, path: Path) -> pl.DataFrame:
        """Return a video's faces in the order of their frames, with ``score``."""
        with temporary_folder() as folder:
            frames = write_video_table(
                path,
                self._analyzer,
                self._tracking,
                self._preparation,
                self._ranking,
                folder,
            )
            scores = self._scores(frames, folder) if frames.height else np.empty(0)
        columns = ["frame", "track_id", "is_interpolated", "sharpness_p", *BOX_COLUMNS]
        rows = frames.select(*columns, *HEAD_POSE_COLUMNS, *POINT_COLUMNS)
        return rows.with_columns(pl.Series("score", scores)).sort("frame", maintain_order=True)

    def _scores(self, frames: pl.DataFrame, store_dir: Path) -> npt.NDArray[np.float64]:
        """Return every row's smoothed score, NaN where it has no image."""
        net = self._scorer.module.net
        table = LamTable.read(store_dir, head_pose=net.uses_head, landmarks=net.uses_landmarks)
        rows = np.flatnonzero(table.num_bytes > 0)
        named = frames[rows].select(
            pl.lit(GROUP).alias("uid"), pl.col("track_id").alias("trackid"), "frame"
        )
        found = pl.Series("score", self._scorer.of_rows(table, rows))
        scores = np.full(len(table), np.nan)
        scores[rows] = self._smoothing(named.with_columns(found))["score"].to_numpy()
        return scores

    def _judged(self, rows: Iterable[Mapping[str, Any]], image: Image) -> list[JudgedFace]:
        margin = self._preparation.margin
        return [judged_face(row, image.shape, margin, self._threshold) for row in rows]

    def _pixels(self, face: PreparedFace) -> Image:
        image = decode_image(face.encoded)
        assert image is not None, "it was encoded just now"
        return self._scorer.recipe.view(image)

    @cached_property
    def _preparer(self) -> Preparer:
        return self._preparation.build()

    @cached_property
    def _ranking(self) -> Gaussian | None:
        if self._trained_ranking is None:
            return trained_ranking(self._trained_store_dir)
        mean, std = self._trained_ranking
        return mean, std


def _chosen_threshold(module: EyeContactModule) -> float:
    """Return the threshold that the module's validation chose, and say which it is."""
    chosen = module.threshold
    if chosen is None:
        LOG.info("a face looks from a score of %g: the model's validation chose none", THRESHOLD)
        return THRESHOLD
    LOG.info("a face looks from a score of %.4f: %s in validation", chosen.value, chosen.rule)
    return chosen.value


def _still_row(box: Float, face: PreparedFace) -> dict[str, Any]:
    """Return a photo's face as a row of a video's table; nothing ranks its sharpness."""
    pose = np.full(3, np.nan) if face.head_pose_deg is None else face.head_pose_deg
    points = np.full((5, 3), np.nan) if face.points is None else face.points
    return {
        "track_id": "",
        "is_interpolated": False,
        "sharpness_p": np.nan,
        **dict(zip(BOX_COLUMNS, box, strict=True)),
        **dict(zip(HEAD_POSE_COLUMNS, pose, strict=True)),
        **dict(zip(POINT_COLUMNS, points.reshape(-1), strict=True)),
    }


def _measured(preparation: PreparationSettings) -> PreparationSettings:
    """Return the preparation with the mesh's priors in place of those from files."""
    from_files = preparation.wanted_priors
    if from_files:
        LOG.warning(
            "trained with %s from files (as far as the data had them), which a photo or video does "
            "not bring: the face mesh gives them here, and errors may exceed the test's",
            " and ".join(from_files),
        )
    measured: Any = dict.fromkeys(from_files, MESH)
    return replace(preparation, **measured)
