import re
from typing import Any

import numpy as np
import pytest

from common.faces.cropping import padded_square, shrunk
from common.faces.detection import (
    Face,
    MediaPipeDetector,
    SmallestFace,
    inside_image,
    overlap_of_smaller,
    pyramid_sides,
    suppress_duplicates,
    tile_origins,
)
from common.faces.settings import AnalyzerSettings


def random_faces(rng: np.random.Generator, count: int) -> list[Face]:
    corners = rng.uniform(0, 100, (count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 60, (count, 2))], axis=1)
    return [Face(box, float(score)) for box, score in zip(boxes, rng.random(count), strict=True)]


@pytest.mark.parametrize(("length", "side"), [(1080, 192), (193, 192), (500, 100), (192, 192)])
def test_tiles_cover_the_axis_and_overlap_enough(length, side):
    origins = np.array(tile_origins(length, side))
    assert origins[0] == 0
    assert origins[-1] == length - side
    # Rounding to whole pixels may cost one.
    assert (np.diff(origins) <= 0.75 * side + 1).all()


def test_a_tile_larger_than_the_image_is_centred():
    assert tile_origins(100, 192) == [-46]


def test_pyramid_goes_from_the_image_to_the_smallest_tile_in_steps_of_at_most_two():
    sides = np.array(pyramid_sides(1920, 500))
    assert sides[0] == 1920
    assert sides[-1] == pytest.approx(500)
    assert (sides[:-1] / sides[1:] <= 2).all()
    assert pyramid_sides(224, 500) == [224]


def test_shrinking_keeps_the_mean_and_never_enlarges():
    image = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    half = shrunk(image, 0.5)
    assert half.shape == (30, 45, 3)
    assert half.mean() == pytest.approx(image.mean(), abs=1)
    assert shrunk(image, 1.5) is image


@pytest.mark.parametrize("origin", [(-3, -2), (5, 4), (2, 1), (40, 40), (-20, 0)])
def test_padded_square_is_zero_outside_and_the_image_inside(origin):
    image = np.random.default_rng(0).integers(1, 256, (8, 10, 3), dtype=np.uint8)
    padded = np.pad(image, ((50, 50), (50, 50), (0, 0)))
    x0, y0 = origin
    expected = padded[50 + y0 : 56 + y0, 50 + x0 : 56 + x0]
    np.testing.assert_array_equal(padded_square(image, x0, y0, 6), expected)


def test_suppression_keeps_the_best_of_every_group():
    faces = random_faces(np.random.default_rng(1), 60)
    kept = suppress_duplicates(faces)
    boxes = [face.bbox_xyxy_px for face in kept]
    scores = [face.confidence for face in kept]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == max(face.confidence for face in faces)
    for index, box in enumerate(boxes):
        assert all(overlap_of_smaller(box, other) <= 0.5 for other in boxes[:index])
    for face in faces:  # every dropped face has a better one on it
        assert any(face is other for other in kept) or any(
            overlap_of_smaller(face.bbox_xyxy_px, other.bbox_xyxy_px) > 0.5
            and other.confidence >= face.confidence
            for other in kept
        )


def test_suppression_is_idempotent_and_independent_of_the_order():
    faces = random_faces(np.random.default_rng(2), 40)
    kept = suppress_duplicates(faces)
    assert suppress_duplicates(kept) == kept
    assert suppress_duplicates(faces[::-1]) == kept


def test_a_box_inside_another_is_the_same_face():
    outer = np.array([0.0, 0, 100, 100])
    inner = np.array([20.0, 20, 60, 60])
    assert overlap_of_smaller(outer, inner) == 1
    assert len(suppress_duplicates([Face(outer, 0.6), Face(inner, 0.9)])) == 1


def test_boxes_are_clipped_to_pixel_centres():
    box = inside_image(np.array([-5.0, 3, 120, 90]), (80, 100, 3))
    np.testing.assert_array_equal(box, [0, 3, 99, 79])


def test_an_empty_image_has_no_faces():
    assert MediaPipeDetector(SmallestFace()).detect(np.zeros((90, 160, 3), np.uint8)) == []


class CountingGraph:
    """Stands where MediaPipe's graph does; finds nothing, and counts."""

    num_windows = 0

    def find(self, image: np.ndarray) -> list:
        self.num_windows += 1
        return []


def counting(settings: AnalyzerSettings) -> tuple[Any, CountingGraph]:
    detector, graph = settings.build()._detector, CountingGraph()
    detector._nets = detector._nets._replace(in_tiles=graph, in_whole=graph)
    return detector, graph


def windows_searched(shape: tuple[int, int, int], **options: float) -> int:
    detector, graph = counting(AnalyzerSettings("mediapipe", **options))
    detector.detect(np.zeros(shape, np.uint8))
    return graph.num_windows


def test_the_smallest_face_of_a_large_photo_is_the_users_choice():
    large, small = (1728, 2592, 3), (240, 320, 3)
    default = windows_searched(large)
    assert windows_searched(large, min_face_px=20) == default
    searched = [
        windows_searched(large, min_face_px=20, min_face_fraction=fraction)
        for fraction in (0.1, 0.01, 0.0)
    ]
    assert searched[0] < default < searched[1] <= searched[2]
    # Of a small photo the pixels decide.
    assert windows_searched(small) == windows_searched(small, min_face_fraction=0)
    with pytest.raises(ValueError, match="min_face_fraction is 40"):
        AnalyzerSettings(min_face_fraction=40)
    with pytest.raises(ValueError, match=r"detector is 'mtcnn'.*'retinaface'"):
        AnalyzerSettings("mtcnn")


@pytest.mark.parametrize(
    ("fraction", "side", "is_told"), [(None, 4000, True), (0.0, 4000, False), (None, 1000, False)]
)
def test_it_is_said_once_that_small_faces_are_not_looked_for(
    caplog: pytest.LogCaptureFixture, fraction: float | None, side: int, is_told: bool
) -> None:
    chosen = {} if fraction is None else {"min_face_fraction": fraction}
    detector, _ = counting(AnalyzerSettings("mediapipe", **chosen))
    for _ in range(2):
        detector.detect(np.zeros((side // 2, side, 3), np.uint8))
    assert len(re.findall(r"83 px.*min_face_fraction 0\.0208", caplog.text)) == is_told
