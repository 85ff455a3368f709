"""Labelled photos: rows and boxes as the file says, parts without leaks, faults by line."""

import logging
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from builders.coloured_faces import SIDE, square_settings
from builders.labelled_photos import (
    HEADER,
    RED_BOX,
    labelled_row,
    write_contact_photos,
    write_csv,
    write_photo,
)

from common.store.skipped import Skipped
from gazepose.readers.photos.contact_photos import ContactPhotosReader
from gazepose.readers.photos.label_file import read_labels
from gazepose.readers.photos.reader import NO_FACE
from gazepose.readers.sample import Frame, RawFace


def reader(folder: Path, **options: Any) -> ContactPhotosReader:
    return ContactPhotosReader(folder, analyzer=square_settings(), **options)


def items(folder: Path, **options: Any) -> list[RawFace | Skipped]:
    source = reader(folder, **options)
    return [item for group in source.groups() for item in source.read(group)]


def faces(folder: Path, **options: Any) -> list[RawFace]:
    return [item for item in items(folder, **options) if isinstance(item, RawFace)]


def reasons(folder: Path, **options: Any) -> dict[str, str]:
    return {i.sample_id: i.reason for i in items(folder, **options) if isinstance(i, Skipped)}


def fingerprints(folder: Path) -> dict[str, str | None]:
    source = reader(folder)
    return {group: source.fingerprint(group) for group in source.groups() if source.count(group)}


def parts(folder: Path, **options: Any) -> dict[str, str]:
    return {face.clip_uid: face.part for face in faces(folder, **options)}


def findings(folder: Path, **options: Any) -> list[tuple[str, str]]:
    return [(finding.severity, finding.what) for finding in reader(folder, **options).doctor()]


def test_every_row_is_a_track_of_one_frame_in_its_box(tmp_path: Path) -> None:
    write_photo(tmp_path / "images" / "two.jpg", green_left=100)
    rows = [labelled_row("two.jpg", 1), ("two.jpg", 100, 20, 140.5, 60, 0)]
    write_csv(tmp_path / "labels.csv", rows)
    red, green = faces(tmp_path, part="val")
    assert [red.label, green.label] == [1, 0]
    assert red.track_id != green.track_id
    np.testing.assert_array_equal(red.bbox_xyxy_px, RED_BOX)
    np.testing.assert_array_equal(green.bbox_xyxy_px, [100, 20, 140.5, 60])
    for face in (red, green):
        assert (face.clip_uid, face.part, face.person_id) == ("two.jpg", "val", "")
        assert (face.frame, face.track_index, face.is_photo) == (0, 0, True)
        assert face.image == Frame(tmp_path / "images" / "two.jpg")


@pytest.mark.parametrize("rows", [[("a.jpg", "", "", "", "", 1)], [("a.jpg", 1)]])
def test_without_a_box_the_largest_face_counts(tmp_path: Path, rows: list[Any]) -> None:
    """The green square is cut by the photo's edge."""
    write_photo(tmp_path / "a.jpg", green_left=130)
    write_csv(tmp_path / "labels.csv", rows, HEADER if len(rows[0]) > 2 else (HEADER[0], HEADER[5]))
    (face,) = faces(tmp_path, part="test")
    np.testing.assert_allclose(face.bbox_xyxy_px, RED_BOX, atol=2)
    assert np.ptp(face.bbox_xyxy_px[::2]) == pytest.approx(SIDE, abs=2)


def test_boxes_are_of_the_photo_as_it_is_shown(tmp_path: Path) -> None:
    """Found in a photo that its camera stored on its side."""
    write_photo(tmp_path / "turned.jpg", turned=True)
    write_csv(tmp_path / "labels.csv", [("turned.jpg", "", "", "", "", 1)])
    (face,) = faces(tmp_path, part="test")
    np.testing.assert_allclose(face.bbox_xyxy_px, RED_BOX, atol=2)


