import json
from pathlib import Path

import numpy as np
import pytest

from gazepose.readers.tracks import (
    RawTrack,
    TrackRule,
    all_tracks,
    face_tracks,
    look_labels,
    source_track_id,
)

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/gazepose/tracks.json").read_text())
PUBLISHED = TrackRule("published")


def _raw(records):
    return RawTrack(
        "t",
        [row["Person ID"] for row in records],
        np.array([row["frameNumber"] for row in records], dtype=np.int64),
        np.array([[row[key] for key in ("x", "y", "width", "height")] for row in records]),
    )


def _track(frames, boxes=(10.0, 20.0, 30.0, 40.0), persons="1"):
    boxes = np.broadcast_to(np.array(boxes, dtype=float), (len(frames), 4))
    return RawTrack("t", list(persons) * (len(frames) // len(persons)), np.array(frames), boxes)


def _expected(records):
    frames = [row["frameNumber"] for row in records]
    corners = [
        [row["x"], row["y"], row["x"] + row["width"], row["y"] + row["height"]] for row in records
    ]
    return frames, np.array(corners, dtype=float).reshape(-1, 4)


@pytest.mark.parametrize("case", [c for c in GOLDEN["check"] if not c.startswith("unsorted")])
def test_published_rule_gives_the_original_s_frames_boxes_and_persons(case):
    given, expected = GOLDEN["check"][case]["in"], GOLDEN["check"][case]["out"]
    tracks, dropped = face_tracks(_raw(given), {}, PUBLISHED)
    frames, boxes = _expected(expected)
    assert [frame for track in tracks for frame in track.frames] == frames
    for track in tracks:
        np.testing.assert_allclose(track.boxes_xyxy_px, boxes, rtol=0, atol=1e-12)
        assert {track.person_id} == {row["Person ID"] for row in expected}
        assert len(dropped) + np.count_nonzero(~track.is_interpolated) == len(given)


def test_published_rule_sorts_as_the_original_s_data_set_does_before_its_check():
    case = GOLDEN["check"]["unsorted_not_sorted_by_check"]
    (track,), _ = face_tracks(_raw(case["in"]), {}, PUBLISHED)
    frames, boxes = _expected(sorted(case["out"], key=lambda row: row["frameNumber"]))
    assert track.frames.tolist() == frames
    np.testing.assert_array_equal(track.boxes_xyxy_px, boxes)


def test_every_golden_case_is_covered():
    assert len(GOLDEN["check"]) == 18


@pytest.mark.parametrize(
    ("max_gap", "pieces"),
    [(None, [list(range(3, 13))]), (4, [list(range(3, 13))]), (3, [[3, 4, 5, 6, 7], [12]])],
)
def test_gaps_up_to_max_gap_are_filled_and_longer_ones_split(max_gap, pieces):
    tracks, _ = face_tracks(_track([3, 4, 6, 7, 12]), {}, TrackRule(max_gap=max_gap))
    assert [track.frames.tolist() for track in tracks] == pieces


def test_pieces_have_ids_of_their_own_that_lead_back():
    tracks, _ = face_tracks(_track([0, 100, 200]), {}, TrackRule())
    assert [track.track_id for track in tracks] == ["t", "t~2", "t~3"]
    assert {source_track_id(track.track_id) for track in tracks} == {"t"}


def test_filled_boxes_lie_on_the_line_between_their_neighbours():
    raw = RawTrack("t", ["1", "1"], np.array([10, 14]), np.array([[0, 0, 8, 8], [8, 4, 16, 8.0]]))
    (track,), _ = face_tracks(raw, {}, TrackRule())
    np.testing.assert_allclose(
        track.boxes_xyxy_px[2], np.mean(track.boxes_xyxy_px[[0, 4]], axis=0), atol=1e-12
    )
    assert track.is_interpolated.tolist() == [False, True, True, True, False]


def test_order_of_the_boxes_does_not_matter():
    frames = np.array([3, 4, 6, 9, 30])
    boxes = np.random.default_rng(0).uniform(1, 50, (5, 4))
    shuffled = np.array([4, 2, 0, 3, 1])
    for name in ("repaired", "published"):
        rule = TrackRule(name)
        one, _ = face_tracks(RawTrack("t", ["1"] * 5, frames, boxes), {}, rule)
        other, _ = face_tracks(
            RawTrack("t", ["1"] * 5, frames[shuffled], boxes[shuffled]), {}, rule
        )
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.frames, b.frames)
            np.testing.assert_array_equal(a.boxes_xyxy_px, b.boxes_xyxy_px)


def test_published_box_shifts_and_repaired_box_is_cut():
    raw = _track([5], (-6.0, -2.0, 30.0, 40.0))
    (shifted,), _ = face_tracks(raw, {}, PUBLISHED, (20, 100))
    (cut,), _ = face_tracks(raw, {}, TrackRule(), (20, 100))
    assert shifted.boxes_xyxy_px.tolist() == [[0, 0, 30, 40]]
    assert cut.boxes_xyxy_px.tolist() == [[0, 0, 20, 38]]


def test_unusable_boxes_are_dropped_each_with_its_reason():
    boxes = np.full((7, 4), 10.0)
    boxes[1, 0] = np.nan
    boxes[2, 2] = 0
    boxes[3, 3] = -1
    boxes[4, :2] = 500
    frames = np.array([0, 1, 2, 3, 4, 5, 5])
    (track,), dropped = face_tracks(
        RawTrack("t", ["1"] * 7, frames, boxes), {}, TrackRule(), (99, 99)
    )
    assert track.frames.tolist() == list(range(6))
    assert track.is_interpolated.tolist() == [False, True, True, True, True, False]
    assert [(box.frame, box.reason) for box in dropped] == [
        (1, "a box that is not finite"),
        (2, "a box without width or height"),
        (3, "a box without width or height"),
        (4, "a box outside the image"),
        (5, "a second box in a frame"),
    ]


def test_a_box_outside_the_image_does_not_hide_the_other_box_of_its_frame():
    boxes = np.array([[500, 500, 10, 10], [1, 1, 10, 10.0]])
    (track,), dropped = face_tracks(
        RawTrack("t", ["1"] * 2, np.array([3, 3]), boxes), {}, TrackRule(), (99, 99)
    )
    assert track.boxes_xyxy_px.tolist() == [[1, 1, 11, 11]]
    assert len(dropped) == 1


def test_repaired_track_is_split_where_the_person_changes_and_labelled_by_each():
    raw = RawTrack("t", ["7", "7", "8", "8"], np.array([0, 1, 2, 3]), np.full((4, 4), 9.0))
    tracks, _ = face_tracks(raw, {"8": [(0, 9)]}, TrackRule())
    assert [(t.person_id, t.labels.tolist()) for t in tracks] == [("7", [0, 0]), ("8", [1, 1])]


def test_segments_include_both_ends_overlap_and_may_be_empty():
    labels = look_labels(np.arange(10), [(6, 8), (2, 4), (4, 6), (9, 8)])
    assert labels.tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 1, 0]


