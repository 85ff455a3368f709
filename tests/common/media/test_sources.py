"""The files a user means, and what each of them is."""

import json
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from builders.small_videos import remuxed, write_gray_video, write_noise
from PIL import Image

from common.media.sources import NO_MEDIUM, check_output_dir, find_media, kind_of, unique_stems


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gray_video(tmp_path_factory.mktemp("video") / "v.mp4", [50] * 4)


@pytest.fixture
def folder(tmp_path: Path, video: Path) -> Path:
    for name in ("b.mp4", "A.MOV", "x[1].mp4", "._b.mp4", "deep/er/c.mp4", ".trash/d.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(video.read_bytes())
    (tmp_path / "notes.txt").write_text("no medium")
    return tmp_path


def names(source: object) -> list[str]:
    return [path.name for path in find_media(str(source)).videos]


def test_a_source_is_a_file_a_folder_with_its_subfolders_or_a_pattern(folder: Path) -> None:
    assert names(folder / "b.mp4") == ["b.mp4"]
    assert names(folder) == ["A.MOV", "b.mp4", "c.mp4", "x[1].mp4"]
    assert names(folder / "*.mp4") == ["b.mp4", "x[1].mp4"]
    assert names(folder / "**" / "c*") == ["c.mp4"]


def test_a_file_with_brackets_in_its_name_is_that_file(folder: Path) -> None:
    assert names(folder / "x[1].mp4") == ["x[1].mp4"]


def test_what_is_left_out_has_a_reason(folder: Path) -> None:
    assert find_media(str(folder)).left_out == {folder / "notes.txt": NO_MEDIUM}
    assert find_media(str(folder / "._*")).left_out == {}
    assert find_media(str(folder / "nowhere")).left_out == {}


def test_earlier_results_below_the_source_are_no_source(folder: Path) -> None:
    found = find_media(str(folder), folder / "deep")
    assert [path.name for path in found.videos] == ["A.MOV", "b.mp4", "x[1].mp4"]
    assert found.left_out[folder / "deep" / "er" / "c.mp4"] == "lies in output_dir"


@pytest.mark.parametrize(
    ("suffix", "container"),
    [(".MTS", "mpegts"), (".h264", "h264"), (".mkv", None)],
)
def test_a_video_is_one_by_its_content(
    video: Path, tmp_path: Path, suffix: str, container: str | None
) -> None:
    path = remuxed(video, tmp_path / f"v{suffix}", container)
    assert kind_of(path.rename(tmp_path / "v.jpg")) == "video"


@pytest.mark.parametrize(
    ("codec", "container"),
    [("mpeg2video", "mpeg"), ("mpeg4", "avi")],
)
def test_codecs_of_older_cameras_are_videos_too(tmp_path: Path, codec: str, container: str) -> None:
    path = write_noise(tmp_path / "v.dat", codec, container_format=container)
    assert kind_of(path) == "video"


@pytest.mark.parametrize("kind", ["jpeg", "gif", "ppm"])
def test_a_photo_is_one_by_its_content(tmp_path: Path, kind: str) -> None:
    Image.new("RGB", (20, 10)).save(tmp_path / "p.mp4", format=kind)
    assert kind_of(tmp_path / "p.mp4") == "photo"


def test_a_gif_that_moves_is_a_video(tmp_path: Path) -> None:
    pictures = [Image.fromarray(np.full((16, 16), level, np.uint8)) for level in (0, 100, 200)]
    pictures[0].save(tmp_path / "g", format="gif", save_all=True, append_images=pictures[1:])
    assert kind_of(tmp_path / "g") == "video"


def test_a_colon_in_a_name_is_no_protocol(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("12:30.mp4").write_bytes(video.read_bytes())
    assert names("12:30.mp4") == ["12:30.mp4"]


def song_with_cover() -> bytes:
    """A FLAC file of no sound, whose picture FFmpeg shows as a video."""
    cover = BytesIO()
    Image.new("RGB", (20, 10)).save(cover, "png")
    sound = struct.pack(">HH6xQ16x", 4096, 4096, 44100 << 44 | 15 << 36)
    picture = struct.pack(">II9s6I", 3, 9, b"image/png", 0, 20, 10, 24, 0, cover.tell())
    blocks = (0, sound), (0x86, picture + cover.getvalue())
    return b"fLaC" + b"".join(
        bytes([kind]) + len(block).to_bytes(3, "big") + block for kind, block in blocks
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.flac", song_with_cover()),
        ("a.txt", b"a text that FFmpeg would show as a terminal does\n"),
        ("a.bin", bytes(range(256)) * 8),
        ("a.json", json.dumps({"a": 1}).encode()),
        ("a.csv", b"a,b\n1,2\n"),
        ("a.srt", b"1\n00:00:00,000 --> 00:00:01,000\nhello\n"),
        ("a.m3u8", b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nv.ts\n#EXT-X-ENDLIST\n"),
        ("a.noise", np.random.default_rng(0).bytes(5000)),
        ("empty", b""),
    ],
)
def test_other_files_are_neither(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert kind_of(tmp_path / name) is None


@pytest.mark.parametrize(
    ("name", "kind"), [("a.JPG", "photo"), ("a.heic", "photo"), ("a.MTS", "video")]
)
def test_a_damaged_file_is_what_its_name_says(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"damaged")
    assert kind_of(tmp_path / name) == kind


def test_stems_are_numbered_where_they_would_collide() -> None:
    paths = [Path("a/x.mp4"), Path("b/X.mov"), Path("b/y.mp4"), Path("c/x.avi")]
    assert list(unique_stems(paths)) == ["x", "X_2", "y", "x_3"]


def test_an_output_folder_among_the_sources_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"output_dir=.*deep/\.\..*videos"):
        check_output_dir(folder / "deep" / "..", "videos", [folder / "b.mp4"])
    check_output_dir(folder / "out", "videos", [folder / "b.mp4"])
