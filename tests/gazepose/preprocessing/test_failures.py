"""One bad clip stops no other, interruptions lose one clip at most, mistakes are refused."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders.fake_lam import IMAGE, FakeLamReader, FakePreparation
from builders.mediapipe_release import install_without_models
from builders.preprocessed_clips import CLIPS, assert_same, frames, made_at, preprocessor

from common.store.reading import stored_groups
from gazepose.preprocessing.preparation import PreparationSettings


def test_an_interruption_keeps_the_finished_clips(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    preprocessor(whole).run()
    with pytest.raises(KeyboardInterrupt):
        preprocessor(broken, CLIPS | {"v1": [IMAGE, KeyboardInterrupt()]}).run()
    assert stored_groups(broken) == ["t1", "t2", "t3"]
    assert not (broken / "frames.parquet").exists()
    before = made_at(broken)
    preprocessor(broken).run()
    assert {name: time for name, time in made_at(broken).items() if name in before} == before
    assert_same(broken, whole)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError("disk trouble"), "disk trouble"),
        (KeyError("boxes"), "KeyError: 'boxes'"),
    ],
)
def test_a_failing_clip_is_reported_and_the_others_are_made(
    tmp_path: Path, error: Exception, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    report = preprocessor(tmp_path, CLIPS | {"t2": [IMAGE, error]}).run()
    assert why in report.failed_groups["t2"]
    assert report.has_errors
    assert "failed: t2: " in report.summary()
    assert re.search("1 group .*: t2", caplog.text)
    assert set(frames(tmp_path)["group_name"]) == {"t1", "v1", "v2"}
    again = preprocessor(tmp_path).run()
    assert (again.failed_groups, again.has_errors) == ({}, False)
    assert "t2" in set(frames(tmp_path)["group_name"])


def test_a_failing_clip_taken_out_of_the_list_is_forgotten(tmp_path: Path) -> None:
    assert preprocessor(tmp_path, CLIPS | {"x": [ValueError("no annotations")]}).run().has_errors
    assert not preprocessor(tmp_path).run().has_errors


def test_other_settings_are_refused(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    with pytest.raises(ValueError, match=r"margin.* 0\.0 .* 0\.2 "):
        preprocessor(tmp_path, preparation=FakePreparation(margin=0.2)).run()
    with pytest.raises(ValueError, match=r"max_gap.* None .* 5 "):
        preprocessor(tmp_path, reader=FakeLamReader(CLIPS, {"max_gap": 5})).run()
    with pytest.raises(ValueError, match=r"data.* 'clips' .* 'others' "):
        preprocessor(tmp_path, name="others").run()
    with pytest.raises(ValueError, match=r"t1, t2, t3, v1\..*data\.store_dir="):
        preprocessor(tmp_path, {"v2": CLIPS["v2"], "x": [IMAGE]}).run()


def test_a_wrong_folder_leaves_no_store(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class WrongFolder(FakeLamReader):
        def groups(self) -> list[str]:
            raise ValueError("no clips there")

    wrong = preprocessor(tmp_path / "store", reader=WrongFolder({}))
    with pytest.raises(ValueError, match="no clips there"):
        wrong.run()
    assert not (tmp_path / "store").exists()


def test_a_stride_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"sharpness_stride.* 0"):
        preprocessor(tmp_path, sharpness_stride=0)


@pytest.mark.parametrize(("landmarks", "why"), [("mesh", "face model"), ("pose", "pose model")])
def test_a_missing_model_of_faces_is_refused_before_any_clip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, landmarks: str, why: str
) -> None:
    install_without_models(monkeypatch, tmp_path)
    settings = PreparationSettings(landmarks=landmarks, head_pose="none")
    with pytest.raises(ValueError, match=why):
        preprocessor(tmp_path / "store", preparation=settings).run()
    assert not (tmp_path / "store").exists()
