"""The Ego4D-shaped folder of demo clips: schema, labels, tracks, crops, resumption, refusals."""

import json
import math
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from builders.file_contents import contents

from common.media.video import read_frames, video_info
from common.synthetic.ego4d.annotations import annotation_file
from common.synthetic.ego4d.plan import Ego4dPlan
from common.synthetic.ego4d.scene import stage
from common.synthetic.ego4d.tracks import BRIDGED_GAP, annotate_tracks
from common.synthetic.ego4d.writer import write_ego4d

NUM_FRAMES, SIZE = 12, (320, 180)
SMALL = {
    "num_train_clips": 2,
    "num_val_clips": 1,
    "num_test_clips": 1,
    "num_frames": NUM_FRAMES,
    "image_size": SIZE,
    "seed": 3,
}
MANY = Ego4dPlan(40, 8, 4, 90, (960, 540), 7.0, 0.25, 0)
CROP_NAME = re.compile(r"^(\d{5})_([0-9a-f-]{36})\.jpg$")


def load(raw_dir, name):
    return json.loads((raw_dir / name).read_text())


def clips_of(annotations):
    return [clip for video in annotations["videos"] for clip in video["clips"]]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    raw_dir = tmp_path_factory.mktemp("ego4d") / "raw"
    write_ego4d(raw_dir, **SMALL)
    return raw_dir


@pytest.fixture(scope="module")
def scenes():
    return [stage(MANY, clip) for clip in MANY.clips()]


@pytest.fixture(scope="module")
def train_clips(scenes):
    return clips_of(annotation_file(MANY, "train", scenes[:40]))


# Files


def test_every_clip_is_a_video_at_30_hz(written):
    videos = sorted((written / "v2" / "clips").glob("*.mp4"))
    assert len(videos) == 4
    for path in videos:
        info = video_info(path)
        assert (info.num_frames, info.width, info.height) == (NUM_FRAMES, *SIZE)
        assert info.fps_hz == 30


@pytest.mark.parametrize(
    ("part", "name"),
    [("train", "av_train"), ("val", "av_val"), ("test", "av_test_unannotated")],
)
def test_lists_name_the_clips_in_order_and_end_without_newline(written, part, name):
    text = (written / "split" / f"{part}.list").read_text()
    assert not text.endswith("\n")
    uids = [clip["clip_uid"] for clip in clips_of(load(written, f"v2/annotations/{name}.json"))]
    assert text.split("\n") == uids
    assert all((written / "v2" / "clips" / f"{uid}.mp4").exists() for uid in uids)


def test_crops_are_224_px_and_their_labels_are_kept_apart(written):
    rows = load(written, "truth.json")["test_labels"]
    crops = sorted((written / "social_test" / "videos_challenge").glob("*/*/*.jpg"))
    names = [CROP_NAME.match(path.name).groups() for path in crops]
    told = {(path.parts[-3], path.parts[-2], *n) for path, n in zip(crops, names, strict=True)}
    assert told == {
        (r["video_id"], r["track_id"], f"{r['frame']:05d}", r["unique_id"]) for r in rows
    }
    assert len({row["unique_id"] for row in rows}) == len(rows) > NUM_FRAMES
    assert cv2.imread(str(crops[0])).shape == (224, 224, 3)


def test_the_test_file_tells_nothing(written):
    (clip,) = clips_of(load(written, "v2/annotations/av_test_unannotated.json"))
    assert clip["persons"] == []
    for hidden in ("camera_wearer", "transcriptions", "social_segments_looking"):
        assert clip[hidden] is None


# Schema


def test_the_wearer_comes_first_and_has_no_tracks(train_clips):
    for clip in train_clips:
        wearer, *others = clip["persons"]
        assert wearer == clip["camera_wearer"]
        assert (wearer["person_id"], wearer["camera_wearer"]) == ("0", True)
        assert wearer["tracking_paths"] == []
        assert [person["person_id"] for person in others] == ["1", "2", "3"][: len(others)]
        assert not any(person["camera_wearer"] for person in others)


def test_looking_rows_have_the_released_oddities(train_clips):
    rows = [row for clip in train_clips for row in clip["social_segments_looking"] or []]
    assert not any(row["is_at_me"] for row in rows)
    assert all(row["target"] is None for row in rows)
    assert any(row["person"] is None for row in rows)
    starts = [
        [row["start_frame"] for row in clip["social_segments_looking"] or []]
        for clip in train_clips
    ]
    assert any(row != sorted(row) for row in starts)


