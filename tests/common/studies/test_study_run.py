"""A study that fails or is killed in the middle goes on with what is missing, and only that."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from builders.small_lam_training import SMALL_DATA, SMALL_NETS, SMALL_TRAINING, write_store
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, SMALL_OPTIONS
from builders.study_configs import ON_GAZEPOSE, Config, study_of
from builders.train_script import snapshots

from common.runs.run import fit_and_test
from common.runs.snapshot import read_snapshot
from common.studies import job
from common.studies.study import unfinished_jobs

# `++`: rows without a Transformer have no such keys.
SMALL_STUDY = [
    *("+" + option if "net" in option else option for option in SMALL_NETS["gazelstm"][1:]),
    *(f"++{option}" for option in SMALL_NETS["gazepose"] if "transformer" in option),
    *SMALL_DATA[1:],
    *SMALL_TRAINING,
    *("trainer.max_epochs=1", "callbacks.pictures=null", "test=false"),
]


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study") / "store"
    write_store(folder)
    return folder


def test_a_study_outlives_a_failing_job_and_then_runs_only_what_is_missing(
    store_dir: Path, tmp_path: Path, train_script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [
        "sweeps=table4",
        "ablations=spatial_off,spatial_off_temporal_none",
        f"paths.runs_dir={tmp_path}",
        f"data.store_dir={store_dir}",
        *SMALL_STUDY,
    ]
    trained = []

    def train(config: Config, choices: Config, run_dir: Path) -> dict[str, float]:
        trained.append(run_dir.name)
        if len(trained) == 1:
            raise RuntimeError("the disk is full")
        return fit_and_test(config, choices, run_dir)

    monkeypatch.setattr(job, "fit_and_test", train)
    assert train_script(*typed, "study.seeds=[0]") == 1
    assert trained == ["spatial_off_seed0", "spatial_off_temporal_none_seed0"]
    first = snapshots(tmp_path / "table4")
    assert {name: run["status"] for name, run in first.items()} == {
        "spatial_off_temporal_none_seed0": "finished"
    }
    log = (tmp_path / "table4" / "spatial_off_seed0" / "train.log").read_text()
    assert "RuntimeError: the disk is full" in log
    study = first["spatial_off_temporal_none_seed0"]["config"]["study"]
    assert unfinished_jobs(tmp_path / "table4", study) == {
        "spatial_off_temporal_uniform_seed0": False,
        "spatial_off_seed0": True,
        "temporal_none_seed0": False,
        "temporal_uniform_seed0": False,
        "gazepose_seed0": False,
    }

    # Meanwhile the study has grown; what was finished stays.
    assert train_script(*typed, "study.seeds=[0,1]", "seed=0") == 0
    second = snapshots(tmp_path / "table4")
    assert list(second) == ["spatial_off_seed0", "spatial_off_temporal_none_seed0"]
    assert second["spatial_off_temporal_none_seed0"] == first["spatial_off_temporal_none_seed0"], (
        "it was left as it was"
    )
    for run in second.values():
        assert run["status"] == "finished"
        assert run["config"]["study"]["rows"] == study_of("table4")["rows"]
    assert second["spatial_off_seed0"]["config"]["ablation"] == "spatial_off"
    changes = {name: run["ablation_changes"] for name, run in second.items()}
    assert "model.name" in changes["spatial_off_seed0"]
    assert "dropout.kind" not in changes["spatial_off_seed0"]
    assert "dropout.kind" in changes["spatial_off_temporal_none_seed0"]


def test_a_study_of_nets_and_data_sets_runs_only_what_is_missing(
    tmp_path: Path, train_script: Any
) -> None:
    for name in ("demo_gaze", "demo_gaze_b"):
        write_small_store(tmp_path / "stores" / name)
    typed = [
        *("sweeps=demo_flame_table", "model=flame_b", "seed=0", *SMALL_OPTIONS),
        *("trainer.max_epochs=1", "trainer.precision=32-true"),
        *("test=false", "callbacks.pictures=null"),
        *(f"paths.runs_dir={tmp_path}", f"paths.store_dir={tmp_path}/stores"),
    ]
    assert train_script(*typed, "data=demo_gaze") == 0
    (path,) = (tmp_path / "demo_flame_table").glob("*/run.json")
    assert path.parent.name == "flame_b_demo_gaze_seed0"
    # As it was recorded when rows were files.
    first = read_snapshot(path.parent)
    del first["config"]["study"]["nets"], first["config"]["study"]["data"]
    path.write_text(json.dumps(first))

    assert train_script(*typed) == 0
    second = snapshots(tmp_path / "demo_flame_table")
    assert list(second) == ["flame_b_demo_gaze_b_seed0", "flame_b_demo_gaze_seed0"]
    assert second["flame_b_demo_gaze_seed0"] == first, "it was left as it was"
    added = second["flame_b_demo_gaze_b_seed0"]
    assert added["status"] == "finished"
    assert added["config"]["study"]["rows"] == first["config"]["study"]["rows"]
    assert added["config"]["ablation"] == "flame_b_demo_gaze_b"
    assert {"model.name", "data.name"} <= set(added["ablation_changes"])
    assert "data.name" not in first["ablation_changes"]


def test_a_failing_job_that_is_no_studys_fails(
    store_dir: Path, tmp_path: Path, train_script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [*ON_GAZEPOSE, "ablations=split_5", "priors.split=1.0", f"hydra.run.dir={tmp_path}/run"]
    assert train_script(*typed, f"data.store_dir={store_dir}") == 1


@pytest.mark.slow
def test_a_study_killed_in_the_middle_and_run_again_ends_complete(
    store_dir: Path, tmp_path: Path
) -> None:
    rows = ["spatial_off_temporal_none", "spatial_off", "temporal_none"]
    script = [
        str(REPO_DIR / "train.py"), "sweeps=table4", f"ablations={','.join(rows)}", "seed=0",
        f"paths.runs_dir={tmp_path}", f"data.store_dir={store_dir}", *SMALL_STUDY,
        "trainer.max_epochs=3",
    ]  # fmt: skip
    folder = tmp_path / "table4"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    slow = subprocess.Popen(
        [sys.executable, "-c", SLOW_TRAIN, *script], cwd=tmp_path, env=environment, **quiet
    )
    while not (folder / "spatial_off_seed0" / "checkpoints" / "last.ckpt").exists():
        assert slow.poll() is None, "the study ended before its second job's first checkpoint"
        time.sleep(0.05)
    os.kill(slow.pid, signal.SIGKILL)
    slow.wait()
    killed = snapshots(folder)
    assert [run["status"] for run in killed.values()] == ["running", "finished"]

    done = subprocess.run(
        [sys.executable, *script], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"table4: 3 of 30 " in done.stdout
    ended = snapshots(folder)
    assert set(ended) == {f"{row}_seed0" for row in rows}
    assert {run["status"] for run in ended.values()} == {"finished"}
    finished = "spatial_off_temporal_none_seed0"
    assert ended[finished] == killed[finished], "a finished job is left as it is"
    assert [len(run["starts"]) for run in ended.values()] == [2, 1, 1], (
        "only the killed one goes on"
    )


# Runs train.py with a pause after every training batch.
SLOW_TRAIN = """
import runpy, sys, time
from gazepose.training.module import EyeContactModule
EyeContactModule.on_train_batch_end = lambda self, *_: time.sleep(0.2)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(("debug", "is_finished"), [("fast", False), (None, True)])
def test_a_job_with_debug_is_none_that_has_finished(
    tmp_path: Path, debug: str | None, is_finished: bool
) -> None:
    (tmp_path / "row_seed0").mkdir()
    config = {"data": {"name": "x"}, "also_test": [], "test": True}
    record = {"status": "finished", "choices": {"debug": debug}, "config": config, "metrics": {}}
    (tmp_path / "row_seed0" / "run.json").write_text(json.dumps(record))
    unfinished = unfinished_jobs(tmp_path, {"rows": {"row": ""}, "seeds": [0]})
    assert unfinished == ({} if is_finished else {"row_seed0": True})
