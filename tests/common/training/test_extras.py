"""What conf/extras adds to a training, by the door a user comes through."""

import math
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import torch
from builders import small_lam_training
from builders.small_lam_training import metrics_said, predict_here, write_store
from builders.small_store import write_small_store
from builders.small_training import train_here

from common.config.checks import check_steps
from common.training.checkpoints.reading import read_checkpoint
from common.training.compilation import CompiledNet
from common.training.early_stopping import EarlyStop
from common.training.weight_average import WeightAverage
from flame.training.module import GazeAngleModule

Metrics = dict[str, float]
Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extras")
    write_small_store(folder / "store")
    return folder


def train(work_dir: Path, name: str, *typed: str) -> Metrics:
    """Train FLAME for four epochs."""
    return train_here(work_dir / "store", work_dir / name, *typed)


@pytest.fixture(scope="module")
def plain(work_dir: Path) -> Metrics:
    return train(work_dir, "plain")


def checkpoint(work_dir: Path, run: str, name: str = "last") -> dict[str, Any]:
    return read_checkpoint(work_dir / run / "checkpoints" / f"{name}.ckpt")


def logged(work_dir: Path, run: str, column: str) -> list[float]:
    table = pl.read_csv(work_dir / run / "csv" / "version_0" / "metrics.csv")
    return table[column].drop_nulls().to_list()


