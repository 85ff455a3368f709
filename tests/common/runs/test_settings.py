"""Other settings than the resumed run's: refused by name, or applied on purpose and recorded."""

import copy
import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from builders.small_store import write_small_store
from builders.small_training import one_thread, small_config, train_here
from torch.optim.lr_scheduler import CosineAnnealingLR, MultiStepLR

from common.runs.run import fit_and_test
from common.runs.settings import changes, changes_of_training, check_resumed_settings, unnamed
from common.runs.snapshot import read_snapshot
from common.training.checkpoints.reading import read_checkpoint
from common.training.configured_rates import ConfiguredRates

SHORT = ["test=false", "callbacks.pictures=null"]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("settings")
    write_small_store(folder / "store")
    return folder


@pytest.fixture(scope="module")
def begun(work_dir: Path) -> bytes:
    """The last checkpoint of the run ``begun``, an epoch long."""
    train_here(work_dir / "store", work_dir / "begun", *SHORT, "trainer.max_epochs=1")
    return (work_dir / "begun" / "checkpoints" / "last.ckpt").read_bytes()


@cache
def config_of(work_dir: Path, *typed: str) -> dict[str, Any]:
    return small_config(work_dir / "store", work_dir / "run", *typed)


@pytest.mark.parametrize(
    "typed",
    [
        "model.learning_rate=0.5",
        "seed=7",
        "data.datamodule.batch_size=2",
        "trainer.gradient_clip_val=1.0",
        "+model.module.optimizer.weight_decay=0.1",
    ],
)
def test_another_setting_is_refused_by_its_name_with_both_values(
    work_dir: Path, typed: str
) -> None:
    key, _, value = typed.removeprefix("+").partition("=")
    found = changes_of_training(config_of(work_dir), config_of(work_dir, typed), is_same_code=True)
    with pytest.raises(ValueError, match=rf"{key}=\S* .*{value}.*resume_with='\[{key}\]'"):
        check_resumed_settings(found, [], "RUN")
    check_resumed_settings(found, [key], "RUN")


def test_what_takes_its_value_from_a_named_option_is_named_with_it(work_dir: Path) -> None:
    found = changes_of_training(
        config_of(work_dir), config_of(work_dir, "seed=7", "model.learning_rate=0.5"), True
    )
    assert {"seed", "data.datamodule.seed", "model.module.optimizer.lr"} <= set(found)
    left = unnamed(found, ["seed"])
    assert set(left) == {"model.learning_rate", "model.module.optimizer.lr"}
    assert unnamed(found, ["seed", "model"]) == {}


def test_places_devices_and_the_length_of_a_training_may_differ(work_dir: Path) -> None:
    typed = [
        *("trainer.max_epochs=9", "trainer.devices=2", "logger=none", "test=false"),
        "model.annotator.analyzer.detector=mediapipe",
        *("data.datamodule.num_workers=3", "paths.runs_dir=elsewhere", "name=another"),
    ]
    now = small_config(work_dir / "moved", work_dir / "moved_run", *typed)
    assert changes_of_training(config_of(work_dir), now, is_same_code=True) == {}
    # The same command in a folder that was moved is the same command.
    now = small_config(work_dir / "moved", work_dir / "moved_run")
    assert changes(config_of(work_dir), now) == {}


def test_an_option_of_another_version_is_no_difference(work_dir: Path) -> None:
    before, now = config_of(work_dir), copy.deepcopy(config_of(work_dir))
    now["model"]["module"]["new_option"] = False
    assert changes_of_training(before, now, is_same_code=False) == {}
    assert list(changes_of_training(before, now, is_same_code=True)) == ["model.module.new_option"]


def test_a_schedule_that_depends_on_the_length_is_named(work_dir: Path) -> None:
    cosine = [
        "model.module.scheduler._target_=torch.optim.lr_scheduler.CosineAnnealingLR",
        *("~model.module.scheduler.milestones", "~model.module.scheduler.gamma"),
        "+model.module.scheduler.T_max=${trainer.max_epochs}",
    ]
    before = config_of(work_dir, *cosine)
    found = changes_of_training(before, config_of(work_dir, *cosine, "trainer.max_epochs=9"), True)
    assert list(found) == ["model.module.scheduler.T_max"]


