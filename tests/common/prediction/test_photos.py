"""Photos in, drawn photos and one JSON line a face out."""

import json
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import polars as pl
import pytest
from PIL import Image

from common.media.sources import find_media
from common.prediction.outcomes import Outcome
from common.prediction.photos import annotate_photos


class RedFaces:
    """Finds as many faces as the photo's first red value says, and paints the photo blue."""

    columns: ClassVar[Any] = {"bbox_xyxy_px": pl.Array(pl.Float64, 4), "number": pl.Int64}

    def annotate(
        self, image: np.ndarray, camera_matrix: np.ndarray | None
    ) -> tuple[list[dict[str, Any]], np.ndarray]:
        num = int(image[0, 0, 0])
        drawn = np.zeros_like(image)
        drawn[..., 2] = 250
        return [{"bbox_xyxy_px": [0, 0, 1, 1], "number": i} for i in range(num)], drawn


class Failing(RedFaces):
    """Raises at the second photo it sees."""

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._num_seen = 0

    def annotate(
        self, image: np.ndarray, camera_matrix: np.ndarray | None
    ) -> tuple[list[dict[str, Any]], np.ndarray]:
        self._num_seen += 1
        if self._num_seen == 2:
            raise self._error
        return super().annotate(image, camera_matrix)


def write_photo(path: Path, red: int) -> None:
    image = np.zeros((20, 30, 3), np.uint8)
    image[..., 2] = red  # BGR
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def lines(output_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output_dir / "faces.jsonl").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_photo(tmp_path / "photos" / "b.png", 2)
    write_photo(tmp_path / "photos" / "A.JPG", 0)
    write_photo(tmp_path / "photos" / "c.bmp", 1)
    (tmp_path / "photos" / "notes.txt").write_text("no photo")
    (tmp_path / "photos" / "broken.png").write_bytes(b"no photo either")
    return tmp_path / "photos"


def photos_of(folder: Path) -> list[Path]:
    return find_media(str(folder)).photos


def test_every_face_gets_a_line_and_every_failure_its_reason(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = annotate_photos(photos_of(folder), RedFaces(), tmp_path / "out")
    found = [
        (Path(line["photo"]).name, line.get("number", line.get("reason")))
        for line in lines(tmp_path / "out")
    ]
    assert found == [
        ("A.JPG", "no face found"),
        ("b.png", 0),
        ("b.png", 1),
        ("broken.png", "unreadable photo: UnidentifiedImageError"),
        ("c.bmp", 0),
    ]
    assert said.said.startswith(
        "3 faces in 4 photos (2 with faces, 1 without a face, 1 unreadable) -> "
    )
    assert f"{folder / 'broken.png'}: unreadable photo" in caplog.text


def test_drawn_photos_keep_their_colours_and_size(folder: Path, tmp_path: Path) -> None:
    annotate_photos([folder / "b.png"], RedFaces(), tmp_path / "out")
    drawn = cv2.imread(str(tmp_path / "out" / "b.jpg"))
    assert drawn.shape == (20, 30, 3)
    np.testing.assert_allclose(drawn.mean(axis=(0, 1)), [250, 0, 0], atol=3)


def test_a_photo_that_cannot_be_written_is_not_one_without_a_face(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "b.jpg" / "in the way").mkdir(parents=True)
    made = annotate_photos(photos_of(folder), RedFaces(), tmp_path / "out")
    counted = (Outcome.FACES, Outcome.NO_FACE, Outcome.UNREADABLE, Outcome.NOT_WRITTEN)
    assert made.outcomes == dict.fromkeys(counted, 1)
    assert made.said.startswith("1 faces in 4 photos (")
    reasons = [line.get("reason", "") for line in lines(tmp_path / "out")]
    assert sum("b.jpg was not written" in reason for reason in reasons) == 1


def test_photos_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    write_photo(tmp_path / "photos" / "0001" / "x.png", 1)
    write_photo(tmp_path / "photos" / "0002" / "x.png", 1)
    write_photo(tmp_path / "photos" / "0002" / "x.jpg", 1)
    annotate_photos(photos_of(tmp_path / "photos"), RedFaces(), tmp_path / "out")
    drawn = [line["drawn"] for line in lines(tmp_path / "out")]
    assert len(set(drawn)) == 3
    assert sorted(drawn) == sorted(path.name for path in (tmp_path / "out").glob("*.jpg"))


def test_the_users_photos_are_never_overwritten(folder: Path) -> None:
    write_photo(folder / "d.jpg", 1)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match=rf"output_dir={folder}.*photos"):
        annotate_photos(photos_of(folder), RedFaces(), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_photo_that_fails_costs_no_other(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    annotate_photos(photos_of(folder), Failing(RuntimeError("too big")), tmp_path / "out")
    reasons = [line.get("reason") for line in lines(tmp_path / "out")]
    assert reasons == [
        "no face found",
        "failed: RuntimeError: too big",
        "unreadable photo: UnidentifiedImageError",
        None,
    ]
    assert "b.png" in caplog.text
    assert "Traceback" in caplog.text


def test_an_interruption_keeps_the_lines_made_so_far(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        annotate_photos(photos_of(folder), Failing(KeyboardInterrupt()), tmp_path / "out")
    assert [Path(line["photo"]).name for line in lines(tmp_path / "out")] == ["A.JPG"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["A.jpg", "faces.jsonl"]


def test_an_interruption_before_the_first_line_keeps_the_earlier_result(
    folder: Path, tmp_path: Path
) -> None:
    annotate_photos(photos_of(folder), RedFaces(), tmp_path / "out")
    before = lines(tmp_path / "out")
    broken = Failing(KeyboardInterrupt())
    broken._num_seen = 1
    with pytest.raises(KeyboardInterrupt):
        annotate_photos(photos_of(folder), broken, tmp_path / "out")
    assert lines(tmp_path / "out") == before


def test_the_annotator_gets_the_photo_upright_and_its_camera(tmp_path: Path) -> None:
    class Recorder(RedFaces):
        seen: tuple[Any, Any] = (None, None)

        def annotate(self, image: Any, camera_matrix: Any) -> Any:
            self.seen = (image.shape, camera_matrix)
            return super().annotate(image, camera_matrix)

    exif, recorder = Image.Exif(), Recorder()
    exif[0x0112] = 6  # orientation: turn clockwise
    exif.get_ifd(0x8769)[0xA405] = 50  # focal length on 35 mm film
    Image.new("RGB", (360, 240)).save(tmp_path / "p.jpg", exif=exif)
    annotate_photos([tmp_path / "p.jpg"], recorder, tmp_path / "out")
    shape, camera_matrix = recorder.seen
    assert shape == (360, 240, 3)
    np.testing.assert_allclose(camera_matrix[0, 0], 500)


def test_a_table_of_photos_has_boxes_and_reasons(folder: Path, tmp_path: Path) -> None:
    annotate_photos(photos_of(folder), RedFaces(), tmp_path / "out", "parquet")
    table = pl.read_parquet(tmp_path / "out" / "faces.parquet")
    assert table["number"].to_list() == [None, 0, 1, None, 0]
    assert table["bbox_xyxy_px"][1].to_list() == [0, 0, 1, 1]
    assert table["reason"].null_count() == 3
    assert not list((tmp_path / "out").glob("*.jsonl"))