def test_frames_before_the_first_are_dropped():
    for rule, first in ((TrackRule(), 0), (TrackRule(min_frame=1), 1), (PUBLISHED, 1)):
        (track,), _ = face_tracks(_track([-2, 0, 1, 2]), {}, rule)
        assert track.frames[0] == first


@pytest.mark.parametrize("rule", [TrackRule(), PUBLISHED])
def test_nothing_usable_gives_no_track(rule):
    empty = RawTrack("t", [], np.zeros(0, dtype=np.int64), np.zeros((0, 4)))
    assert face_tracks(empty, {}, rule) == ([], [])
    tracks, dropped = face_tracks(_track([3, 4], (1, 1, 0, 0)), {}, rule)
    assert tracks == []
    assert len(dropped) == 2


def test_rules_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"track_rule.*'best'.*'repaired', 'published'"):
        TrackRule("best")
    with pytest.raises(ValueError, match=r"max_gap.* -1.* 0 "):
        TrackRule(max_gap=-1)


@pytest.mark.parametrize("rule", [PUBLISHED, TrackRule(max_gap=None)])
def test_a_frame_number_far_off_makes_no_frames_up(rule):
    found, dropped = face_tracks(_track([1, 3, 900_000, 10**12]), {}, rule)
    assert [(track.track_id, track.frames.tolist()) for track in found] == [
        ("t", [1, 2, 3]),
        ("t~2", [900_000]),
    ]
    assert [box.frame for box in dropped] == [10**12]


def test_a_clip_has_no_more_frames_than_memory_holds():
    raws = [_track(range(0, 900_000, 15_000))] * 2
    (track,), _ = all_tracks(raws[:1], {}, PUBLISHED)
    assert len(track) > 800_000
    with pytest.raises(ValueError, match="1000000"):
        all_tracks(raws, {}, PUBLISHED)
