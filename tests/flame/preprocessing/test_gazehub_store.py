"""GazeHub's form and ETH-XGaze from the raw folder to batches, by the configs that users type."""

from pathlib import Path

import numpy as np
import pytest
from builders.cartoon_face import cartoon
from builders.gazehub_tree import LABELS, GazeHubTree, write_gazehub
from builders.small_training import composed

from common.config.instantiate import build
from common.preprocessing.command import prepare_store
from common.store.reading import FaceStore, read_recipe
from flame.data.datamodule import GazeDataModule

PREPARATION = "data.preprocessor.preparation"
WITHOUT_EYES = [f"{PREPARATION}.landmarks=none", f"{PREPARATION}.head_pose=none"]


def preprocess(tree: GazeHubTree, store_dir: Path, *overrides: str) -> str:
    given = ["data=gazehub", f"data.name={tree.dataset}", f"data.reader.dataset={tree.dataset}"]
    folders = [f"data.raw_dir={tree.root}", f"data.store_dir={store_dir}", "paths.run_dir=x"]
    return prepare_store(
        composed("preprocess", *given, *folders, "num_workers=0", *overrides)
    ).report


@pytest.mark.parametrize("dataset", ["gaze360", "eth_xgaze"])
def test_every_face_is_kept_for_pretraining(dataset: str, tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path / "raw", dataset)
    num_faces = 4 * len(LABELS[dataset])
    said = preprocess(tree, tmp_path / "store", *WITHOUT_EYES)
    assert f"{num_faces} faces stored, 0 " in said
    assert "no eyes" in said
    store = FaceStore(tmp_path / "store")
    gaze = store.table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy()
    wanted = np.concatenate([tree.gaze[stem] for stem in sorted(tree.gaze)])
    np.testing.assert_allclose(gaze, wanted, atol=1e-12)
    assert store.image(0).shape == (64, 64, 3)
    frame = read_recipe(tmp_path / "store").get("gaze_frame")
    assert frame == (None if dataset == "gaze360" else "normalised")


def test_gaze360s_own_lists_and_held_out_people_are_both_pretrained_on(tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path / "raw", "gaze360")
    tree.label("unused").write_text(tree.label("val").read_text().replace("val/", "unused/"))
    (tree.root / "Image" / "val").rename(tree.root / "Image" / "unused")
    (tree.root / "Image" / "val").symlink_to(tree.root / "Image" / "unused")
    preprocess(tree, tmp_path / "store", *WITHOUT_EYES)
    given = ["model=gaze360", "data=gaze_faces", "data.name=gaze360", "paths.run_dir=x"]
    given += [f"data.store_dir={tmp_path / 'store'}", "data.datamodule.num_workers=0"]
    config = composed("train", *given, "data.datamodule.val_fraction=null")
    data = build(config["data"]["datamodule"], **config["model"]["inputs"])
    assert data.table["part"].null_count() == 4
    rows = {
        part: [row for batch in loader() for row in batch["row"].tolist()]
        for part, loader in {"train": data.train_dataloader, "val": data.val_dataloader}.items()
    }
    groups = {part: set(data.table["group_name"][found]) for part, found in rows.items()}
    assert groups == {"train": {"train"}, "val": {"val"}}
    assert sum(map(len, rows.values())) == 8


def test_a_store_without_lists_says_how_to_divide_it(tmp_path: Path) -> None:
    preprocess(write_gazehub(tmp_path / "raw", "eyediap"), tmp_path / "store", *WITHOUT_EYES)
    given = ["model=gaze360", "data=gaze_faces", "data.name=eyediap", "paths.run_dir=x"]
    config = composed("train", *given, f"data.store_dir={tmp_path / 'store'}")["data"]
    inputs = {"image_size": 32, "zoom": 1.0}
    with pytest.raises(ValueError, match=r"val_fraction=0\.1"):
        build(config["datamodule"], **inputs, val_fraction=None)
    assert set(build(config["datamodule"], **inputs).table["part"]) == {"train", "val"}


def test_eyes_are_found_on_normalised_faces_for_the_flame_nets(tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path / "raw", "mpiifacegaze", num_faces=1, image=cartoon(224))
    said = preprocess(tree, tmp_path / "store", "data.reader.remove_scale=true")
    assert "3 faces stored, 0 " in said
    config = composed("train", "model=flame", "data=gazehub", "data.name=m", "paths.run_dir=x")
    folder = {"store_dir": str(tmp_path / "store"), "num_workers": 0}
    data = build(config["data"]["datamodule"], **folder)
    assert isinstance(data, GazeDataModule)
    assert (data.gaze_frame, data.gaze_convention) == ("normalised", "face_centre_to_target")
    assert data.table["head_pose_source"].to_list() == ["mesh"] * 3
    assert next(iter(data.test_dataloader()))["rgb"].shape == (1, 3, 120, 120)


def test_eth_xgaze_by_its_config(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (tmp_path / "train").mkdir()
    for person in range(3):
        with h5py.File(tmp_path / "train" / f"subject000{person}.h5", "w") as file:
            file["face_patch"] = np.stack([cartoon(48)] * 2)
            file["face_gaze"] = file["face_head_pose"] = np.array([[0.1, 0.2], [-0.3, 0.0]])
    (tmp_path / "train" / "subject0002.h5").write_bytes(b"cut short")
    given = [f"data.raw_dir={tmp_path}", f"data.store_dir={tmp_path / 'store'}", "num_workers=0"]
    outcome = prepare_store(
        composed("preprocess", "data=eth_xgaze", "paths.run_dir=x", *given, *WITHOUT_EYES)
    )
    assert "4 faces stored" in outcome.report
    assert "subject0002" in outcome.report
    assert outcome.has_errors
    table = FaceStore(tmp_path / "store").table
    assert table["gaze_yaw_rad"].to_list() == pytest.approx([-0.2, 0.0] * 2)
    assert table["gaze_pitch_rad"].to_list() == pytest.approx([0.1, -0.3] * 2)
