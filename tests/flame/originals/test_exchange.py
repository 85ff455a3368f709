"""Training goes on from an original's checkpoint as from our own."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_store import write_small_store
from builders.small_training import composed, small_config, train_here

from common.prediction.command import predict
from common.runs.run import build_module
from common.training.checkpoints.reading import load_module, read_checkpoint, save_checkpoint
from flame.nets.flame import Flame
from flame.originals.checkpoint import read_checkpoint as read_original
from flame.originals.exchange import export_training
from flame.originals.names import guess_model_key

# Three of five epochs: milestones 2 and 3 lie behind, 4 before.
MILESTONES = "model.module.scheduler.milestones=[2,3,4]"


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exchange")
    write_small_store(folder / "store")
    train_here(folder / "store", folder / "first", MILESTONES, "trainer.max_epochs=3", "test=false")
    exported(folder / "first" / "checkpoints" / "last.ckpt", folder / "exported.pth", folder)
    return folder


def exported(checkpoint: Path, path: Path, work_dir: Path) -> None:
    module = build_module(small_config(work_dir / "store", work_dir / "unused", MILESTONES))
    load_module(module, checkpoint)
    export_training(checkpoint, module, path)


def go_on(work_dir: Path, name: str, checkpoint: Path, *overrides: str) -> dict[str, float]:
    run_dir = work_dir / name
    overrides = (MILESTONES, "trainer.max_epochs=5", "test=false", *overrides)
    return train_here(work_dir / "store", run_dir, *overrides, f"ckpt_path={checkpoint}")


@pytest.fixture(scope="module")
def other(work_dir: Path) -> dict[str, float]:
    """Metrics of the run `other`, which went on from the exported checkpoint."""
    before = (work_dir / "exported.pth").read_bytes()
    metrics = go_on(work_dir, "other", work_dir / "exported.pth")
    assert (work_dir / "exported.pth").read_bytes() == before
    return metrics


def last(run_dir: Path) -> dict[str, Any]:
    return read_checkpoint(run_dir / "checkpoints" / "last.ckpt")


def test_training_goes_on_as_from_our_own_checkpoint(
    work_dir: Path, other: dict[str, float]
) -> None:
    assert go_on(work_dir, "own", work_dir / "first" / "checkpoints" / "last.ckpt") == other
    before, weights, other_weights = (
        last(work_dir / name)["state_dict"] for name in ("first", "own", "other")
    )
    assert all(torch.equal(weights[name], other_weights[name]) for name in weights)
    assert any(not torch.equal(weights[name], before[name]) for name in weights)


def test_the_learning_rate_goes_on_along_its_schedule(
    work_dir: Path, other: dict[str, float]
) -> None:
    checkpoint = last(work_dir / "other")
    (scheduler,) = checkpoint["lr_schedulers"]
    assert scheduler["last_epoch"] == 5
    # Milestones 2, 3 and 4 are behind.
    rate = pytest.approx(0.01 * 0.5**3)
    assert scheduler["_last_lr"] == [rate]
    assert checkpoint["optimizer_states"][0]["param_groups"][0]["lr"] == rate


def test_epochs_are_numbered_from_0_in_both_forms(work_dir: Path) -> None:
    original = read_original(work_dir / "exported.pth")
    assert original.epoch == 2
    assert guess_model_key(original.model_state_dict) == "mmtm-fusion"
    # 16 training faces in batches of 4, three epochs.
    steps = {int(values["step"]) for values in original.optimizer_state_dict["state"].values()}
    assert steps == {12}


def test_the_exported_schedule_stands_before_the_step_that_ends_the_epoch(work_dir: Path) -> None:
    original = read_original(work_dir / "exported.pth")
    assert original.scheduler_state_dict["last_epoch"] == original.epoch == 2
    # Of milestones 2, 3 and 4, the third epoch's rate knows one.
    rate = pytest.approx(0.01 * 0.5)
    assert original.scheduler_state_dict["_last_lr"] == [rate]
    assert original.optimizer_state_dict["param_groups"][0]["lr"] == rate


def test_the_originals_way_to_resume_lags_one_epoch_behind_as_with_its_own_files(
    work_dir: Path,
) -> None:
    """The original loads optimizer and scheduler, trains, saves, and steps at an epoch's end."""

    def fresh() -> tuple[torch.optim.Adam, torch.optim.lr_scheduler.MultiStepLR]:
        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        return optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3, 4], gamma=0.5)

    def epochs(optimizer: Any, scheduler: Any, num: int) -> Iterator[tuple[float, Any]]:
        for _ in range(num):
            rate = optimizer.param_groups[0]["lr"]
            optimizer.step()
            yield rate, copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            scheduler.step()

    net = Flame(width=2, hidden=8)
    rates, saved = zip(*epochs(*fresh(), 7), strict=True)
    original = read_original(work_dir / "exported.pth")
    resumed = {}
    for name, (optimizer_state, scheduler_state) in {
        "its own": saved[2],
        "ours": (original.optimizer_state_dict, original.scheduler_state_dict),
    }.items():
        optimizer, scheduler = fresh()
        optimizer.load_state_dict(optimizer_state)
        scheduler.load_state_dict(scheduler_state)
        resumed[name] = [rate for rate, _ in epochs(optimizer, scheduler, 4)]
    assert resumed["ours"] == pytest.approx(resumed["its own"])
    # Epoch 3 is trained with epoch 2's rate, and so on.
    assert resumed["ours"] == pytest.approx(rates[2:6])


