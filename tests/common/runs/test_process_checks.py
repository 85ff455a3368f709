"""What is refused of trainings in several processes, and the trainers one can choose."""

from functools import cache
from typing import Any

import pytest
from builders.small_training import composed

from common.runs import process_checks
from common.runs.process_checks import (
    check_multirun,
    check_processes,
    check_shared_folder,
    check_strategy,
)

ONE = {"accelerator": "auto", "devices": 1, "strategy": "auto"}
MANY = [
    {"devices": 2},
    {"devices": "auto"},
    {"devices": -1},
    {"devices": [0, 1]},
    {"num_nodes": 2},
    {"strategy": "ddp"},
    {"strategy": {"_target_": "pytorch_lightning.strategies.DDPStrategy"}},
    {"strategy": "ddp_spawn"},
    {"strategy": "fsdp"},
]


@pytest.fixture(autouse=True)
def not_launched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TORCHELASTIC_RUN_ID", "WORLD_SIZE", "SLURM_NTASKS", "SUBMITIT_EXECUTOR"):
        monkeypatch.delenv(name, raising=False)


@cache
def trainer_config(*overrides: str) -> dict[str, Any]:
    shared = ["model=flame", "data=columbiagaze", "paths.run_dir=RUN"]
    return composed("train", *shared, *overrides)["trainer"]


@pytest.mark.parametrize("changes", MANY)
def test_a_sweep_of_jobs_that_start_processes_is_refused(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = ONE | changes
    check_multirun(trainer, is_multirun=False)
    with pytest.raises(ValueError, match=r"trainer=default .*trainer\.devices=1"):
        check_multirun(trainer, is_multirun=True)
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    check_multirun(trainer, is_multirun=True)


@pytest.mark.parametrize("devices", [1, "1", [0], [3]])
def test_a_sweep_of_jobs_on_one_device_passes(devices: Any) -> None:
    check_multirun(ONE | {"devices": devices}, is_multirun=True)


def test_a_sweep_in_every_process_of_torchrun_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="trainer=default"):
        check_multirun(ONE, is_multirun=True)


@pytest.mark.parametrize("strategy", ["ddp_spawn", "ddp_fork", "ddp_notebook"])
def test_strategies_that_copy_the_process_are_refused(strategy: str) -> None:
    with pytest.raises(ValueError, match=rf"trainer\.strategy={strategy} .*trainer=ddp"):
        check_strategy(ONE | {"strategy": strategy})


def test_gpus_where_there_are_none_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_checks, "_has_gpu", lambda: False)
    with pytest.raises(ValueError, match=r"trainer\.accelerator=gpu.*trainer=ddp_cpu"):
        check_strategy(trainer_config("trainer=ddp"))
    check_strategy(trainer_config("trainer=ddp_cpu"))
    monkeypatch.setattr(process_checks, "_has_gpu", lambda: True)
    check_strategy(trainer_config("trainer=ddp"))


@pytest.mark.parametrize(
    ("variables", "launcher"),
    [
        ({"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2"}, "torchrun"),
        ({"SLURM_NTASKS": "2", "SLURM_JOB_NAME": "train"}, "srun"),
    ],
)
def test_processes_from_outside_need_a_folder(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], launcher: str, tmp_path: Any
) -> None:
    check_shared_folder(None, [])
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=rf"{launcher} .*hydra\.run\.dir=runs/NAME"):
        check_shared_folder(None, ["hydra.verbose=true"])
    check_shared_folder(None, ["hydra.run.dir=runs/mine"])
    # A checkpoint of a run says its folder.
    (tmp_path / "run.json").write_text("{}")
    check_shared_folder(str(tmp_path / "checkpoints" / "last.ckpt"), [])
    with pytest.raises(ValueError, match=launcher):
        check_shared_folder("elsewhere/last.ckpt", [])
    # A job of a sweep has the folder that its launcher says.
    monkeypatch.setenv("SUBMITIT_EXECUTOR", "slurm")
    check_processes({"trainer": ONE | {"devices": 2}, "ckpt_path": None}, True, [])


def test_a_shell_inside_an_allocation_starts_processes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.setenv("SLURM_JOB_NAME", "interactive")
    check_shared_folder(None, [])


@pytest.mark.parametrize("name", ["default", "ddp", "ddp_cpu", "multinode"])
def test_no_trainer_deals_samples_of_its_own(name: str) -> None:
    trainer = trainer_config(f"trainer={name}", *["trainer.num_nodes=2"][: name == "multinode"])
    assert trainer["use_distributed_sampler"] is False
    # Lightning's own launcher starts the script again, which is the one that counts right.
    assert trainer["strategy"] == ("auto" if name == "default" else "ddp")
    assert trainer["max_epochs"] == trainer_config()["max_epochs"]


def test_many_machines_need_their_number() -> None:
    with pytest.raises(ValueError, match=r"trainer\.num_nodes=\.\.\."):
        trainer_config("trainer=multinode")
