"""Eye landmarks of demo people: projection, order, mirror symmetry, gaze direction."""

from dataclasses import replace

import numpy as np
import pytest
from builders.eye_rings import eyes_of, signed_area

from common.geometry import mirror_gaze, mirror_head_pose
from common.synthetic.people.head import build_identity, make_identity
from common.synthetic.people.sampling import sample_traits
from common.synthetic.rendering.face_pose import FaceLabels, FacePose
from common.synthetic.rendering.placement import (
    MAX_EYE_IN_HEAD_RAD,
    centred_camera,
    eye_in_head_rad,
    project,
)

SIZE = 224
CAMERA = centred_camera((SIZE, SIZE), 700.0)
SEEDS = [3, 17]
MIRRORED_RING = [4, 3, 2, 1, 0, 7, 6, 5]
MIRRORED_LIDS = [14, 13, 12, 11, 10, 9, 8, 19, 18, 17, 16, 15]
MIRRORED_PUPIL = [22, 21, 20, 27, 26, 25, 24, 23]
MIRRORED_EYE = np.array(MIRRORED_RING + MIRRORED_LIDS + MIRRORED_PUPIL)


def labels(seed, head_pose=(0, 0, 0), gaze=(0, 0), position=(0, 0, 90.0), **options) -> FaceLabels:
    options = {"pupil_radius_cm": 0.25, "closure": (0.0, 0.0), "limit_eye_turn": False} | options
    identity = make_identity(seed)
    pose = FacePose.of(
        identity,
        head_pose=np.radians(head_pose),
        gaze=np.radians(gaze),
        position_cm=np.array(position),
        **options,
    )
    return pose.labels(identity, CAMERA)


def eyes(found: FaceLabels) -> np.ndarray:
    return eyes_of(found.eye_landmarks)


