import numpy as np
import pytest

from common.faces.drawing import (
    GAZE_COLOUR,
    POINT_COLOUR,
    draw_box,
    draw_eye_landmarks,
    draw_gaze_arrow,
    draw_head_axes,
    draw_label,
    draw_points,
    draw_score_bar,
)

CENTRE = np.array([200.0, 200.0])


def blank(side: int = 401) -> np.ndarray:
    return np.full((side, side, 3), 128, np.uint8)


def coloured_centre(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    # Antialiasing mixes colours at the edges of lines.
    distance = np.abs(image.astype(int) - colour).max(-1)
    rows, columns = np.nonzero(distance < 60)
    return np.array([columns.mean(), rows.mean()]) - CENTRE


@pytest.mark.parametrize(
    ("gaze_deg", "axis", "sign"),
    [((30, 0), 0, 1), ((-30, 0), 0, -1), ((0, 30), 1, -1), ((0, -30), 1, 1)],
)
def test_gaze_arrow_points_where_the_eyes_look(gaze_deg, axis, sign):
    image = blank()
    draw_gaze_arrow(image, np.radians(gaze_deg), CENTRE, 100)
    offset = coloured_centre(image, GAZE_COLOUR)
    assert sign * offset[axis] > 20
    assert abs(offset[1 - axis]) < 2


def test_gaze_into_the_camera_is_a_dot():
    image = blank()
    draw_gaze_arrow(image, np.zeros(2), CENTRE, 100)
    rows, columns = np.nonzero((image != 128).any(-1))
    assert len(rows) > 0
    assert np.ptp(rows) < 12
    assert np.ptp(columns) < 12


def test_head_axes_follow_the_contract():
    red, green, blue = (235, 64, 52), (60, 180, 75), (56, 120, 255)
    image = blank()
    draw_head_axes(image, np.radians([0, 30, 0]), CENTRE, 200)
    assert coloured_centre(image, red)[0] > 10
    assert coloured_centre(image, green)[1] < -10
    assert coloured_centre(image, blue)[0] > 10  # +yaw: the face points to the image's right
    image = blank()
    draw_head_axes(image, np.radians([30, 0, 0]), CENTRE, 200)
    assert coloured_centre(image, blue)[1] > 10  # +pitch: the face points down


@pytest.mark.parametrize("side", [64, 401, 3000])
def test_lines_grow_with_the_image(side):
    image = blank(side)
    draw_box(image, np.array([0.25, 0.25, 0.75, 0.75]) * side)
    drawn = (image != 128).any(-1)[side // 2].sum()
    assert side / 600 <= drawn / 2 <= max(9, side / 60)


def test_eye_landmarks_stay_within_their_eyes():
    around = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    x = np.concatenate([100 + 20 * np.cos(around), 300 + 20 * np.cos(around)])
    y = np.concatenate([200 + 10 * np.sin(around)] * 2)
    image = blank()
    draw_eye_landmarks(image, np.concatenate([x, y]))
    rows, columns = np.nonzero((image != 128).any(-1))
    assert (np.abs(rows - 200) < 14).all()
    assert (np.minimum(np.abs(columns - 100), np.abs(columns - 300)) < 24).all()
    assert (columns < 200).any()
    assert (columns > 200).any()


BOX = np.array([100.0, 150.0, 300.0, 300.0])
GREEN = (0, 200, 0)


def test_points_are_drawn_where_they_are_and_unknown_ones_left_out():
    image = blank()
    draw_points(image, np.array([[230.0, 190.0], [np.nan, 10.0]]), 100)
    np.testing.assert_allclose(coloured_centre(image, POINT_COLOUR), [30, -10], atol=0.6)


@pytest.mark.parametrize("score", [0.0, 0.3, 1.0])
def test_the_bar_is_as_long_as_the_score(score):
    image = blank()
    draw_score_bar(image, score, 0.9, BOX, GREEN)
    columns = np.nonzero((image == GREEN).all(-1))[1]
    length = np.ptp(columns) if len(columns) else 0
    assert length == pytest.approx(score * 200, abs=3)


@pytest.mark.parametrize("bottom", [300.0, 400.0])
def test_the_bar_lies_under_the_box_but_in_the_image(bottom):
    image = blank()
    draw_score_bar(image, 1.0, 0.5, np.array([100.0, 150.0, 300.0, bottom]), GREEN)
    rows = np.nonzero((image == GREEN).all(-1))[0]
    assert len(rows) > 0
    assert rows.min() > min(bottom, 380)


@pytest.mark.parametrize(("top", "is_above"), [(150.0, True), (0.0, False)])
def test_a_label_stands_above_its_box_where_there_is_room(top, is_above):
    image = blank()
    draw_label(image, "7", np.array([100.0, top, 300.0, 300.0]))
    rows, columns = np.nonzero((image != 128).any(-1))
    assert (rows.max() < top) == is_above
    assert columns.min() >= 95


def test_a_label_stays_in_the_image_at_its_right_edge():
    image = blank()
    draw_label(image, "123456", np.array([380.0, 200.0, 400.0, 220.0]))
    assert (image[:, :380] != 128).any()


@pytest.mark.parametrize("side_px", [40, 400, 1200])
def test_a_label_is_outlined_on_all_sides_and_no_further(side_px):
    """In whatever font OpenCV has."""
    extents = []
    for ground in (0, 255):
        image = np.full((1400, 1700, 3), ground, np.uint8)
        draw_label(image, "87% looks", np.array([30.0, 1350.0 - side_px, 30.0 + side_px, 1350.0]))
        rows, columns = np.nonzero(abs(image.astype(int).mean(-1) - ground) > 100)
        extents.append([rows.min(), columns.min(), -rows.max(), -columns.max()])
    beyond = np.subtract(*extents)
    assert beyond.min() >= 1
    assert beyond.max() <= 2 + side_px / 200
