"""Bins of the head pose and landmarks around the eyes."""

import numpy as np
import pytest
import torch
from builders.golden_ego4d import expected
from builders.small_lam import small_points

from gazepose.priors import (
    clip_landmarks,
    eye_centred,
    head_bins,
    mirror_landmarks,
    num_beyond,
    num_head_bins,
)

GOLDEN = expected()


@pytest.mark.parametrize("split", GOLDEN["angle_index"])
def test_bins_equal_the_originals_inside_its_table(split: str) -> None:
    angles, wanted = np.array(GOLDEN["angle_index"][split]).T
    bins = head_bins(np.stack([angles] * 3, -1), float(split))
    last = num_head_bins(float(split)) - 1
    np.testing.assert_array_equal(bins, np.minimum(wanted, last)[:, None].repeat(3, 1))
    assert num_beyond(np.stack([angles] * 3, -1), float(split)) == (wanted > last).sum()


def test_bins_do_not_know_left_from_right() -> None:
    pose = np.random.default_rng(0).uniform(-99, 99, (50, 3))
    np.testing.assert_array_equal(head_bins(pose, 1.0), head_bins(-pose, 1.0))


@pytest.mark.parametrize("split", [0.7, 1.0])
def test_an_unknown_head_pose_is_one_of_90_degrees(split: float) -> None:
    unknown = np.array([[np.nan] * 3, [10.0, np.nan, 20.0]])
    np.testing.assert_array_equal(head_bins(unknown, split), head_bins(np.full((2, 3), 90), split))
    assert num_beyond(unknown, split) == 0


def test_a_bin_needs_a_size() -> None:
    for split in (0, -1.0, 91):
        with pytest.raises(ValueError, match=rf"split.* {split} .* 0"):
            num_head_bins(split)


def test_landmarks_equal_the_originals() -> None:
    assert GOLDEN["transformation_mesh"]
    for case in GOLDEN["transformation_mesh"]:
        assert eye_centred(np.array(case["keypoints_xyc"])).tolist() == case["out_mesh"]


def test_landmarks_do_not_move_with_the_face() -> None:
    points = small_points(np.random.default_rng(1))
    moved = points + np.array([0.1, -0.05, 0])
    np.testing.assert_allclose(eye_centred(moved), eye_centred(points), atol=1e-6)


def test_mirrored_landmarks_are_those_of_the_mirrored_image() -> None:
    points = np.stack([small_points(np.random.default_rng(seed)) for seed in range(5)])
    mirror_image = points[:, [0, 2, 1, 4, 3]] * [-1, 1, 1] + [1, 0, 0]
    mirrored = mirror_landmarks(eye_centred(points))
    np.testing.assert_allclose(mirrored, eye_centred(mirror_image), atol=1e-6)
    np.testing.assert_array_equal(mirror_landmarks(mirrored), eye_centred(points))
    tensor = mirror_landmarks(torch.from_numpy(eye_centred(points)))
    np.testing.assert_array_equal(tensor.numpy(), mirrored)


def landmarks_of_frames(found: list[bool]) -> np.ndarray:
    """(N, 15) in which every value tells its row; NaN where not found."""
    values = np.repeat(np.arange(1.0, 1 + len(found), dtype=np.float32)[:, None], 15, 1)
    values[~np.array(found)] = np.nan
    return values


def test_neighbours_are_asked_in_the_published_order() -> None:
    order = []
    found = [True] * 7
    for _ in range(7):
        landmarks = landmarks_of_frames(found)
        row = int(clip_landmarks(landmarks, np.arange(7), use_neighbours=True)[0]) - 1
        order.append(row - 3)
        found[row] = False
    assert order == [0, -1, 1, -2, 2, 3, -3]
    assert not clip_landmarks(landmarks_of_frames(found), np.arange(7), use_neighbours=True).any()


def test_a_missing_frame_has_no_landmarks() -> None:
    landmarks = landmarks_of_frames([False, True, True])
    window = np.array([[-1, -1, -1, 0, 1, 2, -1], [-1, -1, -1, 0, -1, -1, -1]])
    found = clip_landmarks(landmarks, window, use_neighbours=True)
    np.testing.assert_array_equal(found[:, 0], [2, 0])
    assert found.dtype == np.float32


def test_without_neighbours_only_the_middle_counts() -> None:
    landmarks = landmarks_of_frames([True, False, True])
    window = np.array([[-1, -1, -1, 0, 1, 2, -1], [-1, -1, 0, 1, 2, -1, -1]])
    found = clip_landmarks(landmarks, window, use_neighbours=False)
    np.testing.assert_array_equal(found[:, 0], [1, 0])
