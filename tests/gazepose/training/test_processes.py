"""Eye-contact training in several processes is the training in one: losses, scores, files."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.several_processes import (
    TRAIN,
    assert_same_log,
    files,
    free_port,
    logged,
    run,
    snapshot,
    start,
)
from builders.small_lam import finish_store, small_row, write_clip
from builders.small_lam_training import overrides_of, train_here

from common.training.checkpoints.reading import read_checkpoint

# Batch norms take statistics of a process's share, and dropout draws by process: without both,
# nothing else may differ. 96 and 48 clips: the last batches of one clip leave a process without.
SAME = [
    "model.backbone.frozen=true",
    "model.transformer.dropout=0.0",
    "model.learning_rate=0.0005",
    "data.datamodule.batch_size=5",
    "data.datamodule.eval_batch_size=47",
    "trainer.max_epochs=2",
]
NUM_STEPS = 20  # of an epoch
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
ON_TWO_CPUS = ["trainer=multinode", "trainer.accelerator=cpu", "trainer.sync_batchnorm=false"]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    write_noise(folder / "store", num_clips={"train": 4, "val": 2})
    return folder


def write_noise(store_dir: Path, num_clips: dict[str, int], num_frames: int = 48) -> None:
    """Write clips that show noise, so that no score is perfect and no loss nothing."""
    generator = np.random.default_rng(0)
    for part, num in num_clips.items():
        for clip in range(num):
            rows = [
                small_row(generator, part, "track0", frame, frame, image=noise(generator))
                for frame in range(num_frames)
            ]
            write_clip(store_dir, f"{part}{clip}", rows)
    finish_store(store_dir)


def noise(generator: np.random.Generator) -> np.ndarray:
    return generator.integers(0, 256, (32, 32, 3), np.uint8)


@pytest.fixture(scope="module")
def alone(work_dir: Path) -> Path:
    """A run in one process."""
    train_here("gazepose", work_dir / "store", work_dir / "alone", *SAME)
    return work_dir / "alone"


def typed(work_dir: Path, *overrides: str) -> list[str]:
    """What a user types behind ``train.py``."""
    shared = [o for o in overrides_of("gazepose", work_dir / "store") if "accelerator" not in o]
    return [*shared, *SAME, *overrides]


def in_two(work_dir: Path, run_dir: Path, *overrides: str) -> str:
    return run(
        [*TRAIN, *typed(work_dir, "trainer=ddp_cpu", f"hydra.run.dir={run_dir}", *overrides)],
        work_dir,
    )


def test_two_processes_train_validate_and_test_like_one(work_dir: Path, alone: Path) -> None:
    together = work_dir / "together"
    in_two(work_dir, together)
    record = snapshot(together)
    assert record["data"]["num_samples"] == {"train": 96, "val": 48, "test": 0}
    assert_same_log(logged(together), logged(alone))
    assert record["metrics"] == pytest.approx(snapshot(alone)["metrics"], rel=1e-5)
    assert "test/map" in record["metrics"]
    assert (record["status"], len(record["starts"])) == ("finished", 1)
    # Written once: each file is there, and nothing beside it but the second process's log.
    hydra_log = {"train_ddp_process_1.log", "train.log"}
    beside = {name for name in files(together) if not name.startswith(".hydra/")}
    assert beside - hydra_log == files(alone)
    predictions = "test/ego4d_ego4d_gazepose_predictions.parquet"
    scores = [pl.read_parquet(run_dir / predictions) for run_dir in (together, alone)]
    assert scores[0].drop("score").equals(scores[1].drop("score"))
    assert scores[0]["score"].to_list() == pytest.approx(scores[1]["score"].to_list(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("num_processes", [(1, 2), (2, 1)])
def test_resumed_in_another_number_of_processes(
    work_dir: Path, alone: Path, num_processes: tuple[int, int]
) -> None:
    run_dir = work_dir / f"resumed_{num_processes[1]}"
    trainer = {1: "trainer.accelerator=cpu", 2: "trainer=ddp_cpu"}
    before, after = (trainer[num] for num in num_processes)
    begun = typed(work_dir, before, f"hydra.run.dir={run_dir}", f"+trainer.max_steps={NUM_STEPS}")
    run([*TRAIN, *begun, "test=false"], work_dir)
    last = run_dir / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["epoch"] == 0
    run([*TRAIN, *typed(work_dir, after, f"ckpt_path={last}")], work_dir)
    is_second = lambda row: row.get("epoch", 1) >= 1  # noqa: E731
    expected = [row for row in logged(alone) if is_second(row)][-3:]
    assert_same_log([row for row in logged(run_dir, 1) if is_second(row)][-3:], expected)
    assert len(snapshot(run_dir)["starts"]) == 2


@pytest.mark.slow
def test_continue_run_goes_on_with_other_processes_and_leaves_what_is_finished(
    work_dir: Path, alone: Path
) -> None:
    run_dir = work_dir / "continued"
    in_two(work_dir, run_dir)
    record = snapshot(run_dir)
    (run_dir / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    metrics = train_here("gazepose", work_dir / "store", run_dir, *SAME, "continue_run=true")
    assert metrics["test/map"] == pytest.approx(record["metrics"]["test/map"], rel=1e-5)
    before = (run_dir / "run.json").read_text()
    in_two(work_dir, run_dir, "continue_run=true")
    assert (run_dir / "run.json").read_text() == before


@pytest.mark.slow
def test_a_folder_that_holds_a_run_is_refused_once(work_dir: Path, alone: Path) -> None:
    again = start([*TRAIN, *typed(work_dir, "trainer=ddp_cpu", f"hydra.run.dir={alone}")], work_dir)
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 1
    assert said.count("holds a run already: go on with continue_run=true") == 1
    assert snapshot(alone)["status"] == "finished"


@pytest.mark.slow
def test_torchrun(work_dir: Path, alone: Path) -> None:
    run_dir = work_dir / "torchrun"
    overrides = typed(work_dir, *ON_TWO_CPUS, "trainer.devices=2", "trainer.num_nodes=1")
    command = [*TORCHRUN, "--standalone", "--nproc-per-node=2", *TRAIN[1:], *overrides]
    said = run([*command, f"hydra.run.dir={run_dir}"], work_dir)
    assert_same_log(logged(run_dir), logged(alone))
    assert len(snapshot(run_dir)["starts"]) == 1
    assert said.count("max_epochs=2` reached") == 1
    refused = start(command, work_dir)
    said, _ = refused.communicate(timeout=120)
    assert refused.returncode == 1
    assert "torchrun starts each process by itself" in said


@pytest.mark.slow
def test_two_machines(work_dir: Path, alone: Path) -> None:
    """As two machines would do it: torchrun on each, with one process."""
    run_dir, port = work_dir / "machines", free_port()
    overrides = typed(work_dir, *ON_TWO_CPUS, "trainer.devices=1", "trainer.num_nodes=2")
    rendezvous = [f"--rdzv-endpoint=127.0.0.1:{port}", "--rdzv-backend=c10d", "--rdzv-id=7"]
    command = [*TORCHRUN, "--nnodes=2", "--nproc-per-node=1", *rendezvous, *TRAIN[1:], *overrides]
    machines = [start([*command, f"hydra.run.dir={run_dir}"], work_dir) for _ in range(2)]
    said = [machine.communicate(timeout=300)[0] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert_same_log(logged(run_dir), logged(alone))


@pytest.mark.slow
def test_slurm(work_dir: Path, alone: Path) -> None:
    """The variables that srun sets for two tasks; Slurm itself is not needed for them."""
    run_dir = work_dir / "slurm"
    overrides = typed(work_dir, *ON_TWO_CPUS, "trainer.devices=2", "trainer.num_nodes=1")
    job = {
        "SLURM_JOB_ID": "1234",
        "SLURM_JOB_NAME": "train",
        "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_NNODES": "1",
        "SLURM_NODEID": "0",
        "SLURM_NODELIST": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    tasks = [
        start(
            [*TRAIN, *overrides, f"hydra.run.dir={run_dir}"], work_dir,
            **job, SLURM_PROCID=str(rank), SLURM_LOCALID=str(rank),
        )
        for rank in range(2)
    ]  # fmt: skip
    said = [task.communicate(timeout=300)[0] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0], said
    assert_same_log(logged(run_dir), logged(alone))
    assert len(snapshot(run_dir)["starts"]) == 1


# The second process fails in its third step.
FAILING = """
import runpy
from gazepose.training.module import EyeContactModule
step = EyeContactModule.training_step
def failing(self, batch, number):
    assert number < 2 or self.global_rank == 0, "this process fails"
    return step(self, batch, number)
EyeContactModule.training_step = failing
runpy.run_path({train!r}, run_name="__main__")
"""


@pytest.mark.slow
def test_a_process_that_fails_ends_all_and_is_recorded(work_dir: Path, tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING.format(train=TRAIN[1]))
    run_dir = tmp_path / "run"
    overrides = typed(work_dir, *ON_TWO_CPUS, "trainer.devices=2", "trainer.num_nodes=1")
    command = [*TORCHRUN, "--standalone", "--nproc-per-node=2", str(script), *overrides]
    failed = start([*command, f"hydra.run.dir={run_dir}"], work_dir)
    said, _ = failed.communicate(timeout=120)
    assert failed.returncode == 1
    assert "this process fails" in said
    assert snapshot(run_dir)["status"] == "failed"