def test_a_photo_without_a_face_or_that_cannot_be_read_is_skipped_with_its_reason(
    tmp_path: Path,
) -> None:
    write_contact_photos(tmp_path, 4)
    write_photo(tmp_path / "images" / "torn.jpg").write_bytes(b"torn")
    black = write_photo(tmp_path / "images" / "black.jpg")
    PIL.Image.new("RGB", (160, 96)).save(black)
    rows = [(name, "", "", "", "", 1) for name in ("torn.jpg", "black.jpg", "gone.jpg")]
    kept = [labelled_row(f"a/0{number}.jpg", number % 2) for number in range(4)]
    write_csv(tmp_path / "labels.csv", [*rows, *kept])
    found = reasons(tmp_path)
    assert found["black.jpg"] == NO_FACE
    assert set(found) == {"black.jpg", "torn.jpg", "gone.jpg"}
    assert len(faces(tmp_path)) == 4


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (("a/00.jpg", 20, 20, 60, 60), "5 .* 6"),
        (("a/00.jpg", 20, 20, 60, 60, 1, 7), "7 .* 6"),
        (("", 20, 20, 60, 60, 1), "image"),
        (("../00.jpg", 20, 20, 60, 60, 1), r'"\.\./00\.jpg"'),
        (("a/00.jpg", 20, 20, 60, 60, "yes"), "'yes'.* 0 .*1"),
        (("a/00.jpg", 20, "x", 60, 60, 1), "20,x,60,60.* four"),
        (("a/00.jpg", 20, "", 60, 60, 1), "20,,60,60.* four"),
        (("a/00.jpg", 20, "nan", 60, 60, 1), "20,nan,60,60.* finite"),
        (("a/00.jpg", 60, 20, 20, 60, 1), "60,20,20,60.*x1 < x2"),
        (("a/00.jpg", 20, 60, 60, 60, 1), "20,60,60,60.*y1 < y2"),
        (("a/01.jpg", 20, 20, 60, 60, 0), "{name}, line 3.*other"),
        (("a/01.jpg", 20.0, 20, 60, 60, 1), "{name}, line 3$"),
        (("a/01.jpg", "", "", "", "", 1), "which"),
        (("x" * 300 + ".jpg", 20, 20, 60, 60, 1), '"xxx'),
    ],
)
def test_a_row_that_cannot_be_used_costs_itself_and_is_told_with_its_line(
    tmp_path: Path, row: Sequence[object], what: str
) -> None:
    write_contact_photos(tmp_path, 6)
    expected, before = len(faces(tmp_path)), fingerprints(tmp_path)
    with (tmp_path / "labels.csv").open("a") as file:
        file.write(",".join(map(str, row)) + "\n")
    name = f"{tmp_path.name}/labels.csv"
    ((where, reason),) = reasons(tmp_path).items()
    assert where == f"{name}, line 8"
    assert re.search(what.format(name=name), reason)
    assert len(faces(tmp_path)) == expected == 6
    told = [severity for severity, said in findings(tmp_path) if f"{where} ({reason})" in said]
    assert told == ["warning"]
    after = fingerprints(tmp_path)
    assert sum(after[group] != its for group, its in before.items()) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "image,x1,y1,x2,y2,looking_at_camera\r\nü/é 1.jpg,20,20,60,60,1\r\n",
        "\ufeffimage,x1,y1,x2,y2,looking_at_camera\n\nü/é 1.jpg,20,20,60,60,1",
        'note,looking_at_camera,y2,x2,y1,x1,image,\n"a, b",1 , 60,60, 20,20, ü/é 1.jpg,\n,,,,,,,\n',
        'image,x1,y1,x2,y2,looking_at_camera\n"ü\\é 1.jpg",20,20,60,60,1\n',
    ],
    ids=["windows", "byte-order mark", "other columns", "backslash"],
)
def test_files_as_spreadsheets_write_them_say_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    labels = read_labels(path)
    assert labels.faults == []
    (face,) = labels.faces
    assert (face.image, face.bbox_xyxy_px, face.label) == ("ü/é 1.jpg", RED_BOX, 1)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", " image, looking_at_camera"),
        (b"image;x1;y1;x2;y2;looking_at_camera\n", " image, looking_at_camera.*'image;x1;"),
        (b"image,x1,y1,x2,looking_at_camera\n", " y2;"),
        (b"image,image,looking_at_camera\n", r"\['image'\]"),
        ("image,looking_at_camera\nü.jpg,1\n".encode("latin1"), "line 2.*UTF-8"),
        (b'image,looking_at_camera\n"a.jpg,1\n\x00', "line 3"),
        (b"image,looking_at_camera\n", "row"),
        (b"image,looking_at_camera\na.jpg,5\n", "line 2.*'5'"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_that_says_why(
    tmp_path: Path, text: bytes, what: str
) -> None:
    (tmp_path / "labels.csv").write_bytes(text)
    with pytest.raises(ValueError, match=rf"{tmp_path}.*{what}"):
        reader(tmp_path).groups()
    assert "error" in [severity for severity, _ in findings(tmp_path)]


def test_which_file_and_folder(tmp_path: Path) -> None:
    write_contact_photos(tmp_path)
    expected = parts(tmp_path)
    (tmp_path / "labels.csv").rename(tmp_path / "mine.txt")
    with pytest.raises(ValueError, match=r"data\.reader\.labels="):
        reader(tmp_path).groups()
    assert parts(tmp_path, labels="mine.txt") == parts(tmp_path, labels=tmp_path / "mine.txt")
    assert parts(tmp_path, labels="mine.txt") == expected
    with pytest.raises(ValueError, match=r"other\.csv"):
        reader(tmp_path, labels="other.csv").groups()
    (face, *_) = faces(tmp_path, labels="mine.txt", images_dir=tmp_path / "elsewhere")
    assert face.image == Frame(tmp_path / "elsewhere" / face.clip_uid)
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / name, [])
    with pytest.raises(ValueError, match=r"a\.csv, b\.csv.*data\.reader\.labels="):
        reader(tmp_path).groups()


