"""Videos are shown as their display matrix says, mirrored ones too."""

from pathlib import Path

import numpy as np
import pytest
from builders.small_videos import lay

from common.media.video import read_frames, video_info
from common.media.video_writer import write_video

HEIGHT, WIDTH = 32, 48
# By the matrix (a, b, c, d), what FFmpeg's filters make of it (fftools/ffmpeg_filter.c).
EXPECTED = {
    (1, 0, 0, 1): lambda image: image,
    (-1, 0, 0, 1): lambda image: image[:, ::-1],
    (1, 0, 0, -1): lambda image: image[::-1],
    (-1, 0, 0, -1): lambda image: np.rot90(image, 2),
    (0, 1, -1, 0): lambda image: np.rot90(image, -1),
    (0, -1, 1, 0): lambda image: np.rot90(image, 1),
    (0, 1, 1, 0): lambda image: image.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda image: np.rot90(image, 2).transpose(1, 0, 2),
}


@pytest.mark.parametrize("matrix", EXPECTED)
def test_each_of_the_eight_orientations_is_shown(
    tmp_path: Path, matrix: tuple[int, int, int, int]
) -> None:
    # No two of the eight pictures are alike.
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[: HEIGHT // 2, : WIDTH // 4] = 250
    write_video(tmp_path / "v.mp4", [picture] * 2, 10)
    (_, coded), *_ = read_frames(tmp_path / "v.mp4")
    path = lay(tmp_path / "v.mp4", *matrix)
    (_, shown), *_ = read_frames(path)
    np.testing.assert_array_equal(shown, EXPECTED[matrix](coded))
    info = video_info(path)
    assert (info.height, info.width) == shown.shape[:2]
