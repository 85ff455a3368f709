import numpy as np
from builders.eye_rings import eyes_of, signed_area

from common.faces.eye_landmarks import (
    IRIS_CENTRES,
    IRIS_QUARTERS,
    LIDS,
    PUPIL_OVER_IRIS,
    eye_landmarks_from_mesh,
    mirror_eye_landmarks,
)


def drawn_mesh() -> np.ndarray:
    """A mesh whose eyes are ellipses around (100, 80) and (160, 84); the rest is far away."""
    mesh = np.full((478, 3), 1e6)
    for eye, centre in enumerate([(100.0, 80.0), (160.0, 84.0)]):
        around = np.pi + np.arange(12) / 12 * 2 * np.pi  # clockwise in the image from the left
        mesh[LIDS[eye], 0] = centre[0] + 15 * np.cos(around)
        mesh[LIDS[eye], 1] = centre[1] + 6 * np.sin(around)
        quarters = np.array([[-5, 0], [0, -4], [5, 0], [0, 4]])
        mesh[IRIS_QUARTERS[eye], :2] = centre + quarters
        mesh[IRIS_CENTRES[eye], :2] = centre
    return mesh


def test_layout_is_all_x_then_all_y_with_the_image_left_eye_first():
    landmarks = eye_landmarks_from_mesh(drawn_mesh())
    assert landmarks.shape == (112,)
    np.testing.assert_allclose(landmarks[:28].mean(), 100)
    np.testing.assert_allclose(landmarks[28:56].mean(), 160)
    np.testing.assert_allclose(landmarks[56:84].mean(), 80)
    np.testing.assert_allclose(landmarks[84:].mean(), 84)


def test_rings_start_and_turn_as_openface_s():
    for eye, centre in zip(eyes_of(eye_landmarks_from_mesh(drawn_mesh())), [100, 160], strict=True):
        assert eye[0, 0] == eye[:8, 0].min()
        assert eye[8, 0] == centre - 15
        assert eye[14, 0] == centre + 15
        assert eye[11, 1] < eye[17, 1]  # upper lid above lower lid
        assert signed_area(eye[:8]) > 0  # clockwise, y down
        assert signed_area(eye[8:20]) > 0
        assert signed_area(eye[20:]) < 0
        lowest_left = np.argmax((eye[20:] * [-1, 1]).sum(-1))
        assert lowest_left == 0


def test_iris_points_lie_on_the_ellipse_and_the_pupil_is_its_scaled_copy():
    eye = eyes_of(eye_landmarks_from_mesh(drawn_mesh()))[0]
    offsets = eye[:8] - [100, 80]
    np.testing.assert_allclose(((offsets / [5, 4]) ** 2).sum(-1), 1)
    np.testing.assert_allclose(eye[20:] - [100, 80], PUPIL_OVER_IRIS * offsets[::-1])


def test_known_mesh_indices():
    mesh = np.random.default_rng(0).uniform(0, 200, (478, 3))
    x = eye_landmarks_from_mesh(mesh)[:56]
    # Right eye: outer corner 33, inner 133; left eye: inner 362, outer 263 (facts of FaceMesh).
    for point, index in [(8, 33), (14, 133), (36, 362), (42, 263), (0, 471), (28, 476), (11, 159)]:
        assert x[point] == mesh[index, 0]


def test_batches_equal_single_meshes():
    meshes = np.random.default_rng(0).uniform(0, 200, (2, 3, 478, 3))
    batch = eye_landmarks_from_mesh(meshes)
    assert batch.shape == (2, 3, 112)
    np.testing.assert_array_equal(batch[1, 2], eye_landmarks_from_mesh(meshes[1, 2]))


def test_mirrored_mesh_gives_mirrored_landmarks():
    # Flipping the image swaps the subject's eyes, and corners with corners.
    mesh, width = drawn_mesh(), 320
    mirrored = mesh.copy()
    for here, there in ((0, 1), (1, 0)):
        corners_first = [6, 5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7]
        mirrored[LIDS[here]] = mesh[LIDS[there][corners_first]]
        mirrored[IRIS_QUARTERS[here]] = mesh[IRIS_QUARTERS[there][[2, 1, 0, 3]]]
        mirrored[IRIS_CENTRES[here]] = mesh[IRIS_CENTRES[there]]
    mirrored[:, 0] = width - 1 - mirrored[:, 0]
    landmarks = eye_landmarks_from_mesh(mesh)
    flipped = mirror_eye_landmarks(landmarks, width)
    np.testing.assert_allclose(eye_landmarks_from_mesh(mirrored), flipped)
    np.testing.assert_allclose(mirror_eye_landmarks(flipped, width), landmarks)
