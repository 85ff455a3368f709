"""Photos of invented people, preprocessed: MediaPipe finds their eyes where they are."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.small_training import composed

from common.preprocessing.command import prepare_store
from common.store.reading import FaceStore, read_recipe
from flame.preprocessing.face_image import face_window
from flame.store.labels import GazeLabels

ANGLES = [
    "++data.raw_writer.head_yaws_deg=[-15,0]",
    "++data.raw_writer.gaze_pitches_deg=[0]",
    "++data.raw_writer.gaze_yaws_deg=[-10,10]",
    "++data.raw_writer.image_size=[320,320]",
    "data.raw_writer.num_subjects=2",
    "data.preprocessor.preparation.codec=png",
]
NUM_PHOTOS = 8


def preprocess(work_dir: Path, *overrides: str) -> str:
    """The script's work in this process."""
    folders = [f"paths.data_dir={work_dir / 'data'}", f"paths.store_dir={work_dir / 'data/stores'}"]
    config = composed("preprocess", "num_workers=0", "paths.run_dir=x", *folders, *overrides)
    return prepare_store(config).report


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo_photos")
    assert f"{NUM_PHOTOS} faces stored, 0 " in preprocess(folder, "data=demo_gaze", *ANGLES)
    return folder


@pytest.fixture(scope="module")
def store(work_dir: Path) -> FaceStore:
    return FaceStore(work_dir / "data" / "stores" / "demo_gaze")


@pytest.fixture(scope="module")
def truth(work_dir: Path, store: FaceStore) -> pl.DataFrame:
    """The writer's ground truth in the order of the store."""
    table = pl.read_csv(work_dir / "data" / "demo_gaze" / "ground_truth.csv")
    ids = store.table.select("sample_id")
    return ids.join(table, on="sample_id", how="left", maintain_order="left")


def windows(store: FaceStore) -> list:
    boxes = store.table.select([f"face_{name}_px" for name in ("x0", "y0", "x1", "y1")]).to_numpy()
    return [face_window(box, (320, 320), margin=0.05) for box in boxes]


def test_stored_landmarks_are_the_true_ones_moved_into_the_face_image(
    store: FaceStore, truth: pl.DataFrame
) -> None:
    points = [f"eye_lmk_{axis}_{i}" for axis in "xy" for i in range(56)]
    found = GazeLabels.from_table(store.table).landmarks
    errors_px = []
    for window, row, landmarks in zip(
        windows(store), truth.select(points).to_numpy(), found, strict=True
    ):
        distance = np.linalg.norm((landmarks - window.move(row)).reshape(2, 56), axis=0)
        errors_px.append(distance / np.mean(window.scale))
    # Faces are some 160 px wide, eyes 35: two pixels are an eighteenth of an eye.
    assert np.mean(errors_px) < 2
    assert np.max(errors_px) < 8
    eye_centres = found.reshape(-1, 2, 2, 28).mean(axis=3)
    assert (eye_centres[:, 0, 0] < eye_centres[:, 0, 1]).all(), "right eye, at the image's left"


def test_labels_are_those_of_the_writer(store: FaceStore, truth: pl.DataFrame) -> None:
    labels = GazeLabels.from_table(store.table)
    gaze = truth.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy()
    np.testing.assert_allclose(labels.gaze, gaze, atol=1e-5)
    assert set(store.table["head_pose_source"]) == {"mesh"}
    axes = [f"head_{axis}_rad" for axis in ("pitch", "yaw", "roll")]
    error_deg = np.rad2deg(np.abs(labels.head_pose - truth.select(axes).to_numpy()))
    # What tests/common/faces/test_head_pose.py finds of the mesh; a flipped sign would be 30.
    assert error_deg[:, 1:].max() < 8
    assert error_deg[:, 1:].mean() < 4


def test_exported_and_read_again_the_store_is_the_same(work_dir: Path, store: FaceStore) -> None:
    export = ["mode=export", f"export_dir={work_dir}/layout"]
    # Neither raw data nor OpenFace's files are needed any more.
    gone = ["data.raw_dir=null", "data.preprocessor.preparation.landmarks=openface"]
    preprocess(work_dir, "data=demo_gaze", *ANGLES, *export, *gone)
    layout = ["data=flame_layout", "data.name=demo_layout", f"data.raw_dir={work_dir}/layout"]
    preprocess(work_dir, *layout, "data.reader.gaze_convention=columbia_target_angles")
    store_dir = work_dir / "data" / "stores" / "demo_layout"
    assert read_recipe(store_dir)["gaze_convention"] == "columbia_target_angles"
    again = FaceStore(store_dir)
    assert len(again) == len(store)
    labels, labels_again = (GazeLabels.from_table(s.table) for s in (store, again))
    for name in ("gaze", "head_pose", "landmarks"):
        np.testing.assert_array_equal(getattr(labels_again, name), getattr(labels, name))
    assert again.table["subject"].to_list() == store.table["subject"].to_list()
    for row in range(len(store)):
        np.testing.assert_array_equal(again.image(row), store.image(row))


def test_a_second_run_reuses_everything(work_dir: Path) -> None:
    store_dir = work_dir / "data" / "stores" / "demo_gaze"
    files = {path: path.stat().st_mtime_ns for path in store_dir.rglob("*.pack")}
    said = preprocess(work_dir, "data=demo_gaze", *ANGLES)
    assert f"{NUM_PHOTOS} faces stored" in said
    assert {path: path.stat().st_mtime_ns for path in store_dir.rglob("*.pack")} == files


def test_an_export_needs_a_folder(work_dir: Path) -> None:
    with pytest.raises(ValueError, match="export_dir=FOLDER"):
        preprocess(work_dir, "data=demo_gaze", "mode=export", *ANGLES)


def test_a_data_set_needs_its_raw_folder(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"columbiagaze.*data\.raw_dir=FOLDER"):
        preprocess(work_dir, "data=columbiagaze")