def test_parts_of_the_file_are_kept(tmp_path: Path) -> None:
    rows = [labelled_row(f"{part}.jpg", 1, part) for part in ("train", "val", "test")]
    write_csv(tmp_path / "labels.csv", [*rows, labelled_row("x.jpg", 1, "dev")], (*HEADER, "part"))
    assert parts(tmp_path) == {f"{part}.jpg": part for part in ("train", "val", "test")}
    assert "'dev'" in next(iter(reasons(tmp_path).values()))
    assert set(parts(tmp_path, part="test").values()) == {"test"}
    with pytest.raises(ValueError, match=r"data\.reader\.part.*'dev'.*'train'"):
        reader(tmp_path, part="dev")


def test_a_photo_in_two_parts_is_tested_on_and_not_trained_on(tmp_path: Path) -> None:
    rows = [labelled_row("a.jpg", 1, "train"), ("a.jpg", 1, 2, 9, 9, 0, "test")]
    write_csv(tmp_path / "labels.csv", rows, (*HEADER, "part"))
    (face,) = faces(tmp_path)
    assert (face.part, face.label) == ("test", 0)
    ((where, reason),) = reasons(tmp_path).items()
    assert where.endswith("line 2")
    assert re.search("train.*test", reason)


def test_a_photo_is_one_however_its_path_is_spelt(tmp_path: Path) -> None:
    names = ["x/a.jpg", "./x/a.jpg", "x//a.jpg", "x/./a.jpg", "x\\a.jpg"]
    rows = [labelled_row(name, 1, "test" if name == "x//a.jpg" else "train") for name in names]
    write_csv(tmp_path / "labels.csv", rows, (*HEADER, "part"))
    assert parts(tmp_path) == {"x/a.jpg": "test"}
    assert len(reasons(tmp_path)) == 4