def interrupted(
    work_dir: Path, name: str, epoch: int, monkeypatch: pytest.MonkeyPatch, *typed: str
) -> Metrics:
    """End a training by Ctrl-C inside an epoch, and let it go on."""

    def interrupt(module: GazeAngleModule, _: object, batch_idx: int) -> None:
        if (module.current_epoch, batch_idx) == (epoch, 1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(GazeAngleModule, "on_train_batch_start", interrupt, raising=False)
        with pytest.raises(SystemExit):
            train(work_dir, name, "continue_run=true", *typed)
    return train(work_dir, name, "continue_run=true", *typed)


def assert_same(found: Weights, expected: Weights) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


ALL = [
    *("extras=[ema,early_stopping,accumulate,clip]", "trainer.accumulate_grad_batches=2"),
    *("trainer.max_epochs=3", "test=false"),
]


def test_interrupted_and_continued_ends_like_one_never_interrupted(
    work_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = train(work_dir, "all", *ALL)
    assert interrupted(work_dir, "all_twice", 1, monkeypatch, *ALL) == unbroken
    for name in ("best", "last"):
        ended, expected = (checkpoint(work_dir, run, name) for run in ("all_twice", "all"))
        for key in ("state_dict", "trained_state_dict"):
            assert_same(ended[key], expected[key])


# Weight averaging


def test_the_best_checkpoint_holds_the_average_and_the_test_is_of_it(
    work_dir: Path, plain: Metrics
) -> None:
    metrics = train(work_dir, "ema", "extras=[ema]")
    # What is trained is not touched: the loss is that of a training without.
    assert logged(work_dir, "ema", "train/loss") == logged(work_dir, "plain", "train/loss")
    last = checkpoint(work_dir, "ema")
    assert_same(last["trained_state_dict"], checkpoint(work_dir, "plain")["state_dict"])
    assert any(
        not torch.equal(v, last["trained_state_dict"][n]) for n, v in last["state_dict"].items()
    )
    # Validated and tested are the averages, by the run and by predict.py.
    assert metrics["best_val/angular_error_deg"] == min(
        logged(work_dir, "ema", "val/angular_error_deg")
    )
    assert metrics["test/angular_error_deg"] != plain["test/angular_error_deg"]
    said = metrics_said(predict_here(f"run={work_dir / 'ema'}", "split=test"))
    expected = metrics["test/angular_error_deg"]
    assert said["test/angular_error_deg"] == pytest.approx(expected, abs=1e-4)
    # As weights to be tested without knowing of any average.
    bare = shutil.copytree(work_dir / "ema", work_dir / "bare")
    best = checkpoint(work_dir, "bare", "best")
    torch.save({"state_dict": best["state_dict"], **_statistics(best)}, bare / "only.ckpt")
    typed = [f"checkpoint={bare / 'only.ckpt'}", f"output_dir={bare / 'out'}"]
    assert metrics_said(predict_here(f"run={bare}", "split=test", *typed)) == said


def _statistics(saved: dict[str, Any]) -> dict[str, Any]:
    """What a module saves beside its weights."""
    of_lightning = {"state_dict", "trained_state_dict", "callbacks", "optimizer_states", "loops"}
    return {name: value for name, value in saved.items() if name not in of_lightning}


def test_the_average_is_that_of_every_step(work_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the sum over the weights of all steps, by hand, in float64."""
    seen: list[Weights] = []

    def keep(callback: WeightAverage, trainer: Any, module: Any, *rest: Any) -> None:
        if trainer.global_step == len(seen):
            seen.append({n: v.detach().clone() for n, v in module.state_dict().items()})
        original(callback, trainer, module, *rest)

    def keep_first(module: GazeAngleModule) -> None:
        seen.append({n: v.detach().clone() for n, v in module.state_dict().items()})

    original: Callable[..., None] = WeightAverage.on_train_batch_end
    monkeypatch.setattr(WeightAverage, "on_train_batch_end", keep)
    monkeypatch.setattr(GazeAngleModule, "on_train_start", keep_first, raising=False)
    # The third step is the first that the given decay rules; a validation lies in between.
    typed = ["callbacks.weight_average.decay=0.2", "trainer.max_epochs=2", "test=false"]
    train(work_dir, "steps", "extras=[ema]", *typed)
    found = checkpoint(work_dir, "steps")["state_dict"]
    for name, value in found.items():
        if not value.is_floating_point():
            assert torch.equal(value, seen[-1][name])
            continue
        expected = seen[0][name].double()
        for step, weights in enumerate(seen[1:]):
            decay = min(0.2, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * weights[name].double()
        torch.testing.assert_close(value.double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_decay_of_zero_is_the_training_itself(work_dir: Path, plain: Metrics) -> None:
    typed = ["extras=[ema]", "callbacks.weight_average.decay=0"]
    assert train(work_dir, "no_decay", *typed) == plain


@pytest.mark.slow
def test_a_run_without_one_goes_on_with_one(work_dir: Path, plain: Metrics) -> None:
    shutil.copytree(work_dir / "plain", work_dir / "later")
    last = work_dir / "later" / "checkpoints" / "last.ckpt"
    metrics = train(work_dir, "later", "extras=[ema]", f"ckpt_path={last}", "trainer.max_epochs=5")
    assert math.isfinite(metrics["test/angular_error_deg"])
    assert "trained_state_dict" in checkpoint(work_dir, "later")


CLIP = "trainer.gradient_clip_val,trainer.gradient_clip_algorithm"


def test_a_run_with_one_goes_on_with_one_alone(work_dir: Path) -> None:
    train(work_dir, "averaged", "extras=[ema]", "trainer.max_epochs=1", "test=false")
    last = f"ckpt_path={work_dir / 'averaged' / 'checkpoints' / 'last.ckpt'}"
    with pytest.raises(ValueError, match=rf"{last} .*extras=\[ema\]"):
        train(work_dir, "averaged", last, "trainer.max_epochs=2")
    clipped = ["extras=[ema,clip]", f"resume_with=[{CLIP}]"]
    train(work_dir, "averaged", last, "trainer.max_epochs=2", *clipped, "test=false")
    assert checkpoint(work_dir, "averaged")["epoch"] == 1


def test_gazepose_trains_with_one_too(tmp_path: Path) -> None:
    """Its position table grows at the first batch."""
    write_store(tmp_path / "store")
    typed = ["extras=[ema]", "trainer.max_epochs=1"]
    metrics = small_lam_training.train_here(
        "gazepose", tmp_path / "store", tmp_path / "run", *typed
    )
    assert metrics["test/map"] == pytest.approx(metrics["best_val/map"], abs=1e-6)


# Early stopping

STOPS = [
    *("extras=[early_stopping]", "callbacks.early_stopping.patience=2"),
    *("callbacks.early_stopping.min_delta=1000", "trainer.max_epochs=9"),
]


@pytest.fixture(scope="module")
def stopped(work_dir: Path) -> Metrics:
    """Of a training that never gets better by 1000 degrees."""
    return train(work_dir, "stopped", *STOPS)


def test_a_training_that_gets_no_better_ends(work_dir: Path, stopped: Metrics) -> None:
    # The first validation is the best, two more are patience.
    assert len(logged(work_dir, "stopped", "val/angular_error_deg")) == 3
    assert checkpoint(work_dir, "stopped")["epoch"] == 2
    # What is tested is the best all the same.
    errors = logged(work_dir, "stopped", "val/angular_error_deg")
    assert stopped["best_val/angular_error_deg"] == pytest.approx(min(errors), abs=1e-4)


@pytest.mark.slow
def test_a_metric_that_should_rise_is_watched_rising(work_dir: Path) -> None:
    """Asked for the greatest error, a training whose error falls ends at once."""
    typed = ["extras=[early_stopping]", "callbacks.early_stopping.patience=1"]
    train(work_dir, "rising", *typed, "model.metric_mode=max")
    errors = logged(work_dir, "rising", "val/angular_error_deg")
    assert len(errors) == 1 + next(i for i in range(1, 4) if errors[i] <= max(errors[:i]))


@pytest.mark.slow
def test_patience_outlasts_an_interruption(
    work_dir: Path, stopped: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert interrupted(work_dir, "stopped_twice", 2, monkeypatch, *STOPS) == stopped


def test_a_training_that_had_ended_trains_no_further(work_dir: Path, stopped: Metrics) -> None:
    """As after a kill between its end and that of the test; but for more patience."""
    shutil.copytree(work_dir / "stopped", work_dir / "over")
    last = work_dir / "over" / "checkpoints" / "last.ckpt"
    metrics = train(work_dir, "over", *STOPS, f"ckpt_path={last}")
    assert checkpoint(work_dir, "over")["epoch"] == 2
    assert metrics["test/angular_error_deg"] == stopped["test/angular_error_deg"]
    patient = [*STOPS, "callbacks.early_stopping.patience=3", "test=false"]
    train(work_dir, "over", *patient, f"ckpt_path={last}")
    assert checkpoint(work_dir, "over")["epoch"] == 3


def test_a_training_ends_where_an_epoch_does(work_dir: Path, plain: Metrics) -> None:
    """However many validations there are inside; from there it goes on."""
    run = "inside"
    typed = [*STOPS, "trainer.val_check_interval=1", "trainer.max_epochs=3", "test=false"]
    train(work_dir, run, *typed)
    num_batches = checkpoint(work_dir, "plain")["global_step"] // 4
    ended = checkpoint(work_dir, run)
    assert ended["global_step"] == (ended["epoch"] + 1) * num_batches
    assert ended["epoch"] == 0
    last = f"ckpt_path={work_dir / run / 'checkpoints' / 'last.ckpt'}"
    train(work_dir, run, *typed, last, "callbacks.early_stopping.patience=99")
    assert checkpoint(work_dir, run)["global_step"] == 3 * num_batches


# Steps


def test_a_step_of_several_batches_ends_with_the_epoch(work_dir: Path, plain: Metrics) -> None:
    typed = ["extras=[accumulate]", "trainer.accumulate_grad_batches=3", "test=false"]
    train(work_dir, "three", *typed)
    num_batches = checkpoint(work_dir, "plain")["global_step"] / 4
    assert checkpoint(work_dir, "three")["global_step"] == 4 * math.ceil(num_batches / 3)
    # The learning rate falls by epochs as ever.
    rates = [logged(work_dir, run, "lr-Adam") for run in ("three", "plain")]
    assert rates[0] == rates[1]
    assert len(set(rates[0])) == 3


def test_no_step_is_longer_than_the_clip(work_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []

    def keep(module: GazeAngleModule, optimizer: torch.optim.Optimizer) -> None:
        given = [value.grad for value in module.parameters() if value.grad is not None]
        norms.append(float(torch.nn.utils.get_total_norm(given)))

    monkeypatch.setattr(GazeAngleModule, "on_before_zero_grad", keep, raising=False)
    typed = ["extras=[clip]", "trainer.max_epochs=1", "test=false"]
    train(work_dir, "clipped", *typed, "trainer.gradient_clip_val=0.01")
    assert max(norms) <= 0.01 * (1 + 1e-4)
    assert max(norms) > 0.009


def steps_checked(**trainer: Any) -> None:
    check_steps(trainer)


@pytest.mark.parametrize(
    ("take", "changed"),
    [
        *((steps_checked, {"gradient_clip_val": value}) for value in (0, math.nan, "much")),
        *((steps_checked, {"accumulate_grad_batches": value}) for value in (0, 1.5)),
        *((partial(EarlyStop, "error", "min"), {name: -1}) for name in ("patience", "min_delta")),
    ],
)
def test_what_makes_no_sense_is_refused(
    take: Callable[..., object], changed: dict[str, Any]
) -> None:
    ((name, value),) = changed.items()
    with pytest.raises(ValueError, match=rf"{name}.*{value}"):
        take(**changed)


@pytest.mark.parametrize(
    "typed", ["trainer.gradient_clip_val=-1", "callbacks.weight_average.decay=1"]
)
def test_a_training_begins_with_no_nonsense(work_dir: Path, typed: str) -> None:
    name, value = typed.split("=")
    with pytest.raises(ValueError, match=rf"(?s)(?=.*{re.escape(name)}).*{value}"):
        train(work_dir, "refused", "extras=[ema]", typed)


# Compilation


def test_what_a_training_calls_is_compiled_and_nothing_else() -> None:
    captured = torch._dynamo.utils.counters["stats"]
    net = torch.nn.Linear(2, 1)
    for stage, is_compiled in (("test", False), ("fit", True)):
        captured.clear()
        CompiledNet("eager").setup(None, SimpleNamespace(net=net), stage)  # type: ignore[arg-type]
        net(torch.zeros(1, 2))
        assert (captured["calls_captured"] > 0) == is_compiled
    assert [*net.state_dict()] == ["weight", "bias"]


HAS_COMPILER = any(shutil.which(name) for name in ("g++", "clang++", "c++"))


BACKENDS = [
    pytest.param("eager", marks=pytest.mark.slow),
    pytest.param(
        "inductor",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(not HAS_COMPILER, reason="inductor needs a C++ compiler"),
        ],
    ),
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_compiled_net_trains_alike_and_its_checkpoints_fit_either_way(
    work_dir: Path, plain: Metrics, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the last epoch of a plain training on, compiled, and tested without."""
    # A compilation that was killed leaves broken files in the user's cache.
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(work_dir / "cache"))
    run = shutil.copytree(work_dir / "plain", work_dir / backend)
    typed = [f"ckpt_path={run / 'checkpoints' / 'last.ckpt'}", "trainer.max_epochs=5"]
    compiled = ["extras=[compile]", f"callbacks.compile.backend={backend}"]
    torch._dynamo.utils.counters.clear()
    metrics = train(work_dir, backend, *typed, *compiled)
    assert torch._dynamo.utils.counters["stats"]["calls_captured"] > 0
    shutil.copytree(work_dir / "plain", work_dir / f"not_{backend}")
    last = work_dir / f"not_{backend}" / "checkpoints" / "last.ckpt"
    longer = train(work_dir, f"not_{backend}", f"ckpt_path={last}", "trainer.max_epochs=5")
    assert metrics == pytest.approx(longer, rel=0.02)
    names = [checkpoint(work_dir, one)["state_dict"].keys() for one in (backend, "plain")]
    assert names[0] == names[1]
    said = metrics_said(predict_here(f"run={run}", "split=test"))
    expected = metrics["test/angular_error_deg"]
    assert said["test/angular_error_deg"] == pytest.approx(expected, abs=1e-2)
