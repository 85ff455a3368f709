"""One labelled photo -> one row: chosen face, sources of every value, reasons for none."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builders.fake_faces import (
    FACE,
    NO_FACE,
    OFF_THE_FRAME,
    TWO_FACES,
    FakeAnalyzer,
    observation,
    photo,
    raw_sample,
)
from builders.fake_iris import install_fake_iris

from common.faces.mediapipe.iris import IrisModel
from common.faces.settings import AnalyzerSettings
from common.media.image_codec import decode_image
from common.store.skipped import Skipped
from common.store.writing import claim_store
from flame.preprocessing.face_image import FACE_HEIGHT_PX, FACE_WIDTH_PX, face_window
from flame.preprocessing.group import GroupRecipe
from flame.preprocessing.openface_source import OpenFaceResult
from flame.preprocessing.preparation import PreparationSettings, Preparer, choose_face
from flame.readers.columbiagaze import ColumbiaGazeReader
from flame.readers.sample import RawSample


def prepare(sample: RawSample, openface: Any = None, **settings: Any) -> Any:
    preparation = PreparationSettings(**({"codec": "png"} | settings))
    preparer = Preparer(preparation, FakeAnalyzer(), openface, "eyediap_geometric")  # type: ignore[arg-type]
    return preparer.prepare(sample)


def row(sample: RawSample, **settings: Any) -> dict[str, Any]:
    return prepare(sample, **settings)[1]


def test_labels_are_taken_over() -> None:
    sample = raw_sample(FACE, index=3, frame=45)
    found = row(sample)
    assert (found["sample_id"], found["subject"], found["index"]) == ("p1_3", "p1", 3)
    assert (found["frame"], found["gaze_yaw_rad"], found["gaze_pitch_rad"]) == (45, 0.03, -0.02)


def test_image_and_landmarks_are_those_of_the_faces_window() -> None:
    encoded, found = prepare(raw_sample(FACE), box_margin=0.1)
    window = face_window(observation().bbox_xyxy_px, (240, 320), margin=0.1)
    image = decode_image(encoded)
    assert image.shape == (FACE_HEIGHT_PX, FACE_WIDTH_PX, 3)
    np.testing.assert_array_equal(image, window.cut(photo(FACE)))
    np.testing.assert_allclose(found["landmarks_px"], window.move(observation().eye_landmarks))
    box = [found[f"face_{name}_px"] for name in ("x0", "y0", "x1", "y1")]
    assert box == observation().bbox_xyxy_px.tolist()


def test_every_value_names_its_source_and_quality() -> None:
    found = row(raw_sample(FACE))
    expected = {
        "gaze_source": "eyediap_geometric",
        "head_pose_source": "dataset",
        "head_pose_error": None,
        "head_pose_confidence": None,
        "landmark_source": "mesh",
        "landmark_confidence": None,
        "box_source": "mesh",
        "detector": "fake_detector",
        "detector_confidence": 0.9,
    }
    assert {name: found[name] for name in expected} == expected
    assert [found[f"head_{axis}_rad"] for axis in ("pitch", "yaw", "roll")] == [0, 0.1, 0]
    found = row(raw_sample(FACE, head_pose=None), head_pose="mesh")
    assert (found["head_pose_source"], found["head_pose_error"]) == ("mesh", 0.01)
    assert found["head_pose_confidence"] is None
    assert [found[f"head_{axis}_rad"] for axis in ("pitch", "yaw", "roll")] == [0.1, 0.2, 0.3]


class FakeOpenFace:
    """Finds the mesh's landmarks a pixel to the right, or nothing."""

    def __init__(self, error: Exception | None = None, shift_px: float = 1.0) -> None:
        self.error = error
        self.shift_px = shift_px

    def find(self, sample: RawSample, bbox_xyxy_px: np.ndarray) -> OpenFaceResult:
        if self.error:
            raise self.error
        shift = np.repeat([self.shift_px, 0.0], 56)
        landmarks = observation().eye_landmarks + shift
        return OpenFaceResult(landmarks, np.array([0.4, 0.5, 0.6]), 0.7)


