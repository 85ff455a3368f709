"""When a face was seen, and how long it looked."""

from pathlib import Path

import polars as pl
import pytest

from common.media.presentation import Shown
from common.prediction.track_summary import FrameTimes, TrackSummaries


def at_10_hz(frames: list[tuple[int, str, bool | None]]) -> FrameTimes:
    times = FrameTimes()
    for number in range(max((frame for frame, *_ in frames), default=-1) + 1):
        times.add(number, Shown(number / 10, 0.1))
    return times


def table(frames: list[tuple[int, str, bool | None]], folder: Path) -> pl.DataFrame:
    summaries = TrackSummaries()
    for frame, track_id, is_looking in frames:
        known = {} if is_looking is None else {"is_looking": is_looking}
        summaries.add(frame, {"track_id": track_id, **known})
    summaries.write_csv(folder / "tracks.csv", at_10_hz(frames))
    return pl.read_csv(folder / "tracks.csv", schema_overrides={"track_id": pl.String})


def test_looks_begin_end_and_are_counted(tmp_path: Path) -> None:
    looking = [False, True, True, False, True, True, True]
    found = table([(10 + i, "0", value) for i, value in enumerate(looking)], tmp_path)
    row = found.row(0, named=True)
    assert (row["first_frame"], row["last_frame"], row["num_frames"]) == (10, 16, 7)
    assert (row["start_s"], row["end_s"]) == (1.0, 1.7)
    assert row["looking_share"] == round(5 / 7, 4)
    assert (row["num_looks"], row["longest_look_s"]) == (2, 0.3)
    assert row["looks_s"] == "1.100-1.300;1.400-1.700"


def test_an_unseen_or_unknown_frame_interrupts_a_look(tmp_path: Path) -> None:
    unseen = table([(0, "0", True), (2, "0", True)], tmp_path)
    unknown = table([(0, "0", True), (1, "0", None), (2, "0", True)], tmp_path)
    assert unseen["looks_s"][0] == unknown["looks_s"][0] == "0.000-0.100;0.200-0.300"
    # What is not known counts neither way.
    assert unknown["looking_share"][0] == 1.0
    assert unknown["num_frames"][0] == 3


def test_who_never_looks_has_no_look_of_zero_seconds(tmp_path: Path) -> None:
    row = table([(0, "0", False)], tmp_path).row(0, named=True)
    assert (row["looking_share"], row["num_looks"], row["longest_look_s"]) == (0.0, 0, 0.0)


def test_without_judgement_the_columns_are_empty(tmp_path: Path) -> None:
    row = table([(0, "0", None), (1, "0", None)], tmp_path).row(0, named=True)
    assert row["num_frames"] == 2
    assert row["looking_share"] is row["longest_look_s"] is row["num_looks"] is None


def test_tracks_come_in_order_of_appearance(tmp_path: Path) -> None:
    found = table([(0, "b", True), (0, "a", True), (1, "b", True)], tmp_path)
    assert found["track_id"].to_list() == ["b", "a"]
    assert found["num_frames"].to_list() == [2, 1]


def test_a_video_without_faces_has_an_empty_table(tmp_path: Path) -> None:
    found = table([], tmp_path)
    assert found.height == 0
    assert "longest_look_s" in found.columns


def events(frames: list[tuple[int, str, bool | None]], folder: Path) -> tuple[str, str]:
    """Return what ELAN and BORIS read."""
    summaries = TrackSummaries()
    for frame, track_id, is_looking in frames:
        summaries.add(frame, {"track_id": track_id, "is_looking": is_looking})
    summaries.write_elan(folder / "elan.tsv", at_10_hz(frames))
    summaries.write_boris(folder / "boris.tsv", at_10_hz(frames))
    return (folder / "elan.tsv").read_text(), (folder / "boris.tsv").read_text()


TWO_FACES = [
    *((frame, "0", frame in (1, 2, 5)) for frame in range(7)),
    *((frame, "1", frame in (4, 5)) for frame in range(3, 7)),
]


def test_elan_reads_a_tier_a_face_and_an_annotation_a_look(tmp_path: Path) -> None:
    elan, _ = events(TWO_FACES, tmp_path)
    header, *rows = [line.split("\t") for line in elan.splitlines()]
    assert header == ["tier", "begin_s", "end_s", "duration_s", "annotation"]
    assert rows == [
        ["face 0", "0.100", "0.300", "0.200", "looking"],
        ["face 1", "0.400", "0.600", "0.200", "looking"],
        ["face 0", "0.500", "0.600", "0.100", "looking"],
    ]


def test_boris_reads_begin_and_end_of_each_look_and_no_line_more(tmp_path: Path) -> None:
    _, boris = events(TWO_FACES, tmp_path)
    rows = [line.split("\t") for line in boris.split("\n")]
    # Else BORIS says that the clipboard holds no events.
    assert {len(row) for row in rows} == {6}
    assert {tuple(row[2:]) for row in rows} == {("looking", "", "", "NA")}
    times = [(float(row[0]), row[1]) for row in rows]
    assert times == sorted(times)
    of_face = [time for time, subject in times if subject == "face 0"]
    assert of_face == [0.1, 0.3, 0.5, 0.6]


def test_the_looks_of_the_table_are_those_of_the_events(tmp_path: Path) -> None:
    elan, _ = events(TWO_FACES, tmp_path)
    looks = table(TWO_FACES, tmp_path)["looks_s"].str.split(";").explode().to_list()
    rows = [line.split("\t") for line in elan.splitlines()[1:]]
    assert sorted(looks) == sorted(f"{row[1]}-{row[2]}" for row in rows)


def frame_times(*frames: tuple[int, float]) -> FrameTimes:
    times = FrameTimes()
    for number, time_s in frames:
        times.add(number, Shown(time_s, 0.04))
    return times


def test_a_frame_ends_where_the_next_begins_and_the_last_after_its_own_duration() -> None:
    times = frame_times((0, 0.0), (1, 0.04), (2, 4.8))
    assert [times.begin_s(i) for i in range(3)] == [0.0, 0.04, 4.8]
    assert [times.end_s(i) for i in range(3)] == pytest.approx([0.04, 4.8, 4.84])


def test_lost_frames_share_the_time_between_sound_ones() -> None:
    times = frame_times((2, 0.2), (6, 1.0))
    assert times.begin_s(2) == 0.2
    assert times.end_s(2) == pytest.approx(0.4)
