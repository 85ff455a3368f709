"""Hopenet's angles: signs, order of turns, and back."""

import numpy as np
import pytest

from common.geometry import mirror_head_pose, rotation_from_head_pose
from gazepose.preprocessing.head_angles import head_pose_from_hopenet, hopenet_angles_deg


@pytest.mark.parametrize(
    ("head_pose_deg", "angles_deg"),
    [
        ([0.0, 30.0, 0.0], [-30.0, 0.0, 0.0]),  # to the image's right
        ([20.0, 0.0, 0.0], [0.0, -20.0, 0.0]),  # down
        ([0.0, 0.0, 10.0], [0.0, 0.0, -10.0]),  # counter-clockwise
    ],
)
def test_single_turns_change_their_sign(
    head_pose_deg: list[float], angles_deg: list[float]
) -> None:
    found = hopenet_angles_deg(np.radians(head_pose_deg))
    np.testing.assert_allclose(found, angles_deg, atol=1e-12)


def test_positive_angles_turn_left_up_and_clockwise() -> None:
    """The axes as Hopenet's authors draw them; y is down there."""
    yaw, pitch, roll = np.radians([25.0, 15.0, -35.0])
    rotation = rotation_from_head_pose(head_pose_from_hopenet(np.degrees([yaw, pitch, roll])))
    nose = [-np.sin(yaw), np.cos(yaw) * np.sin(pitch)]
    np.testing.assert_allclose(rotation[:2, 2], nose, atol=1e-12)
    # Their yaw enters with a minus.
    right = [
        np.cos(yaw) * np.cos(roll),
        -(np.cos(pitch) * np.sin(roll) - np.cos(roll) * np.sin(pitch) * np.sin(yaw)),
    ]
    np.testing.assert_allclose(rotation[:2, 0], right, atol=1e-12)


def test_there_and_back() -> None:
    limits = np.radians([80.0, 80.0, 170.0])
    poses = np.random.default_rng(0).uniform(-1, 1, (200, 3)) * limits
    angles = hopenet_angles_deg(poses)
    rotations = rotation_from_head_pose(head_pose_from_hopenet(angles))
    np.testing.assert_allclose(rotations, rotation_from_head_pose(poses), atol=1e-9)


def test_a_flipped_image_negates_yaw_and_roll() -> None:
    poses = np.random.default_rng(1).uniform(-1, 1, (50, 3))
    mirrored = hopenet_angles_deg(mirror_head_pose(poses))
    np.testing.assert_allclose(mirrored, hopenet_angles_deg(poses) * [-1, 1, -1], atol=1e-9)
