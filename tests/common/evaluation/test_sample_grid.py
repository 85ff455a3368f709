"""Small pictures side by side."""

import numpy as np
import pytest

from common.evaluation.sample_grid import RIGHT, captioned, grid

LEGEND_PX, GAP_PX = 15, 6


def tiles(num: int, height: int = 20, width: int = 30) -> list[np.ndarray]:
    return [np.full((height, width, 3), 10 * (place + 1), np.uint8) for place in range(num)]


@pytest.mark.parametrize(("num", "num_columns"), [(1, 4), (4, 4), (5, 4), (9, 2)])
def test_every_tile_is_at_its_place_and_whole(num: int, num_columns: int) -> None:
    page = grid(tiles(num), num_columns, "")
    for place in range(num):
        row, column = divmod(place, num_columns)
        top, left = LEGEND_PX + GAP_PX + row * (20 + GAP_PX), GAP_PX + column * (30 + GAP_PX)
        assert (page[top : top + 20, left : left + 30] == 10 * (place + 1)).all()
    assert (page == 255).all(-1).sum() == page.shape[0] * page.shape[1] - num * 20 * 30


def test_a_caption_lies_below_the_image_and_begins_in_its_colour() -> None:
    image = tiles(1, 20, 120)[0]
    drawn = captioned(image, ["first", "second"], RIGHT)
    np.testing.assert_array_equal(drawn[:20], image)
    # Green letters, then black ones.
    is_green = (drawn[20:, :, 1].astype(int) - drawn[20:, :, 0]) > 60
    assert is_green[: LEGEND_PX + 2].any()
    assert not is_green[LEGEND_PX + 2 :].any()
    assert (drawn[20 + LEGEND_PX + 2 :] < 128).any()


def test_a_long_line_keeps_its_end() -> None:
    image = tiles(1, 20, 100)[0]
    ends = [captioned(image, [f"{'a' * num}_the_end"])[20:, 60:] for num in (30, 80)]
    np.testing.assert_array_equal(*ends)
    assert captioned(image, ["x" * 200]).shape[1] == 100
