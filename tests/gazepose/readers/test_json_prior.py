"""Prior files: what they say of a clip, and what they may lack."""

import json
import math
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.golden_ego4d import CLIP_A, CLIP_B, CLIP_C, unpack

from gazepose.readers.json_prior.clip_priors import FAR_POINTS
from gazepose.readers.json_prior.files import PriorFiles

POINTS = [
    [0.1, 0.2, 9.0, 0.5],
    [3.0, -2.6, 0, 1.2],
    [0.4, 0.4, 0, 0],
    [0.5, 0.7, 0, 1],
    [0, 1, 0, 1],
]


def write(folder: Path, name: str, content: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content))


def test_points_keep_x_y_and_score_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, "train_mesh.json", {"clip": {"t": {"7": POINTS, "8": [*POINTS, POINTS[0]]}}})
    priors = PriorFiles(tmp_path, "train").of_clip("clip")
    expected = np.array(POINTS)[:, [0, 1, 3]]
    for frame in ("7", "8"):
        np.testing.assert_array_equal(priors.points("t", frame), expected)


@pytest.mark.parametrize("points", [POINTS[:4], None, "x", [[1, 2]] * 5])
def test_points_that_are_not_five_are_unknown(tmp_path: Path, points: Any) -> None:
    write(tmp_path, "train_mesh.json", {"clip": {"t": {"7": points}}})
    assert PriorFiles(tmp_path, "train").of_clip("clip").points("t", "7") is None


@pytest.mark.parametrize(
    ("separator", "part", "name"),
    [
        (":", "train", "train_headpose.json"),
        ("-", "val", "val_headpose-all.json"),
        ("-", "val", "val_headpose.json"),
    ],
)
def test_head_angles_with_either_separator(
    tmp_path: Path, separator: str, part: str, name: str
) -> None:
    key = separator.join((CLIP_A, "track_1", "7"))
    write(tmp_path, name, {key: [1.5, -95.0, 3, 1, 0, 0], "other:t:7": [0] * 6})
    priors = PriorFiles(tmp_path, part).of_clip(CLIP_A)
    np.testing.assert_array_equal(priors.head_pose_deg("track_1", "7"), [1.5, -95.0, 3.0])
    assert priors.head_pose_deg("track_1", "07") is None


@pytest.mark.parametrize("angles", [[1, 2, 3], [1, 2, math.nan, 0, 0, 0], ["a"] * 6, None, {}])
def test_angles_that_are_not_six_numbers_are_unknown(tmp_path: Path, angles: Any) -> None:
    write(tmp_path, "train_headpose.json", {"clip:t:7": angles})
    assert PriorFiles(tmp_path, "train").of_clip("clip").head_pose_deg("t", "7") is None


def test_test_angles_are_found_by_unique_id_and_frame(tmp_path: Path) -> None:
    write(tmp_path, "test_headpose.json", {"v:t:abc-1:00012": [1, 2, 3], "v:t:b:00013": [1] * 6})
    priors = PriorFiles(tmp_path, "test").of_clip("v")
    np.testing.assert_array_equal(priors.head_pose_deg("t", "abc-1", "00012"), [1, 2, 3])
    assert priors.head_pose_deg("t", "abc-1", "12") is None
    assert priors.head_pose_deg("t", "b", "00013") is None


@pytest.mark.parametrize(
    ("found", "rank"),
    [(1, 1.0), (None, None), (math.nan, None), (57.3, None), (-4, None)],
)
def test_sharpness_ranks(tmp_path: Path, found: Any, rank: float | None) -> None:
    write(tmp_path, "train_p.json", {"clip": {"t": {"7": found}}})
    priors = PriorFiles(tmp_path, "train").of_clip("clip")
    assert priors.sharpness_p("t", "7") == rank
    assert priors.sharpness_p("t", "8") is None
    assert priors.sharpness_p("u", "7") is None


