"""Jobs side by side: joblib, submitit, Slurm; and a search of the learning rate."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from builders import small_job
from builders.small_job import loaded_in_a_process
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, SMALL_RUN, composition, train_here
from builders.train_script import train_script_here
from joblib import Parallel, cpu_count, delayed
from omegaconf import OmegaConf

SMALL_JOB = [sys.executable, str(Path(small_job.__file__)), "-m"]
SMALL_TRAINING = ["model=flame", "data=columbiagaze", "hydra.sweep.dir=out"]
LAUNCHERS = [
    pytest.param("basic", marks=pytest.mark.slow),
    "joblib",
    pytest.param("submitit_local", marks=pytest.mark.slow),
]
# What nobody has set, joblib sets.
FREE = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}


def run_job(folder: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SMALL_JOB, *SMALL_TRAINING, *typed],
        cwd=folder,
        env=FREE,
        capture_output=True,
        text=True,
        check=False,
    )


def launcher_config(*typed: str) -> Any:
    """The launcher's config, as Hydra hands it over."""
    cfg = composition("train", *SMALL_TRAINING, *typed, with_hydra=True)
    OmegaConf.set_readonly(cfg.hydra, False)
    cfg.hydra.runtime.output_dir = "RUN"
    return cfg.hydra


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_failing_job_loses_no_other_and_is_told(launcher: str, tmp_path: Path) -> None:
    turns = "trainer.devices=[${device_of_job:2}]"
    done = run_job(tmp_path, f"hydra/launcher={launcher}", "seed=0,1,2", turns)
    said = {path.parent.name: path.read_text().split() for path in tmp_path.glob("out/*/said.txt")}
    assert {number: words[1] for number, words in said.items()} == {"0": "0", "1": "1", "2": "2"}
    assert {number: words[4] for number, words in said.items()} == {"0": "0", "1": "1", "2": "0"}
    assert all(words[3] == "flame_columbiagaze" for words in said.values())
    assert done.returncode != 0
    assert "seed 1 fails" in done.stderr
    processes = {words[0] for words in said.values()}
    assert len(processes) == {"basic": 1, "joblib": 2, "submitit_local": 3}[launcher]
    threads = str(max(1, cpu_count() // 2)) if launcher == "joblib" else "None"
    assert {words[2] for words in said.values()} == {threads}
    # Our launcher files pass the plugins' own schemas without Hydra saying so.
    assert "validated against" not in done.stderr


@pytest.mark.slow
def test_loader_processes_start_inside_joblibs_workers() -> None:
    (numbers,) = Parallel(n_jobs=2)([delayed(loaded_in_a_process)()])
    assert numbers == [0.0, 1.0, 2.0, 3.0]


def test_a_slurm_job_has_a_gpu_and_a_task_a_device() -> None:
    typed = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "trainer.devices=2"]
    launcher = launcher_config(*typed).launcher
    expected = {"partition": "gpu", "account": None, "gpus_per_node": 2, "tasks_per_node": 2}
    expected |= {"array_parallelism": 16, "submitit_folder": "out/.submitit/%j"}
    assert {key: launcher[key] for key in expected} == expected


def test_what_slurm_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sbatch` is a stand-in that keeps what it is given, and has no cluster to run it on."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "sbatch").write_text(f'#!/bin/sh\ncp "$1" "{tmp_path}/asked.sh"\nexit 1\n')
    (commands / "srun").write_text("#!/bin/sh\n")
    for command in commands.iterdir():
        command.chmod(0o755)
    typed = ["hydra/launcher=submitit_slurm", "hydra.launcher.account=me", "seed=0,2,3"]
    typed += ["hydra.launcher.array_parallelism=2", f"hydra.sweep.dir={tmp_path}/out"]
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
    with train_script_here(monkeypatch, Path(small_job.__file__)) as script:
        assert script("-m", *SMALL_TRAINING, *typed) == 1
    asked = (tmp_path / "asked.sh").read_text()
    expected = ["account=me", "array=0-2%2", "gpus-per-node=1", "ntasks-per-node=1", "nodes=1"]
    expected += ["time=1440", "cpus-per-task=8", "mem=32GB", "job-name=flame_columbiagaze"]
    assert [option for option in expected if f"#SBATCH --{option}\n" not in asked] == []
    assert "--partition" not in asked


@pytest.mark.parametrize(
    ("typed", "direction"),
    [(["model=flame"], "minimize"), (["model=gazepose", "data=ego4d"], "maximize")],
)
def test_a_search_goes_where_the_metric_is_better(typed: list[str], direction: str) -> None:
    sweeper = launcher_config("hydra/sweeper=learning_rate", *typed).sweeper
    assert sweeper.direction == direction
    assert dict(sweeper.params) == {"model.learning_rate": "tag(log, interval(1e-5, 1e-2))"}


@pytest.mark.slow
def test_a_search_finds_the_better_trial_and_goes_on_later(tmp_path: Path) -> None:
    typed = ["hydra/sweeper=learning_rate", "hydra.sweeper.n_trials=2"]
    typed += ["hydra.sweeper.storage=sqlite:///trials.db"]
    found = []
    for part in ("first", "then"):
        done = run_job(tmp_path, *typed, f"hydra.sweep.dir={part}")
        assert done.returncode == 0, done.stderr
        found.append(OmegaConf.load(tmp_path / part / "optimization_results.yaml"))
    assert found[0].best_value == abs(found[0].best_params["model.learning_rate"] - 1e-3)
    assert found[1].best_value <= found[0].best_value
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    study = optuna.load_study(study_name="flame_columbiagaze", storage=storage)
    assert len(study.trials) == 4
    assert study.best_value == found[1].best_value


def metrics_of(run_dir: Path) -> dict[str, float]:
    snapshot = json.loads((run_dir / "run.json").read_text())
    assert snapshot["status"] == "finished"
    metrics: dict[str, float] = snapshot["metrics"]
    return metrics


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_job_has_the_same_numbers_whoever_starts_it(launcher: str, tmp_path: Path) -> None:
    write_small_store(tmp_path / "store")
    typed = [*SMALL_RUN, "trainer.max_epochs=2", "data.datamodule.num_workers=1"]
    expected = train_here(tmp_path / "store", tmp_path / "here", *typed)
    # The last has more samples in a batch than there are.
    sweep = ["data.datamodule.batch_size=4,999", f"hydra.sweep.dir={tmp_path / 'out'}"]
    typed = [*typed, f"data.store_dir={tmp_path / 'store'}", f"hydra/launcher={launcher}", *sweep]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, str(REPO_DIR / "train.py"), "-m", *typed]
    done = subprocess.run(
        command, env={**os.environ, **threads}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert " 999" in done.stderr
    assert metrics_of(tmp_path / "out" / "0") == expected
    snapshot = json.loads((tmp_path / "out" / "0" / "run.json").read_text())
    assert snapshot["choices"]["hydra/launcher"] == launcher
    assert json.loads((tmp_path / "out" / "1" / "run.json").read_text())["status"] == "failed"


@pytest.mark.slow
def test_a_search_of_real_trainings(tmp_path: Path) -> None:
    write_small_store(tmp_path / "store")
    typed = [*SMALL_RUN, "trainer.max_epochs=1", f"data.store_dir={tmp_path / 'store'}"]
    typed = [entry for entry in typed if not entry.startswith("model.learning_rate")]
    typed += ["hydra/sweeper=learning_rate", "hydra.sweeper.n_trials=2"]
    command = [sys.executable, str(REPO_DIR / "train.py"), "-m", *typed]
    subprocess.run([*command, f"hydra.sweep.dir={tmp_path / 'out'}"], check=True)
    errors = [
        metrics_of(tmp_path / "out" / job)["best_val/angular_error_deg"] for job in ("0", "1")
    ]
    found = OmegaConf.load(tmp_path / "out" / "optimization_results.yaml")
    assert found.best_value == min(errors)