def test_openface_gives_landmarks_and_head_pose_where_asked() -> None:
    from_mesh, from_openface = (
        row(raw_sample(FACE), openface=FakeOpenFace(), landmarks=source, head_pose=source)
        for source in ("mesh", "openface")
    )
    shift = np.subtract(from_openface["landmarks_px"], from_mesh["landmarks_px"])
    scale = FACE_WIDTH_PX / 154
    np.testing.assert_allclose(shift[:56], scale, rtol=0.1)
    np.testing.assert_allclose(shift[56:], 0, atol=1e-9)
    assert from_openface["head_roll_rad"] == 0.6
    assert from_openface["landmark_confidence"] == 0.7
    assert (from_openface["head_pose_confidence"], from_openface["head_pose_error"]) == (0.7, None)
    assert from_openface["detector_confidence"] == 0.9


def test_a_sample_unknown_to_openface_is_skipped_with_its_reason() -> None:
    openface = FakeOpenFace(LookupError("no OpenFace csv"))
    skipped = prepare(raw_sample(FACE), openface=openface, landmarks="openface")
    assert skipped == Skipped("p1_0", "p1", "p1", "no OpenFace csv")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (cv2.error("(-215:Assertion failed) !empty()"), "error: (-215:Assertion failed) !empty()"),
        (ValueError("values that are not finite"), "ValueError: values that are not finite"),
        (RuntimeError("graph has errors"), "RuntimeError: graph has errors"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_photo_that_something_chokes_on_is_skipped(error: Exception, reason: str) -> None:
    skipped = prepare(raw_sample(FACE), openface=FakeOpenFace(error), landmarks="openface")
    assert skipped == Skipped("p1_0", "p1", "p1", reason)


def test_eyes_beside_the_face_image_are_off_the_frame() -> None:
    # Inside the photo of 320 px, outside the face's window that ends at 187.
    openface = FakeOpenFace(shift_px=110.0)
    skipped = prepare(raw_sample(FACE), openface=openface, landmarks="openface")
    assert skipped == Skipped("p1_0", "p1", "p1", "eye centre off the frame")


@pytest.mark.parametrize(
    ("sample", "settings", "reason"),
    [
        (raw_sample(NO_FACE), {}, "no face found"),
        (raw_sample(TWO_FACES), {}, "2 faces found"),
        (raw_sample(OFF_THE_FRAME), {}, "of 56"),
        (raw_sample(FACE, head_pose=None), {}, "no head pose; use head_pose=mesh"),
        (raw_sample(FACE), {"landmarks": "dataset"}, "no landmarks"),
        (
            raw_sample(FACE, face_hint_px=np.array([300.0, 200.0])),
            {},
            "1 face",
        ),
    ],
)
def test_an_unusable_photo_is_skipped_with_its_reason(
    sample: RawSample, settings: dict[str, Any], reason: str
) -> None:
    skipped = prepare(sample, **settings)
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def test_the_data_sets_hint_chooses_among_faces() -> None:
    faces = [observation(), observation(left=130.0)]
    assert choose_face(faces, np.array([250.0, 100.0])) is faces[1]
    assert choose_face(faces, np.array([60.0, 100.0])) is faces[0]
    # Between both boxes: the more certain one.
    assert choose_face(faces, np.array([175.0, 100.0])) is faces[0]


def test_a_layouts_face_image_is_stored_as_it_is() -> None:
    generator = np.random.default_rng(0)
    landmarks, image = generator.uniform(20, 60, 112), generator.integers(0, 256, (90, 70, 3))
    sample = RawSample(
        "s1_1", "s1", "s1", 0, image.astype(np.uint8), np.zeros(2), np.zeros(3), landmarks
    )
    settings = PreparationSettings(landmarks="dataset", codec="png")
    encoded, found = Preparer(settings, None, None, "flame_layout").prepare(sample)
    np.testing.assert_array_equal(decode_image(encoded), image)
    np.testing.assert_array_equal(found["landmarks_px"], landmarks)
    assert found["landmark_source"] == found["head_pose_source"] == found["box_source"] == "dataset"
    assert found["detector"] is found["detector_confidence"] is None


def test_a_face_image_that_is_no_pair_of_eyes_is_not_measured_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install_fake_iris(monkeypatch)
    settings = PreparationSettings(landmarks="iris")
    skipped = Preparer(settings, None, None, "x", IrisModel()).prepare(raw_sample(FACE))
    assert isinstance(skipped, Skipped)
    assert "landmarks=mesh" in skipped.reason


def test_a_face_image_without_landmarks_is_kept_whole() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 70, 3)).astype(np.uint8)
    sample = RawSample("s1_1", "s1", "s1", 0, image, np.array([0.1, 0.2]), part="val")
    settings = PreparationSettings(landmarks="none", head_pose="none", codec="png")
    encoded, found = Preparer(settings, None, None, "gaze360").prepare(sample)
    np.testing.assert_array_equal(decode_image(encoded), image)
    assert (found["gaze_yaw_rad"], found["gaze_pitch_rad"], found["part"]) == (0.1, 0.2, "val")
    assert found["landmark_source"] == found["head_pose_source"] == "none"
    assert found["landmarks_px"] is found["head_yaw_rad"] is None