def test_a_changed_rate_is_refused_or_applied_recorded_and_kept(
    work_dir: Path, begun: bytes
) -> None:
    store, run = work_dir / "store", work_dir / "begun"
    last, record = run / "checkpoints" / "last.ckpt", run / "run.json"
    typed = [*SHORT, "trainer.max_epochs=2", f"ckpt_path={last}", "model.learning_rate=0.5"]
    before = record.read_bytes()
    with pytest.raises(ValueError, match=r"model\.learning_rate=0\.01 .*0\.5"):
        train_here(store, run, *typed)
    assert record.read_bytes() == before

    train_here(store, run, *typed, "resume_with=[model.learning_rate]")
    checkpoint = read_checkpoint(last)
    (group,) = checkpoint["optimizer_states"][0]["param_groups"]
    assert group["initial_lr"] == 0.5
    assert group["lr"] == pytest.approx(0.5 * 0.5)  # after the first milestone
    start = read_snapshot(run)["starts"][-1]
    assert start["changes"]["model.learning_rate"] == [0.01, 0.5]
    assert read_snapshot(run)["config"]["model"]["learning_rate"] == 0.5

    # Had that start been killed before it saved: its config is recorded, nothing has to be named.
    last.write_bytes(begun)
    train_here(store, run, *typed)
    weights, again = checkpoint["state_dict"], read_checkpoint(last)["state_dict"]
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_checkpoint_outside_a_run_goes_on_with_the_settings_of_the_command(
    work_dir: Path, begun: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    alone = work_dir / "alone.ckpt"
    alone.write_bytes(begun)
    typed = [*SHORT, "trainer.max_epochs=2", f"ckpt_path={alone}", "model.learning_rate=0.5"]
    train_here(work_dir / "store", work_dir / "second", *typed)
    assert str(alone) in caplog.text
    checkpoint = read_checkpoint(work_dir / "second" / "checkpoints" / "last.ckpt")
    assert checkpoint["optimizer_states"][0]["param_groups"][0]["initial_lr"] == 0.5


def test_a_finished_training_with_debug_leaves_the_folder_free(work_dir: Path) -> None:
    run = work_dir / "debugged"
    config = small_config(work_dir / "store", run, "continue_run=true", "debug=fast")
    with one_thread():
        fit_and_test(config, {"debug": "fast"}, run)
    assert read_snapshot(run)["status"] == "finished"
    train_here(work_dir / "store", run, *SHORT, "continue_run=true", "trainer.max_epochs=1")
    assert len(read_snapshot(run)["starts"]) == 1
    assert (run / "checkpoints" / "last.ckpt").is_file()
    # A run with a result is not given up for one.
    before = (run / "run.json").read_text()
    with pytest.raises(ValueError, match=rf"{run} .*trainer"), one_thread():
        fit_and_test(config, {"debug": "fast"}, run)
    assert json.loads((run / "run.json").read_text()) == json.loads(before)


@pytest.mark.parametrize("kind", ["milestones", "cosine", "constant"])
def test_a_new_start_rate_gives_the_schedule_that_began_with_it(kind: str) -> None:
    def configured(lr: float) -> Any:
        optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=lr)
        if kind == "constant":
            return optimizer, None
        if kind == "milestones":
            return optimizer, MultiStepLR(optimizer, [2, 5], gamma=0.1)
        return optimizer, CosineAnnealingLR(optimizer, T_max=9)

    def rates(optimizer: Any, scheduler: Any, num_epochs: int) -> list[float]:
        found = []
        for _ in range(num_epochs):
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
            found.append(optimizer.param_groups[0]["lr"])
        return found

    expected = rates(*configured(0.3), 8)
    (optimizer, scheduler), new = configured(0.01), configured(0.3)
    rates(optimizer, scheduler, 3)
    found = [] if scheduler is None else [SimpleNamespace(scheduler=scheduler)]
    trainer: Any = SimpleNamespace(optimizers=[optimizer], lr_scheduler_configs=found)
    asked = new[0] if scheduler is None else {"optimizer": new[0], "lr_scheduler": new[1]}
    module: Any = SimpleNamespace(configure_optimizers=lambda: asked)
    ConfiguredRates().on_train_start(trainer, module)
    assert rates(optimizer, scheduler, 5) == pytest.approx(expected[3:], rel=1e-9)
