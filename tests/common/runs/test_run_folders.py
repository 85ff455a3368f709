"""The folders of runs: plainly named, gone on in by a checkpoint, one a job in a sweep."""

import subprocess
import sys
from pathlib import Path

import pytest
from builders.small_training import REPO_DIR, composition
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict

from common.runs.places import run_dir


def test_a_checkpoint_of_a_run_goes_on_in_the_runs_folder(tmp_path: Path) -> None:
    checkpoint = tmp_path / "runs" / "x" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    assert run_dir(None, "new", "runs") == "new"
    assert run_dir(str(checkpoint), "new", "runs") == "new"
    (tmp_path / "runs" / "x" / "run.json").write_text("{}")
    assert run_dir(str(checkpoint), "new", "runs") == str(tmp_path / "runs" / "x")
    assert run_dir(str(tmp_path / "weights.pth"), "new", "runs") == "new"


def hydra_folders(*overrides: str) -> tuple[str, str, str]:
    """Run folder, sweep folder and sweep job's folder that Hydra would take."""
    cfg = composition("train", *overrides, with_hydra=True)
    with open_dict(cfg):
        cfg.hydra.job.num = 3
    HydraConfig.instance().set_config(cfg)
    hydra = OmegaConf.create({"hydra": cfg.hydra, **{k: cfg[k] for k in cfg if k != "hydra"}})
    return hydra.hydra.run.dir, hydra.hydra.sweep.dir, hydra.hydra.sweep.subdir


def test_run_folders_tell_net_and_data_without_an_equals_sign() -> None:
    run, sweep, job = hydra_folders("data=columbiagaze", "model=flame_b", "seed=3")
    assert run.startswith("runs/")
    assert run.endswith("_flame_b_columbiagaze")
    assert sweep.startswith("runs/sweep_")
    assert str(job) == "3"
    assert "=" not in run + sweep


@pytest.mark.slow
def test_a_sweep_over_models_starts_its_jobs(tmp_path: Path) -> None:
    typed = ["-m", "model=flame_af,flame_b", "data=columbiagaze", f"data.store_dir={tmp_path}"]
    typed += [f"paths.runs_dir={tmp_path}"]
    command = [sys.executable, str(REPO_DIR / "train.py"), *typed]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "preprocess.py data=" in done.stderr
    (folder,) = tmp_path.glob("sweep_*")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["0", "1"]
