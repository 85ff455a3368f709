import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from builders.golden_ego4d import CLIP_A as UID
from builders.golden_ego4d import CLIP_B

from gazepose.readers.face_imgs.baseline_tracks import BaselineTracks
from gazepose.readers.json_entries import MALFORMED
from gazepose.readers.tracks import TrackRule

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/gazepose/tracks.json").read_text())


@pytest.fixture
def data_dir(tmp_path):
    for name, text in GOLDEN["files"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def _samples(reader, part):
    for clip in reader.clips(part):
        for track in reader.tracks(clip)[0]:
            rows = zip(track.frames, track.boxes_xyxy_px, track.labels, strict=True)
            yield from ((clip, track.track_id, f, box, label) for f, box, label in rows)


def test_samples_are_the_original_s(data_dir):
    found = list(_samples(BaselineTracks(data_dir), "train"))
    expected = GOLDEN["samples_train"]
    assert len(expected) == 164
    assert [(*row[:3], row[4]) for row in found] == [(*row[:3], row[4]) for row in expected]
    np.testing.assert_allclose(
        [row[3] for row in found], [row[3] for row in expected], rtol=0, atol=1e-12
    )


def test_clips_come_in_the_order_of_their_list(data_dir):
    reader = BaselineTracks(data_dir)
    assert reader.clips("val") == GOLDEN["val_uids"]


def test_boxes_left_out_are_listed(data_dir):
    _, skipped = BaselineTracks(data_dir).tracks(CLIP_B)
    reasons = [item.reason for item in skipped if item.subject == "trkB4w"]
    assert reasons == ["a box without width or height"] * 4


def test_repaired_rule_keeps_every_valid_box_and_frame_0(data_dir):
    tracks, _ = BaselineTracks(data_dir, TrackRule()).tracks(UID)
    path = data_dir / "json_original" / UID / "trkA1x.json"
    rows = [row for row in json.loads(path.read_text()) if row["width"] > 0 and row["height"] > 0]
    own = [track for track in tracks if track.track_id.startswith("trkA1x")]
    assert {row["frameNumber"] for row in rows if row["Person ID"]} == {
        int(frame) for t in own for frame in t.frames[~t.is_interpolated]
    }


def test_clip_without_looks_has_no_positives(data_dir):
    (data_dir / "result_LAM" / f"{UID}.json").unlink()
    tracks, _ = BaselineTracks(data_dir).tracks(UID)
    assert tracks
    assert not any(track.labels.any() for track in tracks)


def test_looks_appended_by_a_second_run_are_refused(data_dir):
    path = data_dir / "result_LAM" / f"{UID}.json"
    path.write_text(path.read_text() * 2)
    with pytest.raises(ValueError, match=rf"{UID}\.json"):
        BaselineTracks(data_dir).tracks(UID)


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda whole: "{}"])
def test_damaged_track_is_left_out_and_the_others_stay(data_dir, damage):
    folder = data_dir / "json_original" / UID
    whole = (folder / "trkA1x.json").read_text()
    (folder / "trkA1x.json").write_text(damage(whole))
    tracks, skipped = BaselineTracks(data_dir).tracks(UID)
    assert {track.track_id for track in tracks} == {"trkA2y", "trkA3z"}
    assert f"{UID}:trkA1x" in {item.sample_id for item in skipped}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"frameNumber": None}, "rows[0].frameNumber is null"),
        ({"frameNumber": 10**30}, f"rows[0].frameNumber is {10**30}"),
        ({"x": "left"}, 'rows[0].x is "left"'),
        ({"Person ID": ...}, "rows[0] has no 'Person ID'"),
        ({"Person ID": ["1"]}, 'rows[0].Person ID is ["1"]'),
        (None, "rows[0] is null"),
    ],
)
def test_malformed_boxes_cost_nothing_else(data_dir, changes, found):
    path = data_dir / "json_original" / UID / "trkA1x.json"
    rows = json.loads(path.read_text())
    before = BaselineTracks(data_dir).tracks(UID)[0]
    row = None if changes is None else rows[0] | changes
    if row is not None:
        row = {key: value for key, value in row.items() if value is not ...}
    path.write_text(json.dumps([row, *rows]))
    after, skipped = BaselineTracks(data_dir).tracks(UID)
    assert [t.frames.tolist() for t in after] == [t.frames.tolist() for t in before]
    names = [item.sample_id for item in skipped if item.reason == MALFORMED]
    assert names == [f"{UID}:trkA1x:{found}"]


def test_malformed_looks_cost_nothing_else(data_dir):
    path = data_dir / "result_LAM" / f"{UID}.json"
    before = BaselineTracks(data_dir).tracks(UID)[0]
    path.write_text(json.dumps([None, {"label": "1"}, *json.loads(path.read_text())]))
    after, skipped = BaselineTracks(data_dir).tracks(UID)
    assert [t.labels.tolist() for t in after] == [t.labels.tolist() for t in before]
    assert [item.reason for item in skipped].count(MALFORMED) == 2


def test_tracks_longer_than_memory_holds_are_refused_with_their_folder(data_dir, monkeypatch):
    monkeypatch.setattr("gazepose.readers.tracks.MAX_ROWS", 3)
    with pytest.raises(ValueError, match=rf"json_original/{UID}: .* more than 3 frames"):
        BaselineTracks(data_dir).tracks(UID)


def test_the_doctor_says_which_clips_lack_what(data_dir):
    shutil.rmtree(data_dir / "json_original" / UID)
    (data_dir / "result_LAM" / f"{CLIP_B}.json").unlink()
    found = {
        one.severity: one.what for one in BaselineTracks(data_dir, parts=("train",)).findings()
    }
    assert "json_original" in found["error"]
    assert UID in found["error"]
    assert CLIP_B in found["warning"]


def test_folders_of_another_kind_are_refused(tmp_path, data_dir):
    BaselineTracks(data_dir).clips("train")
    (tmp_path / "empty").mkdir()
    for folder, lacks in ((tmp_path / "empty", "split"), (tmp_path / "nowhere", "nowhere")):
        with pytest.raises(ValueError, match=rf"{lacks}.*data\.raw_dir="):
            BaselineTracks(folder).clips("train")
    with pytest.raises(ValueError, match=r"no-such-clip.*get_json\.py"):
        BaselineTracks(data_dir).tracks("no-such-clip")
