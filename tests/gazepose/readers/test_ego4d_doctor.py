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
    assert "train: 2 clips, 2 tracks, 18 frames, 33.3% of them look at the camera" in said
    assert "val: 1 clip, 1 track, 9 frames, 33.3%" in said


def test_empty_folder_says_what_to_download(tmp_path):
    finding, _ = Ego4DReader(tmp_path).doctor()
    assert finding.severity == "error"
    assert "ego4d -o" in finding.what


def test_missing_annotations_of_one_part(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/annotations/av_val.json").unlink()
    _found(tmp_path, r"av_val\.json, which the val part needs", "error")
    _found(tmp_path, r"^train: 2 clips", "note")
    said = findings_text(Ego4DReader(tmp_path).doctor())
    assert said.startswith("1 error, 0 warnings")
    assert "without annotations" not in said
    assert "nobody looks" not in said


def test_annotations_cut_in_half_do_not_hide_the_rest(tmp_path):
    write_small_ego4d(tmp_path)
    path = tmp_path / "v2/annotations/av_train.json"
    path.write_bytes(path.read_bytes()[:-60])
    _found(tmp_path, "cut short or damaged at byte", "error")
    _found(tmp_path, r"^train: 1 clip,", "note")
    _found(tmp_path, r"^val: 1 clip,", "note")
    assert "take them out of the list" not in findings_text(Ego4DReader(tmp_path).doctor())


def test_clips_without_video(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/bbb.mp4").unlink()
    _found(tmp_path, "train: 1 clip without a video: bbb", "warning")


def test_no_video_of_a_whole_part_is_an_error_and_the_whole_command_is_said(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/ccc.mp4").unlink()
    command = f"ego4d -o {tmp_path} --datasets clips --benchmarks AV --version v2 -y"
    for raw_dir in (tmp_path, tmp_path / "v2"):
        found = _found(raw_dir, r"val: 1 clip without a video: ccc \(all", "error")
        assert found.remedy == f"they fail; {command}"


def test_no_readable_video_of_a_whole_part_is_an_error(tmp_path):
    write_small_ego4d(tmp_path)
    for uid in ("aaa", "bbb"):
        (tmp_path / f"v2/clips/{uid}.mp4").write_bytes(b"no video")
    _found(tmp_path, "train: 2 videos that cannot be opened", "error")


def test_videos_that_cannot_be_opened(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/bbb.mp4").write_bytes(b"no video")
    assert "bbb.mp4" in _found(tmp_path, "1 video that cannot be opened", "warning").what


def test_small_copies(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/bbb.mp4").unlink()
    write_grey_video(tmp_path / "v2/video_540ss/video-bbb.mp4")
    _found(tmp_path, "1 clip there as video_540ss only.*bbb", "error")


def test_boxes_of_larger_videos(tmp_path):
    boxes = [box(i, x=100 + 3 * i) for i in range(30)]
    write_small_ego4d(tmp_path, _with(persons=[person("1", track("t", boxes))]))
    found = _found(tmp_path, "1 video smaller than what the boxes", "error")
    assert "64 x 48, 100% of the boxes outside" in found.what


def test_other_frame_rate(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", fps_hz=25)
    found = _found(tmp_path, r"1 video whose frame rate .* aaa \(25 Hz, annotated 30\)", "error")
    assert "ffmpeg" in found.remedy


def test_videos_shorter_than_their_boxes(tmp_path):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", num_frames=11)
    _found(
        tmp_path,
        r"1 video with boxes after their end: aaa \(11 frames, boxes up to 11\)",
        "warning",
    )


@pytest.mark.parametrize(("num_frames", "is_odd"), [(38, True), (39, False), (41, False)])
def test_videos_of_another_length(tmp_path, num_frames, is_odd):
    write_small_ego4d(tmp_path)
    write_grey_video(tmp_path / "v2/clips/aaa.mp4", num_frames=num_frames)
    if is_odd:
        pattern = r"1 video whose length .* aaa \(38 frames, annotated 40\)"
        assert _found(tmp_path, pattern, "warning").remedy.startswith("they fail")
    else:
        assert "annotated" not in findings_text(Ego4DReader(tmp_path).doctor())


def test_files_cut_short_are_told_without_decoding(tmp_path):
    write_small_ego4d(tmp_path)
    cut_short(tmp_path / "v2/clips/aaa.mp4")
    found = _found(
        tmp_path, r"1 video whose file was cut short: aaa \(\d+ of 40 frames\)", "warning"
    )
    assert "download them again" in found.remedy


def test_clips_that_are_not_valid(tmp_path):
    write_small_ego4d(tmp_path, _with(valid=False))
    _found(tmp_path, "1 clip that the annotators marked as not valid: aaa", "warning")


def test_whole_videos_without_a_start(tmp_path):
    write_small_ego4d(tmp_path, _with(video_start_frame=None, video_start_sec=None))
    (tmp_path / "v2/clips/aaa.mp4").unlink()
    write_grey_video(tmp_path / "v2/full_scale/video-aaa.mp4")
    _found(tmp_path, "1 clip without a start in their whole video: aaa", "warning")


def test_lists_that_mix_the_parts_annotations(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "ccc"], "val": ["bbb"]})
    said = findings_text(Ego4DReader(tmp_path).doctor())
    assert said.startswith("0 errors, 0 warnings")
    assert "train: 2 clips, 2 tracks, 18 frames" in said
    assert "val: 1 clip, 1 track, 9 frames" in said
    assert "not in the list" not in said


def test_whole_videos_shorter_than_their_clips(tmp_path):
    write_small_ego4d(tmp_path, _with(video_start_frame=35))
    (tmp_path / "v2/clips/aaa.mp4").unlink()
    write_grey_video(tmp_path / "v2/full_scale/video-aaa.mp4")
    _found(tmp_path, r"aaa \(40 frames, boxes up to 46\)", "warning")


def test_list_against_annotations(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "nnn", "", "aaa"], "val": ["ccc"]})
    _found(tmp_path, "1 clip of the list without annotations: nnn", "warning")
    _found(tmp_path, "1 clip with annotations, not in the list: bbb", "note")
    _found(tmp_path, "1 blank lines", "warning")
    _found(tmp_path, "named twice, counted once: aaa", "warning")
    _found(tmp_path, r"^train: 1 clip,", "note")


def test_empty_list_and_no_list(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "split/train.list").write_text("\n")
    (tmp_path / "split/val.list").unlink()
    _found(tmp_path, "names no clip", "error")
    _found(tmp_path, r"no usable val\.list", "note")


def test_clip_in_two_lists(tmp_path):
    write_small_ego4d(tmp_path)
    write_lists(tmp_path, {"train": ["aaa", "ccc"], "val": ["ccc"]})
    _found(tmp_path, "in more than one of the lists", "error")


def test_malformed_entries(tmp_path):
    write_small_ego4d(tmp_path, _with(persons=[None, person("1", track("t", [6]))]))
    _found(
        tmp_path, r"1 place where annotations are malformed: aaa:persons\[0\] is null", "warning"
    )


def test_nobody_looks(tmp_path):
    clips = {"train": default_clips()["train"], "val": [clip("ccc", social_segments_looking=None)]}
    write_small_ego4d(tmp_path, clips)
    _found(tmp_path, "val: nobody looks at the camera in any frame", "error")
    _found(tmp_path, "1 clip whose looking segments are null", "note")


@pytest.mark.parametrize(
    ("looks", "pattern"),
    [
        ([look(None, 1, 2), look("1", 1, 2)], "1 clip with looking segments of nobody"),
        ([look("1", 2, 1), look("1", 1, 2)], "1 clip with looking segments without frames"),
        ([look("-1", 1, 2), look("1", 1, 2)], "segments of persons without a track: aaa"),
    ],
)
def test_odd_segments(tmp_path, looks, pattern):
    write_small_ego4d(tmp_path, _with(social_segments_looking=looks))
    _found(tmp_path, pattern, "note")


@pytest.mark.parametrize(
    ("tracks", "pattern", "severity"),
    [
        ([track("t", [1]), track("t", [5])], "1 track whose id .* renamed: aaa:t#2", "warning"),
        ([track("t", [1, 2], suspect=True)], "1 track marked as suspect: aaa:t", "note"),
        ([track("t", [1, 17])], None, None),
        ([track("t", [1, 18])], "1 track with gaps longer than max_gap: aaa:t", "note"),
        ([track("t", [box(1, width=0), box(2)])], "left out: 1 of a box without width", "note"),
        ([], "1 clip in which nobody is tracked: aaa", "note"),
    ],
)
def test_odd_tracks(tmp_path, tracks, pattern, severity):
    write_small_ego4d(tmp_path, _with(persons=[person("1", *tracks)]))
    if pattern is not None:
        _found(tmp_path, pattern, severity)
    else:
        assert "max_gap" not in findings_text(Ego4DReader(tmp_path).doctor())


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [("repaired", ""), ("published", "data.reader.track_rule=repaired splits them")],
)
def test_the_rule_in_use_is_not_advised(tmp_path, rule, remedy):
    write_small_ego4d(tmp_path, _with(persons=[person("1", track("t", [1, 18]))]))
    assert _found(tmp_path, "1 track with gaps", "note", track_rule=rule).remedy == remedy


def test_malformed_and_doubled_clips(tmp_path):
    clips = default_clips()
    clips["train"] += [clip("aaa"), {**clip("ddd"), "persons": 3}]
    write_small_ego4d(tmp_path, clips)
    _found(tmp_path, "1 clip whose annotations cannot be read: clip ddd", "warning")
    _found(tmp_path, "the annotations have twice; the first counts: aaa", "warning")


@pytest.mark.parametrize("column", ["canonical_s3_location", "s3_path"])
def test_manifest_against_files(tmp_path, column):
    write_small_ego4d(tmp_path)
    rows = "".join(f"{uid},s3://bucket/clips/{uid}.mp4\n" for uid in ("aaa", "eee"))
    (tmp_path / "v2/clips/manifest.csv").write_text(f"exported_clip_uid,{column}\n{rows}")
    _found(tmp_path, r"1 of 2 files of the manifest are not there: eee\.mp4", "note")


def test_manifest_of_another_kind(tmp_path):
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/manifest.csv").write_text("uid,where\na,b\n")
    _found(tmp_path, r"has columns \['uid', 'where'\], expected one of", "note")


def test_test_part_is_said_to_be_there_or_not(tmp_path):
    write_annotations(tmp_path, default_clips())
    _found(tmp_path, "test: no videos_challenge", "note")
    folder = tmp_path / "social_test/videos_challenge/vid/trk"
    folder.mkdir(parents=True)
    (folder / "00012_abc.jpg").write_bytes(b"face")
    _found(tmp_path, "test: 1 videos, 1 tracks, 1 images", "note")
