"""Gaze of the faces in a photo: the same road as in preprocessing and test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders.fake_faces import (
    FACE,
    NO_FACE,
    OFF_THE_FRAME,
    TWO_FACES,
    FakeAnalyzerSettings,
    observation,
    photo,
    raw_sample,
)
from builders.fake_lam import FakeMesh
from builders.small_training import composed

from common.config.instantiate import build
from common.faces.analysis import FaceAnalyzer, FaceObservation
from common.faces.detection import Face
from common.faces.head_pose import canonical_face, head_pose_from_mesh
from common.faces.normalisation import SIZE_PX, normalise_face, virtual_camera
from common.faces.settings import AnalyzerSettings
from common.geometry import CAMERA_TO_VIEWER, rotation_from_head_pose
from common.media.image_codec import decode_image
from common.media.video import read_frames
from common.media.video_writer import write_video
from flame.batch import GazeBatch
from flame.data.crops import crop_eye
from flame.data.statistics import Statistics
from flame.nets.flame import Flame
from flame.prediction import predictor as inference
from flame.prediction.predictor import PhotoPredictor
from flame.preprocessing.preparation import PreparationSettings, Preparer
from flame.training.losses import VectorDifferenceLoss
from flame.training.module import GazeAngleModule

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
    analyzer: Any = FakeAnalyzerSettings().build()
    preparer = Preparer(settings, analyzer, None, "columbia_target_angles")
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


def test_a_photo_without_a_face_has_none(predictor: PhotoPredictor) -> None:
    assert predictor.predict(textured(NO_FACE)) == []


def test_prediction_draws_no_random_numbers(predictor: PhotoPredictor) -> None:
    first, second = (predictor.predict(textured(FACE))[0].gaze for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_face_whose_eyes_leave_the_photo_says_so_and_is_drawn(predictor: PhotoPredictor) -> None:
    records, drawn = predictor.annotate(textured(OFF_THE_FRAME))
    assert [record["eyes_in_frame"] for record in records] == [False]
    assert (drawn != textured(OFF_THE_FRAME)).any()
    (found,) = predictor.predict(textured(FACE))
    assert found.record()["eyes_in_frame"] is True


@pytest.mark.parametrize(
    ("x_or_y", "value_px", "inside"),
    [("x", 0, True), ("x", -0.1, False), ("x", 319, True), ("x", 319.1, False), ("y", 240, False)],
)
def test_the_photo_ends_at_the_centres_of_its_outer_pixels(
    x_or_y: str, value_px: float, inside: bool
) -> None:
    landmarks = observation().eye_landmarks
    landmarks[3 if x_or_y == "x" else 56 + 3] = value_px
    assert inference._lie_inside(landmarks, photo(FACE).shape) is inside


def test_the_photos_camera_decides_the_head_pose(predictor: PhotoPredictor) -> None:
    camera_matrix = np.diag([500.0, 500, 1])
    predictor.annotate(textured(FACE), camera_matrix)
    analyzer: Any = predictor._analyzer
    assert analyzer.camera_matrix is camera_matrix


@pytest.mark.parametrize(
    ("trained", "said"),
    [
        ({}, None),
        ({"trained_head_pose": "mesh", "trained_landmarks": "mesh"}, None),
        ({"trained_head_pose": "dataset", "trained_landmarks": "mesh"}, " head_pose=dataset"),
        (
            {"trained_head_pose": "openface", "trained_landmarks": "openface"},
            "landmarks=openface and head_pose=openface",
        ),
        ({"trained_without_scale": True}, None),
        ({"trained_without_scale": False}, "data.reader.remove_scale=true"),
    ],
)
def test_a_net_trained_on_what_no_photo_has_warns_once(
    module: GazeAngleModule,
    caplog: pytest.LogCaptureFixture,
    trained: dict[str, Any],
    said: str | None,
) -> None:
    settings: Any = FakeAnalyzerSettings()
    predictor = PhotoPredictor(module, settings, MARGIN, **trained)
    for _ in range(2):
        predictor.predict(textured(FACE))
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == (said is not None)
    assert all(str(said) in message for message in messages)


def test_faces_are_cut_as_in_preprocessing_of_the_training_data_but_found_by_the_default() -> None:
    preparation = "data.preprocessor.preparation"
    config = composed(
        "train",
        *("model=flame", "data=columbiagaze", "paths.run_dir=x"),
        *(f"{preparation}.box_margin=0.2", f"{preparation}.head_pose=openface"),
    )
    annotator = config["model"]["annotator"]
    assert annotator.items() >= {"box_margin": 0.2, "trained_head_pose": "openface"}.items()
    assert build(annotator["analyzer"]) == AnalyzerSettings()
    # What made the stores there are, and what their recipes name.
    assert config["data"]["preprocessor"]["analyzer"]["detector"] == "mediapipe"


def test_an_originals_checkpoint_alone_finds_faces_by_default_settings() -> None:
    config = composed("predict", "model=flame", "paths.run_dir=x")["model"]["annotator"]
    assert build(config["analyzer"]) == AnalyzerSettings()
    assert config["trained_head_pose"] is None


def test_a_command_may_look_for_faces_otherwise_and_say_when_two_are_one(
    module: GazeAngleModule,
) -> None:
    """`build`'s arguments are merged into the config, however deep."""
    config = composed("train", "model=flame", "data=demo_gaze", "paths.run_dir=x")
    tracking = {"_target_": "common.faces.tracking.TrackingSettings", "max_gap": 3}
    changed = {"analyzer": {"min_face_px": 123.0}, "tracking": tracking}
    predictor = build(config["model"]["annotator"], module=module, **changed)
    assert predictor._analyzer._detector._smallest_face.min_px == 123
    assert predictor.follower._tracking.max_gap == 3