def test_people_in_several_parts_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    named = [("ann", "test"), ("ann", "train"), ("bob", "val"), ("bob", "val"), ("", "test")]
    rows = [labelled_row(f"{n}.jpg", n % 2, *row) for n, row in enumerate([*named, ("", "train")])]
    write_csv(tmp_path / "labels.csv", rows, (*HEADER, "person", "part"))

    def told() -> list[str]:
        found = findings(tmp_path)
        return [what for severity, what in found if severity == "warning" and "people" in what]

    (people,) = told()
    assert people.endswith(": ann (train, test)")
    with caplog.at_level(logging.WARNING):
        items(tmp_path)
    assert [people in message for message in caplog.messages] == [True]
    write_csv(tmp_path / "labels.csv", [row[:-1] for row in rows], (*HEADER, "person"))
    assert told() == []


def test_drawn_parts_have_their_shares_and_keep_photos_whole(tmp_path: Path) -> None:
    rows = [(f"{number}.jpg", *box, 1) for number in range(20) for box in (RED_BOX, (1, 2, 9, 9))]
    write_csv(tmp_path / "labels.csv", rows)
    options = {"split_fractions": [0.5, 0.2, 0.3]}
    drawn = parts(tmp_path, **options)
    assert [list(drawn.values()).count(part) for part in ("train", "val", "test")] == [10, 4, 6]
    assert all(drawn[face.clip_uid] == face.part for face in faces(tmp_path, **options))
    with pytest.raises(ValueError, match=r"labels\.csv: .*0\.5, 0\.5, 0\.5.*sum to 1"):
        parts(tmp_path, split_fractions=[0.5, 0.5, 0.5])
    assert parts(tmp_path, **options) == drawn != parts(tmp_path, **options, split_seed=1)


def test_nobody_is_in_two_parts_not_even_over_a_shared_photo(tmp_path: Path) -> None:
    rows = [labelled_row(f"p{n}_{shot}.jpg", 1, f"p{n}") for n in range(9) for shot in range(3)]
    rows += [labelled_row("both.jpg", 1, "p0"), ("both.jpg", 1, 2, 9, 9, 0, "p1")]
    rows += [labelled_row(f"unknown{n}.jpg", 0, "") for n in range(3)]
    write_csv(tmp_path / "labels.csv", rows, (*HEADER, "person"))
    for seed in range(8):
        found = faces(tmp_path, split_seed=seed, split_fractions=[0.4, 0.3, 0.3])
        parts_of: dict[str, set[str]] = {}
        for face in found:
            parts_of.setdefault(face.person_id or face.clip_uid, set()).add(face.part)
        assert all(len(its) == 1 for its in parts_of.values())
        assert parts_of["p0"] == parts_of["p1"]
        assert len(set().union(*parts_of.values())) == 3


def test_photos_that_are_added_move_few_others_and_rename_no_group(tmp_path: Path) -> None:
    rows = [labelled_row(f"{number}.jpg", 1) for number in range(300)]
    write_csv(tmp_path / "labels.csv", rows[:280])
    before, groups = parts(tmp_path), reader(tmp_path).groups()
    write_csv(tmp_path / "labels.csv", rows)
    after = parts(tmp_path)
    assert sum(after[image] != part for image, part in before.items()) <= 20
    assert set(groups) <= set(reader(tmp_path).groups())


def test_a_group_is_made_again_when_its_rows_or_photos_change_and_only_then(
    tmp_path: Path,
) -> None:
    write_contact_photos(tmp_path, 40)

    def changed(before: dict[str, str | None]) -> int:
        now = fingerprints(tmp_path)
        return sum(now[group] != its for group, its in before.items())

    before = fingerprints(tmp_path)
    assert len(before) > 5
    text = (tmp_path / "labels.csv").read_text()
    head, rest = text.split("\n", 1)
    (tmp_path / "labels.csv").write_text(f"{head}\n\n{rest}")
    assert changed(before) == 0
    (tmp_path / "labels.csv").write_text(text.replace("a/07.jpg,20", "a/07.jpg,21"))
    assert changed(before) == 1
    (tmp_path / "labels.csv").write_text(text)
    write_photo(tmp_path / "images" / "a/09.jpg", green_left=100)
    assert changed(before) == 1
    (tmp_path / "images").rename(tmp_path / "gone")
    assert set(fingerprints(tmp_path).values()) == {None}


