import re

import numpy as np
import pytest

from common.geometry import gaze_vector, rotation_from_head_pose
from flame.preprocessing.label_check import check_label_signs

EYE_RADIUS_PX, EYE_DISTANCE_PX, LID_RADIUS_PX = 40.0, 190.0, 45.0


def _eye_template(gaze, side):
    """28 points of one eyeball in head axes: the iris at its gaze, the lids at its front."""
    points = np.zeros((28, 3))
    points[:8] = EYE_RADIUS_PX * gaze_vector(gaze)
    around = np.linspace(np.pi, -np.pi, 12, endpoint=False)
    points[8:20, 0] = LID_RADIUS_PX * np.cos(around)
    points[8:20, 1] = 0.3 * LID_RADIUS_PX * np.sin(around)
    # Corners lie behind the lid's front, the outer one more so: faces are round.
    points[8:20, 2] = EYE_RADIUS_PX - 0.3 * np.abs(points[8:20, 0])
    points[8:20, 2] -= 0.3 * side * points[8:20, 0]
    points[20:] = EYE_RADIUS_PX * gaze_vector(gaze)
    return points + np.array([side * EYE_DISTANCE_PX / 2, 0, 0])


def _landmarks(gaze, head_pose, rng):
    """Orthographic image of two eyes, image y down, with a pixel of noise."""
    rotation = rotation_from_head_pose(head_pose)
    eye_in_head = gaze - [head_pose[1], -head_pose[0]]
    eyes = np.concatenate([_eye_template(eye_in_head, side) for side in (-1, 1)])
    seen = eyes @ rotation.T + rng.normal(0, 1, eyes.shape)
    return np.concatenate([500 + seen[:, 0], 300 - seen[:, 1]])


@pytest.fixture(scope="module")
def columbia_grid():
    rng = np.random.default_rng(0)
    degrees = [
        (p, v, h, roll)
        for p in (-30, -15, 0, 15, 30)
        for v in (-10, 0, 10)
        for h in (-15, -10, -5, 0, 5, 10, 15)
        for roll in (-4, 4)
    ]
    p, v, h, roll = np.deg2rad(np.array(degrees, dtype=float)).T
    gaze, head_pose = np.stack([h, v], 1), np.stack([0 * p, p, roll], 1)
    landmarks = np.array([_landmarks(g, r, rng) for g, r in zip(gaze, head_pose, strict=True)])
    return landmarks, gaze, head_pose


def test_right_signs_agree(columbia_grid):
    checks = check_label_signs(*columbia_grid)
    assert [check.label for check in checks] == ["gaze yaw", "gaze pitch", "head yaw", "head roll"]
    assert all(check.is_conclusive and not check.is_flipped for check in checks)
    assert [check.num_samples for check in checks] == [42, 42, 210, 210]
    assert re.search(r"gaze yaw .*correlation \+", checks[0].message)


@pytest.mark.parametrize("flipped", range(4))
def test_each_flipped_sign_is_found_alone(columbia_grid, flipped):
    landmarks, gaze, head_pose = columbia_grid
    signs = np.ones(4)
    signs[flipped] = -1
    checks = check_label_signs(landmarks, gaze * signs[:2], head_pose * [1, *signs[2:]])
    assert [check.is_flipped for check in checks] == [sign < 0 for sign in signs]
    assert "wrong sign" in checks[flipped].message


def test_mirrored_images_flip_yaw_and_roll_but_not_pitch(columbia_grid):
    landmarks, gaze, head_pose = columbia_grid
    x, y = landmarks.reshape(-1, 2, 2, 28).transpose(1, 0, 2, 3)
    # Mirrored, the eyes change places and each ring runs the other way round.
    order = np.r_[4, 3, 2, 1, 0, 7, 6, 5, 14:7:-1, 19:14:-1, 20:28]
    mirrored = np.stack([1000 - x[:, ::-1][..., order], y[:, ::-1][..., order]], 1)
    checks = check_label_signs(mirrored.reshape(len(x), -1), gaze, head_pose)
    assert [check.is_flipped for check in checks] == [True, False, True, True]


def test_scale_and_place_of_the_face_do_not_matter(columbia_grid):
    landmarks, gaze, head_pose = columbia_grid
    rng = np.random.default_rng(1)
    scale = rng.uniform(0.2, 3, (len(gaze), 1))
    moved = landmarks * scale + rng.uniform(-500, 500, (len(gaze), 1))
    one, other = (
        check_label_signs(landmarks, gaze, head_pose),
        check_label_signs(moved, gaze, head_pose),
    )
    assert [c.correlation for c in other] == pytest.approx([c.correlation for c in one], abs=1e-9)


def test_too_little_evidence_is_no_verdict(columbia_grid):
    few = [values[:12] for values in columbia_grid]
    for check in check_label_signs(*few):
        assert not check.is_conclusive
        assert not check.is_flipped
        assert check.label in check.message
        assert "nan" not in check.message


def test_labels_that_do_not_vary_and_lost_landmarks_are_no_verdict(columbia_grid):
    landmarks, gaze, head_pose = columbia_grid
    assert not any(c.is_conclusive for c in check_label_signs(landmarks, gaze * 0, head_pose * 0))
    lost = check_label_signs(landmarks * np.nan, gaze, head_pose)
    assert [check.num_samples for check in lost] == [0, 0, 0, 0]


def test_no_images_at_all():
    checks = check_label_signs(np.zeros((0, 112)), np.zeros((0, 2)), np.zeros((0, 3)))
    assert not any(check.is_conclusive for check in checks)
