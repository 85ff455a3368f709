"""Eye contact in photos and videos: preprocessing's road, with a trained net at its end."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from common.arrays import Float, Image
from common.config.arguments import check_arguments
from common.config.recordable import recordable
from common.evaluation.scores import THRESHOLD
from common.faces.drawing import face_size_px
from common.faces.following import FaceFollower, FollowingSettings
from common.faces.settings import AnalyzerSettings
from common.faces.tracking import TrackingSettings
from common.prediction.annotator import Annotator, Found, Judged
from common.training.inference import ready
from gazepose.data.coverage import warn_of_num_beyond
from gazepose.data.dataset import ClipRecipe
from gazepose.data.face_view import FaceView
from gazepose.data.temporal_dropout import TemporalDropout
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.prediction.contact_stream import ContactStream, ScoredFace
from gazepose.prediction.frame_scores import FrameScorer, still
from gazepose.prediction.judged_face import COLUMNS, JudgedFace, judged_face
from gazepose.prediction.sharpness_ranks import SharpnessRanks
from gazepose.preprocessing.preparation import MESH, PreparationSettings, Preparer
from gazepose.readers.detected_clip import tight_boxes
from gazepose.readers.steady_tracks import SteadyBox, SteadyTracks
from gazepose.store.ranking import Gaussian, trained_ranking
from gazepose.training.module import EyeContactModule

LOG = logging.getLogger(__name__)


@recordable
class VideoPredictor(Annotator):
    """Finds the faces of a photo or video and says which of them look at the camera.

    A video goes the way of the training data: faces are found and tracked, cut, measured and
    coded, and every frame of every track is scored as validation scores its clips; but all in one
    pass, as the frames come (`ContactStream`). A photo is a video that stands still.

    Frames are ranked by sharpness, for temporal dropout, among the training images; without the
    training store at hand among the video's own so far. (The published system ranks each part
    among itself, which takes all of a video first.)

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
        following: the arguments of `FollowingSettings`: how often a video is searched for faces.
        precision: ``32-true`` or ``bf16-mixed``.

    Raises:
        ValueError: If a number is out of its range.
    """

    columns = COLUMNS

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
        following: Mapping[str, Any] | None = None,
        precision: str = "32-true",
    ) -> None:
        if threshold is not None and not 0 <= threshold <= 1:
            raise ValueError(f"threshold is {threshold}, expected a score from 0 to 1")
        check_arguments(TemporalDropout, dropout or {}, "dropout")
        recipe = ClipRecipe(
            TemporalDropout(**(dropout or {})),
            split if module.net.uses_head else None,
            module.net.uses_landmarks,
            mirror_priors=False,
            flip=False,
            random_crop=False,
            view=FaceView(image_size, zoom),
        )
        self._scorer = FrameScorer(ready(module, precision), recipe, precision)
        self._analyzer = analyzer.build()
        settings = FollowingSettings.of(following)
        self.follower = FaceFollower(self._analyzer, tracking, settings)
        self._tracking = tracking
        self._preparation = _measured(preparation)
        self._smoothing = smoothing
        self._threshold = _chosen_threshold(module) if threshold is None else threshold
        self._trained_store_dir = None if trained_store_dir is None else Path(trained_store_dir)
        self._trained_ranking = trained_ranking

    def judge(self, found: Iterable[Found]) -> Iterator[Judged]:
        """Yield frames with the faces whose tracks count."""
        stream = ContactStream(
            self._scorer,
            self._preparer,
            SteadyTracks(self._tracking, self._analyzer.detector_name),
            self._smoothing,
            SharpnessRanks(self._ranking),
            self.follower.settings.is_live,
        )
        for (frame, _, _), faces in stream.judge(found):
            yield frame, [self._judged(face, frame.image) for face in faces]

    def predict(self, image: Image, camera_matrix: Float | None = None) -> list[JudgedFace]:
        """Return all faces of a photo; head poses are relative to the line of sight, as trained."""
        faces = self._analyzer.detect(image)
        if self.follower.settings.largest_only:
            faces = sorted(faces, key=lambda face: -face_size_px(face.bbox_xyxy_px))[:1]
        found = np.array([face.bbox_xyxy_px for face in faces])
        boxes = tight_boxes(found.reshape(-1, 4), self._analyzer.detector_name)
        seen = [
            ScoredFace(SteadyBox(0, "", box, None, False), self._preparer.from_frame(image, box))
            for box in boxes
        ]
        shown = [(one, one.face) for one in seen if one.face is not None]
        looks = self._scorer.look([self._scorer.pixels(face) for _, face in shown])
        clips = [still(look, face) for look, (_, face) in zip(looks, shown, strict=True)]
        warn_of_num_beyond(self._scorer.num_beyond(clips), len(clips))
        for (one, _), score in zip(shown, self._scorer.scores(clips), strict=True):
            one.score = float(score)
        return [self._judged(one, image) for one, _ in shown]

    def _judged(self, face: ScoredFace, image: Image) -> JudgedFace:
        return judged_face(face, image.shape, self._preparation.margin, self._threshold)

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
