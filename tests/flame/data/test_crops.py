import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flame.data.crops import crop_eye, eye_centre, eye_window

CASES = json.loads((Path(__file__).parents[2] / "golden" / "flame" / "crops.json").read_text())
# The original's offset for MPIIGaze is not ours; other resolutions only resize the same window.
CASES = [case for case in CASES if case["dataset"] != "mpiigaze" and case["resolution"] == 120]


def is_sound(case: dict[str, Any]) -> bool:
    """The original's crop is whole, frame and heatmap agree, and it shows the eye it should."""
    return bool(
        case.get("frame_and_heatmap_same_window")
        and case["usable_by_the_networks"]
        and "wraps" not in case["name"]
        and "NaN" not in case["name"]
    )


def landmarks_of(case: dict[str, Any]) -> np.ndarray:
    """Every point of an eye at that eye's centre."""
    (right_x, right_y), (left_x, left_y) = (
        (float(value) for value in case[f"{eye}_centre"]) for eye in ("right", "left")
    )
    return np.repeat([right_x, left_x, right_y, left_y], 28)


def eye_of(case: dict[str, Any]) -> Any:
    return "left" if case["idx"] % 2 else "right"


def is_eye_inside(case: dict[str, Any]) -> bool:
    x, y = case[f"{eye_of(case)}_centre"]
    return 0 <= x < case["W"] and 0 <= y < case["H"]


def coordinate_image(height: int, width: int) -> np.ndarray:
    """An image whose pixels tell where they are: (row / 256, row % 256, the same for columns)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y >> 8, y & 255, x >> 8, x & 255, np.ones_like(x)], -1).astype(np.uint8)


def coordinates(crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    high_y, low_y, high_x, low_x, _ = np.moveaxis(crop.astype(int), -1, 0)
    return high_y * 256 + low_y, high_x * 256 + low_x


def case_ids(cases: list[dict[str, Any]]) -> list[str]:
    return [case["name"] for case in cases]


SOUND = [case for case in CASES if is_sound(case)]
BROKEN = [case for case in CASES if not is_sound(case) and "NaN" not in case["name"]]


def test_the_recorded_cases_cover_both_kinds() -> None:
    assert (len(SOUND), len(BROKEN)) == (11, 19)


@pytest.mark.parametrize("case", SOUND, ids=case_ids(SOUND))
def test_equals_the_original_where_it_is_sound(case: dict[str, Any]) -> None:
    image, landmarks = coordinate_image(case["H"], case["W"]), landmarks_of(case)
    crop, moved = crop_eye(image, landmarks, eye_of(case))
    rows, columns = coordinates(crop)
    assert (rows[0, 0], columns[0, 0]) == (case["frame"]["y0"], case["frame"]["x0"])
    assert (rows[-1, -1], columns[-1, -1]) == (rows[0, 0] + 119, columns[0, 0] + 119)
    shift = landmarks - moved
    np.testing.assert_allclose(shift[:56], case["heatmap"]["x0"], atol=1e-12)
    np.testing.assert_allclose(shift[56:], case["heatmap"]["y0"], atol=1e-12)


@pytest.mark.parametrize("case", BROKEN, ids=case_ids(BROKEN))
def test_whole_and_aligned_where_the_original_is_broken(case: dict[str, Any]) -> None:
    height, width = case["H"], case["W"]
    crop, moved = crop_eye(coordinate_image(height, width), landmarks_of(case), eye_of(case))
    assert crop.shape == (120, 120, 5)
    is_image = crop[..., 4] == 1
    assert is_image.sum() == min(120, height) * min(120, width)
    rows, columns = coordinates(crop)
    crop_y, crop_x = np.mgrid[:120, :120]
    shift = landmarks_of(case) - moved
    assert (rows - crop_y == shift[-1])[is_image].all()
    assert (columns - crop_x == shift[0])[is_image].all()
    # An eye inside the frame is inside the crop.
    is_inside = [0 <= value < 120 for value in eye_centre(moved, eye_of(case))]
    assert all(is_inside) or not is_eye_inside(case)


def test_centre_comes_from_corners_and_lid_middles() -> None:
    landmarks = np.arange(112, dtype=np.float64) ** 2
    for eye, first in (("right", 0), ("left", 28)):
        x = (landmarks[first + 8] + landmarks[first + 14]) / 2
        y = (landmarks[56 + first + 11] + landmarks[56 + first + 17]) / 2
        assert eye_centre(landmarks, eye) == (x, y)


def test_window_truncates_the_centre_to_whole_pixels() -> None:
    landmarks = np.repeat([100.99, 250.0, 150.99, 150.0], 28)
    assert eye_window(landmarks, "right", (450, 384)) == (40, 90)
    assert eye_window(landmarks, "right", (450, 384), size=64) == (68, 118)


def test_a_smaller_frame_lies_so_that_the_eye_is_nearest_the_middle() -> None:
    for eye_x, x0 in ((30.0, -20), (45.0, -15), (60.0, 0), (80.0, 0)):
        landmarks = np.repeat([eye_x, eye_x, 200.0, 200.0], 28)
        assert eye_window(landmarks, "right", (450, 100)) == (x0, 140)


def test_a_frame_smaller_than_the_window_is_kept_whole_and_padded_with_zeros() -> None:
    image = np.full((50, 80, 3), 200, dtype=np.uint8)
    landmarks = np.repeat([30.0, 60.0, 20.0, 22.0], 28)
    crop, moved = crop_eye(image, landmarks, "left")
    assert crop.shape == (120, 120, 3)
    assert (crop == 200).sum() == image.size
    assert (crop == 0).sum() == crop.size - image.size
    x, y = moved[28], moved[-1]
    assert (crop[int(y) - 5 : int(y) + 5, int(x) - 5 : int(x) + 5] == 200).all()


def test_crop_is_a_copy_and_keeps_dtypes() -> None:
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    landmarks = np.full(112, 100, dtype=np.float32)
    crop, moved = crop_eye(image, landmarks, "right")
    assert (crop.dtype, moved.dtype) == (np.uint8, np.float32)
    crop[:] = 9
    assert image.max() == 0
    assert (landmarks == 100).all()


def test_nan_landmark_is_named() -> None:
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    landmarks = np.full(112, 100.0)
    landmarks[[4, 56 + 31]] = np.nan
    with pytest.raises(ValueError, match=r" 2 .*x of point 4, y of point 31"):
        crop_eye(image, landmarks, "left")


def test_wrong_arguments_are_named() -> None:
    landmarks = np.full(112, 100.0)
    with pytest.raises(ValueError, match=r"\(56,\).*\(112,\)"):
        eye_centre(landmarks[:56], "left")
