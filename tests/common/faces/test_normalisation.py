"""The normalised frame: a virtual camera that looks at the face and rolls with the head."""

import numpy as np
import pytest

from common.faces.head_pose import canonical_face, head_pose_from_mesh
from common.faces.normalisation import (
    DISTANCE_CM,
    FOCAL_PX,
    SIZE_PX,
    FaceNormalisation,
    normalise_face,
    virtual_camera,
)
from common.geometry import (
    CAMERA_TO_VIEWER,
    gaze_angles,
    gaze_vector,
    mirror_gaze,
    mirror_head_pose,
    rotation_from_head_pose,
)

CAMERA = np.array([[900.0, 0, 320], [0, 880.0, 240], [0, 0, 1]])
CASES = [
    ((0.0, 0.0, 60.0), (0.0, 0.0, 0.0)),
    ((20.0, -12.0, 50.0), (0.2, -0.5, 0.35)),
    ((-15.0, 10.0, 90.0), (-0.3, 0.6, -0.8)),
]


def normalised(centre: tuple[float, ...], head_pose: tuple[float, ...]) -> FaceNormalisation:
    return normalise_face(np.array(centre), np.array(head_pose), CAMERA)


def project(camera: np.ndarray, points: np.ndarray) -> np.ndarray:
    pixels = np.atleast_2d(points) @ camera.T
    return pixels[:, :2] / pixels[:, 2:]


@pytest.mark.parametrize(("centre", "head_pose"), CASES)
def test_it_is_a_rotation_that_looks_at_the_face(
    centre: tuple[float, ...], head_pose: tuple[float, ...]
) -> None:
    rotation = normalised(centre, head_pose).rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    # From the face to the camera: what looking into the camera is.
    to_camera = CAMERA_TO_VIEWER @ -np.array(centre)
    turned = rotation @ (to_camera / np.linalg.norm(to_camera))
    np.testing.assert_allclose(turned, [0, 0, 1], atol=1e-12)


@pytest.mark.parametrize(("centre", "head_pose"), CASES)
def test_the_heads_x_axis_is_level_there(
    centre: tuple[float, ...], head_pose: tuple[float, ...]
) -> None:
    head_x = rotation_from_head_pose(np.array(head_pose))[:, 0]
    x, y, _ = normalised(centre, head_pose).rotation @ head_x
    assert y == pytest.approx(0, abs=1e-12)
    assert x > 0


@pytest.mark.parametrize(("centre", "head_pose"), CASES)
def test_the_face_centre_lands_in_the_middle_at_the_fixed_distance(
    centre: tuple[float, ...], head_pose: tuple[float, ...]
) -> None:
    normal = normalised(centre, head_pose)
    middle = normal.points(project(CAMERA, np.array(centre)))
    np.testing.assert_allclose(middle, [[SIZE_PX / 2, SIZE_PX / 2]], atol=1e-9)
    # A centimetre beside it, as far from the camera, is as wide as at 60 cm.
    beside = np.array(centre) + CAMERA_TO_VIEWER @ normal.rotation.T @ [1.0, 0, 0]
    step = normal.points(project(CAMERA, beside)) - middle
    np.testing.assert_allclose(step, [[FOCAL_PX / DISTANCE_CM, 0]], atol=1e-9)


@pytest.mark.parametrize(("centre", "head_pose"), CASES)
def test_gaze_turned_into_the_frame_and_back_is_itself(
    centre: tuple[float, ...], head_pose: tuple[float, ...]
) -> None:
    normal = normalised(centre, head_pose)
    gaze = np.random.default_rng(0).uniform(-0.8, 0.8, (50, 2))
    label = normal.gaze(gaze)
    np.testing.assert_allclose(normal.gaze_in_camera(label), gaze, atol=1e-9)
    # A turn changes no angle between two directions, so no error either.
    between = (gaze_vector(gaze)[:-1] * gaze_vector(gaze)[1:]).sum(1)
    np.testing.assert_allclose((gaze_vector(label)[:-1] * gaze_vector(label)[1:]).sum(1), between)


def test_the_label_is_zhangs_by_an_independent_reckoning() -> None:
    """n = R (t - c) in OpenCV's axes, yaw = atan2(-x, -z), pitch = asin(-y), as GazeHub has it."""
    centre, head_pose = CASES[1]
    target = np.array([-8.0, 3.0, 2.0])
    gaze_cam = (target - centre) / np.linalg.norm(target - np.array(centre))
    z = np.array(centre) / np.linalg.norm(centre)
    head_cam = CAMERA_TO_VIEWER @ rotation_from_head_pose(np.array(head_pose))
    y = np.cross(z, head_cam[:, 0])
    y /= np.linalg.norm(y)
    x, y_cam, z_cam = np.stack([np.cross(y, z), y, z]) @ gaze_cam
    hub = np.arctan2(-x, -z_cam), np.arcsin(-y_cam)
    label = normalised(centre, head_pose).gaze(gaze_angles(CAMERA_TO_VIEWER @ gaze_cam))
    np.testing.assert_allclose(label, [-hub[0], hub[1]], atol=1e-12)


def test_a_mirrored_photo_has_the_mirrored_label() -> None:
    (x, y, z), head_pose = CASES[2]
    gaze = np.array([0.3, -0.2])
    label = normalised((x, y, z), head_pose).gaze(gaze)
    mirrored = normalise_face(
        np.array([-x, y, z]), mirror_head_pose(np.array(head_pose)), CAMERA
    ).gaze(mirror_gaze(gaze))
    np.testing.assert_allclose(mirrored, mirror_gaze(label), atol=1e-12)


@pytest.mark.parametrize(("centre", "head_pose"), CASES)
def test_the_face_centre_of_a_mesh_is_that_of_the_posed_template(
    centre: tuple[float, ...], head_pose: tuple[float, ...]
) -> None:
    indices, template = canonical_face()
    corners = template[np.isin(indices, [33, 133, 362, 263, 61, 291])].mean(0)
    to_camera = CAMERA_TO_VIEWER @ rotation_from_head_pose(np.array(head_pose))
    mesh = np.zeros((478, 3))
    mesh[indices, :2] = project(CAMERA, (template - corners) @ to_camera.T + centre)
    fit = head_pose_from_mesh(mesh, CAMERA)
    np.testing.assert_allclose(fit.face_centre_cm, centre, atol=1e-3)
    np.testing.assert_array_equal(fit.camera_matrix, CAMERA)
    assumed = head_pose_from_mesh(mesh)
    # The camera that is assumed looks at the face: only the roll is left to turn.
    sideways = assumed.face_centre_cm[:2] / assumed.face_centre_cm[2]
    assert np.abs(sideways).max() < 0.05


def test_an_image_goes_where_its_points_go() -> None:
    normal = normalised(*CASES[1])
    spot = project(CAMERA, np.add(CASES[1][0], (1.0, 0.5, 0.0)))
    photo = np.zeros((480, 900, 3), np.uint8)
    column, row = np.rint(spot[0]).astype(int)
    photo[row - 2 : row + 3, column - 2 : column + 3] = 255
    face = normal.image(photo)
    assert face.shape == (SIZE_PX, SIZE_PX, 3)
    rows, columns = np.nonzero(face[..., 0] > 127)
    moved = normal.points(np.array([[column, row]], dtype=float))[0]
    np.testing.assert_allclose([columns.mean(), rows.mean()], moved, atol=0.7)


def test_larger_faces_have_the_same_camera_in_finer_pixels() -> None:
    np.testing.assert_allclose(virtual_camera(448)[:2], 2 * virtual_camera()[:2])