class SlidingFaces:
    """Finds a face that moves 2 px to the right at each call, and none at the third call."""

    name = "sliding"

    def __init__(self) -> None:
        self._num_calls = 0

    def build(self) -> FaceAnalyzer:
        return FaceAnalyzer(self, FakeMesh())  # type: ignore[arg-type]

    def detect(self, image: np.ndarray) -> list[Face]:
        self._num_calls += 1
        box = observation(left=2.0 * self._num_calls).bbox_xyxy_px
        return [] if self._num_calls == 3 else [Face(box, 0.9)]


def sliding(module: GazeAngleModule) -> PhotoPredictor:
    """One that searches every frame: what is overlooked is not followed."""
    return PhotoPredictor(module, SlidingFaces(), MARGIN, following={"detect_every": 1})  # type: ignore[arg-type]


def test_a_videos_faces_keep_their_track_over_a_gap(
    module: GazeAngleModule, tmp_path: Path
) -> None:
    write_video(tmp_path / "v.mp4", [photo(FACE)] * 5, 25)
    frames = list(sliding(module).annotate_video(tmp_path / "v.mp4"))
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]
    tracks = [[record["track_id"] for record in frame.records] for frame in frames]
    assert tracks == [["0"], ["0"], [], ["0"], ["0"]]
    assert frames[0].drawn.shape == photo(FACE).shape
    assert frames[0].records[0].keys() == {"track_id", *PhotoPredictor.columns}


def test_a_frames_faces_are_estimated_as_a_photos(module: GazeAngleModule, tmp_path: Path) -> None:
    write_video(tmp_path / "v.mp4", [photo(FACE)], 25)
    (_, image), *_ = read_frames(tmp_path / "v.mp4")
    (frame,) = sliding(module).annotate_video(tmp_path / "v.mp4")
    (record,), _ = sliding(module).annotate(image)
    assert frame.records == [{"track_id": "0", **record}]


def test_faces_of_several_frames_are_estimated_as_each_alone(module: GazeAngleModule) -> None:
    image, (analyzer,) = textured(FACE), [SlidingFaces().build()]
    faces = [face for _ in range(2) for face in analyzer.analyze(image)]
    predictor = sliding(module)
    together = predictor._estimated([(image, face) for face in faces])
    alone = [predictor._estimated([(image, face)])[0] for face in faces]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.eye_gaze, other.eye_gaze, atol=1e-6)
    assert np.abs(together[0].eye_gaze - together[1].eye_gaze).max() > 1e-6


def test_the_largest_face_alone_on_request(module: GazeAngleModule) -> None:
    settings: Any = FakeAnalyzerSettings()
    predictor = PhotoPredictor(module, settings, MARGIN, following={"largest_only": True})
    assert len(predictor.predict(textured(TWO_FACES))) == 1


def test_mixed_precision_is_refused_where_it_is_another(module: GazeAngleModule) -> None:
    settings: Any = FakeAnalyzerSettings()
    with pytest.raises(ValueError, match=r"precision=16-true.*32-true or bf16-mixed"):
        PhotoPredictor(module, settings, MARGIN, precision="16-true")


CAMERA = np.array([[500.0, 0, 159.5], [0, 500.0, 119.5], [0, 0, 1]])
HEAD_POSE, HEAD_AT_CM = np.array([0.1, -0.4, 0.3]), np.array([4.0, -3.0, 50.0])


