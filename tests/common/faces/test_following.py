"""Faces are the detector's though it looks at few frames: followed on, back, and searched anew."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from builders.moving_squares import LEVELS, SquareMesh, Squares, frames, square_analyzer

from common.faces.following import FaceFollower, FollowingSettings
from common.faces.found_faces import FoundFrame
from common.faces.tracking import TrackingSettings
from common.media.video import TimedFrame

FIRST, SECOND = 0, 1
WALK: list[Any] = [(20 + 3 * i, 60 + i) for i in range(36)]
STILL: list[Any] = [(220, 150)] * 36


def followed(
    video: list[TimedFrame], detector: Squares, mesh: SquareMesh | None = None, **settings: Any
) -> list[FoundFrame[TimedFrame]]:
    analyzer = square_analyzer(detector, mesh)
    follower = FaceFollower(analyzer, TrackingSettings(), FollowingSettings(**settings))
    return list(follower.follow(video))


def lefts(found: list[FoundFrame[TimedFrame]], track: int) -> list[float | None]:
    """The left edges of a track's boxes; None where it has none."""
    return [
        next((face.bbox_xyxy_px[0] for face in frame.faces if face.track == track), None)
        for frame in found
    ]


def test_between_searches_a_face_is_where_the_detector_would_find_it() -> None:
    video, detector = frames({FIRST: WALK, SECOND: STILL}), Squares()
    found, searched = followed(video, detector), followed(video, Squares(), detect_every=1)
    assert detector.num_whole == 4
    assert [frame.frame.number for frame in found] == list(range(36))
    for frame, other in zip(found, searched, strict=True):
        for face, expected in zip(frame.faces, other.faces, strict=True):
            assert face.track == expected.track
            np.testing.assert_allclose(face.bbox_xyxy_px, expected.bbox_xyxy_px, atol=0.5)


def test_a_face_without_a_mesh_is_searched_around_its_place() -> None:
    detector = Squares()
    found = followed(frames({FIRST: WALK}), detector, SquareMesh(blind_to=LEVELS))
    assert detector.num_whole == 4
    assert detector.num_near == 32
    np.testing.assert_allclose(np.array(lefts(found, 0)), [left for left, _ in WALK], atol=0.5)
    assert all(face.mesh is None for frame in found for face in frame.faces)


def test_a_new_face_is_followed_back_to_where_it_came_in() -> None:
    comes = [None if i < 13 else (220, 150) for i in range(36)]
    found = followed(frames({FIRST: WALK, SECOND: comes}), Squares())
    assert [len(frame.faces) for frame in found] == [1] * 13 + [2] * 23
    assert lefts(found, 1)[13:] == pytest.approx([220] * 23, abs=0.5)


def test_a_lost_face_is_searched_at_once_and_then_forgotten() -> None:
    goes = [(220, 150) if i < 13 else None for i in range(36)]
    detector = Squares()
    found = followed(frames({FIRST: WALK, SECOND: goes}), detector)
    assert [len(frame.faces) for frame in found] == [2] * 13 + [1] * 23
    # Where it is lost, and ten frames after that.
    assert detector.num_whole == 5


def test_behind_a_cut_everything_is_searched_and_nobody_goes_on() -> None:
    cut, there = 13, [(60, 60)] * 36
    here = [None if i < cut else (200, 120) for i in range(36)]
    gone = [place if i < cut else None for i, place in enumerate(there)]
    grounds = [0] * cut + [1] * (36 - cut)
    detector = Squares()
    found = followed(frames({FIRST: gone, SECOND: here}, grounds), detector)
    assert [[face.track for face in frame.faces] for frame in found] == [[0]] * cut + [[1]] * 23
    assert detector.num_whole == 2 + 3


def test_a_face_that_a_search_overlooks_goes_on_by_its_mesh() -> None:
    found = followed(frames({FIRST: WALK}), Squares(overlooks=[1]))
    assert [[face.track for face in frame.faces] for frame in found] == [[0]] * 36


def test_two_that_become_one_are_searched_and_one_is_left() -> None:
    meets: list[Any] = [(220 - 6 * i, 150) for i in range(16)] + [None] * 20
    stands: list[Any] = [(130, 150)] * 36
    found = followed(frames({SECOND: stands, FIRST: meets}), Squares())
    assert len(found[0].faces) == 2
    assert [len(frame.faces) for frame in found[16:]] == [1] * 20


def test_an_unsure_face_is_searched_more_often() -> None:
    detector = Squares()
    follower = FaceFollower(
        square_analyzer(detector), TrackingSettings(min_peak_confidence=0.95), FollowingSettings()
    )
    assert len(list(follower.follow(frames({FIRST: WALK})))) == 36
    assert detector.num_whole == 12


def test_the_largest_face_alone_on_request() -> None:
    video = frames({FIRST: WALK, SECOND: STILL})
    for frame in video:
        frame.image[145:200, 215:275] = LEVELS[SECOND]
    found = followed(video, Squares(), largest_only=True)
    assert {len(frame.faces) for frame in found} == {1}
    assert found[20].faces[0].bbox_xyxy_px[2] == pytest.approx(275, abs=1)


def test_a_live_video_is_answered_frame_by_frame() -> None:
    given: list[int] = []

    def camera() -> Iterator[TimedFrame]:
        for frame in frames({FIRST: WALK}):
            given.append(frame.number)
            yield frame

    live = FollowingSettings(is_live=True)
    follower = FaceFollower(square_analyzer(Squares()), TrackingSettings(), live)
    for found in follower.follow(camera()):
        assert found.frame.number == given[-1]
        assert len(found.faces) == 1


def test_memory_holds_the_frames_since_the_last_search_however_long_the_video() -> None:
    alive: set[int] = set()
    most = 0

    def long_video() -> Iterator[TimedFrame]:
        nonlocal most
        for turn in range(8):
            for frame in frames({FIRST: [(100, 100)] * 25}):
                number = 25 * turn + frame.number
                alive.add(number)
                weakref.finalize(frame.image, alive.discard, number)
                most = max(most, len(alive))
                yield frame._replace(number=number)

    follower = FaceFollower(square_analyzer(Squares()), TrackingSettings(), FollowingSettings())
    num = sum(1 for _ in follower.follow(long_video()))
    gc.collect()
    assert num == 200
    # The builder makes 25 at once.
    assert most <= 25 + 12


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="detect_every is 0"):
        FollowingSettings(detect_every=0)
    with pytest.raises(ValueError, match=r"following has no argument detect_evry.*detect_every"):
        FollowingSettings.of({"detect_evry": 3})
    assert FollowingSettings.of(None) == FollowingSettings()
