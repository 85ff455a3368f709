import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from common.geometry import (
    CAMERA_TO_VIEWER,
    angular_error,
    face_direction,
    gaze_angles,
    gaze_vector,
    gaze_within_range,
    head_pose_from_rotation,
    mirror_gaze,
    mirror_head_pose,
    rotation_from_head_pose,
)

RECORDED = json.loads((Path(__file__).parents[1] / "golden" / "flame" / "angles.json").read_text())
QUARTER, TURN = math.pi / 2, np.array([2 * math.pi, 0.0])
# Flips the image's x axis.
MIRROR = np.diag([-1.0, 1.0, 1.0])


def random_gaze(num: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(-3.1, 3.1, num), rng.uniform(-1.5, 1.5, num)], -1)


def random_head_pose(num: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pitch, roll = rng.uniform(-3.1, 3.1, (2, num))
    return np.stack([pitch, rng.uniform(-1.5, 1.5, num), roll], -1)


@pytest.mark.parametrize(
    ("gaze", "vector"),
    [
        ([0, 0], [0, 0, 1]),  # into the camera
        ([QUARTER, 0], [1, 0, 0]),  # to the image's right
        ([-QUARTER, 0], [-1, 0, 0]),
        ([0, QUARTER], [0, 1, 0]),  # up
        ([math.pi / 4, 0], [math.sqrt(0.5), 0, math.sqrt(0.5)]),
        ([0, -math.pi / 6], [0, -0.5, math.sqrt(0.75)]),
    ],
)
def test_known_gaze_vectors(gaze: list[float], vector: list[float]) -> None:
    np.testing.assert_allclose(gaze_vector(np.array(gaze, dtype=float)), vector, atol=1e-15)
    np.testing.assert_allclose(gaze_angles(np.array(vector, dtype=float)), gaze, atol=1e-15)


def test_gaze_round_trip_forgets_length() -> None:
    gaze = random_gaze(1000)
    lengths = np.random.default_rng(1).uniform(0.01, 100, (1000, 1))
    np.testing.assert_allclose(gaze_angles(gaze_vector(gaze) * lengths), gaze, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(gaze_vector(gaze), axis=-1), 1, rtol=1e-15)


def test_angles_beyond_their_range_become_those_of_the_same_direction() -> None:
    gaze = random_gaze(50)
    behind = np.stack([gaze[:, 0] + math.pi, math.pi - gaze[:, 1]], -1)
    np.testing.assert_allclose(gaze_within_range(behind), gaze, atol=1e-12)
    np.testing.assert_allclose(gaze_within_range(gaze + TURN), gaze, atol=1e-12)
    np.testing.assert_array_equal(gaze_within_range(gaze), gaze)


def test_torch_and_numpy_agree_and_keep_their_kind() -> None:
    gaze, vector = random_gaze(50), gaze_vector(random_gaze(50))
    for function, values in ((gaze_vector, gaze), (gaze_angles, vector), (mirror_gaze, gaze)):
        ours = function(torch.from_numpy(values))
        assert isinstance(ours, torch.Tensor)
        np.testing.assert_allclose(ours.numpy(), function(values), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("case", RECORDED["angle_from_vector"], ids=lambda case: str(case["v"]))
def test_gaze_angles_against_the_original(case: dict[str, Any]) -> None:
    ours = gaze_angles(np.array(case["v"], dtype=float))
    original = np.array(case["numpy float64"], dtype=float)
    x, _, z = case["v"]
    if z < 0:
        # The original's atan(x / z) turns such a vector by 180 degrees about the y axis.
        original[0] += math.copysign(math.pi, x)
    if z == 0 and x == 0:
        # Straight up: the original divides zero by zero.
        original[0] = 0
    np.testing.assert_allclose(ours, original, atol=1e-15)


@pytest.mark.parametrize("case", RECORDED["head_pose"], ids=lambda case: case["name"])
def test_head_pose_equals_the_original_gimbal_lock_included(case: dict[str, Any]) -> None:
    ours = head_pose_from_rotation(np.array(case["R"]))
    np.testing.assert_allclose(ours, case["angles"], atol=1e-8 if "inside" in case["name"] else 0)


@pytest.mark.parametrize(
    ("head_pose", "direction"),
    [
        ([0, 0, 0], [0, 0]),
        ([0, 0.3, 0], [0.3, 0]),  # +yaw turns the face to the image's right
        ([0.2, 0, 0], [0, -0.2]),  # +pitch turns it down
        ([0, 0, 0.7], [0, 0]),  # roll does not move the direction
    ],
)
def test_head_pose_signs(head_pose: list[float], direction: list[float]) -> None:
    np.testing.assert_allclose(face_direction(np.array(head_pose)), direction, atol=1e-15)


def test_positive_roll_turns_the_head_counter_clockwise() -> None:
    head_up = rotation_from_head_pose(np.array([0, 0, 0.1])) @ [0, 1, 0]
    assert head_up[0] < 0


def test_head_pose_round_trips() -> None:
    head_pose = random_head_pose(1000)
    rotation = rotation_from_head_pose(head_pose)
    np.testing.assert_allclose(head_pose_from_rotation(rotation), head_pose, atol=1e-13)
    np.testing.assert_allclose(
        rotation @ rotation.swapaxes(-1, -2), np.broadcast_to(np.eye(3), (1000, 3, 3)), atol=1e-15
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1, rtol=1e-14)


@pytest.mark.parametrize("yaw", [QUARTER, -QUARTER])
def test_rotation_survives_the_round_trip_in_gimbal_lock(yaw: float) -> None:
    rotation = rotation_from_head_pose(np.array([0.4, yaw, 0.6]))
    rotation[..., 2, :] = [-math.copysign(1, yaw), 0, 0]
    again = rotation_from_head_pose(head_pose_from_rotation(rotation))
    np.testing.assert_allclose(again, rotation, atol=1e-15)


def test_mirror_is_the_flip_of_the_image() -> None:
    gaze, head_pose = random_gaze(100), random_head_pose(100)
    np.testing.assert_allclose(
        gaze_vector(mirror_gaze(gaze)), gaze_vector(gaze) @ MIRROR, atol=1e-15
    )
    np.testing.assert_allclose(
        rotation_from_head_pose(mirror_head_pose(head_pose)),
        MIRROR @ rotation_from_head_pose(head_pose) @ MIRROR,
        atol=1e-15,
    )
    np.testing.assert_array_equal(mirror_gaze(mirror_gaze(gaze)), gaze)
    np.testing.assert_array_equal(mirror_head_pose(mirror_head_pose(head_pose)), head_pose)
    on_torch = mirror_head_pose(torch.from_numpy(head_pose))
    np.testing.assert_array_equal(on_torch.numpy(), mirror_head_pose(head_pose))


def test_camera_axes_turn_about_x() -> None:
    # Away from the camera, as OpenCV sees it, is away from the viewer: z turns negative.
    np.testing.assert_array_equal(CAMERA_TO_VIEWER @ [1, 2, 3], [1, -2, -3])
    assert np.linalg.det(CAMERA_TO_VIEWER) == pytest.approx(1)


def test_angular_error_of_known_pairs() -> None:
    gaze = torch.tensor([[0.0, 0], [0, 0], [0.3, 0], [math.pi, 0], [0, QUARTER]]).double()
    other = torch.tensor([[0.0, 0], [0.2, 0], [-0.1, 0], [0, 0], [1.0, -QUARTER]]).double()
    expected = torch.tensor([0, 0.2, 0.4, math.pi, math.pi], dtype=torch.float64)
    torch.testing.assert_close(angular_error(gaze, other), expected, rtol=0, atol=1e-7)


def test_angular_error_is_accurate_from_tiny_to_straight() -> None:
    gaze = torch.tensor([[0.1, 0.2]], dtype=torch.float64)
    for error in (1e-12, 1e-8, 1e-4, 0.1, 1.3):
        moved = gaze + torch.tensor([[0, error]])
        assert angular_error(gaze, moved).item() == pytest.approx(error, rel=1e-3)


def test_angular_error_in_float32_resolves_what_an_arc_cosine_cannot() -> None:
    gaze = torch.from_numpy(random_gaze(10_000) / 3).float()
    moved = gaze + torch.tensor([0.0, 1e-4])
    exact = angular_error(gaze.double(), moved.double())
    # Half a unit in the last place of an angle of 1 is 6e-8.
    torch.testing.assert_close(angular_error(gaze, moved).double(), exact, rtol=0, atol=3e-7)


def test_angular_error_is_the_same_for_both_orders_and_in_the_mirror() -> None:
    a, b = torch.from_numpy(random_gaze(1000, 1)), torch.from_numpy(random_gaze(1000, 2))
    error = angular_error(a, b)
    torch.testing.assert_close(angular_error(b, a), error, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(angular_error(mirror_gaze(a), mirror_gaze(b)), error)
    cosine = (gaze_vector(a) * gaze_vector(b)).sum(-1)
    torch.testing.assert_close(torch.cos(error), cosine, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_angular_error_has_a_finite_gradient_everywhere(dtype: torch.dtype) -> None:
    gaze = torch.from_numpy(random_gaze(20_000)).to(dtype)
    opposite = torch.stack([gaze[:, 0] + math.pi, -gaze[:, 1]], -1)
    for other in (gaze, opposite, gaze + 1e-20, gaze + 1e-7, opposite + 1e-7, gaze.flip(0)):
        prediction = gaze.clone().requires_grad_()
        error = angular_error(prediction, other)
        error.sum().backward()
        assert error.isfinite().all()
        assert prediction.grad is not None
        assert prediction.grad.isfinite().all()
    assert torch.equal(angular_error(gaze, gaze), torch.zeros(len(gaze), dtype=dtype))
