"""Other framings of a face: moved, zoomed and coarser, within what was asked."""

import numpy as np
import pytest

from common.arrays import Image
from gazepose.data.face_view import FaceView
from gazepose.data.framing import FACE_PX, Framing, FramingAugmentation

SIDE = 64


def blob(x: float, y: float) -> Image:
    """A bright spot on a dark face."""
    rows, columns = np.indices((SIDE, SIDE))
    spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    return np.repeat((30 + 200 * spot).astype(np.uint8)[..., None], 3, axis=2)


def place(image: Image) -> np.ndarray:
    """Where the spot is, (x, y)."""
    light = image[..., 0].astype(float) - image.min()
    light[light < 20] = 0
    rows, columns = np.indices(light.shape)
    return np.array([(columns * light).sum(), (rows * light).sum()]) / light.sum()


def framings(augmentation: FramingAugmentation, num: int = 200) -> list[Framing]:
    return [augmentation.framing(np.random.default_rng(seed)) for seed in range(num)]


def test_a_face_is_moved_by_parts_of_its_width_and_zoomed_about_the_middle() -> None:
    image, whole = blob(40, 20), FaceView(SIDE)
    moved = Framing(np.array([0.125, -0.0625])).moved(image, whole)
    np.testing.assert_allclose(place(moved), [48, 16], atol=0.1)
    # Of a face of which two thirds are shown, a part is more pixels.
    moved = Framing(np.array([0.125, 0.0625])).moved(image, FaceView(SIDE, 1.5))
    np.testing.assert_allclose(place(moved), [52, 26], atol=0.1)
    middle = (SIDE - 1) / 2
    nearer = middle + 1.25 * (np.array([40, 20]) - middle)
    np.testing.assert_allclose(place(Framing(zoom=1.25).moved(image, whole)), nearer, atol=0.2)


def test_a_small_face_has_no_more_details_than_its_width() -> None:
    stripes = np.tile(np.array([[0], [255]], np.uint8), (SIDE // 2, SIDE))[..., None]
    fine, whole = np.repeat(stripes, 3, axis=2), FaceView(SIDE)
    assert Framing(width_px=SIDE // 4).coarse(fine, whole).std() < 2
    np.testing.assert_array_equal(Framing(width_px=SIDE).coarse(fine, whole), fine)
    # Of a face of which a quarter is shown, that quarter has a quarter of the pixels.
    assert Framing(width_px=SIDE).coarse(fine, FaceView(SIDE, 4)).std() < 2
    smooth = blob(30, 40)
    coarse = Framing(width_px=SIDE // 2).coarse(smooth, whole)
    np.testing.assert_allclose(place(coarse), place(smooth), atol=0.1)


def test_what_is_drawn_stays_within_its_bounds_and_reaches_them() -> None:
    found = framings(FramingAugmentation(max_shift=0.1, max_zoom=0.2, least_width_px=50))
    shifts = np.array([framing.shift for framing in found])
    assert 0.09 < np.abs(shifts).max() <= 0.1
    assert abs(shifts.mean()) < 0.02
    zooms = [framing.zoom for framing in found]
    assert 0.8 <= min(zooms) < 0.82 < 1.18 < max(zooms) <= 1.2
    widths = [framing.width_px for framing in found if framing.width_px is not None]
    assert 50 <= min(widths) < 60 < FACE_PX - 10 < max(widths) <= FACE_PX
    assert len(widths) == len(found)


def test_what_is_off_is_not_drawn_and_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    framing = FramingAugmentation().framing(generator)
    assert generator.random() == np.random.default_rng(0).random()
    noise = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    view = FaceView(SIDE, 1.4)
    np.testing.assert_array_equal(framing.coarse(framing.moved(noise, view), view), noise)
    shifted = FramingAugmentation(max_shift=0.1).framing(np.random.default_rng(0))
    assert (shifted.zoom, shifted.width_px) == (1, None)


def test_the_border_goes_on_where_a_face_is_moved_away_from_it() -> None:
    bright = np.full((SIDE, SIDE, 3), 90, np.uint8)
    for framing in framings(FramingAugmentation(max_shift=0.2, max_zoom=0.3), 10):
        np.testing.assert_array_equal(framing.moved(bright, FaceView(SIDE)), bright)


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        ({"max_shift": -0.1}, r"max_shift .*-0\.1.* 0 .* 1"),
        ({"max_zoom": 1.0}, r"max_zoom .*1\.0.* 0 .* 1"),
        ({"least_width_px": 0}, "least_width_px .* 0.* 1 to 224"),
        ({"least_width_px": 225}, "least_width_px .* 225.* 1 to 224"),
    ],
)
def test_impossible_bounds_are_refused(options: dict[str, float], facts: str) -> None:
    with pytest.raises(ValueError, match=facts):
        FramingAugmentation(**options)  # type: ignore[arg-type]
