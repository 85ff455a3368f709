import json
import logging
import pickle
import re

import numpy as np
import pytest
from builders.findings import said
from builders.small_ego4d import (
    box,
    clip,
    default_clips,
    look,
    person,
    track,
    write_annotations,
    write_grey_video,
    write_lists,
    write_small_ego4d,
)
from builders.small_videos import turn_clockwise

from common.store.skipped import Skipped
from gazepose.readers.ego4d.reader import Ego4DReader
from gazepose.readers.split_lists import REMOVED_UIDS


def _rows(reader, group):
    items = list(reader.read(group))
    faces = [item for item in items if not isinstance(item, Skipped)]
    return faces, [item for item in items if isinstance(item, Skipped)]


def _one_clip(raw_dir, boxes, **changes):
    """Write a folder with one clip of one track, and return its reader."""
    clips = {"train": [clip("aaa", [person("1", track("t", boxes))], [look("1", 0, 99)])]}
    write_small_ego4d(raw_dir, clips)
    return Ego4DReader(raw_dir, parts=["train"], **changes)


def _in_recording(**changes):
    """A clip in the middle of a whole recording."""
    end = {"clip_end_frame": 15, "clip_end_sec": 0.5}
    return clip("aaa", video_uid="v", **end, **changes)


def test_groups_are_the_lists_clips_in_their_order(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["bbb", "aaa"], "val": ["ccc"]})
    reader = Ego4DReader(tmp_path)
    assert reader.groups() == ["bbb", "aaa", "ccc"]
    assert [reader.clip(uid).part for uid in reader.groups()] == ["train", "train", "val"]


def test_faces_are_labelled_and_taken_from_their_own_frames(tmp_path):
    reader = Ego4DReader(write_small_ego4d(tmp_path))
    faces, skipped = _rows(reader, "aaa")
    assert skipped == []
    assert [face.frame for face in faces] == list(range(3, 12))
    assert [face.label for face in faces] == [0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert {face.image.path for face in faces} == {tmp_path / "v2/clips/aaa.mp4"}
    assert [face.image.number for face in faces] == list(range(3, 12))
    assert faces[0].bbox_xyxy_px.tolist() == [10, 8, 30, 24]
    assert {(face.clip_uid, face.track_id, face.person_id) for face in faces} == {
        ("aaa", "t1", "1")
    }


def test_baseline_shows_the_frame_before_and_never_frame_0(tmp_path):
    reader = _one_clip(tmp_path, range(5), track_rule="published", frame_offset=1)
    faces, skipped = _rows(reader, "aaa")
    assert [face.frame for face in faces] == [1, 2, 3, 4]
    assert [face.image.number for face in faces] == [0, 1, 2, 3]
    assert [item.sample_id for item in skipped] == ["aaa:t:0"]


@pytest.mark.parametrize("frame_offset", [0, 1])
def test_whole_video_is_cut_by_its_start_frame(tmp_path, frame_offset):
    write_annotations(tmp_path, {"train": [_in_recording(video_start_frame=20)]})
    write_grey_video(tmp_path / "v2/full_scale/v.mp4")
    reader = Ego4DReader(tmp_path, parts=["train"], frame_offset=frame_offset)
    faces, _ = _rows(reader, "aaa")
    assert [face.image.number for face in faces] == [
        20 + face.frame - frame_offset for face in faces
    ]


@pytest.mark.parametrize("said", [None, "x"])
def test_whole_video_is_cut_by_the_time_where_the_frame_is_not_said(tmp_path, said):
    start = {"video_start_frame": said, "video_start_sec": 20 / 30 + 0.001}
    write_annotations(tmp_path, {"train": [_in_recording(**start)]})
    write_grey_video(tmp_path / "v2/full_scale/v.mp4")
    assert Ego4DReader(tmp_path, parts=["train"]).clip("aaa").first_video_frame == 20


def test_whole_video_without_a_start_is_refused(tmp_path):
    start = {"video_start_frame": None, "video_start_sec": None}
    write_annotations(tmp_path, {"train": [_in_recording(**start)]})
    write_grey_video(tmp_path / "v2/full_scale/v.mp4")
    reader = Ego4DReader(tmp_path, parts=["train"])
    with pytest.raises(ValueError, match=r"aaa.*video_start_frame.*video_start_sec.*ego4d -o"):
        reader.clip("aaa")
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", num_frames=15)
    assert reader.clip("aaa").first_video_frame == 0


def test_clip_of_another_length_is_refused_but_on_request(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", num_frames=38)
    with pytest.raises(ValueError, match=r"aaa.*38 frames.*40.*check_length=false"):
        Ego4DReader(tmp_path).clip("aaa")
    assert Ego4DReader(tmp_path, check_length=False).clip("aaa").tracks


def test_lists_may_mix_the_annotations_of_the_parts(tmp_path, caplog):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["ccc", "aaa"], "val": ["bbb"]})
    reader = Ego4DReader(tmp_path)
    assert [reader.clip(uid).part for uid in reader.groups()] == ["train", "train", "val"]
    assert not caplog.records


