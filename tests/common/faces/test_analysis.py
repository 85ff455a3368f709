"""MediaPipe on a cartoon face: no photo of a person is needed."""

import multiprocessing
import time

import cv2
import numpy as np
import pytest
from builders.cartoon_face import CARTOON_BOX, cartoon

from common.faces.analysis import FaceAnalyzer
from common.faces.detection import MediaPipeDetector, SmallestFace
from common.faces.mediapipe.mesh import FaceMesh, crop_square
from common.geometry import mirror_head_pose


def frame_with(faces: list[tuple[int, int, int]], height: int, width: int) -> np.ndarray:
    frame = np.full((height, width, 3), (120, 135, 150), np.uint8)
    for x0, y0, side in faces:
        frame[y0 : y0 + side, x0 : x0 + side] = cartoon(side)
    return frame


def expected_box(x0: int, y0: int, side: int) -> np.ndarray:
    return np.array([x0, y0, x0, y0]) + side * CARTOON_BOX


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    return FaceAnalyzer(MediaPipeDetector(SmallestFace()), FaceMesh())


@pytest.mark.parametrize("side", [150, 224, 900])
def test_a_face_that_fills_the_crop_is_found(analyzer, side):
    (face,) = analyzer.detect(cartoon(side))
    np.testing.assert_allclose(face.bbox_xyxy_px, side * CARTOON_BOX, atol=0.08 * side)


def test_small_faces_in_a_full_hd_frame_are_found_wherever_they_are(analyzer):
    # 46 px faces: the bare detector needs 118.
    places = [(20, 30, 92), (1800, 950, 92), (900, 480, 92), (385, 610, 92), (1210, 150, 92)]
    frame = frame_with(places, 1080, 1920)
    boxes = [face.bbox_xyxy_px for face in analyzer.detect(frame)]
    for place in places:
        distances = [np.abs(box - expected_box(*place)).max() for box in boxes]
        assert min(distances) < 12
    assert len(boxes) == len(places)


def test_a_large_photo_is_bounded_work(analyzer):
    frame = frame_with([(2300, 1200, 400)], 3456, 5184)
    analyzer.detect(frame)
    start = time.process_time()
    (face,) = analyzer.detect(frame)
    assert time.process_time() - start < 2  # measured 0.1 s; seconds without the bound
    np.testing.assert_allclose(face.bbox_xyxy_px, expected_box(2300, 1200, 400), atol=40)


def test_each_of_two_neighbours_gets_its_own_mesh(analyzer):
    places = [(200, 100, 220), (340, 120, 180)]  # the boxes are 30 px apart
    frame = frame_with(places[:1], 480, 640)
    frame[120:300, 340:520] = cartoon(180)
    found = analyzer.analyze(frame)
    assert len(found) == 2
    for observation in found:
        left, top, right, bottom = observation.bbox_xyxy_px
        x, y = observation.mesh[:, :2].mean(0)
        assert left < x < right
        assert top < y < bottom


def test_landmarks_move_with_the_image(analyzer):
    here = analyzer.analyze(frame_with([(100, 60, 256)], 480, 640))[0]
    there = analyzer.analyze(frame_with([(213, 141, 256)], 480, 640))[0]
    shift = np.repeat([113, 81], 56)
    # The crop starts at a whole pixel, the box does not: a pixel of a 128 px face.
    np.testing.assert_allclose(there.eye_landmarks - here.eye_landmarks, shift, atol=1)


def test_landmarks_scale_with_pixel_centres(analyzer):
    frame = frame_with([(100, 60, 256)], 480, 640)
    small = analyzer.analyze(frame)[0].eye_landmarks
    large = analyzer.analyze(cv2.resize(frame, None, fx=2, fy=2))[0].eye_landmarks
    assert np.abs(large - ((small + 0.5) * 2 - 0.5)).mean() < 1


@pytest.mark.parametrize("scale", [1, 8])  # the larger crop is reduced before the net sees it
def test_mesh_coordinates_are_pixel_centres_of_the_image(scale):
    class FakeGraph:
        def find(self, crop):
            side = crop.shape[0]
            self.bright = np.argwhere(crop[..., 0] > 100).mean(0)[::-1]
            x, y = (self.bright + 0.5) / side  # MediaPipe's 0 and 1 are the outer edges
            return [np.tile([x, y, 0.5], (478, 1))]

    image = np.zeros((200 * scale, 300 * scale, 3), np.uint8)
    image[60 * scale : 61 * scale, 20 * scale : 21 * scale] = 255
    mesh = FaceMesh()
    mesh._graph = FakeGraph()
    box = scale * np.array([0.0, 30, 50, 90])
    points = mesh.landmarks(image, box)
    expected = (np.array([20, 60]) + 0.5) * scale - 0.5
    np.testing.assert_allclose(points[0, :2], expected, atol=0.5 * (scale > 1))
    assert points[0, 2] == 0.5 * crop_square(box)[2]


def test_irises_are_found_where_they_were_drawn(analyzer):
    eyes = analyzer.analyze(cartoon(256))[0].eye_landmarks.reshape(2, 2, 28)
    centres = eyes[:, :, :8].mean(-1)
    np.testing.assert_allclose(centres[0], [103, 153], atol=3)
    np.testing.assert_allclose(centres[1], [120, 120], atol=3)


def test_a_face_at_the_border_has_a_mesh(analyzer):
    frame = cartoon(256)[60:, 55:]
    (observation,) = analyzer.analyze(frame)
    x0, y0, _ = crop_square(observation.bbox_xyxy_px)
    assert min(x0, y0) < 0


def test_a_mirrored_image_gives_the_mirrored_pose(analyzer):
    # A turned face: the features lie off the middle of the head.
    image = cv2.warpAffine(cartoon(256), cv2.getRotationMatrix2D((128, 128), 15, 1), (256, 256))
    pose = analyzer.analyze(image)[0].head_pose
    flipped = analyzer.analyze(np.ascontiguousarray(image[:, ::-1]))[0].head_pose
    assert np.degrees(pose[2]) == pytest.approx(15, abs=4)
    np.testing.assert_allclose(np.degrees(flipped), np.degrees(mirror_head_pose(pose)), atol=4)


def test_nothing_is_found_where_nothing_is(analyzer):
    assert analyzer.analyze(np.full((300, 400, 3), 90, np.uint8)) == []
    box = np.array([50.0, 50, 150, 150])
    assert FaceMesh().landmarks(np.full((300, 400, 3), 90, np.uint8), box) is None


def test_a_spawned_process_builds_its_own_graphs_and_agrees(analyzer):
    image = cartoon(256)
    here = analyzer.analyze(image)  # the parent's graphs run: they must not be sent along
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply_async(analyzer.analyze, (image,)).get(timeout=120)
    np.testing.assert_array_equal(here[0].mesh, there[0].mesh)


def test_mediapipe_is_silent(capfd):
    assert FaceAnalyzer(MediaPipeDetector(SmallestFace()), FaceMesh()).analyze(cartoon(256))
    assert capfd.readouterr().err == ""