def test_some_segments_of_one_person_overlap(train_clips):
    overlaps = 0
    for clip in train_clips:
        rows = [row for row in clip["social_segments_looking"] or [] if row["person"]]
        spans = sorted((r["person"], r["start_frame"], r["end_frame"]) for r in rows)
        overlaps += sum(a[0] == b[0] and b[1] <= a[2] for a, b in pairwise(spans))
    assert overlaps > 3


def test_times_lie_in_their_frames(train_clips):
    for clip in train_clips:
        offset = clip["video_start_frame"]
        for row in (clip["social_segments_looking"] or []) + (
            clip["social_segments_talking"] or []
        ):
            for end in ("start", "end"):
                assert math.floor(row[f"{end}_time"] * 30) == row[f"{end}_frame"]
                assert row[f"video_{end}_frame"] == row[f"{end}_frame"] + offset


def test_clips_without_a_look_have_null_or_nothing(scenes, train_clips):
    assert [clip["social_segments_looking"] for clip in train_clips].count(None) >= 2
    (val_clip,) = clips_of(annotation_file(MANY, "val", [scenes[45]]))
    assert scenes[45].clip.is_aloof
    assert val_clip["social_segments_looking"] == []


def test_clips_of_one_recording_follow_each_other(scenes):
    videos = annotation_file(MANY, "train", scenes[:40])["videos"]
    assert [len(video["clips"]) for video in videos] == [2] * 20
    first, second = videos[0]["clips"]
    assert first["video_end_frame"] == second["video_start_frame"] == 90
    boxes = second["persons"][1]["tracking_paths"][0]["track"]
    assert all(box["video_frame"] == box["frame"] + 90 for box in boxes)
    assert all(box["clip_frame"] is None for box in boxes)


# Labels


def test_segments_are_the_frames_in_which_the_gaze_meets_the_camera(written):
    truth = load(written, "truth.json")
    for part in ("train", "val"):
        for clip in clips_of(load(written, f"v2/annotations/av_{part}.json")):
            listed = {
                (row["person"], frame)
                for row in clip["social_segments_looking"] or []
                for frame in range(row["start_frame"], row["end_frame"] + 1)
                if row["person"] is not None
            }
            people = truth["clips"][clip["clip_uid"]]["people"]
            looked = {
                (person_id, frame)
                for person_id, person in people.items()
                for frame in range(NUM_FRAMES)
                if person["gaze_error_deg"][frame] <= 7.0 and person["closure"][frame] < 0.5
            }
            assert listed == looked


def test_about_a_quarter_of_the_boxes_are_positive(scenes):
    labels = [
        actor.performance.is_looking(7.0)[track.frames]
        for scene in scenes
        for track in annotate_tracks(scene)
        for actor in scene.actors
        if actor.person_id == track.person_id
    ]
    assert 0.15 < np.concatenate(labels).mean() < 0.35


def test_gaze_is_at_the_camera_or_well_away(scenes):
    errors = np.concatenate([a.performance.gaze_error_deg for s in scenes for a in s.actors])
    assert ((errors > 2.5) & (errors < 10)).mean() < 0.05
    assert (errors > 12).mean() > 0.6


def test_the_head_alone_does_not_tell(scenes):
    acts = [actor.performance for scene in scenes for actor in scene.actors]
    head = np.concatenate([act.head_error_deg for act in acts])
    looks = np.concatenate([act.is_looking(7.0) for act in acts])
    assert (head[looks] > 15).mean() > 0.15
    assert (head[~looks] < 10).mean() > 0.15
    # It does tell something.
    assert np.median(head[looks]) < np.median(head[~looks])


def test_nobody_appears_twice(scenes):
    seeds = [actor.performance.traits.seed for scene in scenes for actor in scene.actors]
    assert len(set(seeds)) == len(seeds)


# Tracks


def test_tracks_have_gaps_both_short_and_long(scenes):
    gaps = np.concatenate(
        [np.diff(t.frames) - 1 for scene in scenes for t in annotate_tracks(scene)]
    )
    assert (gaps >= 0).all()
    assert ((gaps > 0) & (gaps <= BRIDGED_GAP)).sum() > 20
    assert (gaps > BRIDGED_GAP).sum() > 2


def test_who_is_never_seen_has_no_track(scenes):
    first, *others = scenes[0].actors
    unseen = replace(first, visible=np.zeros_like(first.visible))
    found = annotate_tracks(replace(scenes[0], actors=(unseen, *others)))
    assert {track.person_id for track in found} == {actor.person_id for actor in others}


