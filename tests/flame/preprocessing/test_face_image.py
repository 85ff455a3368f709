"""The face image: landmarks and pixels move together, the padding is zero."""

import numpy as np
import pytest

from flame.preprocessing.face_image import FACE_HEIGHT_PX, FACE_WIDTH_PX, face_window

PHOTO_SHAPE = (300, 400, 3)
BOXES = {
    "wide": (100, 80, 300, 220),
    "tall": (150, 20, 230, 280),
    "small": (200, 100, 240, 150),
    "4:5": (100, 50, 260, 250),
    "fractional": (100.4, 50.7, 261.3, 240.2),
    "beyond the corner": (-60, -40, 150, 170),
    "beyond the far corner": (300, 200, 480, 420),
    "larger than the photo": (-50, -50, 500, 400),
}
box_cases = pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())


def landmarks_at(x: float, y: float) -> np.ndarray:
    return np.concatenate([np.full(56, x), np.full(56, y)])


def centre_of_brightness(image: np.ndarray) -> tuple[float, float]:
    weights = image[..., 0].astype(np.float64)
    y, x = np.indices(weights.shape)
    return (weights * x).sum() / weights.sum(), (weights * y).sum() / weights.sum()


@box_cases
def test_landmarks_move_with_the_pixels(box: tuple[float, ...]) -> None:
    window = face_window(np.array(box), PHOTO_SHAPE, margin=0)
    # A blob well inside of what is cut, off its middle.
    x = round(window.x0 + 0.4 * (window.x1 - window.x0))
    y = round(window.y0 + 0.6 * (window.y1 - window.y0))
    photo = np.zeros(PHOTO_SHAPE, np.uint8)
    photo[y - 3 : y + 4, x - 3 : x + 4] = 200
    moved = window.move(landmarks_at(x, y))
    # A fifth of a pixel: interpolation of 8 bit values.
    np.testing.assert_allclose(
        (moved[0], moved[56]), centre_of_brightness(window.cut(photo)), atol=0.2
    )


@box_cases
def test_face_images_have_flames_size_and_zero_padding(box: tuple[float, ...]) -> None:
    window = face_window(np.array(box), PHOTO_SHAPE, margin=0)
    image = window.cut(np.full(PHOTO_SHAPE, 255, np.uint8))
    assert image.shape == (FACE_HEIGHT_PX, FACE_WIDTH_PX, 3)
    scale_x, scale_y = window.scale
    left, top = window.pad_left * scale_x, window.pad_top * scale_y
    right, bottom = window.pad_right * scale_x, window.pad_bottom * scale_y
    # Interpolation mixes a source pixel's width at the border.
    blur = int(np.ceil(max(window.scale))) + 1
    rows = slice(int(top) + blur, int(FACE_HEIGHT_PX - bottom) - blur)
    columns = slice(int(left) + blur, int(FACE_WIDTH_PX - right) - blur)
    assert (image[rows, columns] == 255).all()
    inside = scale_x * scale_y * (window.x1 - window.x0) * (window.y1 - window.y0)
    assert image.sum() / 255 / 3 == pytest.approx(inside, rel=0.005)
    # The padded cut is 4 to 5 but for whole pixels: half a pixel of the shortest side.
    assert scale_x == pytest.approx(scale_y, rel=0.5 / 32)


def test_padding_is_on_both_sides_of_one_axis_alone() -> None:
    wide = face_window(np.array(BOXES["wide"]), PHOTO_SHAPE, margin=0)
    assert (wide.pad_left, wide.pad_right) == (0, 0)
    assert wide.pad_top + wide.pad_bottom == 200 * 5 // 4 - 140
    assert abs(wide.pad_top - wide.pad_bottom) <= 1
    tall = face_window(np.array(BOXES["tall"]), PHOTO_SHAPE, margin=0)
    assert (tall.pad_top, tall.pad_bottom) == (0, 0)
    assert tall.pad_left + tall.pad_right == 260 * 4 // 5 - 80


def test_the_margin_is_a_share_of_the_box_on_every_side() -> None:
    window = face_window(np.array([100, 100, 200, 150]), PHOTO_SHAPE, margin=0.1)
    assert (window.x0, window.y0, window.x1, window.y1) == (90, 95, 210, 155)


def test_a_box_beyond_the_photo_is_cut_at_its_edge() -> None:
    window = face_window(np.array(BOXES["larger than the photo"]), PHOTO_SHAPE, margin=0.2)
    assert (window.x0, window.y0, window.x1, window.y1) == (0, 0, 400, 300)


@pytest.mark.parametrize("box", [(-50, 10, -5, 60), (10, 310, 60, 350), (30, 30, 30, 60)])
def test_a_box_without_a_pixel_inside_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="400 x 300"):
        face_window(np.array(box), PHOTO_SHAPE, margin=0)


def test_a_mirrored_photo_gives_the_mirrored_face_image() -> None:
    photo = np.random.default_rng(0).integers(0, 256, PHOTO_SHAPE).astype(np.uint8)
    # Even paddings, so that no odd pixel falls to one side.
    box = np.array([100, 50, 240, 250])
    mirrored_box = np.array([400 - 240, 50, 400 - 100, 250])
    plain = face_window(box, PHOTO_SHAPE, margin=0).cut(photo)
    mirrored = face_window(mirrored_box, PHOTO_SHAPE, margin=0).cut(photo[:, ::-1].copy())
    np.testing.assert_allclose(mirrored[:, ::-1].astype(int), plain, atol=1)
