"""What `predict.py` is asked, and what it refuses."""

import json
import re
import shutil
from functools import reduce
from operator import getitem
from pathlib import Path

import polars as pl
import pytest
from builders.small_runs import change_run
from builders.small_store import write_small_store
from builders.small_training import composed, train_here
from hydra.errors import HydraException

from common.prediction.command import annotator_of, predict
from common.prediction.trained import Trained, unloaded
from common.runs.snapshot import read_snapshot
from flame.evaluation.callback import calibration_text

SMALL_SPLIT = [
    "data.datamodule.split=cross_person",
    "data.datamodule.split_fractions=[0.5,0.25,0.25]",
    "data.datamodule.num_workers=0",
]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prediction")
    write_small_store(folder / "store")
    write_small_store(folder / "other_store", gaze_convention="eyediap_geometric")
    train_here(folder / "store", folder / "run", "trainer.max_epochs=1")
    return folder


def asked(*overrides: str) -> str:
    return predict(composed("predict", "paths.run_dir=x", *overrides))


def test_a_split_is_tested_as_after_training(work_dir: Path) -> None:
    said = asked(f"run={work_dir / 'run'}", "split=test")
    folder = work_dir / "run" / "predict" / "columbiagaze_test"
    assert said.endswith(f"-> {folder}")
    name = "columbiagaze_columbiagaze_mmtm-fusion.csv"
    after_training = pl.read_csv(work_dir / "run" / "test" / name)
    assert pl.read_csv(folder / name).equals(after_training)


