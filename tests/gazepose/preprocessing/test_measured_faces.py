"""Real graphs on a cartoon face: five points and head angles where the drawing has them."""

import cv2
import numpy as np
import pytest
from builders.cartoon_face import CARTOON_BOX, cartoon
from builders.mediapipe_release import needs_solutions

from common.media.image_codec import encode_image
from gazepose.preprocessing.preparation import PreparationSettings, Preparer

SIDE = 400
X0, Y0 = 210, 60
# In the cartoon: nose tip, irises, corners of the mouth; the subject's left is the image's right.
DRAWN = np.array([[128, 152], [153, 120], [103, 120], [150, 182], [106, 182]]) / 256


def frame(angle_deg: float = 0.0) -> np.ndarray:
    image = np.full((540, 960, 3), (120, 135, 150), np.uint8)
    face = cartoon(SIDE)
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle_deg, 1.0)
    border = (120, 135, 150)
    image[Y0 : Y0 + SIDE, X0 : X0 + SIDE] = cv2.warpAffine(
        face, turn, (SIDE, SIDE), borderValue=border
    )
    return image


def box() -> np.ndarray:
    return np.array([X0, Y0, X0, Y0]) + SIDE * CARTOON_BOX


def drawn_points() -> np.ndarray:
    low, high = CARTOON_BOX[:2], CARTOON_BOX[2:]
    return (DRAWN - low) / (high - low)


@pytest.fixture(scope="module")
def mesh() -> Preparer:
    return PreparationSettings().build()


@pytest.fixture(scope="module")
def pose() -> Preparer:
    return PreparationSettings(landmarks="pose", head_pose="none").build()


def test_the_mesh_finds_the_points_in_a_frame(mesh: Preparer) -> None:
    face = mesh.from_frame(frame(), box())
    assert face is not None
    assert face.points is not None
    np.testing.assert_allclose(face.points[:, :2], drawn_points(), atol=0.06)


@pytest.mark.parametrize("angle_deg", [-20.0, 20.0])
def test_roll_is_positive_clockwise(mesh: Preparer, angle_deg: float) -> None:
    """OpenCV's positive angle turns counter-clockwise."""
    upright, turned = (mesh.from_frame(frame(angle), box()) for angle in (0.0, angle_deg))
    assert upright is not None
    assert turned is not None
    assert upright.head_pose_deg is not None
    assert turned.head_pose_deg is not None
    np.testing.assert_allclose(upright.head_pose_deg[[0, 2]], 0, atol=6)
    assert turned.head_pose_deg[2] - upright.head_pose_deg[2] == pytest.approx(-angle_deg, abs=4)


def test_the_mesh_finds_the_points_in_a_tight_image(mesh: Preparer) -> None:
    inner = cv2.resize(frame()[196:396, 310:510], (224, 224))
    face = mesh.from_file(encode_image(inner, "png", 1))
    assert face.points is not None
    places = DRAWN * SIDE + [X0, Y0]
    np.testing.assert_allclose(face.points[:, :2], (places - [310, 196]) / 200, atol=0.08)


@needs_solutions
def test_the_pose_has_the_same_order_of_points(pose: Preparer) -> None:
    whole = cv2.resize(cartoon(SIDE), (224, 224))
    face = pose.from_file(encode_image(whole, "png", 1))
    assert face.points is not None
    np.testing.assert_allclose(face.points[:, :2], DRAWN, atol=0.08)
    assert (face.points[:, 2] > 0.4).all()


def test_where_there_is_no_face_nothing_is_known(mesh: Preparer) -> None:
    face = mesh.from_frame(frame(), np.array([700.0, 300.0, 860.0, 460.0]))
    assert face is not None
    assert face.points is face.head_pose_deg is None


def test_a_stretched_image_of_a_file_gives_the_frames_head_pose(mesh: Preparer) -> None:
    """Stretching alone would be read as a pitch."""
    narrow = box() + np.array([20, 0, -20, 0])  # four fifths as wide as high
    from_frame = mesh.from_frame(frame(), narrow)
    assert from_frame is not None
    from_file = mesh.from_file(from_frame.encoded)
    assert from_frame.head_pose_deg is not None
    assert from_file.head_pose_deg is not None
    np.testing.assert_allclose(from_file.head_pose_deg, from_frame.head_pose_deg, atol=4)
    assert from_frame.points is not None
    assert from_file.points is not None
    np.testing.assert_allclose(from_file.points, from_frame.points, atol=0.03)
