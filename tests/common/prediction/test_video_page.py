"""A video's page holds what is known of its faces, at the video's times, and names its video."""

import json
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from builders.small_videos import write_gray_video, write_uneven_video
from builders.told_faces import Record, ToldFaces, face

from common.media.presentation import Shown
from common.prediction.annotator import AnnotatedFrame
from common.prediction.track_summary import FrameTimes, TrackSummaries
from common.prediction.video_page import write_video_page
from common.prediction.videos import annotate_videos

TIMES_MS = [0, 40, 80, 4800, 4900, 5000]


def page_of(
    folder: Path, records: Sequence[Sequence[Record]], name: str = "v", times_ms: Any = None
) -> str:
    """Return the page of a video of gray frames."""
    path, levels = folder / "in" / f"{name}.mkv", [100] * len(records)
    if times_ms is None:
        write_gray_video(path, levels)
    else:
        write_uneven_video(path, levels, times_ms)
    annotate_videos([path], ToldFaces(records), folder / "out")
    return (folder / "out" / f"{name}.html").read_text()


def data_of(page: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(found)


def table_of(page: str) -> list[list[str]]:
    """Return the cells of the table of faces as a reader sees them."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = (re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return [[re.sub(r"<.*?>", "", cell) for cell in row] for row in cells]


def test_the_timeline_has_the_videos_own_times(tmp_path: Path) -> None:
    """Frame 3 is shown at 4.8 s, after a stop."""
    looking = [False, False, True, True, None, True]
    records = [[face("7", value)] for value in looking]
    data = data_of(page_of(tmp_path, records, times_ms=TIMES_MS))
    (found,) = data["faces"]
    assert data["end_s"] == 5.04
    assert found["name"] == "7"
    assert found["seen"] == [0.0, 5.04]
    assert found["judged"] == [0.0, 4.9, 5.0, 5.04]
    assert found["looks"] == [0.08, 4.9, 5.0, 5.04]
    assert found["gaze"] == []


def test_gaze_stays_until_the_next_frame_and_is_left_out_where_it_is_not_known(
    tmp_path: Path,
) -> None:
    gaze = [(10.0, -5.0), (11.04, -5.0), None, (-31.0, 0.0), (12.0, 1.0), (13.0, 1.0)]
    records = [[face("0", gaze_deg=value)] for value in gaze]
    page = page_of(tmp_path, records, times_ms=TIMES_MS)
    data = data_of(page)
    assert data["faces"][0]["gaze"] == [
        [0.0, 10.0, -5.0, 0.04, 11.0, -5.0, 0.08],
        [4.8, -31.0, 0.0, 4.9, 12.0, 1.0, 5.0, 13.0, 1.0, 5.04],
    ]
    assert data["limit_deg"] == 45
    (head, row) = table_of(page)
    assert dict(zip(head, row, strict=True)) == {
        **{"face": "face 0", "from, s": "0.000", "to, s": "5.040", "seen, s": "5.040"},
        **{"gaze yaw, median °": "11.0", "gaze pitch, median °": "0.0"},
    }


def test_both_questions_stand_in_one_table_a_face_a_row(tmp_path: Path) -> None:
    records = [[face("0", i in (2, 3, 5), (4.0, 2.0))] for i in range(6)]
    records[4].append(face("1"))
    (head, first, second) = table_of(page_of(tmp_path, records))
    assert dict(zip(head, first, strict=True)) == {
        **{"face": "face 0", "from, s": "0.000", "to, s": "0.600", "seen, s": "0.600"},
        **{"looking, share": "0.500", "looking, s": "0.300", "looks": "2", "longest, s": "0.200"},
        **{"gaze yaw, median °": "4.0", "gaze pitch, median °": "2.0"},
    }
    # Of whom nothing is known there is nothing to say.
    assert second == ["face 1", "0.400", "0.500", "0.100", "", "0.000", "", "", "", ""]


class Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str | None] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("src", "href")}


@pytest.mark.parametrize("name", ["party", "50% #1? <b>&'a'", "1:2.3"])
def test_the_page_names_the_drawn_video_beside_it_and_nothing_else(
    tmp_path: Path, name: str
) -> None:
    page = page_of(tmp_path, [[face("0", True)]], name)
    sources = Sources()
    sources.feed(page)
    (source,) = sources.found
    parts = urlsplit(source)
    assert not any(parts._replace(path=""))
    assert (tmp_path / "out" / unquote(parts.path)).is_file()
    assert "<b>&'" not in page
    assert "//" not in re.sub(r"^// .*", "", page, flags=re.MULTILINE)


def test_a_page_says_why_a_video_is_incomplete(tmp_path: Path) -> None:
    class Failing(ToldFaces):
        def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
            yield from super().annotate_video(path)
            raise RuntimeError("out of <memory>")

    path = write_gray_video(tmp_path / "in" / "v.mkv", [100] * 2)
    annotate_videos([path], Failing([[face("0")]] * 2), tmp_path / "out")
    page = (tmp_path / "out" / "v.html").read_text()
    assert "Incomplete: stopped after 2 frames: RuntimeError: out of &lt;memory&gt;" in page
    assert data_of(page)["faces"][0]["seen"] == [0.0, 0.2]


def test_without_a_face_there_is_no_timeline(tmp_path: Path) -> None:
    page = page_of(tmp_path, [[], []])
    assert "No face was found" in page
    assert "<script" not in page


def long_video(num_frames: int, records: Any, path: Path) -> str:
    times, tracks = FrameTimes(), TrackSummaries()
    for number in range(num_frames):
        times.add(number, Shown(number / 25, 0.04))
        for record in records(number):
            tracks.add(number, record)
    write_video_page(path, times, tracks=tracks)
    return path.read_text()


def test_the_page_of_a_long_video_stays_small(tmp_path: Path) -> None:
    """Eighteen minutes of four faces, which look for two seconds and then do not for two."""
    page = long_video(
        27_000,
        lambda i: [face(name, i // 50 % 2 == 0, (i % 7, 1.0)) for name in "abcd"],
        tmp_path / "v.html",
    )
    assert len(page) < 1_500_000
    for found in data_of(page)["faces"]:
        assert (len(found["looks"]), found["looks"][:4]) == (2 * 270, [0.0, 2.0, 4.0, 6.0])
        (gaze,) = found["gaze"]
        assert gaze[:7] == [0.0, 0.0, 1.0, 0.08, 2.0, 1.0, 0.16]
        assert gaze[-1] == 1080.0
    assert "one frame in 2" in page


def test_thousands_of_short_tracks_have_a_row_each(tmp_path: Path) -> None:
    page = long_video(9000, lambda i: [face(str(i // 3), True, (1.0, 1.0))], tmp_path / "v.html")
    assert len(data_of(page)["faces"]) == len(table_of(page)) - 1 == 3000
    assert len(page) < 3_000_000