def test_clip_is_preferred_to_the_whole_video(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/full_scale/video-aaa.mp4")
    found = Ego4DReader(tmp_path).clip("aaa")
    assert (found.video_path.parent.name, found.first_video_frame) == ("clips", 0)


@pytest.mark.parametrize("version", ["v2", "v1", "."])
def test_folders_of_all_versions_are_found(tmp_path, version):
    write_small_ego4d(tmp_path, version=version)
    reader = Ego4DReader(tmp_path)
    assert len(reader.groups()) == 3
    assert reader.clip("ccc").tracks


def test_version_folder_itself_and_lists_elsewhere_are_taken(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path / "lists", {"train": ["bbb"], "val": ["ccc"]})
    reader = Ego4DReader(tmp_path / "v2", split_dir=tmp_path / "lists/split")
    assert reader.groups() == ["bbb", "ccc"]
    assert reader.clip("bbb").tracks


def test_lists_are_rebuilt_from_the_annotations_less_the_removed_clips(tmp_path, caplog):
    removed = min(REMOVED_UIDS)
    clips = {"train": [clip("zzz"), clip(removed), clip("aaa")], "val": [clip("ccc")]}
    write_annotations(tmp_path, clips)
    with caplog.at_level(logging.INFO):
        assert Ego4DReader(tmp_path).groups() == ["zzz", "aaa", "ccc"]
    assert re.search(r"train\.list.* 2 .*av_train\.json.* 1 ", caplog.text)


def test_clips_whose_id_is_a_path_are_left_out_and_named(tmp_path, caplog):
    clips = {"train": [clip("a/b"), clip(".c"), clip("aaa")], "val": [clip("ccc")]}
    write_annotations(tmp_path, clips)
    assert Ego4DReader(tmp_path).groups() == ["aaa", "ccc"]
    assert all(f"'{uid}'" in caplog.text for uid in ("a/b", ".c"))


def test_listed_clip_without_annotations_is_named_and_fails_alone(tmp_path, caplog):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "nnn"], "val": ["ccc"]})
    reader = Ego4DReader(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert reader.groups() == ["aaa", "nnn", "ccc"]
    assert re.search(r"train\.list.*nnn", caplog.text)
    assert reader.count("nnn") == 0
    with pytest.raises(ValueError, match=r"train\.list.*nnn.*av_"):
        list(reader.read("nnn"))
    assert reader.clip("aaa").tracks


def test_clip_without_a_video_fails_alone(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/aaa.mp4").unlink()
    reader = Ego4DReader(tmp_path)
    with pytest.raises(ValueError, match=r"clips/aaa\.mp4.*full_scale/video-aaa\.mp4"):
        reader.clip("aaa")
    assert reader.clip("bbb").tracks


def test_truncated_video_fails_alone(tmp_path):
    write_small_ego4d(tmp_path)
    path = tmp_path / "v2/clips/aaa.mp4"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"aaa\.mp4"):
        Ego4DReader(tmp_path).clip("aaa")


def test_boxes_past_the_end_of_the_video_keep_their_rows(tmp_path):
    faces, skipped = _rows(_one_clip(tmp_path, range(36, 44)), "aaa")
    assert [face.frame for face in faces] == list(range(36, 44))
    assert skipped == []


def test_small_videos_are_refused_for_full_scale_boxes(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/aaa.mp4").unlink()
    write_grey_video(tmp_path / "v2/video_540ss/video-aaa.mp4")
    with pytest.raises(ValueError, match=r"aaa.*video_540ss.*annotations_dir="):
        Ego4DReader(tmp_path).clip("aaa")


def test_small_videos_are_taken_with_their_own_annotations(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/annotations").rename(tmp_path / "v2/annotations_540ss")
    write_grey_video(tmp_path / "v2/video_540ss/video-aaa.mp4")
    reader = Ego4DReader(tmp_path, annotations_dir=tmp_path / "v2/annotations_540ss")
    assert reader.clip("aaa").video_path.parent.name == "video_540ss"


def test_video_smaller_than_its_boxes_is_refused(tmp_path):
    boxes = [box(i, x=100 + 3 * i) for i in range(30)]
    with pytest.raises(ValueError, match=r"aaa.*64 x 48, 100%"):
        _one_clip(tmp_path, boxes).clip("aaa")


def test_video_of_another_frame_rate_is_refused(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", fps_hz=25)
    with pytest.raises(ValueError, match=r"aaa.*25 Hz.* 30"):
        Ego4DReader(tmp_path).clip("aaa")


def test_boxes_of_a_turned_video_are_those_of_the_shown_frames(tmp_path):
    boxes = [box(frame, x=10, y=50, width=20, height=10) for frame in range(25)]
    reader = _one_clip(tmp_path, boxes)
    turn_clockwise(tmp_path / "v2/clips/aaa.mp4")
    faces, skipped = _rows(reader, "aaa")
    assert skipped == []
    assert [face.bbox_xyxy_px.tolist() for face in faces] == [[10, 50, 30, 60]] * 25
    assert any("1 track, 25 frames" in finding.what for finding in reader.doctor())


def test_bad_boxes_are_listed_and_cost_nothing_else(tmp_path):
    boxes = [box(3), box(4, x=float("nan")), box(5, width=0), box(6, x=500), box(7), box(7), box(8)]
    faces, skipped = _rows(_one_clip(tmp_path, [*boxes, box(None)]), "aaa")
    assert [face.frame for face in faces] == [3, 4, 5, 6, 7, 8]
    assert [face.is_interpolated for face in faces] == [False, True, True, True, False, False]
    assert [item.sample_id for item in skipped] == [
        "aaa:t:-1",
        "aaa:t:4",
        "aaa:t:5",
        "aaa:t:6",
        "aaa:t:7",
    ]


def test_max_gap_decides_between_filling_and_splitting_of_the_repaired_rule(tmp_path):
    assert len(_one_clip(tmp_path, [3, 4, 30, 31]).clip("aaa").tracks) == 2
    for options in ({"max_gap": 30}, {"max_gap": None}, {"track_rule": "published"}):
        assert len(Ego4DReader(tmp_path, parts=["train"], **options).clip("aaa").tracks) == 1


@pytest.mark.parametrize("rule", ["repaired", "published"])
def test_count_is_the_number_of_rows(tmp_path, rule):
    reader = _one_clip(tmp_path, [0, 1, 5, 30, 33], track_rule=rule)
    assert reader.count("aaa") == len(_rows(reader, "aaa")[0])


def test_suspect_tracks_can_be_left_out_and_are_listed(tmp_path):
    persons = [person("1", track("t", [3, 4], suspect=True), track("u", [3]))]
    write_small_ego4d(tmp_path, {"train": [clip("aaa", persons)]})
    assert len(Ego4DReader(tmp_path, parts=["train"]).clip("aaa").tracks) == 2
    found = Ego4DReader(tmp_path, parts=["train"], keep_suspect=False).clip("aaa")
    assert [t.track_id for t in found.tracks] == ["u"]
    assert [item.sample_id for item in found.skipped] == ["aaa:t:3", "aaa:t:4"]


def test_reader_travels_light_and_knows_its_clips_on_arrival(tmp_path):
    reader = Ego4DReader(write_small_ego4d(tmp_path))
    reader.groups()
    sent = pickle.dumps(reader)
    assert len(sent) < 5_000
    arrived = pickle.loads(sent)
    path = tmp_path / "v2/annotations/av_train.json"
    # Only the clip's own bytes are read there.
    path.write_bytes(b" " + path.read_bytes()[1:])
    np.testing.assert_array_equal(
        arrived.clip("aaa").tracks[0].boxes_xyxy_px, reader.clip("aaa").tracks[0].boxes_xyxy_px
    )


def test_annotations_that_changed_meanwhile_are_noticed(tmp_path):
    write_small_ego4d(tmp_path)
    reader = Ego4DReader(tmp_path)
    reader.groups()
    path = tmp_path / "v2/annotations/av_train.json"
    path.write_text(path.read_text().replace('"clip_uid": "aaa"', '"clip_uid": "xyz"'))
    with pytest.raises(ValueError, match=r"av_train\.json changed"):
        reader.clip("aaa")
    write_annotations(tmp_path, {"train": [clip("xyz"), *default_clips()["train"]]})
    with pytest.raises(ValueError, match=r"av_train\.json"):
        reader.clip("aaa")


def test_annotations_cut_in_half_are_refused_by_name(tmp_path):
    write_small_ego4d(tmp_path)
    path = tmp_path / "v2/annotations/av_val.json"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"av_val\.json.*byte \d+ of"):
        Ego4DReader(tmp_path).groups()


def test_malformed_clip_fails_alone(tmp_path):
    clips = {"train": [{**clip("aaa"), "persons": 3}, clip("bbb")]}
    reader = Ego4DReader(write_small_ego4d(tmp_path, clips), parts=["train"])
    assert reader.groups() == ["aaa", "bbb"]
    with pytest.raises(ValueError, match=r"aaa.*persons is 3"):
        reader.clip("aaa")
    assert reader.clip("bbb").tracks


def test_malformed_entries_are_skipped_and_listed(tmp_path):
    clips = {"train": [clip("aaa", [None, person("1", track("t", [3, 4]))])]}
    reader = Ego4DReader(write_small_ego4d(tmp_path, clips), parts=["train"])
    faces, skipped = _rows(reader, "aaa")
    assert [face.frame for face in faces] == [3, 4]
    assert [item.sample_id for item in skipped] == ["aaa::persons[0] is null"]


def test_tracks_of_one_id_are_named_once_a_clip(tmp_path, caplog):
    persons = [person("1", track("t", [3]), track("t", [5])), person("2", track("t", [4]))]
    write_small_ego4d(tmp_path, {"train": [clip("aaa", persons)]})
    Ego4DReader(tmp_path, parts=["train"]).groups()
    (record,) = caplog.records
    assert re.search(r"aaa.* 2 .*t#2, t#3", record.message)


def test_missing_annotations_say_what_to_download(tmp_path):
    with pytest.raises(ValueError, match=r"av_train\.json.*av_val\.json.*ego4d -o"):
        Ego4DReader(tmp_path).groups()
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/annotations/av_val.json").unlink()
    with pytest.raises(ValueError, match=r"av_val\.json.*data\.reader\.parts="):
        Ego4DReader(tmp_path).groups()
    assert Ego4DReader(tmp_path, parts=["train"]).groups() == ["aaa", "bbb"]


def test_clip_in_both_lists_is_refused(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "ccc"], "val": ["ccc"]})
    reader = Ego4DReader(tmp_path)
    with pytest.raises(ValueError, match=r"1 .*'train', 'val'.*ccc") as raised:
        reader.groups()
    assert [finding.what for finding in said(reader, "error")] == [str(raised.value)]


def test_clip_twice_in_the_annotations_counts_once(tmp_path, caplog):
    clips = {"train": [clip("aaa"), clip("aaa", [])]}
    write_small_ego4d(tmp_path, clips)
    reader = Ego4DReader(tmp_path, parts=["train"])
    assert reader.groups() == ["aaa"]
    assert reader.clip("aaa").tracks
    assert re.search(r"av_train\.json.*aaa", caplog.text)


def test_challenge_tree_is_the_test_part(tmp_path):
    write_small_ego4d(tmp_path)
    folder = tmp_path / "v2/social_test/videos_challenge/vid/trk"
    folder.mkdir(parents=True)
    (folder / "00012_abc.jpg").write_bytes(b"face")
    reader = Ego4DReader(tmp_path)
    assert reader.groups() == ["aaa", "bbb", "ccc", "vid"]
    assert reader.count("vid") == 1
    (face,), _ = _rows(reader, "vid")
    assert (face.part, face.frame, face.unique_id, face.label) == ("test", 12, "abc", -1)
    assert Ego4DReader(tmp_path, parts=["test"]).groups() == ["vid"]


def test_settings_say_what_rows_depend_on(tmp_path):
    plain = Ego4DReader(tmp_path).settings
    assert json.loads(json.dumps(plain)) == plain
    assert plain["max_gap"] == 15
    assert Ego4DReader(tmp_path, track_rule="published").settings["max_gap"] is None


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"parts": ["train", "dev"]}, r"data\.reader\.parts.*'dev'.*'train', 'val', 'test'"),
        ({"parts": []}, r"data\.reader\.parts.*\[\]"),
        ({"frame_offset": 2}, r"data\.reader\.frame_offset.* 2.* 0.* 1"),
    ],
)
def test_options_without_meaning_are_refused(tmp_path, option, message):
    with pytest.raises(ValueError, match=message):
        Ego4DReader(tmp_path, **option)


def test_given_folders_must_exist(tmp_path):
    write_small_ego4d(tmp_path)
    for option in ("annotations_dir", "split_dir"):
        with pytest.raises(ValueError, match=rf"data\.reader\.{option}.*{tmp_path}/no"):
            Ego4DReader(tmp_path, **{option: tmp_path / "no"}).groups()


def test_given_lists_must_be_there(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test.list").write_text("aaa")
    reader = Ego4DReader(tmp_path, split_dir=tmp_path / "mine")
    with pytest.raises(ValueError, match=r"split_dir=.*mine .*train\.list.*val\.list") as raised:
        reader.groups()
    assert [finding.what for finding in said(reader, "error")] == [str(raised.value)]