@pytest.mark.parametrize("seed", SEEDS)
def test_landmarks_reproject_from_3d(seed):
    found = labels(seed, (8, -20, 5), (-10, 5), (1.5, -1.0, 80))
    pixels = project(found.camera_matrix, found.eye_landmarks_3d)
    np.testing.assert_allclose(pixels.T.reshape(-1), found.eye_landmarks, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_iris_points_lie_on_the_eyeball_kappa_from_the_gaze(seed):
    found = labels(seed, (5, 15, -8), (20, -10))
    eye_shape = make_identity(seed).traits.eyes
    for eye, centre in enumerate(found.eye_centres):
        iris = found.eye_landmarks_3d[28 * eye : 28 * eye + 8]
        distance = np.linalg.norm(iris - centre, axis=1)
        np.testing.assert_allclose(distance, eye_shape.ball_radius_cm, atol=1e-9)
        middle = iris.mean(0) - centre
        yaw, pitch = np.radians([20, -10])
        camera = [np.cos(pitch) * np.sin(yaw), -np.sin(pitch), -np.cos(pitch) * np.cos(yaw)]
        between_axes = np.arccos(middle @ camera / np.linalg.norm(middle))
        np.testing.assert_allclose(between_axes, np.linalg.norm(eye_shape.kappa_rad), rtol=0.01)


def test_irises_of_a_frontal_gaze_stand_apart_by_kappa():
    traits = sample_traits(3)
    for outward, up in np.radians([(0, 0), (4, 0), (0, 3), (-2, 1)]):
        turned = replace(traits, eyes=replace(traits.eyes, kappa_rad=np.array([outward, up])))
        pose = FacePose.of(
            build_identity(turned, 64),
            head_pose=np.zeros(3),
            gaze=np.zeros(2),
            position_cm=np.array([0.0, 0.0, 200.0]),
        )
        for eye in pose.eyes:
            yaw, pitch = np.arctan2(eye.gaze[0], eye.gaze[2]), -np.arcsin(eye.gaze[1])
            np.testing.assert_allclose([eye.side * yaw, pitch], [outward, up], atol=1e-4)


@pytest.mark.parametrize("head_yaw", [-20, 0, 20])
def test_order_is_that_of_openface(head_yaw):
    left, right = eyes(labels(3, (0, head_yaw, 0), (head_yaw, 0)))
    assert left[:, 0].mean() < right[:, 0].mean()
    for eye in (left, right):
        iris, lids, pupil = eye[:8], eye[8:20], eye[20:]
        assert iris[:, 0].argmin() == 0
        assert iris[:, 0].argmax() == 4
        assert iris[:, 1].argmin() == 2
        assert iris[:, 1].argmax() == 6
        assert lids[:, 0].argmin() == 0
        assert lids[:, 0].argmax() == 6
        assert lids[3, 1] < lids[9, 1], "11 is on the upper lid, 17 on the lower"
        assert signed_area(iris) > 0
        assert signed_area(lids) > 0
        assert signed_area(pupil) < 0
        assert pupil[0, 0] < pupil[:, 0].mean() < pupil[2, 0], "20 lower left, 22 lower right"
        assert pupil[[0, 2], 1].min() > pupil[:, 1].mean()
        # The smaller ring lies nearer to the front of the ball, so seen askew it is off by a bit.
        np.testing.assert_allclose(pupil.mean(0), iris.mean(0), atol=1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_mirrored_pose_and_gaze_give_mirrored_landmarks(seed):
    head_pose, gaze = np.array([6.0, 18.0, -7.0]), np.array([25.0, -4.0])
    original = eyes(labels(seed, head_pose, gaze, (2.0, 1.0, 90)))
    turned = labels(seed, mirror_head_pose(head_pose), mirror_gaze(gaze), (-2.0, 1.0, 90))
    mirrored = eyes(turned)[::-1][:, MIRRORED_EYE] * [-1, 1] + [SIZE - 1, 0]
    # Eyelids follow the charted skin, which is stored in float32.
    np.testing.assert_allclose(mirrored, original, atol=0.01)


def test_gaze_moves_the_iris_as_the_contract_says():
    def iris_offset(gaze):
        both = eyes(labels(3, (0, 0, 0), gaze))
        return (both[:, :8].mean(1) - both[:, [8, 14]].mean(1)).mean(0)

    ahead, right, up = iris_offset((0, 0)), iris_offset((15, 0)), iris_offset((0, 10))
    assert right[0] > ahead[0] + 1
    assert up[1] < ahead[1] - 1


def test_head_pose_turns_the_face_as_the_contract_says():
    middle = [labels(3, pose).eye_landmarks.reshape(2, 56).mean(1) for pose in np.eye(3) * 15]
    ahead = labels(3).eye_landmarks.reshape(2, 56).mean(1)
    assert middle[0][1] > ahead[1] + 3, "+pitch turns the face down"
    assert middle[1][0] > ahead[0] + 3, "+yaw turns it to the image's right"
    left, right = eyes(labels(3, (0, 0, 15))).mean(1)
    assert right[1] < left[1], "+roll turns it counter-clockwise"


def test_closing_the_lids_brings_the_upper_to_the_lower():
    shut = eyes(labels(3, closure=(1.0, 0.0)))
    opening = np.linalg.norm(shut[:, 11] - shut[:, 17], axis=1)
    assert opening[0] < 0.05
    assert opening[1] > 2


def test_gaze_out_of_reach_is_refused_or_reported():
    with pytest.raises(ValueError, match=r"60\.0 .*limit_eye_turn=True"):
        labels(3, (0, -30, 0), (30, 0))
    found = labels(3, (0, -30, 0), (30, 0), limit_eye_turn=True)
    assert found.is_gaze_limited
    turn = eye_in_head_rad(found.gaze, found.head_pose)
    assert turn == pytest.approx(MAX_EYE_IN_HEAD_RAD)
    np.testing.assert_allclose(np.degrees(found.gaze), [20, 0], atol=1e-6)
    assert not labels(3, limit_eye_turn=True).is_gaze_limited


def test_a_head_in_the_lens_is_refused():
    with pytest.raises(ValueError, match=r"10\.0 cm.*25 cm"):
        labels(3, position=(0, 0, 10.0))