def test_a_checkpoint_without_the_originals_schedule_is_not_exported(work_dir: Path) -> None:
    path = work_dir / "constant_rate.ckpt"
    save_checkpoint({**last(work_dir / "first"), "lr_schedulers": []}, path)
    with pytest.raises(ValueError, match="MultiStepLR"):
        exported(path, work_dir / "none.pth", work_dir)
    assert not (work_dir / "none.pth").exists()


def test_there_and_back_changes_nothing(work_dir: Path, other: dict[str, float]) -> None:
    resumable = work_dir / "other" / "checkpoints" / "from_exported.ckpt"
    exported(resumable, work_dir / "again.pth", work_dir)
    first, again = read_original(work_dir / "exported.pth"), read_original(work_dir / "again.pth")
    assert again.epoch == first.epoch
    assert again.scheduler_state_dict["milestones"] == first.scheduler_state_dict["milestones"]
    for name, value in first.model_state_dict.items():
        assert torch.equal(again.model_state_dict[name], value)
    for number, values in first.optimizer_state_dict["state"].items():
        assert torch.equal(
            again.optimizer_state_dict["state"][number]["exp_avg"], values["exp_avg"]
        )


def test_predict_exports_a_runs_checkpoint(work_dir: Path) -> None:
    path = work_dir / "by_predict.pth"
    config = composed("predict", f"run={work_dir / 'first'}", f"export={path}", "paths.run_dir=x")
    assert str(path) in predict(config)
    assert guess_model_key(read_original(path).model_state_dict) == "mmtm-fusion"


def test_an_originals_checkpoint_of_another_net_is_refused(work_dir: Path) -> None:
    with pytest.raises(ValueError, match="mmtm-fusion"):
        go_on(work_dir, "misfit", work_dir / "exported.pth", "model=flame_b")


def test_a_schedule_of_another_kind_is_refused(work_dir: Path) -> None:
    with pytest.raises(ValueError, match="MultiStepLR"):
        go_on(work_dir, "no_schedule", work_dir / "exported.pth", "model.module.scheduler=null")


def test_a_missing_checkpoint_is_named(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"ckpt_path=.*nowhere\.pth"):
        go_on(work_dir, "nowhere", work_dir / "nowhere.pth")
