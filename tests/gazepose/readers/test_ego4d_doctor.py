import re

import pytest
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
from builders.small_videos import cut_short

from common.preprocessing.findings import findings_text
from gazepose.readers.ego4d.reader import Ego4DReader


def _found(raw_dir, pattern, severity, **options):
    """Assert that exactly one finding is of that kind."""
    findings = Ego4DReader(raw_dir, **options).doctor()
    matching = [finding for finding in findings if re.search(pattern, finding.what)]
    assert len(matching) == 1, findings_text(findings)
    assert matching[0].severity == severity
    return matching[0]


def _with(**changes):
    clips = default_clips()
    clips["train"][0].update(changes)
    return clips


def test_sound_folder_has_notes_only_and_they_count(tmp_path):
    findings = Ego4DReader(write_small_ego4d(tmp_path)).doctor()
    assert {finding.severity for finding in findings} == {"note"}
    said = findings_text(findings)
    assert said.startswith("0 errors, 0 warnings")
    assert "train: 2 clips, 2 tracks, 18 frames, 33.3%" in said
    assert "val: 1 clip, 1 track, 9 frames, 33.3%" in said


def test_empty_folder_says_what_to_download(tmp_path):
    finding, _ = Ego4DReader(tmp_path).doctor()
    assert finding.severity == "error"
    assert "ego4d -o" in finding.what


def test_missing_annotations_of_one_part(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/annotations/av_val.json").unlink()
    _found(tmp_path, r"av_val\.json", "error")
    _found(tmp_path, r"^train: 2 clips", "note")
    assert findings_text(Ego4DReader(tmp_path).doctor()).startswith("1 error, 0 warnings")


def test_annotations_cut_in_half_do_not_hide_the_rest(tmp_path):
    write_small_ego4d(tmp_path)
    path = tmp_path / "v2/annotations/av_train.json"
    path.write_bytes(path.read_bytes()[:-60])
    _found(tmp_path, r"av_train\.json.*byte \d+ of", "error")
    _found(tmp_path, r"^train: 1 clip,", "note")
    _found(tmp_path, r"^val: 1 clip,", "note")
    assert findings_text(Ego4DReader(tmp_path).doctor()).startswith("1 error, 0 warnings")


def test_clips_without_video(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/bbb.mp4").unlink()
    _found(tmp_path, "train: 1 clip .*bbb", "warning")


def test_no_video_of_a_whole_part_is_an_error_and_the_whole_command_is_said(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/ccc.mp4").unlink()
    command = f"ego4d -o {tmp_path} --datasets clips --benchmarks AV --version v2 -y"
    for raw_dir in (tmp_path, tmp_path / "v2"):
        assert command in _found(raw_dir, "val: 1 clip .*ccc", "error").remedy


def test_no_readable_video_of_a_whole_part_is_an_error(tmp_path):
    write_small_ego4d(tmp_path)
    for uid in ("aaa", "bbb"):
        (tmp_path / f"v2/clips/{uid}.mp4").write_bytes(b"no video")
    _found(tmp_path, r"train: 2 videos .*aaa\.mp4.*bbb\.mp4", "error")


def test_videos_that_cannot_be_opened(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/bbb.mp4").write_bytes(b"no video")
    _found(tmp_path, r"1 video .*bbb\.mp4", "warning")


def test_small_copies(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/bbb.mp4").unlink()
    write_grey_video(tmp_path / "v2/video_540ss/video-bbb.mp4")
    _found(tmp_path, "1 clip .*video_540ss.*bbb", "error")


def test_other_frame_rate(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", fps_hz=25)
    found = _found(tmp_path, "1 video .*aaa .25 Hz, .* 30", "error")
    assert "ffmpeg" in found.remedy


def test_videos_shorter_than_their_boxes(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", num_frames=11)
    _found(tmp_path, "1 video .*aaa .11 frames, boxes .* 11", "warning")
    assert "check_length=false" in _found(tmp_path, "aaa .11 frames, .* 40", "warning").remedy


def test_files_cut_short_are_told_without_decoding(tmp_path):
    write_small_ego4d(tmp_path)
    cut_short(tmp_path / "v2/clips/aaa.mp4")
    _found(tmp_path, r"1 video .*aaa .\d+ of 40 frames", "warning")


def test_whole_videos_without_a_start(tmp_path):
    write_small_ego4d(tmp_path, _with(video_start_frame=None, video_start_sec=None))
    (tmp_path / "v2/clips/aaa.mp4").unlink()
    write_grey_video(tmp_path / "v2/full_scale/video-aaa.mp4")
    _found(tmp_path, "1 clip .*start.*aaa", "warning")


def test_lists_that_mix_the_parts_annotations(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "ccc"], "val": ["bbb"]})
    findings = Ego4DReader(tmp_path).doctor()
    said = findings_text(findings)
    assert said.startswith("0 errors, 0 warnings")
    assert "train: 2 clips, 2 tracks, 18 frames" in said
    assert "val: 1 clip, 1 track, 9 frames" in said
    assert not any(finding.where.endswith(".list") for finding in findings)


def test_whole_videos_shorter_than_their_clips(tmp_path):
    write_small_ego4d(tmp_path, _with(video_start_frame=35))
    (tmp_path / "v2/clips/aaa.mp4").unlink()
    write_grey_video(tmp_path / "v2/full_scale/video-aaa.mp4")
    _found(tmp_path, "aaa .40 frames, boxes .* 46", "warning")


def test_list_against_annotations(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "nnn", "", "aaa"], "val": ["ccc"]})
    _found(tmp_path, "1 clip .*nnn", "warning")
    _found(tmp_path, "1 clip .*bbb", "note")
    _found(tmp_path, "1 blank", "warning")
    _found(tmp_path, "twice.*aaa", "warning")
    _found(tmp_path, r"^train: 1 clip,", "note")


def test_empty_list_and_no_list(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "split/train.list").write_text("\n")
    (tmp_path / "split/val.list").unlink()
    _found(tmp_path, r"split/train\.list", "error")
    _found(tmp_path, r"val\.list", "note")


def test_nobody_looks(tmp_path):
    clips = {"train": default_clips()["train"], "val": [clip("ccc", social_segments_looking=None)]}
    write_small_ego4d(tmp_path, clips)
    _found(tmp_path, "^val: nobody", "error")
    _found(tmp_path, "1 clip .*null.*ccc", "note")


@pytest.mark.parametrize(
    ("odd", "pattern"),
    [
        (look(None, 1, 2), "1 clip .*of nobody.*aaa"),
        (look("1", 2, 1), "1 clip .*without frames.*aaa"),
        (look("-1", 1, 2), "1 clip .*without a track.*aaa"),
    ],
)
def test_odd_segments(tmp_path, odd, pattern):
    write_small_ego4d(tmp_path, _with(social_segments_looking=[odd, look("1", 1, 2)]))
    _found(tmp_path, pattern, "note")


@pytest.mark.parametrize(
    ("tracks", "pattern", "severity"),
    [
        ([track("t", [1]), track("t", [5])], "1 track .*aaa:t#2", "warning"),
        ([track("t", [1, 2], suspect=True)], "1 track .*suspect.*aaa:t", "note"),
        ([track("t", [1, 17]), track("u", [1, 18])], "1 track .*max_gap.*aaa:u", "note"),
        ([track("t", [box(1, width=0), box(2)])], "1 of .*width", "note"),
        ([], "1 clip .*tracked.*aaa", "note"),
        ([track("t", [box(i, x=200.0) for i in range(30)])], "1 video .*64 x 48, 100%", "error"),
    ],
)
def test_odd_tracks(tmp_path, tracks, pattern, severity):
    write_small_ego4d(tmp_path, _with(persons=[person("1", *tracks)]))
    _found(tmp_path, pattern, severity)


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"valid": False}, "1 clip .*valid.*aaa"),
        ({"persons": [None, person("1", track("t", [6]))]}, r"1 place .*aaa:persons\[0\]"),
    ],
)
def test_odd_clips(tmp_path, changes, pattern):
    write_small_ego4d(tmp_path, _with(**changes))
    _found(tmp_path, pattern, "warning")