@pytest.mark.parametrize("found", [None, 3, [0.5], {"t": None, "u": {"7": 0.5}}])
def test_what_is_no_object_says_nothing_and_costs_nothing_else(tmp_path: Path, found: Any) -> None:
    write(tmp_path, "train_p.json", {"clip": found, "other": {"t": {"7": 0.25}}})
    files = PriorFiles(tmp_path, "train")
    priors = files.of_clip("clip")
    assert priors.sharpness_p("t", "7") is None
    assert priors.doubts() == []
    assert files.of_clip("other").sharpness_p("t", "7") == 0.25


@pytest.mark.parametrize(
    ("entry", "is_filtered"),
    [
        ({"max_index": 1, "array": [0.5, 0.0]}, True),
        ({"max_index": 0, "array": [0.5, 0.0]}, False),
        ({"max_index": 7, "array": [0.5]}, None),
        ({"array": [0.5]}, None),
        (None, None),
    ],
)
def test_the_filter_looks_at_the_best_of_the_window(
    tmp_path: Path, entry: Any, is_filtered: bool | None
) -> None:
    write(tmp_path, "train_filter_all.json", {"clip:t:7": entry})
    assert PriorFiles(tmp_path, "train").of_clip("clip").is_filtered("t", "7") is is_filtered


def test_recorded_files_raise_no_doubts(tmp_path: Path) -> None:
    folder = unpack(tmp_path) / "data" / "json_prior"
    for part, clip in (("train", CLIP_A), ("val", CLIP_B), ("test", CLIP_C)):
        assert PriorFiles(folder, part).of_clip(clip).doubts() == []


def test_points_beyond_the_image_are_doubted_only_where_most_are(tmp_path: Path) -> None:
    near, far = POINTS, [[112, 90, 0, 1]] * 5
    for faces, is_doubted in (([near, far], False), ([near, far, far], True), ([], False)):
        of_track = {str(i): points for i, points in enumerate(faces)}
        write(tmp_path, "train_mesh.json", {"clip": {"t": of_track}})
        doubts = PriorFiles(tmp_path, "train").of_clip("clip").doubts()
        assert [d.reason for d in doubts] == [FAR_POINTS] * is_doubted


def test_missing_files_are_named_for_what_is_wanted(tmp_path: Path) -> None:
    write(tmp_path, "val_headpose.json", {})
    files = PriorFiles(tmp_path, "val")
    assert files.missing(()) == files.missing(["head_pose"]) == []
    (finding,) = files.missing(["landmarks", "head_pose"])
    assert finding.severity == "error"
    assert re.search(r"val_mesh\.json.*landmarks=prior", finding.what)
    (tmp_path / "val_headpose.json").unlink()
    (finding,) = PriorFiles(tmp_path, "val").missing(["head_pose"])
    assert re.search(r"val_headpose-all\.json.*head_pose=prior", finding.what)


def test_scattered_entries_of_a_clip_are_all_found(tmp_path: Path) -> None:
    entries = {f"{clip}:t:{i}": [i, 0, 0, 1, 0, 0] for i in range(6) for clip in ("a", "b")}
    write(tmp_path, "train_headpose.json", entries)
    for clip in ("a", "b"):
        priors = PriorFiles(tmp_path, "train").of_clip(clip)
        found = [priors.head_pose_deg("t", str(i)) for i in range(6)]
        np.testing.assert_array_equal(np.array(found)[:, 0], range(6))


def test_without_files_everything_is_unknown(tmp_path: Path) -> None:
    files = PriorFiles(tmp_path / "nowhere", "train")
    files.open()
    priors = files.of_clip("clip")
    assert not files.are_there()
    assert priors.points("t", "1") is priors.head_pose_deg("t", "1") is None
    assert priors.sharpness_p("t", "1") is priors.is_filtered("t", "1") is None


