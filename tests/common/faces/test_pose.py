"""MediaPipe Pose on a cartoon face: points where the drawing has them."""

import pickle

import numpy as np
import pytest
from builders.cartoon_face import cartoon
from builders.mediapipe_release import needs_solutions

from common.faces.mediapipe.pose import BodyPose

pytestmark = needs_solutions
NOSE, LEFT_EYE, RIGHT_EYE, MOUTH_LEFT, MOUTH_RIGHT = 0, 2, 5, 9, 10


@pytest.fixture(scope="module")
def pose() -> BodyPose:
    return BodyPose()


def test_points_lie_where_the_face_is_drawn(pose: BodyPose) -> None:
    found = pose.landmarks(cartoon(224))
    assert found is not None
    assert found.shape == (33, 4)
    # The subject's left is the image's right; the pose is a few percent off.
    drawn = {NOSE: (0.5, 0.55), LEFT_EYE: (0.60, 0.46), RIGHT_EYE: (0.40, 0.46)}
    drawn |= {MOUTH_LEFT: (0.58, 0.70), MOUTH_RIGHT: (0.42, 0.70)}
    for number, place in drawn.items():
        np.testing.assert_allclose(found[number, :2], place, atol=0.06)
    assert ((found[:, 3] >= 0) & (found[:, 3] <= 1)).all()


def test_nobody_is_none(pose: BodyPose) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    assert pose.landmarks(noise) is None


def test_one_images_pose_does_not_depend_on_the_last(pose: BodyPose) -> None:
    first = pose.landmarks(cartoon(224))
    pose.landmarks(cartoon(224)[:, ::-1])
    np.testing.assert_array_equal(pose.landmarks(cartoon(224)), first)


def test_it_travels_without_its_graph(pose: BodyPose) -> None:
    pose.landmarks(cartoon(224))
    assert len(pickle.dumps(pose)) < 1000
