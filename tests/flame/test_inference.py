"""Gaze of the faces in a photo: the same road as in preprocessing and test."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_faces import (
    FACE,
    NO_FACE,
    TWO_FACES,
    FakeAnalyzerSettings,
    observation,
    photo,
    raw_sample,
)

from common.facestore import decode_image
from flame.batch import GazeBatch
from flame.crops import crop_eye
from flame.inference import PhotoPredictor
from flame.losses import VectorDifferenceLoss
from flame.module import GazeAngleModule
from flame.nets.flame import Flame
from flame.preparation import PreparationSettings, Preparer
from flame.statistics import Statistics

MARGIN = 0.05
RANGES = Statistics(-0.3, 0.3, -0.5, 0.5)


@pytest.fixture(scope="module")
def module() -> GazeAngleModule:
    torch.manual_seed(0)
    net = Flame(width=2, hidden=8)
    return GazeAngleModule(net, VectorDifferenceLoss(), torch.optim.Adam, statistics=RANGES)


@pytest.fixture(scope="module")
def predictor(module: GazeAngleModule) -> PhotoPredictor:
    return PhotoPredictor(module, FakeAnalyzerSettings(), MARGIN)  # type: ignore[arg-type]


def textured(kind: int) -> np.ndarray:
    image = np.random.default_rng(0).integers(0, 256, photo(kind).shape).astype(np.uint8)
    image[0, 0] = kind
    return image


def test_a_photo_is_seen_as_preprocessing_and_test_see_it(
    predictor: PhotoPredictor, module: GazeAngleModule
) -> None:
    """The same photo through the store: cut, coded losslessly, cropped, predicted."""
    image = textured(FACE)
    settings = PreparationSettings(head_pose="mesh", codec="png", box_margin=MARGIN)
    preparer = Preparer(settings, FakeAnalyzerSettings().build(), None)  # type: ignore[arg-type]
    sample = raw_sample(FACE)
    encoded, row = preparer.prepare(type(sample)(**{**vars(sample), "image": image}))
    stored, landmarks = decode_image(encoded), np.array(row["landmarks_px"])
    expected = []
    for eye in ("right", "left"):
        crop, moved = crop_eye(stored, landmarks, eye)
        pose = [row[f"head_{axis}_rad"] for axis in ("pitch", "yaw", "roll")]
        batch = GazeBatch(
            rgb=torch.from_numpy(crop.transpose(2, 0, 1).copy())[None],
            landmarks=torch.from_numpy(moved).float()[None],
            head_pose=torch.tensor(pose)[None].float(),
            gaze=torch.zeros(1, 2),
            row=torch.zeros(1),
            eye=torch.zeros(1),
        )
        expected.append(module.eval()(batch)[0].detach().numpy())
    (found,) = predictor.predict(image)
    np.testing.assert_allclose(found.eye_gaze, expected, atol=1e-6)


def test_a_faces_gaze_is_the_mean_direction_of_its_eyes(predictor: PhotoPredictor) -> None:
    (found,) = predictor.predict(textured(FACE))
    # Small angles: the mean direction is nearly the mean angle.
    np.testing.assert_allclose(found.gaze, found.eye_gaze.mean(axis=0), atol=0.01)


def test_every_face_gets_a_record_the_surest_first(predictor: PhotoPredictor) -> None:
    records, drawn = predictor.annotate(textured(TWO_FACES))
    assert [record["confidence"] for record in records] == [0.9, 0.77]
    assert records[0]["bbox_xyxy_px"] == observation().bbox_xyxy_px.tolist()
    assert drawn.shape == photo(TWO_FACES).shape


def test_records_are_in_degrees(predictor: PhotoPredictor) -> None:
    (found,) = predictor.predict(textured(FACE))
    record = found.record()
    assert record["head_pitch_deg"] == pytest.approx(np.rad2deg(0.1), abs=1e-3)
    assert record["head_roll_deg"] == pytest.approx(np.rad2deg(0.3), abs=1e-3)
    gaze = [record["gaze_yaw_deg"], record["gaze_pitch_deg"]]
    np.testing.assert_allclose(gaze, np.rad2deg(found.gaze), atol=1e-3)
    right = record["right_eye_gaze_yaw_pitch_deg"]
    np.testing.assert_allclose(right, np.rad2deg(found.eye_gaze[0]), atol=1e-3)


def test_drawing_leaves_the_photo_itself_alone(predictor: PhotoPredictor) -> None:
    image = textured(FACE)
    before = image.copy()
    _, drawn = predictor.annotate(image)
    np.testing.assert_array_equal(image, before)
    assert (drawn != image).any()


def test_a_photo_without_a_face_comes_back_unchanged(predictor: PhotoPredictor) -> None:
    records, drawn = predictor.annotate(textured(NO_FACE))
    assert records == []
    np.testing.assert_array_equal(drawn, textured(NO_FACE))


def test_prediction_draws_no_random_numbers(predictor: PhotoPredictor) -> None:
    first, second = (predictor.predict(textured(FACE))[0].gaze for _ in range(2))
    np.testing.assert_array_equal(first, second)