def test_one_person_may_have_several_tracks_with_ids_of_their_own(scenes):
    several = 0
    for scene in scenes:
        tracks = annotate_tracks(scene)
        assert len({track.track_id for track in tracks}) == len(tracks)
        several += len({track.person_id for track in tracks}) < len(tracks)
    assert several > 5


def test_boxes_stay_about_the_face_and_may_leave_the_image(scenes):
    is_outside = []
    for scene in scenes:
        faces = {actor.person_id: actor.performance.boxes_xyxy_px for actor in scene.actors}
        for track in annotate_tracks(scene):
            sound = track.boxes_xyxy_px[:, 2] > track.boxes_xyxy_px[:, 0]
            face = faces[track.person_id][track.frames][sound]
            error = np.abs(track.boxes_xyxy_px[sound] - face).max(1) / (face[:, 2] - face[:, 0])
            assert error.max() < 0.2
            is_outside.append((face < 0).any() or (face > [960, 540, 960, 540]).any())
    assert 0.02 < np.mean(is_outside) < 0.5


def test_some_boxes_have_no_extent(scenes):
    empty = sum(
        (track.boxes_xyxy_px[:, 2] <= track.boxes_xyxy_px[:, 0]).sum()
        for scene in scenes
        for track in annotate_tracks(scene)
    )
    assert 0 < empty < 40


def test_unmapped_frames_are_those_without_a_box(train_clips):
    for clip in train_clips:
        for person in clip["persons"]:
            for path in person["tracking_paths"]:
                frames = [box["frame"] for box in path["track"]]
                span = set(range(min(frames), max(frames) + 1))
                assert path["unmapped_frames"] == sorted(span - set(frames))
                assert path["unmapped_frames_count"] == len(path["unmapped_frames"])


# Writing again


def test_other_processes_write_the_same_bytes(written, tmp_path):
    write_ego4d(tmp_path, **SMALL, num_workers=2)
    assert contents(tmp_path) == contents(written)


def test_what_is_missing_is_written_again_and_the_rest_is_kept(written, tmp_path):
    raw_dir = shutil.copytree(written, tmp_path / "copy")
    lost_clip, _ = (raw_dir / "split" / "train.list").read_text().split("\n")
    (raw_dir / "v2" / "clips" / f"{lost_clip}.mp4").unlink()
    (raw_dir / "v2" / "annotations" / "av_train.json").unlink()
    lost_crop, kept_crop, *_ = sorted(raw_dir.glob("social_test/*/*/*/*.jpg"))
    lost_crop.unlink()
    kept_crop.write_bytes(b"kept")
    write_ego4d(raw_dir, **SMALL)
    changed = {kept_crop.relative_to(raw_dir).as_posix(): b"kept"}
    assert contents(raw_dir) == contents(written) | changed


def test_other_arguments_are_refused(written):
    before = contents(written)
    with pytest.raises(ValueError, match=r"seed.*3.*4.*raw_dir"):
        write_ego4d(written, **{**SMALL, "seed": 4})
    assert contents(written) == before


def test_real_data_is_never_mixed_with_demo_people(tmp_path):
    (tmp_path / "v2" / "annotations").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"v2.*demo\.json.*raw_dir"):
        write_ego4d(tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_train_clips": -1}, r"\[-1, 1, 1\]"),
        ({"num_frames": 3}, "num_frames is 3.*8"),
        ({"image_size": (321, 180)}, r"image_size is \(321, 180\)"),
        ({"looking_angle_deg": 20.0}, r"looking_angle_deg is 20\.0.*3 to 10"),
        ({"looking_share": 0.9}, r"looking_share is 0\.9.*0\.5"),
    ],
)
def test_impossible_plans_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_ego4d(tmp_path, **{**SMALL, **change})
    assert not any(tmp_path.iterdir())


def test_the_frames_show_the_people(written):
    (clip, *_) = clips_of(load(written, "v2/annotations/av_train.json"))
    _, image = next(iter(read_frames(written / "v2" / "clips" / f"{clip['clip_uid']}.mp4")))
    box = clip["persons"][1]["tracking_paths"][0]["track"][0]
    x, y, w, h = (round(box[key]) for key in ("x", "y", "width", "height"))
    face = image[max(y, 0) : y + h, max(x, 0) : x + w].reshape(-1, 3).mean(0)
    # Skin is red rather than blue, in all tones and lights.
    assert face[0] > face[2]