def test_another_part_another_folder_and_the_last_checkpoint(
    work_dir: Path, tmp_path: Path
) -> None:
    last = f"checkpoint={work_dir / 'run' / 'checkpoints' / 'last.ckpt'}"
    asked(f"run={work_dir / 'run'}", last, "split=train", f"output_dir={tmp_path}")
    summary = json.loads((tmp_path / "columbiagaze_columbiagaze_mmtm-fusion.json").read_text())
    assert (summary["part"], summary["num_samples"]) == ("train", 16)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], r"none.*split=.*source=.*export="),
        (["split=test", "export=x.pth"], "split and export"),
    ],
)
def test_one_thing_is_asked_at_a_time(work_dir: Path, overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asked(f"run={work_dir / 'run'}", *overrides)


def test_something_must_predict() -> None:
    with pytest.raises(ValueError, match=r"run=RUN.*model=NAME checkpoint=FILE\.pth"):
        asked("split=test", "data=columbiagaze")


def test_a_run_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{tmp_path}.*run\.json"):
        asked(f"run={tmp_path}", "split=test")


def test_a_run_without_a_checkpoint_is_named(work_dir: Path, tmp_path: Path) -> None:
    shutil.copy(work_dir / "run" / "run.json", tmp_path)
    with pytest.raises(ValueError, match=r"last\.ckpt"):
        asked(f"run={tmp_path}", "split=test")


@pytest.mark.parametrize("place", ["config.data.name", "config.data.datamodule.name"])
def test_a_recorded_name_leads_nowhere(work_dir: Path, tmp_path: Path, place: str) -> None:
    run = shutil.copytree(work_dir / "run", tmp_path / "run")
    change_run(run, {place: f"../../../../{tmp_path.name}_elsewhere"})
    with pytest.raises(ValueError, match=r"'\.\./.*_elsewhere"):
        asked(f"run={run}", "split=test")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert not list(tmp_path.parent.glob(f"{tmp_path.name}_elsewhere*"))


@pytest.mark.parametrize("lost", ["config.model.inputs", "config.data.name", "data"])
def test_what_a_record_lacks_is_named(work_dir: Path, tmp_path: Path, lost: str) -> None:
    run = shutil.copytree(work_dir / "run", tmp_path / "run")
    snapshot = read_snapshot(run)
    *folders, key = lost.split(".")
    del reduce(getitem, folders, snapshot)[key]
    (run / "run.json").write_text(json.dumps(snapshot))
    with pytest.raises(ValueError, match=r"run\.json") as refused:
        asked(f"run={run}", "split=test")
    assert key in str(refused.value)


def test_the_same_store_at_another_place_is_the_same_test(work_dir: Path, tmp_path: Path) -> None:
    run = f"run={work_dir / 'run'}"
    with pytest.raises(ValueError, match=rf"{tmp_path / 'none'}.*datamodule\.store_dir=FOLDER"):
        asked(run, "split=test", f"datamodule={{store_dir:{tmp_path / 'none'}}}")
    moved = shutil.copytree(work_dir / "store", tmp_path / "store")
    said = asked(run, "split=val", f"datamodule={{store_dir:{moved}}}")
    assert said.endswith("predict/columbiagaze_val")


def test_an_unknown_split_is_refused(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"'all'.*'test'"):
        asked(f"run={work_dir / 'run'}", "split=all")


def originals(work_dir: Path) -> list[str]:
    path = work_dir / "original.pth"
    if not path.exists():
        asked(f"run={work_dir / 'run'}", f"export={path}")
    return ["model=flame", "model.width=2", "model.hidden=8", f"checkpoint={path}"]


def test_an_originals_checkpoint_needs_ranges(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"statistics=columbiagaze"):
        asked(*originals(work_dir), "source=x.jpg")
    with pytest.raises(ValueError, match="'flame_layout'"):
        asked(*originals(work_dir), "data=flame_layout", "data.name=flame_layout", "split=test")


def test_an_originals_checkpoint_needs_data_for_a_split(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"data=NAME.*split=test"):
        asked(*originals(work_dir), "statistics=columbiagaze", "split=test")


def test_an_originals_checkpoint_is_tested_with_published_ranges(
    work_dir: Path, tmp_path: Path
) -> None:
    store = f"data.store_dir={work_dir / 'store'}"
    overrides = ["data=columbiagaze", store, "split=test", f"output_dir={tmp_path}", *SMALL_SPLIT]
    asked(*originals(work_dir), *overrides)
    assert (tmp_path / "columbiagaze_columbiagaze_mmtm-fusion.csv").exists()


def test_another_convention_is_refused_and_allowed_by_switch(
    work_dir: Path, tmp_path: Path
) -> None:
    other = [
        *(f"run={work_dir / 'run'}", "split=test", "data=eyediap", f"output_dir={tmp_path}"),
        *(f"data.store_dir={work_dir / 'other_store'}", *SMALL_SPLIT),
    ]
    with pytest.raises(ValueError, match=r"'columbia_target_angles'.*eyediap.*'eyediap_geometric'"):
        asked(*other)
    asked(*other, "allow_other_convention=true")
    assert (tmp_path / "columbiagaze_eyediap_mmtm-fusion.csv").exists()


def test_a_model_without_an_annotator_says_so(work_dir: Path) -> None:
    config = {"model": {"name": "gaze_pretraining", "annotator": None}}
    trained = Trained(None, config, "x", {}, work_dir, work_dir)
    with pytest.raises(ValueError, match=r"gaze_pretraining.*split=test"):
        annotator_of(trained, {})


def test_photos_for_a_net_of_another_mesh_head_pose_bring_a_warning(
    work_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a run from before definitions were recorded the recipe says `mesh` alone."""
    old = tmp_path / "run"
    shutil.copytree(work_dir / "run", old)
    change_run(old, {"data.recipe.head_pose": "mesh"})
    with pytest.raises(ValueError, match=r"nowhere\.jpg"):
        asked(f"run={old}", f"source={tmp_path / 'nowhere.jpg'}")
    assert any("head poses of the face mesh" in said for said in caplog.messages)


def test_no_published_weights_are_fetched_where_a_checkpoint_follows() -> None:
    # Of another width, published weights would be refused.
    options = ["model=gazelstm", "model.backbone.width=4", "model.backbone.weights=imagenet"]
    config = composed("predict", "paths.run_dir=x", *options)
    assert unloaded(config, config).net.backbone.num_channels == 32


def test_dropout_is_refused_for_a_run_that_has_none(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"model=flame.*dropout"):
        asked(f"run={work_dir / 'run'}", "split=test", "dropout=none")


@pytest.fixture(scope="module")
def calibrated(work_dir: Path) -> Path:
    """The folder of a test that calibrates people by three of their samples."""
    asked(f"run={work_dir / 'run'}", "split=test", "calibration={samples:3}")
    return work_dir / "run" / "predict" / "columbiagaze_test_calibration-3"


def test_a_calibrated_test_has_both_errors(calibrated: Path) -> None:
    stem = "columbiagaze_columbiagaze_mmtm-fusion"
    summary = json.loads((calibrated / f"{stem}.json").read_text())
    found = summary["calibration"]
    assert found.items() >= {"samples": 3, "repeats": 20, "seed": 0, "num_subjects": 1}.items()
    # The validation part has one person.
    assert found["prior"]["num_people"] == 1
    assert [item["samples"] for item in found["by_samples"]] == [0, 1, 3]
    means = [item["mean_deg"] for item in found["by_samples"]]
    said = re.findall(r"\n +(\d) +(\d+\.\d\d) ", calibration_text(found))
    assert said == [(str(num), f"{mean:.2f}") for num, mean in zip((0, 1, 3), means, strict=True)]
    table = pl.read_csv(calibrated / f"{stem}_calibration.csv")
    # The only person is all there are.
    assert table["mean_deg"].to_list() == means * 2
    assert (calibrated / f"{stem}_calibration.png").stat().st_size > 0


def test_how_people_differ_is_asked_of_the_runs_own_validation(
    work_dir: Path, calibrated: Path, tmp_path: Path
) -> None:
    other = [
        *("split=train", "calibration={samples:3}", "data=eyediap", f"output_dir={tmp_path}"),
        *(f"data.store_dir={work_dir / 'other_store'}", "allow_other_convention=true"),
        *SMALL_SPLIT,
    ]
    asked(f"run={work_dir / 'run'}", *other)
    own, others = (
        json.loads((folder / f"columbiagaze_{name}_mmtm-fusion.json").read_text())
        for folder, name in ((calibrated, "columbiagaze"), (tmp_path, "eyediap"))
    )
    assert others["calibration"]["prior"] == own["calibration"]["prior"]
    run = shutil.copytree(work_dir / "run", tmp_path / "run")
    change_run(run, {"config.data.datamodule.store_dir": str(tmp_path / "gone")})
    with pytest.raises(ValueError, match=r"gone.*validated.*own store"):
        asked(f"run={run}", *other)


def test_a_persons_calibration_is_for_photos_of_its_run(work_dir: Path, calibrated: Path) -> None:
    (file,) = (calibrated / "calibrations").iterdir()
    run, typed = f"run={work_dir / 'run'}", f"calibration={{file:{file}}}"
    with pytest.raises(ValueError, match=r"source=none\.jpg: no photo"):
        asked(run, "source=none.jpg", typed)


@pytest.mark.parametrize(
    ("typed", "facts"),
    [
        (["split=test", "calibration={samples:0}"], "samples:0.* 1"),
        (["split=test", "calibration={samples:8}"], "samples:8.*samples:7"),
        (["split=test", "calibration={file:x.json}"], "file:x.json.*split=.*samples:9"),
        (["source=x.jpg", "calibration={samples:3}"], "samples:3.*source=.*file:FILE"),
        (["export=x.pth", "calibration={samples:3}"], "samples:3.*export="),
        (["source=x.jpg", "calibration={file:x.json}"], r"x\.json.*split=test.*samples:9"),
    ],
)
def test_a_calibration_out_of_place_is_refused(
    work_dir: Path, typed: list[str], facts: str
) -> None:
    with pytest.raises(ValueError, match=facts):
        asked(f"run={work_dir / 'run'}", *typed)


def test_a_misspelt_calibration_is_refused() -> None:
    with pytest.raises(HydraException, match="sample"):
        composed("predict", "paths.run_dir=x", "calibration={sample:3}")
