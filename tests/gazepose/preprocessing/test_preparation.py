"""Preparation: what is measured, on which pixels, and what is stored."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from builders.fake_lam import FakeMesh
from builders.mediapipe_release import needs_solutions
from builders.small_hopenet import published_state

from common.faces.mediapipe.mesh import FaceMesh
from common.media.image_codec import decode_image, encode_image
from gazepose.preprocessing.face_image import sharpness
from gazepose.preprocessing.preparation import PreparationSettings, Preparer

BOX = np.array([10.0, 20.0, 74.0, 100.0])


def frame() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


class FakePose:
    def __init__(self, found: bool = True) -> None:
        self.found = found
        self.seen: list[tuple[int, ...]] = []

    def landmarks(self, image: np.ndarray) -> np.ndarray | None:
        self.seen.append(image.shape)
        return np.full((33, 4), 0.25) if self.found else None


class FakeHopenet:
    def angles_deg(self, image: np.ndarray) -> np.ndarray:
        return np.array([1.0, 2.0, float(image.shape[0])])


def preparer(mesh: Any = None, pose: Any = None, hopenet: Any = None, **settings: Any) -> Preparer:
    return Preparer(PreparationSettings(**settings), mesh, pose, hopenet)


def test_the_stored_image_is_the_box_in_the_wanted_size() -> None:
    face = preparer(landmarks="none", head_pose="none", codec="png").from_frame(frame(), BOX)
    assert face is not None
    expected = cv2.resize(frame()[20:100, 10:74], (224, 224))
    np.testing.assert_array_equal(decode_image(face.encoded), expected)
    assert face.points is face.head_pose_deg is None


def test_sharpness_is_measured_before_encoding() -> None:
    expected = sharpness(cv2.resize(frame()[20:100, 10:74], (224, 224)))
    for quality in (5, 95):
        made = preparer(landmarks="none", head_pose="none", quality=quality)
        face = made.from_frame(frame(), BOX)
        assert face is not None
        assert face.sharpness == expected


def test_a_box_outside_the_frame_is_none_and_costs_no_mesh() -> None:
    mesh = FakeMesh()
    assert preparer(mesh).from_frame(frame(), BOX + 500) is None
    assert preparer(mesh).from_frame(frame(), np.full(4, np.nan)) is None
    assert mesh.calls == 0


def test_mesh_gives_points_and_head_pose_of_one_call() -> None:
    mesh = FakeMesh()
    face = preparer(mesh).from_frame(frame(), BOX)
    assert face is not None
    assert face.points is not None
    assert face.head_pose_deg is not None
    assert mesh.calls == 1
    assert ((face.points[:, :2] > 0.19) & (face.points[:, :2] < 0.82)).all()
    assert (face.points[:, 2] == 1).all()


def test_points_lie_on_the_same_spot_whatever_the_margin() -> None:
    near, far = (preparer(FakeMesh(), margin=m).from_frame(frame(), BOX) for m in (0.0, 0.125))
    assert near is not None
    assert far is not None
    assert near.points is not None
    assert far.points is not None
    # A margin of an eighth on either side: the box is four fifths of the image.
    expected = (near.points[:, :2] - 0.5) * 0.8 + 0.5
    np.testing.assert_allclose(far.points[:, :2], expected, atol=1e-9)


class SeenBoxes:
    """A mesh that finds nothing and remembers where it was told to look."""

    def __init__(self) -> None:
        self.boxes: list[list[float]] = []

    def landmarks(self, image: np.ndarray, bbox_xyxy_px: np.ndarray) -> None:
        self.boxes.append(bbox_xyxy_px.tolist())


@pytest.mark.parametrize(
    ("box", "seen"),
    [
        ([10.0, 20.0, 74.0, 100.0], [10, 20, 74, 100]),
        ([-20.0, 20.0, 74.0, 150.0], [-20, 20, 74, 150]),
        ([30.0, 20.0, 1e7, 100.0], [30, 20, 160, 100]),
        ([-1e12, -1e12, 1e12, 1e12], [0, 0, 160, 120]),
    ],
)
def test_the_mesh_looks_at_boxes_larger_than_the_frame_within_it(
    box: list[float], seen: list[float]
) -> None:
    mesh = SeenBoxes()
    assert preparer(mesh).from_frame(frame(), np.array(box)) is not None
    assert mesh.boxes == [seen]


def test_a_box_beyond_all_measure_costs_no_memory() -> None:
    face = preparer(FaceMesh()).from_frame(frame(), np.array([30.0, 20.0, 1e7, 100.0]))
    assert face is not None
    assert face.points is None


def test_no_mesh_leaves_points_and_head_pose_unknown() -> None:
    face = preparer(FakeMesh()).from_frame(np.zeros((120, 160, 3), np.uint8), BOX)
    assert face is not None
    assert face.points is face.head_pose_deg is None


def test_pose_sees_the_face_image_alone() -> None:
    pose = FakePose()
    face = preparer(None, pose, landmarks="pose", head_pose="none").from_frame(frame(), BOX)
    assert face is not None
    np.testing.assert_array_equal(face.points, np.full((5, 3), 0.25))
    assert pose.seen == [(224, 224, 3)]
    lost = preparer(None, FakePose(False), landmarks="pose", head_pose="none")
    found = lost.from_frame(frame(), BOX)
    assert found is not None
    assert found.points is None


def test_pose_points_go_with_the_meshs_head_pose() -> None:
    made = preparer(FakeMesh(), FakePose(), landmarks="pose", head_pose="mesh")
    face = made.from_frame(frame(), BOX)
    assert face is not None
    assert face.points is not None
    assert face.points[0, 2] == 0.25
    assert face.head_pose_deg is not None


def test_hopenet_sees_the_face_image(tmp_path: Path) -> None:
    weights = tmp_path / "hopenet.pkl"
    weights.touch()
    settings = {"head_pose": "hopenet", "hopenet_weights": str(weights), "landmarks": "none"}
    face = preparer(hopenet=FakeHopenet(), **settings).from_frame(frame(), BOX)
    assert face is not None
    np.testing.assert_array_equal(face.head_pose_deg, [1.0, 2.0, 224.0])


def test_a_file_keeps_its_bytes() -> None:
    image = cv2.resize(frame(), (224, 224))
    encoded = encode_image(image, "jpeg", 40)
    face = preparer(FakeMesh()).from_file(encoded)
    decoded = decode_image(encoded)
    assert decoded is not None
    assert face.encoded == encoded
    assert face.sharpness == sharpness(decoded)
    assert face.points is not None


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"no image", "damaged"),
        (encode_image(np.zeros((224, 200, 3), np.uint8), "png", 1), "200 x 224 .* 224 x 224"),
    ],
)
def test_a_file_that_no_net_takes_is_refused(encoded: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        preparer(FakeMesh()).from_file(encoded)


@pytest.mark.parametrize(
    ("settings", "fact"),
    [
        ({"landmarks": "mediapipe"}, "landmarks.* 'mediapipe'.*'mesh'"),
        ({"head_pose": "pnp"}, "head_pose.* 'pnp'.*'mesh'"),
        ({"codec": "gif"}, "codec.* 'gif'.*'jpeg'"),
        ({"quality": 0}, "quality.* 0.* 1 to 100"),
        ({"margin": -0.1}, r"margin.* -0\.1.* 0 "),
        ({"size": 0}, "size.* 0.* 1 "),
        ({"head_pose": "hopenet"}, "head_pose=hopenet.*hopenet_weights="),
        ({"head_pose": "hopenet", "hopenet_weights": "nowhere.pkl"}, r"nowhere\.pkl"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        PreparationSettings(**settings)


def test_the_recipe_names_hopenets_file_by_its_content(tmp_path: Path) -> None:
    for name, seed in (("a.pkl", 1), ("c.pkl", 2)):
        torch.save(published_state(seed=seed), tmp_path / name)
    shutil.copy(tmp_path / "a.pkl", tmp_path / "b.pkl")
    recipes = [
        PreparationSettings(head_pose="hopenet", hopenet_weights=tmp_path / name).recipe()
        for name in ("a.pkl", "b.pkl", "c.pkl")
    ]
    assert recipes[0] == recipes[1] != recipes[2]
    assert "hopenet_weights" in PreparationSettings().recipe()


@pytest.mark.parametrize(
    ("head_pose", "is_named"),
    [("mesh", True), ("prior", False), ("prior_or_mesh", False), ("none", False)],
)
def test_the_recipe_names_the_definition_of_the_meshs_head_pose(
    head_pose: str, is_named: bool
) -> None:
    recipe = PreparationSettings(head_pose=head_pose).recipe()
    assert ("mesh_head_pose" in recipe) == is_named


def test_the_mesh_stands_in_for_files_that_are_not_there_and_the_recipe_stays() -> None:
    """Else a store of prior files made before there was a choice would be refused."""
    either = PreparationSettings(landmarks="prior_or_mesh", head_pose="prior_or_mesh")
    from_files = PreparationSettings(landmarks="prior", head_pose="prior")
    assert either.recipe() == from_files.recipe()
    assert either.with_priors(["landmarks", "head_pose"]) == from_files
    assert either.with_priors(["landmarks"]) == PreparationSettings(
        landmarks="prior", head_pose="mesh"
    )
    assert either.with_priors([]) == PreparationSettings()
    assert from_files.with_priors([]) == from_files
    assert (either.needed_priors, from_files.needed_priors) == ((), either.wanted_priors)


@pytest.mark.parametrize(
    "settings",
    [
        PreparationSettings(),
        pytest.param(
            PreparationSettings(landmarks="pose", head_pose="none"), marks=needs_solutions
        ),
    ],
)
def test_settings_and_what_they_build_travel_to_other_processes(
    settings: PreparationSettings,
) -> None:
    assert pickle.loads(pickle.dumps(settings)) == settings
    pickle.dumps(settings.build())
