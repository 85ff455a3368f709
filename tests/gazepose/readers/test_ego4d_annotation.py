import numpy as np
import pytest
from builders.small_ego4d import box, clip, look, person, track

from gazepose.readers.ego4d.annotation import parse_clip
from gazepose.readers.tracks import TrackRule


def test_every_listed_segment_counts_whatever_is_at_me_says():
    looks = [look("1", 5, 7), {**look("1", 20, 22), "is_at_me": True}]
    assert parse_clip(clip("a", looks=looks)).looks == {"1": [(5, 7), (20, 22)]}


def test_segments_of_nobody_and_without_frames_are_passed_over_and_counted():
    looks = [look(None, 1, 2), look("-1", 3, 4), look("1", 9, 8), {"person": "1"}]
    annotation = parse_clip(clip("a", looks=looks))
    assert annotation.looks == {"-1": [(3, 4)]}
    assert annotation.oddities.num_unowned_segments == 1
    assert annotation.oddities.num_useless_segments == 2


def test_wearer_is_known_by_mark_or_id_and_not_by_position():
    marked, named = person("4", track("m", [1]), wearer=True), person("0", track("n", [1]))
    annotation = parse_clip(clip("a", [marked, person("1", track("t", [1])), named]))
    assert [t.track_id for t in annotation.tracks] == ["t"]


@pytest.mark.parametrize("null", ["persons", "social_segments_looking"])
def test_nulls_are_nothing(null):
    annotation = parse_clip({**clip("a"), null: None})
    assert annotation.looks == {}
    assert annotation.is_labelled == (null != "social_segments_looking")
    assert bool(annotation.tracks) == (null != "persons")


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
        (8999, 300.0, 30),
        (7200, 300, 24),
        (8991, 300, 29.97),
        (9000, "0", 30),
        (9000, "", 30),
        (None, None, 30),
    ],
)
def test_frame_rate_follows_from_the_end_or_is_the_usual_one(end_frame, end_s, fps_hz):
    annotation = parse_clip(clip("a", clip_end_frame=end_frame, clip_end_sec=end_s))
    assert annotation.fps_hz == pytest.approx(fps_hz, abs=1e-9)


@pytest.mark.parametrize(("said", "is_valid"), [(None, True), (False, False)])
def test_clips_are_valid_unless_the_annotators_say_no(said, is_valid):
    assert parse_clip(clip("a", valid=said)).is_valid == is_valid


@pytest.mark.parametrize("clip_object", [None, {}])
def test_entries_that_are_no_clip_are_refused(clip_object):
    with pytest.raises(ValueError, match="clip_uid"):
        parse_clip(clip_object)


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"persons": 3}, "persons is 3"),
        ({"persons": [{"tracking_paths": 3}]}, r"persons\[0\]\.tracking_paths is 3"),
        ({"social_segments_looking": {}}, r"social_segments_looking is \{\}"),
        ({"clip_end_frame": "long"}, "'long'"),
        ({"clip_end_frame": float("inf")}, "clip_end_frame is Infinity"),
        ({"clip_end_frame": [[]]}, r"clip_end_frame is \[\[\]\]"),
        ({"clip_end_sec": -1}, "clip_end_sec is -1"),
        ({"video_uid": "../../secret"}, r'video_uid is "\.\./\.\./secret"'),
    ],
)
def test_malformed_clips_are_named(changes, fact):
    with pytest.raises(ValueError, match=rf"clip abc .*{fact}"):
        parse_clip({**clip("abc"), **changes})


@pytest.mark.parametrize(
    ("persons", "found"),
    [
        ([None], "persons[0] is null"),
        ([person(["7"], track("u", [1]))], 'persons[0].person_id is ["7"]'),
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


def test_tracks_longer_than_memory_holds_are_refused_with_their_clip(monkeypatch):
    annotation = parse_clip(clip("abc", [person("1", track("t", [1, 2]), track("u", [3, 4]))]))
    monkeypatch.setattr("gazepose.readers.tracks.MAX_ROWS", 4)
    assert len(annotation.face_tracks(TrackRule())[0]) == 2
    monkeypatch.setattr("gazepose.readers.tracks.MAX_ROWS", 3)
    with pytest.raises(ValueError, match=r"clip abc: .* more than 3 frames"):
        annotation.face_tracks(TrackRule())


def test_malformed_segments_are_passed_over_and_named():
    annotation = parse_clip(clip("a", looks=[None, look("1", 2, 3)]))
    assert annotation.looks == {"1": [(2, 3)]}
    assert annotation.oddities.malformed == ("social_segments_looking[0] is null",)


@pytest.mark.parametrize("frame", [10**30, -1e30, float("inf")])
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


@pytest.mark.parametrize("track_id", ["../../secret", [[]]])
def test_a_track_that_no_folder_can_be_called_by_costs_itself(track_id):
    annotation = parse_clip(clip("a", [person("1", track(track_id, [1]), track("t", [2]))]))
    assert [t.track_id for t in annotation.tracks] == ["t"]
    assert "persons[0].tracking_paths[0].track_id" in annotation.oddities.malformed[0]
