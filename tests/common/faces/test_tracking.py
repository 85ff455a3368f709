"""Faces of a video joined into tracks."""

from collections.abc import Iterator

import numpy as np
import pytest

from common.faces.detection import Face
from common.faces.tracking import (
    FaceTracker,
    TrackingSettings,
    best_pairs,
    face_tracks,
    iou,
)


def box(left: float, top: float = 0, side: float = 100) -> np.ndarray:
    return np.array([left, top, left + side, top + side])


class Script:
    """Finds in each frame the boxes that a script says; the image is the frame's number."""

    def __init__(self, *frames: list[np.ndarray], confidence: float = 0.9) -> None:
        self._frames = frames
        self._confidence = confidence

    def detect(self, image: np.ndarray) -> list[Face]:
        number = int(image[0, 0, 0])
        return [Face(found, self._confidence + 0.01 * number) for found in self._frames[number]]

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        for number in range(len(self._frames)):
            yield number, np.full((2, 2, 3), number, np.uint8)


def tracks_of(*frames: list[np.ndarray], **settings: float) -> list[tuple[int, list[int]]]:
    script = Script(*frames)
    found = face_tracks(
        script.frames(), script.detect, TrackingSettings(**{"min_length": 1, **settings})
    )  # type: ignore[arg-type]
    return [(track.number, track.frames.tolist()) for track in found]


def test_overlap_of_known_boxes() -> None:
    found = iou(np.array([box(0), box(0)]), np.array([box(0), box(50), box(100), box(0, 0, 50)]))
    np.testing.assert_allclose(found[0], [1, 1 / 3, 0, 1 / 4])
    np.testing.assert_array_equal(found[0], found[1])


def test_empty_boxes_overlap_nothing() -> None:
    empty = np.array([[10.0, 10, 10, 10], [30, 30, 20, 20]])
    np.testing.assert_array_equal(iou(empty, empty), 0)


def test_overlap_is_symmetric() -> None:
    corners = np.random.default_rng(0).uniform(0, 50, (2, 6, 2))
    boxes = np.concatenate([corners[0], corners[0] + corners[1]], axis=1)
    found = iou(boxes, boxes)
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(np.diag(found), 1)


def test_the_best_pair_is_taken_first() -> None:
    overlaps = np.array([[0.5, 0.9], [0.6, 0.8]])
    assert best_pairs(overlaps, 0.3) == {1: 0, 0: 1}
    assert best_pairs(overlaps, 0.7) == {1: 0}
    assert best_pairs(np.zeros((0, 3)), 0.3) == {}


def test_two_moving_faces_keep_their_numbers_whatever_order_they_are_found_in() -> None:
    frames = [[box(10 * i), box(600 - 10 * i)][:: 1 if i % 2 else -1] for i in range(20)]
    assert tracks_of(*frames) == [(0, list(range(20))), (1, list(range(20)))]


def test_a_gap_is_bridged_up_to_its_limit() -> None:
    frames: list[list[np.ndarray]] = [[box(0)], [], [], [box(0)]]
    assert tracks_of(*frames, max_gap=2) == [(0, [0, 3])]
    assert tracks_of(*frames, max_gap=1) == [(0, [0]), (1, [3])]


def test_a_cut_begins_new_tracks() -> None:
    assert tracks_of([box(0)], [box(0)], [box(300)], [box(300)]) == [(0, [0, 1]), (1, [2, 3])]


def test_a_false_alarm_is_dropped_and_its_number_not_given_again() -> None:
    frames = [[box(0)], [box(0), box(500)], [box(0)], [box(0), box(900)], [box(0), box(900)]]
    assert tracks_of(*frames, min_length=2) == [(0, [0, 1, 2, 3, 4]), (2, [3, 4])]


@pytest.mark.parametrize(("least", "num_tracks"), [(0.52, 1), (0.53, 0)])
def test_a_track_must_once_look_like_a_face(least: float, num_tracks: int) -> None:
    script = Script([box(0)], [box(5)], [box(9)], confidence=0.5)
    settings = TrackingSettings(min_length=1, min_peak_confidence=least)
    assert len(face_tracks(script.frames(), script.detect, settings)) == num_tracks


def test_a_track_carries_its_boxes_and_scores() -> None:
    script = Script([box(0)], [box(5)])
    (track,) = face_tracks(script.frames(), script.detect, TrackingSettings(min_length=2))
    np.testing.assert_array_equal(track.boxes_xyxy_px, [box(0), box(5)])
    np.testing.assert_array_equal(track.confidences, [0.9, 0.91])
    assert track.frames.dtype == np.int32


def test_only_living_tracks_are_remembered() -> None:
    tracker = FaceTracker(TrackingSettings(max_gap=3))
    for frame in range(200):
        assert tracker.update(frame, [box(1000 * frame)]) == [frame]
    assert len(tracker._last_seen) <= 5
    assert tracker.update(300, []) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_iou": 0.0}, r"min_iou is 0\.0"),
        ({"max_gap": -1}, "max_gap is -1"),
        ({"min_length": 0}, "min_length is 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrackingSettings(**settings)  # type: ignore[arg-type]
