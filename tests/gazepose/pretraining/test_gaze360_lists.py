"""Gaze360's lists and images -> store -> pretraining's loaders."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from common.geometry import mirror_gaze
from common.media.image_codec import encode_image
from common.preprocessing.command import prepare_store
from common.store.reading import FaceStore
from gazepose.pretraining.datamodule import GazeFacesDataModule
from gazepose.pretraining.gaze360_lists import recordings, viewer_angles
from gazepose.pretraining.preprocessor import Gaze360Preprocessor

FACES = {
    "train": ["rec_000/head/000000/000001.jpg", "rec_000/head/000001/000007.jpg"],
    "val": ["rec_001/head/000000/000002.jpg"],
    "test": ["rec_002/head/000000/000003.jpg"],
}
FILES = {"train": "train.txt", "val": "validation.txt", "test": "test.txt"}
VECTOR = (-0.6, 0.0, -0.8)  # to the image's right


@pytest.fixture
def raw_dir(tmp_path: Path) -> Path:
    raw_dir = tmp_path / "raw"
    (raw_dir / "code").mkdir(parents=True)
    for number, (part, names) in enumerate(FACES.items()):
        numbers = " ".join(map(str, VECTOR))
        text = "".join(f"{name} {numbers} \n" for name in names)
        (raw_dir / "code" / FILES[part]).write_text(f"{text} \n")  # a blank line names nobody
        for name in names:
            path = raw_dir / "imgs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image = np.full((30, 24, 3), 40 * number, np.uint8)
            path.write_bytes(encode_image(image, "jpeg", 90))
    return raw_dir


def preprocessor(raw_dir: Path, **settings: Any) -> Gaze360Preprocessor:
    folders = {"lists_dir": raw_dir / "code", "store_dir": raw_dir.parent / "store"}
    return Gaze360Preprocessor("gaze360", raw_dir, **(folders | {"num_workers": 0} | settings))


def data(store_dir: Path, **settings: Any) -> GazeFacesDataModule:
    defaults = {
        "val_fraction": None,
        "batch_size": 2,
        "image_size": 16,
        "zoom": 1.0,
        "random_crop": False,
        "least_width_px": None,
        "num_workers": 0,
        "seed": 0,
        "test_part": "test",
    }
    return GazeFacesDataModule("gaze360", str(store_dir), **(defaults | settings))


@pytest.mark.parametrize(
    ("vector", "angles_deg"),
    [
        ((0, 0, -1), (0, 0)),  # into the camera
        ((1, 0, -1), (-45, 0)),  # Gaze360's x points to the image's left
        ((0, 2, -2), (0, 45)),  # up, of any length
        ((0, 0, 1), (180, 0)),  # away from the camera
    ],
)
def test_vectors_become_angles_in_the_viewer_frame(
    vector: tuple[float, float, float], angles_deg: tuple[float, float]
) -> None:
    yaw, pitch = np.degrees(viewer_angles(*vector))
    assert (abs(yaw) if abs(angles_deg[0]) == 180 else yaw) == pytest.approx(angles_deg[0])
    assert pitch == pytest.approx(angles_deg[1])


def test_angles_agree_with_the_published_formula() -> None:
    generator = np.random.default_rng(0)
    for x, y, z in generator.normal(size=(20, 3)):
        norm = np.hypot(np.hypot(x, y), z)
        published = torch.tensor([np.arctan2(x, -z), np.arcsin(y / norm)])
        torch.testing.assert_close(
            torch.tensor(viewer_angles(x, y, z), dtype=torch.float64), mirror_gaze(published)
        )


def test_the_store_holds_the_images_as_they_are(raw_dir: Path) -> None:
    report = preprocessor(raw_dir).run()
    assert report.counts == {"train": 2, "val": 1, "test": 1}
    assert report.skipped == []
    store = FaceStore(raw_dir.parent / "store")
    assert store.table["sample_id"].to_list() == [
        name for names in FACES.values() for name in names
    ]
    assert store.table["subject"].n_unique() == 4
    assert [int(store.image(row).mean()) for row in range(4)] == [0, 0, 40, 80]


def test_loaders_go_through_the_lists_parts(raw_dir: Path) -> None:
    preprocessor(raw_dir).run()
    module = data(raw_dir.parent / "store")
    loaders = module.train_dataloader(), module.val_dataloader(), module.test_dataloader()
    rows = [[row for batch in loader for row in batch["row"].tolist()] for loader in loaders]
    assert [sorted(found) for found in rows] == [[0, 1], [2], [3]]
    (batch,) = module.val_dataloader()
    assert batch["gaze"][0].tolist() == pytest.approx([np.arctan2(0.6, 0.8), 0])
    assert module.fingerprint()["split"] == "own lists"


def test_a_part_that_is_not_there_is_refused(raw_dir: Path) -> None:
    preprocessor(raw_dir).run()
    with pytest.raises(ValueError, match=r"'tset'.*'test', 'train', 'val'"):
        data(raw_dir.parent / "store", test_part="tset")


def test_a_failed_recording_is_an_error_until_it_is_made(
    raw_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = Path.read_bytes

    def torn(path: Path) -> bytes:
        if "rec_001" in str(path):
            raise OSError("disk trouble")
        return read_bytes(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", torn)
        report = preprocessor(raw_dir).run()
    assert (list(report.failed_groups), report.has_errors) == (["rec_001"], True)
    assert preprocessor(raw_dir).check().has_errors
    assert not preprocessor(raw_dir).run().has_errors
    assert not preprocessor(raw_dir).check().has_errors


def test_missing_and_damaged_images_are_skipped(raw_dir: Path) -> None:
    (raw_dir / "imgs" / FACES["train"][0]).unlink()
    (raw_dir / "imgs" / FACES["val"][0]).write_bytes(b"no image")
    report = preprocessor(raw_dir).run()
    assert [item["sample_id"] for item in report.skipped] == [FACES["train"][0], FACES["val"][0]]
    assert "2  missing" in report.summary()
    assert len(FaceStore(raw_dir.parent / "store")) == 2


def test_shards_and_a_second_run_make_the_rest(raw_dir: Path) -> None:
    assert not preprocessor(raw_dir, shard="0/2").run().has_errors
    assert preprocessor(raw_dir).check().missing == ["rec_001"]
    assert not preprocessor(raw_dir).run().has_errors
    assert preprocessor(raw_dir).check().missing == []


@pytest.mark.parametrize(
    ("line", "got"),
    [
        ("rec_000/head/000000/000001.jpg 1 2", "'rec_000/head/000000/000001.jpg 1 2'"),
        ("rec_000/head/000000/000001.jpg a b c", "'rec_000/head/000000/000001.jpg a b c'"),
        ("rec_000/head/000000/000001.jpg 0 0 0", r"\(0\.0, 0\.0, 0\.0\)"),
        ("rec_000/head/000000/000001.jpg nan 0 1", r"\(nan, 0\.0, 1\.0\)"),
        ("rec_000/../../../secret.jpg 0 0 1", '"rec_000/../../../secret.jpg"'),
        ("/etc/secret.jpg 0 0 1", '"/etc/secret.jpg"'),
        (f"{'x' * 300}/1.jpg 0 0 1", '"xxx'),
        (".hidden/1.jpg 0 0 1", "'.hidden'"),
    ],
)
def test_damaged_lines_are_named(tmp_path: Path, line: str, got: str) -> None:
    (tmp_path / "train.txt").write_text(line + "\n")
    with pytest.raises(ValueError, match=rf"train\.txt:1: .*{got}"):
        recordings(tmp_path)


def test_missing_lists_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"train\.txt.*data\.lists_dir=FOLDER"):
        recordings(tmp_path)


def test_there_is_nothing_to_export(raw_dir: Path) -> None:
    settings = {
        "_target_": "gazepose.pretraining.preprocessor.Gaze360Preprocessor",
        "name": "gaze360",
        "raw_dir": str(raw_dir),
        "lists_dir": str(raw_dir / "code"),
        "store_dir": str(raw_dir.parent / "store"),
    }
    config = {
        "mode": "export",
        "export_dir": "out",
        "export_file": None,
        "export_heatmaps": True,
        "data": {"name": "gaze360", "preprocessor": settings},
    }
    with pytest.raises(ValueError, match=r"mode=export.*FLAME"):
        prepare_store(config)
