"""A detector's boxes as Ego4D's annotators would have drawn them."""

import numpy as np

from common.faces.tracking import BoxTrack
from gazepose.readers.detected_clip import filled_tracks, steady_boxes, tight_boxes
from gazepose.readers.tracks import TrackRule

BOX = np.array([100.0, 200.0, 300.0, 400.0])


def test_boxes_lose_their_detectors_margin_and_unknown_ones_stay() -> None:
    np.testing.assert_allclose(tight_boxes(BOX[None], "mediapipe"), [[106, 196, 286, 404]])
    np.testing.assert_allclose(tight_boxes(BOX[None], "centerface"), [[98, 218, 300, 398]])
    np.testing.assert_array_equal(tight_boxes(BOX[None], "retinaface"), BOX[None])


def test_a_tight_box_moves_and_grows_with_its_box() -> None:
    found = tight_boxes(np.array([BOX, 2 * BOX + 7]), "mediapipe")
    np.testing.assert_allclose(found[1], 2 * found[0] + 7)


def test_a_box_of_another_size_is_left_out_of_a_track() -> None:
    boxes = np.tile(BOX, (9, 1))
    boxes[4] += [-50, -50, 50, 50]
    np.testing.assert_array_equal(steady_boxes(boxes), np.tile(BOX, (9, 1)))


def test_who_moves_evenly_is_followed_exactly_but_at_the_ends() -> None:
    boxes = BOX + 8.0 * np.arange(12)[:, None]
    found = steady_boxes(boxes)
    np.testing.assert_array_equal(found[2:-2], boxes[2:-2])
    # At an end the half of the frames that is there decides.
    np.testing.assert_array_equal(found[0], boxes[0])
    np.testing.assert_array_equal(found[-1], boxes[-1])


def test_a_track_of_one_detection_stays() -> None:
    np.testing.assert_array_equal(steady_boxes(BOX[None]), BOX[None])


def test_boxes_in_between_go_along_with_the_camera() -> None:
    camera_px = np.array([[0.0, 0], [0, 0], [40, -8], [120, -16], [160, -16]])
    boxes = np.array([[100.0, 60, 160, 130]]) + np.tile(camera_px, 2)
    track = BoxTrack(7, np.array([3, 4, 7], np.int32), boxes[[0, 1, 4]], np.ones(3), camera_px)
    (filled,) = filled_tracks(track, "retinaface", TrackRule(max_gap=5))
    np.testing.assert_array_equal(filled.frames, [3, 4, 5, 6, 7])
    np.testing.assert_array_equal(filled.is_interpolated, [False, False, True, True, False])
    np.testing.assert_allclose(filled.boxes_xyxy_px, boxes)
