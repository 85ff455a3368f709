"""Videos in; drawn videos, one JSON line a face and frame, and tracks out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from builders.small_videos import (
    SIZE,
    cut_short,
    write_damaged_video,
    write_gray_video,
    write_uneven_video,
)

from common.media.video import num_frames, read_frames, read_timed_frames, video_info
from common.media.video_writer import write_video
from common.prediction.annotator import AnnotatedFrame
from common.prediction.outcomes import Outcome
from common.prediction.videos import annotate_videos


class BrightFaces:
    """Finds one face where a frame is brighter than black; it looks where it is nearly white."""

    columns: ClassVar[Any] = {"is_looking": pl.Boolean}

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        for number, image, shown in read_timed_frames(path):
            level = int(image.mean())
            records = [{"track_id": "0", "is_looking": level > 200}] if level > 20 else []
            yield AnnotatedFrame(number, shown, records, np.full_like(image, 255 - level))


class Stopping(BrightFaces):
    """Raises at its fourth frame or another, of the first video only."""

    def __init__(self, error: BaseException, frame: int = 3) -> None:
        self._errors = [error]
        self._frame = frame

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        for frame in super().annotate_video(path):
            if frame.number == self._frame and self._errors:
                raise self._errors.pop()
            yield frame


def videos_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix != ".txt")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def levels(path: Path) -> list[int]:
    return [round(float(image.mean())) for _, image in read_frames(path)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_gray_video(tmp_path / "videos" / "party.mp4", [0, 100, 100, 250, 250, 100])
    write_gray_video(tmp_path / "videos" / "wall.MKV", [0] * 3)
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "videos" / "notes.txt").write_text("no video either")
    return tmp_path / "videos"


def test_every_face_of_every_frame_gets_a_line_and_a_frame_without_one_too(
    folder: Path, tmp_path: Path
) -> None:
    said = annotate_videos([folder / "party.mp4"], BrightFaces(), tmp_path / "out")
    found = lines(tmp_path / "out" / "party_faces.jsonl")
    assert [(line["frame"], line["time_s"]) for line in found] == [(i, i / 10) for i in range(6)]
    assert [line["track_id"] for line in found] == [None] + ["0"] * 5
    assert {line["video"] for line in found} == {str(folder / "party.mp4")}
    assert said.said == (
        f"1 face tracks in 6 frames of 1 videos (1 with faces) -> {tmp_path / 'out'}"
    )


def test_the_drawn_video_has_all_frames_at_the_same_rate(folder: Path, tmp_path: Path) -> None:
    annotate_videos([folder / "party.mp4"], BrightFaces(), tmp_path / "out")
    drawn = tmp_path / "out" / "party.mp4"
    np.testing.assert_allclose(levels(drawn), [255, 155, 155, 5, 5, 155], atol=3)
    info = video_info(drawn)
    assert (info.fps_hz, info.height, info.width) == (10.0, *SIZE)


def test_tracks_say_how_long_a_face_looked(folder: Path, tmp_path: Path) -> None:
    annotate_videos([folder / "party.mp4"], BrightFaces(), tmp_path / "out")
    (row,) = pl.read_csv(tmp_path / "out" / "party_tracks.csv").rows(named=True)
    assert (row["first_frame"], row["last_frame"], row["looking_share"]) == (1, 5, 0.4)
    assert row["looks_s"] == "0.300-0.500"


def test_each_video_has_its_files_and_each_failure_its_reason(folder: Path, tmp_path: Path) -> None:
    said = annotate_videos(videos_of(folder), BrightFaces(), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("broken_faces.jsonl", "party.html", "party.mp4", "party_boris.tsv", "party_elan.tsv"),
        *("party_faces.jsonl", "party_tracks.csv"),
        *("wall.html", "wall.mp4", "wall_faces.jsonl", "wall_tracks.csv"),
    ]
    (broken,) = lines(tmp_path / "out" / "broken_faces.jsonl")
    assert "broken.mp4" in broken["reason"]
    *of_wall, wall = lines(tmp_path / "out" / "wall_faces.jsonl")
    assert [line["track_id"] for line in of_wall] == [None] * 3
    assert wall["reason"] == "no face found"
    assert "of 3 videos (1 with faces, 1 without a face, 1 unreadable)" in said.said
    assert said.outcomes == {Outcome.FACES: 1, Outcome.NO_FACE: 1, Outcome.UNREADABLE: 1}


def test_of_a_damaged_video_the_sound_part_is_kept(tmp_path: Path) -> None:
    write_damaged_video(tmp_path / "videos" / "cut.mp4")
    annotate_videos(videos_of(tmp_path / "videos"), BrightFaces(), tmp_path / "out")
    *found, reason = lines(tmp_path / "out" / "cut_faces.jsonl")
    assert 0 < len(found) < 40
    assert reason["reason"].startswith(f"stopped after {len(found)} frames: ")
    assert num_frames(tmp_path / "out" / "cut.mp4") == found[-1]["frame"] + 1
    assert (tmp_path / "out" / "cut_tracks.csv").is_file()


def test_a_damaged_frame_is_filled_so_that_time_runs_on(tmp_path: Path) -> None:
    class Losing(BrightFaces):
        def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
            return (f for f in super().annotate_video(path) if f.number not in (0, 3))

    write_gray_video(tmp_path / "videos" / "v.mp4", [40, 80, 120, 160, 200])
    annotate_videos(videos_of(tmp_path / "videos"), Losing(), tmp_path / "out")
    drawn = levels(tmp_path / "out" / "v.mp4")
    np.testing.assert_allclose(drawn, [175, 175, 135, 135, 55], atol=3)


def test_a_video_on_which_the_annotator_fails_keeps_its_part_and_costs_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        write_gray_video(tmp_path / "videos" / f"{name}.mp4", [100] * 5)
    stopping = Stopping(RuntimeError("out of memory"))
    annotate_videos(videos_of(tmp_path / "videos"), stopping, tmp_path / "out")
    *found, reason = lines(tmp_path / "out" / "a_faces.jsonl")
    assert len(found) == 3
    assert reason["reason"] == "stopped after 3 frames: RuntimeError: out of memory"
    assert num_frames(tmp_path / "out" / "a.mp4") == 3
    assert len(lines(tmp_path / "out" / "b_faces.jsonl")) == 5
    assert "Traceback" in caplog.text


def test_a_video_that_fails_at_once_has_its_reason_and_no_drawing(tmp_path: Path) -> None:
    write_gray_video(tmp_path / "videos" / "a.mp4", [100] * 5)
    stopping = Stopping(RuntimeError("out of memory"), frame=0)
    made = annotate_videos(videos_of(tmp_path / "videos"), stopping, tmp_path / "out")
    assert made.outcomes == {Outcome.FAILED: 1}
    (row,) = lines(tmp_path / "out" / "a_faces.jsonl")
    assert row["reason"] == "RuntimeError: out of memory"
    assert not (tmp_path / "out" / "a.mp4").exists()


def test_an_interruption_keeps_what_was_made_and_ends_the_call(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_gray_video(tmp_path / "videos" / f"{name}.mp4", [100] * 5)
    with pytest.raises(KeyboardInterrupt):
        annotate_videos(
            sorted((tmp_path / "videos").iterdir()), Stopping(KeyboardInterrupt()), tmp_path / "out"
        )
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("a.html", "a.mp4", "a_boris.tsv", "a_elan.tsv", "a_faces.jsonl", "a_tracks.csv"),
    ]


def test_the_users_videos_are_never_overwritten(folder: Path) -> None:
    with pytest.raises(ValueError, match=rf"output_dir={folder}.*videos"):
        annotate_videos(videos_of(folder), BrightFaces(), folder)


def test_times_are_those_of_the_video_in_tables_and_drawn(tmp_path: Path) -> None:
    """Frame 3 is shown at 4.8 s, after a stop; by a mean rate it would be at 0.12."""
    times_ms = [0, 40, 80, 4800, 4900, 5000]
    levels_of = [0, 100, 100, 250, 250, 100]
    path = write_uneven_video(tmp_path / "videos" / "v.mkv", levels_of, times_ms)
    annotate_videos([path], BrightFaces(), tmp_path / "out")
    found = lines(tmp_path / "out" / "v_faces.jsonl")
    assert [line["time_s"] for line in found] == [ms / 1000 for ms in times_ms]
    row = pl.read_csv(tmp_path / "out" / "v_tracks.csv").row(0, named=True)
    assert (row["start_s"], row["end_s"], row["looks_s"]) == (0.04, 5.04, "4.800-5.000")
    assert "\t4.800\t5.000\t" in (tmp_path / "out" / "v_elan.tsv").read_text()
    assert (tmp_path / "out" / "v_boris.tsv").read_text().startswith("4.800\t")
    drawn = list(read_timed_frames(tmp_path / "out" / "v.mp4"))
    assert [frame.shown.time_s for frame in drawn] == [ms / 1000 for ms in times_ms]
    assert 6 / video_info(tmp_path / "out" / "v.mp4").fps_hz == pytest.approx(5.04, abs=2e-3)


def test_a_cut_mkv_is_as_incomplete_as_a_cut_mp4(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(60, 256, (30, *SIZE, 3), np.uint8)
    paths = [tmp_path / "in" / name for name in ("v.mkv", "w.mp4")]
    paths[0].parent.mkdir()
    for path in paths:
        write_video(path, noise, 10.0)
    paths[0].write_bytes(paths[0].read_bytes()[: paths[0].stat().st_size // 2])
    cut_short(paths[1])
    made = annotate_videos(paths, BrightFaces(), tmp_path / "out")
    assert made.outcomes == {Outcome.INCOMPLETE: 2}
    for stem in ("v", "w"):
        *_, reason = lines(tmp_path / "out" / f"{stem}_faces.jsonl")
        assert "stopped after" in reason["reason"]


@pytest.mark.parametrize("name", ["party.mp4", "party_tracks.csv"])
def test_a_file_that_cannot_be_written_costs_the_others_nothing(
    folder: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    (out / name / "in the way").mkdir(parents=True)
    made = annotate_videos([folder / "party.mp4"], BrightFaces(), out)
    assert made.outcomes == {Outcome.NOT_WRITTEN: 1}
    *found, reason = lines(out / "party_faces.jsonl")
    assert len(found) == 6
    assert f"{name} was not written" in reason["reason"]
    (other,) = {"party.mp4", "party_tracks.csv"} - {name}
    assert (out / other).is_file()
    assert (out / "party_elan.tsv").is_file()


def test_a_drawn_video_that_stops_half_way_costs_the_table_nothing(
    folder: Path, tmp_path: Path
) -> None:
    class Growing(BrightFaces):
        """Its third picture is larger, which no video can hold."""

        def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
            for frame in super().annotate_video(path):
                large = frame.drawn.repeat(2, axis=0)
                yield replace(frame, drawn=large) if frame.number == 2 else frame

    made = annotate_videos([folder / "party.mp4"], Growing(), tmp_path / "out")
    assert made.outcomes == {Outcome.NOT_WRITTEN: 1}
    *found, reason = lines(tmp_path / "out" / "party_faces.jsonl")
    assert [row["frame"] for row in found] == list(range(6))
    assert "party.mp4 was not written" in reason["reason"]


def test_a_table_of_a_video_has_all_its_lines_in_other_formats_too(
    folder: Path, tmp_path: Path
) -> None:
    tables = {}
    for table_format in ("parquet", "csv"):
        out = tmp_path / table_format
        annotate_videos([folder / "party.mp4"], BrightFaces(), out, table_format)
        path = out / f"party_faces.{table_format}"
        tables[table_format] = pl.read_parquet(path) if table_format == "parquet" else path
    table = tables["parquet"]
    assert table.columns == ["video", "frame", "time_s", "track_id", "is_looking", "reason"]
    assert table["frame"].to_list() == list(range(6))
    assert table["is_looking"].to_list() == [None, False, False, True, True, False]
    assert pl.read_csv(tables["csv"], schema=table.schema).equals(table)
    assert not list((tmp_path / "csv").glob(".*"))


def test_an_interrupted_table_keeps_its_rows(tmp_path: Path) -> None:
    write_gray_video(tmp_path / "videos" / "a.mp4", [100] * 5)
    stopping = Stopping(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        annotate_videos(videos_of(tmp_path / "videos"), stopping, tmp_path / "out", "parquet")
    table = pl.read_parquet(tmp_path / "out" / "a_faces.parquet")
    assert table["frame"].to_list() == [0, 1, 2, None]
    assert "KeyboardInterrupt" in table["reason"][-1]
