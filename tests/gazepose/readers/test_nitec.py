"""NITEC: the published lists, of whatever sources and image sets are there."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from builders.findings import said
from builders.labelled_photos import labelled_row, write_csv, write_photo

from gazepose.readers.photos.nitec import NitecReader
from gazepose.readers.sample import RawFace

PATHS = {
    "celeba": "data/img_celeba/{:06d}.jpg",
    "helen": "data/HELEN/{}_1.jpg",
    "widerface": "data/Widerface/WIDER_train/images/0--Parade/0_Parade_{}.jpg",
}
NUM_TRAIN, NUM_TEST = 20, 6


def names(source: str, numbers: Iterable[int]) -> list[str]:
    return [PATHS[source].format(number) for number in numbers]


def write_nitec(folder: Path, images_dir: Path, sources: Iterable[str] = PATHS) -> Path:
    """Write lists of two rows a photo, and the photos of some sources."""
    for source in PATHS:
        for part, numbers in (("train", range(NUM_TRAIN)), ("test", range(90, 90 + NUM_TEST))):
            images = names(source, numbers)
            rows = [row for image in images for row in (labelled_row(image, 1), (image, *"12340"))]
            write_csv(folder / part / f"nitec_{source}.csv", rows, header=())
            for image in images if source in sources else ():
                write_photo(images_dir / image)
    return folder


def reader(folder: Path, **options: Any) -> NitecReader:
    return NitecReader(folder, **options)


def faces(folder: Path, **options: Any) -> list[RawFace]:
    source = reader(folder, **options)
    found = [item for group in source.groups() for item in source.read(group)]
    return [item for item in found if isinstance(item, RawFace)]


def test_the_published_parts_of_every_source_and_a_val_part_of_train_photos(
    tmp_path: Path,
) -> None:
    write_nitec(tmp_path, tmp_path)
    found = faces(tmp_path)
    for source in PATHS:
        parts_of: dict[str, set[str]] = {}
        for face in found:
            if face.source == source:
                parts_of.setdefault(face.clip_uid, set()).add(face.part)
        assert all(len(parts) == 1 for parts in parts_of.values())
        parts = [part for (part,) in parts_of.values()]
        assert [parts.count(part) for part in ("train", "val", "test")] == [18, 2, NUM_TEST]
        tested = {image for image, part in parts_of.items() if part == {"test"}}
        assert tested == set(names(source, range(90, 90 + NUM_TEST)))
    boxes = {tuple(face.bbox_xyxy_px) for face in found}
    assert {(box, face.label) for face in found for box in boxes if tuple(face.bbox_xyxy_px) == box}
    assert {face.label for face in found if face.bbox_xyxy_px[0] == 1} == {0}
    assert {face.label for face in found if face.bbox_xyxy_px[0] == 20} == {1}


def test_the_val_part_of_a_source_does_not_depend_on_the_others(tmp_path: Path) -> None:
    write_nitec(tmp_path, tmp_path)

    def val(**options: Any) -> set[str]:
        return {face.clip_uid for face in faces(tmp_path, **options) if face.part == "val"}

    helen = val(sources=["helen"])
    assert helen < val()
    assert helen != val(sources=["helen"], split_seed=1)
    assert len(val(sources=["helen"], val_fraction=0.5)) == NUM_TRAIN // 2


@pytest.mark.parametrize(
    ("source", "moved"),
    [("celeba", "data"), ("widerface", "data/Widerface"), ("helen", ".")],
)
def test_photos_are_found_under_any_of_their_folders(
    tmp_path: Path, source: str, moved: str
) -> None:
    lists = write_nitec(tmp_path / "lists", tmp_path / "images", [source])
    root = tmp_path / "images" / moved
    found = faces(lists, sources=[source], images_dir=root)
    assert len(found) == 2 * (NUM_TRAIN + NUM_TEST)
    assert all(face.image is not None and face.image[0].is_file() for face in found)
    # What they are called does not depend on it.
    assert {face.clip_uid for face in found} == set(
        names(source, [*range(NUM_TRAIN), *range(90, 90 + NUM_TEST)])
    )


def test_absent_photos_and_lists_are_left_out_and_named(tmp_path: Path) -> None:
    write_nitec(tmp_path, tmp_path, ["helen", "celeba"])
    (tmp_path / "train" / "nitec_celeba.csv").unlink()
    found = faces(tmp_path)
    assert {(face.source, face.part) for face in found} == {
        *(("helen", part) for part in ("train", "val", "test")),
        ("celeba", "test"),
    }
    told = [finding.what for finding in said(reader(tmp_path), "warning")]
    facts = [
        "train/nitec_celeba.csv",
        "train/nitec_gaze360.csv",
        "test/nitec_gaze360.csv",
        "widerface: .* 26 photos .* 52 rows",
    ]
    assert [bool(re.search(*pair)) for pair in zip(facts, told, strict=True)] == [True] * 4


def test_a_source_that_comes_later_changes_no_group(tmp_path: Path) -> None:
    write_nitec(tmp_path, tmp_path, ["helen"])
    before = {group: reader(tmp_path).fingerprint(group) for group in reader(tmp_path).groups()}
    write_nitec(tmp_path, tmp_path, ["helen", "celeba"])
    after = reader(tmp_path)
    assert len(after.groups()) > len(before)
    assert {group: after.fingerprint(group) for group in before} == before


@pytest.mark.parametrize("place", ["annotations", "data/annotations"])
def test_the_authors_checkout_will_do(tmp_path: Path, place: str) -> None:
    write_nitec(tmp_path / place, tmp_path, ["helen"])
    assert {face.source for face in faces(tmp_path)} == {"helen"}


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({}, r"train/nitec_helen\.csv"),
        ({"sources": ["imagenet"]}, r"data\.reader\.sources.*\['imagenet'\].*'celeba'"),
        ({"sources": []}, r"data\.reader\.sources.*\[\].*'celeba'"),
        ({"val_fraction": 1.0}, r"data\.reader\.val_fraction.*1\.0"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, options: dict[str, Any], fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        reader(tmp_path, **options).groups()


def test_no_photo_at_all_says_what_was_looked_for(tmp_path: Path) -> None:
    write_nitec(tmp_path, tmp_path, [])
    with pytest.raises(ValueError, match=r"data/img_celeba/000000\.jpg.*data\.images_dir="):
        reader(tmp_path).groups()
    assert said(reader(tmp_path), "error")
