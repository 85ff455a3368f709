"""What preprocessing of clips tells: counts by part, reasons, doubtful clips, its progress."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from builders.fake_lam import IMAGE, NO_IMAGE, FakePreparation, FakePreparer
from builders.preprocessed_clips import frames, preprocessor
from builders.recorded_bars import recorded_bars

from gazepose.preprocessing.preparation import PreparedFace
from gazepose.preprocessing.report import PreprocessReport


def test_the_report_counts_by_part_and_names_every_item(tmp_path: Path) -> None:
    report = preprocessor(tmp_path).run()
    lines = report.summary().splitlines()
    assert lines[0].startswith("train: 2 clips, 2 tracks, 6 frames, 5 images, 4 looking, 5 points")
    assert lines[1].startswith("val: 2 clips, 2 tracks, 4 frames, 3 images, 2 looking")
    assert lines[2].startswith("2 ")
    assert re.search("1 group .*: t3", lines[3])
    assert [line.split(maxsplit=1) for line in lines[4:]] == [["2", "a box of nobody"]]
    text = (tmp_path / "report.txt").read_text()
    assert text == report.text() + "\n"
    assert "t2:t:1\ta box of nobody" in text


def test_a_part_without_what_others_have_is_doubted() -> None:
    train = {"clips": 2, "images": 9, "points": 9, "head poses": 9}
    val = {"clips": 1, "images": 3, "points": 3, "head poses": 0}
    none = {"clips": 1, "images": 0, "points": 0, "head poses": 0}
    report = PreprocessReport([], {}, {"train": train, "val": val, "test": none})
    (doubt,) = report.doubts()
    assert re.search("1 part .*head poses.*: val", doubt)
    assert not PreprocessReport([], {}, {"val": val}).doubts()


class HidingPreparer(FakePreparer):
    """Finds points in a clip's dark second frame only."""

    def from_file(self, encoded: bytes) -> PreparedFace:
        face = super().from_file(encoded)
        return face if face.sharpness < 20 else replace(face, points=None)


class HidingPreparation(FakePreparation):
    def build(self) -> FakePreparer:
        return HidingPreparer()


@pytest.mark.parametrize(
    ("landmarks", "num_images", "is_doubtful"),
    [("mesh", 4, True), ("pose", 4, True), ("mesh", 3, False), ("prior", 4, False)],
)
def test_a_clip_in_which_few_faces_got_points_is_doubted(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    landmarks: str,
    num_images: int,
    is_doubtful: bool,
) -> None:
    preparation = HidingPreparation(landmarks=landmarks)
    clips = {"t1": [NO_IMAGE, *[IMAGE] * num_images]}
    report = preprocessor(tmp_path, clips, preparation=preparation).run()
    doubt = rf"1 clip .*: t1 \(1 of {num_images} "
    assert not report.has_errors
    for said in (caplog.text, report.summary(), (tmp_path / "report.txt").read_text()):
        assert bool(re.search(doubt, said)) == is_doubtful
    assert bool(re.search(f"t1\t.* 1 of {num_images} ", report.text())) == is_doubtful


def test_nothing_at_all_is_reported_not_fatal(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, {"t3": ["a box of nobody"]}).run()
    assert report.counts == {}
    assert frames(tmp_path).height == 0


def test_the_bar_moves_by_the_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = recorded_bars(monkeypatch)
    clips = {"t1": [IMAGE, NO_IMAGE, IMAGE], "t2": [IMAGE, ValueError("torn"), IMAGE]}
    preprocessor(tmp_path, clips).run()
    assert (bars[0].total, bars[0].n, bars[0].counted) == (6, 3, "face")