def test_the_doctor_counts_who_looks_by_part_and_source(tmp_path: Path) -> None:
    named = [("a.jpg", 1, "train", "zoo"), ("b.jpg", 0, "train", "zoo"), ("c.jpg", 0, "train", "x")]
    named += [("d.jpg", 1, "val", "zoo"), ("e.jpg", 0, "val", "zoo")]
    for image, *_ in named:
        write_photo(tmp_path / image)
    rows = [labelled_row(*row) for row in named]
    write_csv(tmp_path / "labels.csv", rows, (*HEADER, "part", "source"))
    found = findings(tmp_path)
    for part, counts in (
        ("train", "3 faces in 3 photos, 1 .*33.3%"),
        ("train, zoo", "2 faces in 2 photos, 1 .*50.0%"),
        ("val", "2 faces in 2 photos, 1 .*50.0%"),
    ):
        assert any(re.match(f"{part}: {counts}", what) for severity, what in found)
    assert [what.partition(":")[0] for severity, what in found if severity == "warning"] == ["test"]


def test_the_doctor_names_one_class_lost_photos_and_boxes_outside(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    write_photo(tmp_path / "turned.jpg", turned=True)
    write_photo(tmp_path / "torn.jpg").write_bytes(b"torn")
    rows = [
        labelled_row("a.jpg", 1),
        ("a.jpg", 150, 20, 190, 60, 1),  # reaches beyond the photo
        ("turned.jpg", 110, 20, 150, 60, 1),  # outside, if the photo lay on its side
        ("a.jpg", 160, 20, 190, 60, 1),
        ("turned.jpg", 20, 96, 60, 120, 1),
        ("a.jpg", 0.1, 0.2, 0.5, 0.6, 1),  # fractions
        labelled_row("torn.jpg", 1),
        labelled_row("gone.jpg", 1),
        ("b.jpg", "", "", "", "", 1),
    ]
    write_photo(tmp_path / "b.jpg")
    write_csv(tmp_path / "labels.csv", rows)
    found = findings(tmp_path, part="train")
    assert ("note", "1 row without a box: the largest face found counts") in found
    outside = next(what for _, what in found if "outside" in what)
    lines = [line for line in range(2, 10) if f"line {line} (" in outside]
    assert lines == [5, 6, 7]
    assert [severity for severity, what in found if "gone.jpg" in what] == ["warning"]
    assert [severity for severity, what in found if "torn.jpg" in what] == ["warning"]
    assert any(
        re.match("train: .* label 1", what) for severity, what in found if severity == "error"
    )
    for name in ("a.jpg", "b.jpg", "turned.jpg", "torn.jpg"):
        (tmp_path / name).unlink()
    assert [severity for severity, what in findings(tmp_path) if "gone.jpg" in what] == ["error"]


def test_settings_say_how_faces_are_found_and_survive_a_spawned_process(tmp_path: Path) -> None:
    original = reader(write_contact_photos(tmp_path))
    (group, *_) = original.groups()
    copy = pickle.loads(pickle.dumps(original))
    assert copy.settings == original.settings == {"analyzer": square_settings().recipe()}
    assert [face.track_id for face in copy.read(group)] == [
        face.track_id for face in original.read(group)
    ]


def test_a_long_name_of_a_source_is_cut(tmp_path: Path) -> None:
    folder = write_contact_photos(tmp_path, 3)
    rows = [labelled_row(f"a/0{number}.jpg", 1, "x" * 300) for number in range(3)]
    write_csv(folder / "labels.csv", rows, (*HEADER, "source"))
    assert max(map(len, reader(folder).groups())) < 120
    assert len(faces(folder)) == 3
