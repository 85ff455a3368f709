import numpy as np
import pytest
from builders.small_ego4d import box, clip, look, person, track

from gazepose.readers.ego4d.annotation import parse_clip


def test_every_listed_segment_counts_whatever_is_at_me_says():
    looks = [look("1", 5, 7), {**look("1", 20, 22), "is_at_me": True}]
    assert parse_clip(clip("a", looks=looks)).looks == {"1": [(5, 7), (20, 22)]}


def test_segments_of_nobody_and_without_frames_are_passed_over_and_counted():
    looks = [look(None, 1, 2), look("-1", 3, 4), look("1", 9, 8), {"person": "1"}]
    annotation = parse_clip(clip("a", looks=looks))
    assert annotation.looks == {"-1": [(3, 4)]}
    assert annotation.oddities.num_unowned_segments == 1
    assert annotation.oddities.num_useless_segments == 2


@pytest.mark.parametrize(
    "wearer", [person("4", track("w", [1]), wearer=True), person("0", track("w", [1]))]
)
@pytest.mark.parametrize("position", [0, 1])
def test_wearer_is_known_by_mark_or_id_and_not_by_position(wearer, position):
    persons = [person("1", track("t", [1]))]
    persons.insert(position, wearer)
    annotation = parse_clip(clip("a", persons))
    assert [t.track_id for t in annotation.tracks] == ["t"]


@pytest.mark.parametrize(
    "changes", [{"persons": None}, {"persons": []}, {"social_segments_looking": None}]
)
def test_nulls_are_nothing(changes):
    annotation = parse_clip(
        clip("a", **changes) if "persons" not in changes else {**clip("a"), **changes}
    )
    assert annotation.looks == {}
    assert annotation.is_labelled == ("social_segments_looking" not in changes)
    assert bool(annotation.tracks) == ("persons" not in changes)


def test_ids_taken_twice_are_made_unique_and_no_box_is_lost():
    persons = [
        person("1", track("t", [1, 2]), track("t", [3])),
        person("2", track("t", [4]), track(None, [5])),
    ]
    annotation = parse_clip(clip("a", persons))
    assert [t.track_id for t in annotation.tracks] == ["t", "t#2", "t#3", "unnamed"]
    assert annotation.oddities.renamed_tracks == ("t#2", "t#3")
    assert [len(t.frames) for t in annotation.tracks] == [2, 1, 1, 1]
    assert annotation.tracks[2].person_ids == ["2"]


def test_boxes_without_a_frame_are_dropped_and_without_a_number_become_nan():
    boxes = [box(1), box(None), box(2, x=None), box(3.0), box(float("nan")), box(3.5)]
    annotation = parse_clip(clip("a", [person("1", track("t", boxes))]))
    assert annotation.tracks[0].frames.tolist() == [1, 2, 3]
    assert np.isnan(annotation.tracks[0].boxes_xywh_px[:, 0]).tolist() == [False, True, False]
    assert [dropped.reason for dropped in annotation.dropped] == [
        "a box without a frame number"
    ] * 3


def test_suspect_tracks_are_named_and_kept():
    persons = [person("1", track("t", [1], suspect=True), track("u", [1]))]
    annotation = parse_clip(clip("a", persons))
    assert annotation.oddities.suspect_tracks == ("t",)
    assert len(annotation.tracks) == 2


@pytest.mark.parametrize(
    ("end_frame", "end_s", "fps_hz"),
    [
        (9000, 300.0, 30),
        (8999, 299.9666, 30),
        (8999, 300.0, 30),
        (None, None, 30),
        (7200, 300, 24),
        (8991, 300, 29.97),
    ],
)
def test_frame_rate_follows_from_the_end(end_frame, end_s, fps_hz):
    annotation = parse_clip(clip("a", clip_end_frame=end_frame, clip_end_sec=end_s))
    assert annotation.fps_hz == pytest.approx(fps_hz, abs=1e-9)


@pytest.mark.parametrize(("said", "is_valid"), [(True, True), (None, True), (False, False)])
def test_clips_are_valid_unless_the_annotators_say_no(said, is_valid):
    assert parse_clip(clip("a", valid=said)).is_valid == is_valid