def test_a_face_image_without_landmarks_may_bring_its_head_pose() -> None:
    settings = PreparationSettings(landmarks="none", head_pose="dataset")
    preparer = Preparer(settings, None, None, "x")
    _, found = preparer.prepare(raw_sample(FACE))
    assert [found[f"head_{axis}_rad"] for axis in ("pitch", "yaw", "roll")] == [0, 0.1, 0]
    skipped = preparer.prepare(raw_sample(FACE, head_pose=None))
    assert isinstance(skipped, Skipped)
    assert "no head pose" in skipped.reason


@pytest.mark.parametrize(("axis", "shift_px"), [(0, -60), (0, 60), (1, -60), (1, 80)])
def test_a_layouts_eyes_off_its_image_are_refused(axis: int, shift_px: float) -> None:
    landmarks = np.random.default_rng(0).uniform(20, 60, (2, 56))
    landmarks[axis] += shift_px
    image = np.zeros((90, 70, 3), np.uint8)
    sample = RawSample(
        "s1_1", "s1", "s1", 0, image, np.zeros(2), np.zeros(3), landmarks.reshape(112)
    )
    settings = PreparationSettings(landmarks="dataset")
    skipped = Preparer(settings, None, None, "flame_layout").prepare(sample)
    assert skipped == Skipped("s1_1", "s1", "s1", "eye centre off the frame")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"landmarks": "eyes"}, r"landmarks.*'eyes'.*'mesh', 'openface'"),
        ({"head_pose": "neck"}, r"head_pose.*'neck'.*'dataset', 'mesh'"),
        ({"landmarks": "dataset", "head_pose": "mesh"}, "landmarks=dataset.*head_pose=dataset"),
        ({"landmarks": "iris", "head_pose": "mesh"}, "landmarks=iris.*head_pose=dataset"),
        ({"landmarks": "none", "head_pose": "mesh"}, "landmarks=none.*head_pose=dataset or none"),
        ({"landmarks": "mesh", "head_pose": "none"}, "head_pose=none.*landmarks=none"),
        ({"codec": "webp"}, r"codec.*'webp'.*'jpeg', 'png'"),
        ({"quality": 0}, "quality.* 0.* 1 to 100"),
        ({"box_margin": -0.1}, "box_margin.*-0.1.* 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PreparationSettings(**settings)


def test_a_store_of_another_definition_of_the_meshs_head_pose_is_not_added_to(
    tmp_path: Path,
) -> None:
    def described(head_pose: str) -> dict[str, Any]:
        preparation, reader = PreparationSettings(head_pose=head_pose), ColumbiaGazeReader(tmp_path)
        return GroupRecipe("x", reader, tmp_path, preparation, AnalyzerSettings(), None).described()

    old = {key: value for key, value in described("mesh").items() if key != "mesh_head_pose"}
    claim_store(tmp_path, old)
    with pytest.raises(ValueError, match="mesh_head_pose: None there"):
        claim_store(tmp_path, described("mesh"))
    assert described("dataset") == {**old, "head_pose": "dataset"}
