"""ColumbiaGaze for eye contact: who aims at the camera, by person."""

from pathlib import Path

import numpy as np
from builders.coloured_faces import square_settings
from builders.labelled_photos import RED_BOX, write_photo
from builders.small_training import composed

from common.store.skipped import Skipped
from gazepose.readers.photos.columbiagaze import ColumbiaContactReader
from gazepose.readers.sample import RawFace

ANGLES = [(p, v, h) for p in (-30, 0) for v in (-10, 0) for h in (0, 5)]


def write_columbia(folder: Path, subjects: list[str]) -> Path:
    for subject in subjects:
        for p, v, h in ANGLES:
            write_photo(folder / "Set" / subject / f"{subject}_2m_{p}P_{v}V_{h}H.jpg")
    return folder


def items(folder: Path, **people: list[str]) -> list[RawFace | Skipped]:
    reader = ColumbiaContactReader(folder, analyzer=square_settings(), **people)
    return [item for group in reader.groups() for item in reader.read(group)]


def test_labels_people_and_boxes(tmp_path: Path) -> None:
    write_columbia(tmp_path, ["0001", "0002"])
    write_photo(tmp_path / "Set" / "0002" / "holiday.jpg")
    found = items(tmp_path)
    faces = [item for item in found if isinstance(item, RawFace)]
    assert len(faces) == 2 * len(ANGLES)
    for face in faces:
        subject, name = face.clip_uid.split("/")
        assert face.person_id == subject == name[:4]
        assert face.label == name.endswith("_0V_0H.jpg")
        np.testing.assert_allclose(face.bbox_xyxy_px, RED_BOX, atol=2)
    (skipped,) = (item for item in found if isinstance(item, Skipped))
    assert "holiday.jpg" in skipped.sample_id


def test_people_are_in_the_parts_that_are_told(tmp_path: Path) -> None:
    write_columbia(tmp_path, ["0001", "0002", "0003", "0004"])
    people = {"val_people": ["0002"], "test_people": ["0003"], "left_out_people": ["0004"]}
    parts = {
        (face.person_id, face.part)
        for face in items(tmp_path, **people)
        if isinstance(face, RawFace)
    }
    assert parts == {("0001", "train"), ("0002", "val"), ("0003", "test")}


def test_the_default_is_the_published_split_of_gaze_angles() -> None:
    from flame.data.splits import load_split

    published = load_split("columbiagaze_cross_person")
    reader = composed("preprocess", "data=columbiagaze_contact", "paths.run_dir=RUN")["data"][
        "reader"
    ]
    everybody = {f"{number:04d}" for number in range(1, 57)}
    assert set(reader["val_people"]) == set(published.val)
    assert set(reader["test_people"]) == set(published.test)
    assert set(reader["left_out_people"]) == everybody - set(published.names())


def test_another_folder_is_an_error_of_the_doctor(tmp_path: Path) -> None:
    (finding,) = ColumbiaContactReader(tmp_path).doctor()
    assert finding.severity == "error"
    assert str(tmp_path) in finding.what