@pytest.mark.parametrize("clip_object", [None, [], {}, {"clip_uid": None}])
def test_entries_that_are_no_clip_are_refused(clip_object):
    with pytest.raises(ValueError, match="an entry of clips has no clip_uid"):
        parse_clip(clip_object)


@pytest.mark.parametrize(
    "changes",
    [
        {"persons": 3},
        {"persons": [{"tracking_paths": 3}]},
        {"persons": {"a": 1}},
        {"social_segments_looking": "abc"},
        {"social_segments_looking": {}},
        {"clip_end_frame": "long"},
        {"clip_end_frame": float("inf")},
    ],
)
def test_malformed_clips_are_named(changes):
    with pytest.raises(ValueError, match="clip abc is not as Ego4D's are"):
        parse_clip({**clip("abc"), **changes})


@pytest.mark.parametrize(
    ("persons", "found"),
    [
        ([None], "persons[0] is null"),
        ([person("7", "x")], 'persons[0].tracking_paths[0] is "x"'),
        (
            [person("7", track("u", []) | {"track": [None]})],
            "persons[0].tracking_paths[0].track[0] is null",
        ),
        (
            [person("7", track("u", [box(1, x="left")]))],
            'persons[0].tracking_paths[0].track[0].x is "left"',
        ),
    ],
)
def test_a_malformed_entry_costs_nothing_else_and_is_named_by_its_place(persons, found):
    annotation = parse_clip(clip("a", [*persons, person("1", track("t", [1, 2]))]))
    assert annotation.oddities.malformed == (found,)
    assert annotation.tracks[-1].frames.tolist() == [1, 2]


def test_malformed_segments_are_passed_over_and_named():
    annotation = parse_clip(clip("a", looks=[None, look("1", 2, 3)]))
    assert annotation.looks == {"1": [(2, 3)]}
    assert annotation.oddities.malformed == ("social_segments_looking[0] is null",)


@pytest.mark.parametrize("frame", [10**30, -(10**30), 1e30, float("inf")])
def test_frame_numbers_beyond_all_measure_are_none(frame):
    persons = [person("1", track("t", [box(1), box(frame)]))]
    annotation = parse_clip(clip("a", persons, looks=[look("1", 1, frame)]))
    assert annotation.tracks[0].frames.tolist() == [1]
    assert [dropped.reason for dropped in annotation.dropped] == ["a box without a frame number"]
    assert annotation.looks == {}
    assert annotation.oddities.num_useless_segments == 1


def test_places_beyond_all_measure_become_nan():
    annotation = parse_clip(clip("a", [person("1", track("t", [box(1, width=10**400)]))]))
    assert np.isnan(annotation.tracks[0].boxes_xywh_px[0]).tolist() == [False, False, True, False]


@pytest.mark.parametrize("end_s", [0, "0", "", None])
def test_a_clip_that_says_no_end_has_the_usual_rate(end_s):
    assert parse_clip(clip("a", clip_end_sec=end_s)).fps_hz == 30


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clip_end_sec": -1}, "clip_end_sec is -1"),
        ({"clip_end_frame": 1e999}, "clip_end_frame is Infinity"),
        ({"clip_end_frame": [[]]}, r"clip_end_frame is \[\[\]\]"),
        ({"video_start_sec": "x", "video_start_frame": None}, "could not convert"),
        ({"video_uid": "../../secret"}, r'video_uid is "\.\./\.\./secret", expected a name'),
    ],
)
def test_what_a_clip_cannot_do_without_is_refused_with_its_name(changes, message):
    with pytest.raises(ValueError, match=f"clip a is not as Ego4D's are: {message}"):
        parse_clip(clip("a", **changes))


@pytest.mark.parametrize("track_id", ["../../secret", "x" * 300, [[]], "a\x00b"])
def test_a_track_that_no_folder_can_be_called_by_costs_itself(track_id):
    annotation = parse_clip(clip("a", [person("1", track(track_id, [1]), track("t", [2]))]))
    assert [t.track_id for t in annotation.tracks] == ["t"]
    assert "persons[0].tracking_paths[0].track_id is" in annotation.oddities.malformed[0]