def test_the_rule_in_use_is_not_advised(tmp_path):
    write_small_ego4d(tmp_path, _with(persons=[person("1", track("t", [1, 18]))]))
    pattern, advice = "1 track .*max_gap", "data.reader.track_rule=repaired"
    assert advice not in _found(tmp_path, pattern, "note", track_rule="repaired").remedy
    assert advice in _found(tmp_path, pattern, "note", track_rule="published").remedy


def test_malformed_and_doubled_clips(tmp_path):
    clips = default_clips()
    clips["train"] += [clip("aaa"), {**clip("ddd"), "persons": 3}]
    write_small_ego4d(tmp_path, clips)
    _found(tmp_path, "1 clip .*clip ddd", "warning")
    _found(tmp_path, "annotations .*twice.*aaa", "warning")


@pytest.mark.parametrize("column", ["canonical_s3_location", "s3_path"])
def test_manifest_against_files(tmp_path, column):
    write_small_ego4d(tmp_path)
    rows = "".join(f"{uid},s3://bucket/clips/{uid}.mp4\n" for uid in ("aaa", "eee"))
    (tmp_path / "v2/clips/manifest.csv").write_text(f"exported_clip_uid,{column}\n{rows}")
    _found(tmp_path, r"1 of 2 .*eee\.mp4", "note")


def test_manifest_of_another_kind(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/manifest.csv").write_text("uid,where\na,b\n")
    _found(tmp_path, r"\['uid', 'where'\].*s3_path", "note")


def test_test_part_is_said_to_be_there_or_not(tmp_path):
    write_annotations(tmp_path, default_clips())
    _found(tmp_path, "^test: .*videos_challenge", "note")
    folder = tmp_path / "social_test/videos_challenge/vid/trk"
    folder.mkdir(parents=True)
    (folder / "00012_abc.jpg").write_bytes(b"face")
    _found(tmp_path, "test: 1 videos, 1 tracks, 1 images", "note")
