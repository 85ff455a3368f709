"""The face image is what the original's slice shows, stretched to a square."""

import cv2
import numpy as np
import pytest

from gazepose.preprocessing.face_image import FaceWindow, face_window

SHAPE = (90, 160, 3)


@pytest.mark.parametrize(
    ("box", "window"),
    [
        ([10.9, 20.2, 50.9, 70.9], (10, 20, 50, 70)),
        ([10.0, 20.0, 50.0, 70.0], (10, 20, 50, 70)),
        ([-5.5, -0.5, 30.7, 40.1], (0, 0, 30, 40)),
        ([120.0, 60.0, 400.0, 300.0], (120, 60, 160, 90)),
        ([-1e9, -1e9, 1e9, 1e9], (0, 0, 160, 90)),
        ([0.4, 0.4, 1.2, 1.2], (0, 0, 1, 1)),
    ],
)
def test_edges_are_cut_to_whole_numbers_and_to_the_frame(
    box: list[float], window: tuple[int, int, int, int]
) -> None:
    assert face_window(np.array(box), SHAPE, 0.0) == FaceWindow(*window)


@pytest.mark.parametrize(
    "box",
    [
        [-30.0, 10.0, -1.0, 40.0],
        [170.0, 10.0, 190.0, 40.0],
        [10.0, 95.0, 40.0, 99.0],
        [10.0, 10.0, 10.0, 40.0],
        [10.2, 10.0, 10.8, 40.0],
        [40.0, 10.0, 10.0, 40.0],
        [np.nan, 10.0, 40.0, 40.0],
        [10.0, 10.0, np.inf, 40.0],
    ],
)
def test_a_box_without_a_pixel_in_the_frame_is_none(box: list[float]) -> None:
    assert face_window(np.array(box), SHAPE, 0.0) is None


def test_margin_grows_every_side_by_a_part_of_the_box() -> None:
    box = np.array([40.0, 20.0, 80.0, 70.0])
    assert face_window(box, SHAPE, 0.25) == FaceWindow(30, 7, 90, 82)


def test_the_image_is_the_slice_resized_bilinearly() -> None:
    frame = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    window = face_window(np.array([10.9, 20.2, 50.9, 70.9]), SHAPE, 0.0)
    assert window is not None
    expected = cv2.resize(frame[20:70, 10:50], (224, 224), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(window.cut(frame, 224), expected)


def test_a_box_of_the_wanted_size_is_copied() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    window = FaceWindow(11, 22, 235, 246)
    np.testing.assert_array_equal(window.cut(frame, 224), frame[22:246, 11:235])


def test_points_are_fractions_of_the_window() -> None:
    window = FaceWindow(10, 20, 50, 100)
    edges = window.normalised(np.array([[9.5, 19.5], [49.5, 99.5], [29.5, 59.5]]))
    np.testing.assert_allclose(edges, [[0, 0], [1, 1], [0.5, 0.5]])


def test_fractions_of_the_window_come_back_as_pixels_of_the_frame() -> None:
    window = FaceWindow(10, 20, 50, 100)
    points = np.random.default_rng(0).uniform(-20, 300, (7, 2))
    np.testing.assert_allclose(window.in_frame(window.normalised(points)), points)
