"""What a net sees of a stored face."""

import numpy as np
import pytest

from gazepose.data.face_view import FaceView


def gradient(height: int = 224, width: int = 224) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, x * 0], -1).astype(np.uint8)


def test_the_whole_face_at_its_own_size_is_untouched() -> None:
    np.testing.assert_array_equal(FaceView()(gradient()), gradient())


def test_zoom_shows_the_middle() -> None:
    shown = FaceView(size=112, zoom=2.0)(gradient())
    np.testing.assert_array_equal(shown, gradient()[56:168, 56:168])


@pytest.mark.parametrize(("size", "zoom"), [(64, 1.0), (64, 1.4), (300, 1.4)])
def test_every_view_is_centred(size: int, zoom: float) -> None:
    shown = FaceView(size, zoom)(gradient(200, 100)).astype(float)
    assert shown.shape == (size, size, 3)
    assert shown[..., 0].mean() == pytest.approx(49.5, abs=1.1)
    assert shown[..., 1].mean() == pytest.approx(99.5, abs=1.1)
    assert np.ptp(shown[..., 1]) == pytest.approx(200 / zoom, abs=4)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"zoom.* 0\.5.* 1 "):
        FaceView(zoom=0.5)
    with pytest.raises(ValueError, match=r"image_size.* 0.* 1"):
        FaceView(size=0)