def test_a_file_cut_in_half_is_refused_before_anything_runs(tmp_path: Path) -> None:
    write(tmp_path, "train_mesh.json", {"clip": {"t": {"7": POINTS}}})
    path = tmp_path / "train_mesh.json"
    path.write_bytes(path.read_bytes()[:60])
    files = PriorFiles(tmp_path, "train")
    with pytest.raises(ValueError, match=r"train_mesh\.json.*byte \d+ of 60"):
        files.open()
    worst = files.findings(["clip"])[0]
    assert (worst.severity, worst.where) == ("error", str(path))


def test_findings_count_the_clips_that_a_file_lacks(tmp_path: Path) -> None:
    write(tmp_path, "train_p.json", {"a": {}, "b": {}})
    found = {
        str(f.where).rpartition("/")[2]: f
        for f in PriorFiles(tmp_path, "train").findings(list("abc"))
    }
    assert found["train_p.json"].severity == "warning"
    assert "2 of 3 clips" in found["train_p.json"].what
    assert any("train_mesh.json" in f.what for f in PriorFiles(tmp_path, "train").findings([]))
    (finding,) = PriorFiles(tmp_path, "val").findings(["a"])
    assert (finding.severity, finding.what[:4]) == ("note", "val:")


def test_opened_files_travel_to_other_processes(tmp_path: Path) -> None:
    write(tmp_path, "train_p.json", {"a": {"t": {"1": 0.5}}})
    files = PriorFiles(tmp_path, "train")
    files.open()
    sent = pickle.loads(pickle.dumps(files))
    assert sent.of_clip("a").sharpness_p("t", "1") == 0.5


def test_every_entry_of_the_recorded_files_is_found(tmp_path: Path) -> None:
    folder = unpack(tmp_path) / "data" / "json_prior"
    for part, clips in {
        "train": [CLIP_A, CLIP_B],
        "val": [CLIP_A, CLIP_B],
        "test": [CLIP_C],
    }.items():
        files = PriorFiles(folder, part)
        found = {clip: files.of_clip(clip) for clip in clips}
        for clip, tracks in json.loads((folder / f"{part}_p.json").read_text()).items():
            for track, ranks in tracks.items():
                for key, rank in ranks.items():
                    assert found[clip].sharpness_p(track, key) == rank
        name = f"{part}_headpose{'-all' if part == 'val' else ''}.json"
        for key, angles in json.loads((folder / name).read_text()).items():
            clip, track, *names = key.split(":")
            pose = found[clip].head_pose_deg(track, *names)
            if len(angles) == (3 if part == "test" else 6):
                np.testing.assert_array_equal(pose, angles[:3])
            else:
                assert pose is None


@pytest.mark.parametrize(
    ("name", "of_a"),
    [
        ("train_p.json", b'{"t": {"0": "\xe9"}}'),
        ("train_mesh.json", b"[" * 20_000 + b"]" * 20_000),  # Python 3.13 parses 9,999 deep
    ],
)
def test_damage_in_a_clip_s_share_costs_that_clip(tmp_path: Path, name: str, of_a: bytes) -> None:
    of_b = json.dumps({"t": {"0": POINTS if "mesh" in name else 0.5}}).encode()
    (tmp_path / name).write_bytes(b'{"a": %s, "b": %s}' % (of_a, of_b))
    priors = PriorFiles(tmp_path, "train")
    with pytest.raises(ValueError, match=rf"{name}, bytes \d+ to \d+"):
        priors.of_clip("a")
    found = priors.of_clip("b")
    assert found.points("t", "0") is not None or found.sharpness_p("t", "0") == 0.5
    assert any(name in finding.what for finding in priors.findings(["a", "b"]))


def test_a_number_beyond_all_measure_is_unknown(tmp_path: Path) -> None:
    angles = f"[1, 2, 1{'0' * 400}, 0, 0, 0]"
    (tmp_path / "train_headpose.json").write_text(f'{{"a:t:0": {angles}, "": 1}}')
    assert PriorFiles(tmp_path, "train").of_clip("a").head_pose_deg("t", "0") is None
