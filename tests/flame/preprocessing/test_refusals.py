"""Preprocessing refused: other settings, another data set, a folder without what is asked for."""

from pathlib import Path

import pytest
from builders.fake_faces import FACE, FakeAnalyzerSettings, FakeReader
from builders.mediapipe_release import install_without_models
from builders.preprocessed_people import PEOPLE, made_at, preprocessor

from common.faces.settings import AnalyzerSettings
from common.store.reading import read_recipe
from flame.preprocessing.preparation import PreparationSettings
from flame.preprocessing.preprocessor import FacePreprocessor


def test_other_settings_of_reader_or_preparation_are_refused(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    with pytest.raises(ValueError, match=r"box_margin: 0\.05 .* 0\.2 "):
        preprocessor(tmp_path, box_margin=0.2).run()
    with pytest.raises(ValueError, match=r"frame_step: None .* 5 "):
        preprocessor(tmp_path, reader_settings={"frame_step": 5}).run()
    assert read_recipe(tmp_path)["gaze_convention"] == "columbia_target_angles"


def test_groups_that_the_raw_data_lack_are_another_folders(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = made_at(tmp_path)
    for work in ("run", "repair"):
        with pytest.raises(ValueError, match=r"p1, p2, p3.*data\.name=NAME"):
            getattr(preprocessor(tmp_path, {"p4": [FACE], "p9": [FACE]}), work)()
    assert made_at(tmp_path) == before


def test_a_name_that_no_file_can_have_leaves_no_store(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'p/1'"):
        preprocessor(tmp_path / "store", {"p/1": PEOPLE["p1"]}).run()
    assert not (tmp_path / "store").exists()


def test_openface_without_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.openface_dir=FOLDER"):
        FacePreprocessor(
            "people",
            FakeReader(PEOPLE),
            tmp_path,
            PreparationSettings(landmarks="openface"),
            FakeAnalyzerSettings(),  # type: ignore[arg-type]
        )


def test_an_openface_folder_without_csv_is_refused_before_any_photo(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"csv.*{tmp_path}"):
        FacePreprocessor(
            "people",
            FakeReader(PEOPLE),
            tmp_path / "store",
            PreparationSettings(landmarks="openface"),
            FakeAnalyzerSettings(),  # type: ignore[arg-type]
            openface_dir=tmp_path,
        ).run()
    assert not (tmp_path / "store").exists()


def test_a_missing_model_of_faces_is_refused_before_any_photo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install_without_models(monkeypatch, tmp_path)
    made = FacePreprocessor(
        "people", FakeReader(PEOPLE), tmp_path / "store", PreparationSettings(), AnalyzerSettings()
    )
    with pytest.raises(ValueError, match=r"face model is not at .*faces\.model=PATH"):
        made.run()
    assert not (tmp_path / "store").exists()
