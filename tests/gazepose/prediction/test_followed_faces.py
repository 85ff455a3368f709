"""On a rendered video: faces that are followed are those that every frame's search finds.

Two portraits glide over a backdrop, one of them comes later; CenterFace finds them.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from builders.small_nets import small_gazelstm, small_module
from scipy.special import expit, logit

from common.faces.settings import AnalyzerSettings
from common.faces.tracking import TrackingSettings, iou
from common.media.presentation import Shown
from common.media.video import TimedFrame
from common.prediction.annotator import Judged
from common.synthetic.people.head import make_identity
from common.synthetic.rendering.portraits import render_portrait
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.prediction.predictor import VideoPredictor
from gazepose.preprocessing.preparation import PreparationSettings

WIDTH, HEIGHT, NUM_FRAMES, COMES_AT = 640, 360, 36, 13


def portraits() -> list[np.ndarray]:
    generator = np.random.default_rng(4)
    return [render_portrait(make_identity(n), generator, size_px=180).image for n in range(2)]


def film() -> Iterator[TimedFrame]:
    noise = np.random.default_rng(0).uniform(40, 200, (24, 40, 3)).astype(np.float32)
    backdrop = cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    backdrop = backdrop.clip(0, 255).astype(np.uint8)
    people = portraits()
    for number in range(NUM_FRAMES):
        image = backdrop.copy()
        for who, portrait in enumerate(people):
            if who == 1 and number < COMES_AT:
                continue
            scale = 1 + 0.006 * number
            left, top = (40 + 2.3 * number, 60 + 0.7 * number) if who == 0 else (400, 80)
            placed = np.array([[scale, 0, left], [0, scale, top]])
            cv2.warpAffine(
                portrait, placed, (WIDTH, HEIGHT), dst=image, borderMode=cv2.BORDER_TRANSPARENT
            )
        yield TimedFrame(number, image, Shown(number / 30, 1 / 30))


@pytest.fixture(scope="module")
def judged() -> dict[int, list[Judged]]:
    """The film's frames by how often they are searched."""
    module = small_module(small_gazelstm())
    found = {}
    for every in (1, 10):
        settings: dict[str, Any] = {"following": {"detect_every": every}, "image_size": 64}
        predictor = VideoPredictor(
            *(module, AnalyzerSettings(), TrackingSettings(), PreparationSettings()),
            *(None, TrackSmoothing()),
            **settings,
        )
        found[every] = list(predictor.predict_frames(film()))
    return found


def pairs(judged: dict[int, list[Judged]]) -> list[tuple[Any, Any, float]]:
    """Of every face of the searched frames the one that was followed, and their overlap."""
    found = []
    for (frame, searched), (other_frame, followed) in zip(judged[1], judged[10], strict=True):
        assert frame.number == other_frame.number
        assert len(searched) == len(followed)
        boxes = [np.array([face.bbox_xyxy_px for face in some]) for some in (searched, followed)]
        overlaps = iou(*boxes)
        for face, row in zip(searched, overlaps, strict=True):
            found.append((face, followed[int(row.argmax())], float(row.max())))
    return found


def test_followed_faces_are_the_searched_ones(judged: dict[int, list[Judged]]) -> None:
    matched = pairs(judged)
    assert len(matched) == 2 * NUM_FRAMES - COMES_AT
    assert {(face.track_id, other.track_id) for face, other, _ in matched} == {
        ("0", "0"),
        ("1", "1"),
    }
    overlaps = [overlap for *_, overlap in matched]
    assert np.median(overlaps) > 0.9
    assert min(overlaps) > 0.75


def test_followed_faces_have_the_searched_ones_scores_and_poses(
    judged: dict[int, list[Judged]],
) -> None:
    matched = pairs(judged)
    logits = logit(np.array([[face.score, other.score] for face, other, _ in matched]))
    # Of a net that is sure of itself: random weights say nearly the same of everybody.
    scores = expit(2 * (logits - logits[:, 0].mean()) / logits[:, 0].std())
    poses = np.degrees([[face.head_pose, other.head_pose] for face, other, _ in matched])
    assert np.ptp(scores[:, 0]) > 0.5
    assert np.median(np.abs(np.diff(scores))) < 0.02
    assert np.abs(np.diff(scores)).max() < 0.1
    assert np.abs(np.diff(poses, axis=1)).max() < 3