def posed_observation() -> FaceObservation:
    """The template's face, turned, tilted and beside the middle, as `CAMERA` sees it."""
    indices, template = canonical_face()
    to_camera = CAMERA_TO_VIEWER @ rotation_from_head_pose(HEAD_POSE)
    pixels = (template @ to_camera.T + HEAD_AT_CM) @ CAMERA.T
    mesh = np.tile(pixels[:1] / pixels[:1, 2:], (478, 1))
    mesh[indices] = pixels / pixels[:, 2:]
    box = np.concatenate([mesh[:, :2].min(0), mesh[:, :2].max(0)])
    eyes = np.repeat(mesh[[33, 263], :2], 28, axis=0) + np.tile([[-2.0, 0], [2, 1]], (28, 1))
    return FaceObservation(box, 0.9, mesh, eyes.T.reshape(112), HEAD_POSE, 0.0)


class FakeNormalisedNet:
    """Says a known label of the normalised frame, and remembers what it saw."""

    device = "cpu"
    gaze_frame = "normalised"

    def __init__(self, label: np.ndarray) -> None:
        self.net = torch.nn.Identity()
        self.label = torch.from_numpy(label)
        self.seen: Any = None

    def eval(self) -> "FakeNormalisedNet":
        return self

    def __call__(self, batch: Any) -> torch.Tensor:
        self.seen = batch
        return self.label


class FakeOneFaceAnalyzer:
    """Finds the posed face in the photo, and in its normalised image what is asked."""

    def __init__(self, again: list[FaceObservation]) -> None:
        self.again = again
        self.cameras: list[Any] = []

    def build(self) -> "FakeOneFaceAnalyzer":
        return self

    def analyze(self, image: np.ndarray, camera_matrix: Any = None) -> list[FaceObservation]:
        self.cameras.append(camera_matrix)
        return self.again if image.shape == (SIZE_PX, SIZE_PX, 3) else [posed_observation()]


@pytest.mark.parametrize("is_found_again", [True, False])
def test_a_net_of_the_normalised_frame_is_turned_back_into_the_cameras(
    is_found_again: bool,
) -> None:
    """The circle: normalise, predict the label of the camera's gaze there, turn back."""
    gaze = np.array([[0.25, -0.15], [-0.5, 0.3]])
    face = posed_observation()
    fit = head_pose_from_mesh(face.mesh, CAMERA)
    normal = normalise_face(fit.face_centre_cm, fit.head_pose, CAMERA)
    again = inference._moved(face, normal)
    box = np.array([20.0, 20, 200, 200])
    again = replace(again, bbox_xyxy_px=box, head_pose=again.head_pose + 0.25)
    net, analyzer = (
        FakeNormalisedNet(normal.gaze(gaze)),
        FakeOneFaceAnalyzer([again] if is_found_again else []),
    )
    predictor = PhotoPredictor(net, analyzer, MARGIN)  # type: ignore[arg-type]
    (found,) = predictor.predict(textured(FACE), CAMERA)
    np.testing.assert_allclose(found.eye_gaze, gaze, atol=1e-9)
    assert np.abs(normal.gaze(gaze) - gaze).max() > 0.1  # turning was needed
    np.testing.assert_array_equal(found.face.head_pose, HEAD_POSE)  # people read the camera's
    # The net saw the head as preprocessing of its training data finds it: level.
    roll = net.seen["head_pose"][0, 2].item()
    shift = 0.25 if is_found_again else 0.0
    assert roll == pytest.approx(shift, abs=0.02)
    np.testing.assert_array_equal(analyzer.cameras[0], CAMERA)
    np.testing.assert_array_equal(analyzer.cameras[1], virtual_camera())


def test_the_eyes_of_a_normalised_face_are_level_in_what_the_net_sees() -> None:
    net = FakeNormalisedNet(np.zeros((2, 2)))
    predictor = PhotoPredictor(net, FakeOneFaceAnalyzer([]), MARGIN)  # type: ignore[arg-type]
    image = np.zeros((240, 320, 3), np.uint8)
    predictor.predict(image, CAMERA)
    x, y = net.seen["landmarks"][0].reshape(2, 2, 28).mean(-1).tolist()
    tilt = np.degrees(np.arctan2(y[1] - y[0], x[1] - x[0]))
    # In the photo the head is rolled by 17 degrees.
    assert abs(tilt) < 2


def test_a_net_of_the_camera_frame_sees_the_photo_itself(module: GazeAngleModule) -> None:
    analyzer = FakeOneFaceAnalyzer([])
    predictor = PhotoPredictor(module, analyzer, MARGIN)  # type: ignore[arg-type]
    predictor.predict(textured(FACE), CAMERA)
    assert len(analyzer.cameras) == 1
