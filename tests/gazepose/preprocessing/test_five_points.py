"""Five points: order, sides and scores."""

import numpy as np

from gazepose.preprocessing.face_image import FaceWindow
from gazepose.preprocessing.five_points import points_from_mesh, points_from_pose

NOSE, LEFT_EYE, RIGHT_EYE, MOUTH_LEFT, MOUTH_RIGHT = range(5)


def test_mesh_points_are_fractions_of_the_face_image() -> None:
    mesh = np.zeros((478, 3))
    # As on a frontal face: the subject's left is the image's right.
    mesh[1, :2] = 30, 50
    mesh[473, :2], mesh[468, :2] = (40, 40), (20, 40)
    mesh[291, :2], mesh[61, :2] = (36, 62), (24, 62)
    points = points_from_mesh(mesh, FaceWindow(10, 20, 50, 70))
    assert points.shape == (5, 3)
    np.testing.assert_allclose(points[NOSE], [20.5 / 40, 30.5 / 50, 1.0])
    assert points[LEFT_EYE, 0] > points[NOSE, 0] > points[RIGHT_EYE, 0]
    assert points[MOUTH_LEFT, 0] > points[MOUTH_RIGHT, 0]
    assert (points[:, 2] == 1).all()


def test_pose_points_are_taken_by_number_with_visibility_as_score() -> None:
    pose = np.arange(33 * 4, dtype=np.float64).reshape(33, 4) / 1000
    pose[10, 3] = 1.0000001
    points = points_from_pose(pose)
    np.testing.assert_array_equal(points[:, 0], pose[[0, 2, 5, 9, 10], 0])
    np.testing.assert_array_equal(points[:4, 2], pose[[0, 2, 5, 9], 3])
    assert points[MOUTH_RIGHT, 2] == 1
