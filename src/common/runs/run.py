"""Seed, build, fit, test: the only file that touches the Trainer."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningDataModule, LightningModule, Trainer
from pytorch_lightning import seed_everything as seed_all
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import Logger
from pytorch_lightning.plugins.environments import LightningEnvironment
from pytorch_lightning.utilities import rank_zero_only

from common.config.checks import check_inputs, check_line, check_precision, check_steps
from common.config.instantiate import build
from common.config.plain import Config
from common.config.resolvers import fast_precision
from common.files.atomic import remove_leftovers
from common.loggers.dashboard import log_checkpoint, log_end, log_start
from common.runs.folder import check_free, check_resumed, continued, takes_own_settings
from common.runs.snapshot import FILE_NAME as SNAPSHOT_FILE
from common.runs.snapshot import finish_snapshot, git_summary, record_processes, start_snapshot
from common.training.checkpoints.kept_metrics import KeptMetrics
from common.training.checkpoints.lightning_io import WholeCheckpointIO
from common.training.checkpoints.resuming import check_resumable, whole_checkpoint
from common.training.configured_rates import ConfiguredRates
from common.training.distributed import is_first_process, leave_group

LOG = logging.getLogger(__name__)
# Where in its folder a training writes.
_WRITTEN = ("", "checkpoints", "pictures", "test")


def fit_and_test(config: Config, choices: Config, run_dir: Path) -> dict[str, float]:
    """Train as configured, test the best checkpoint, and record the run.

    Of several processes the first one checks the folder, tests and records; the others train.

    Args:
        config: the resolved train config as plain values.
        choices: Hydra's group choices, for the record.
        run_dir: where everything goes.

    Returns:
        All metrics by name; in other than the first process, those of the training.
    """
    if is_first_process():
        check_free(run_dir, config)
    if config["continue_run"]:
        finished, config = continued(config, run_dir, choices)
        if finished is not None:
            LOG.info("%s is finished and left as it is", run_dir)
            return finished
    check_line(config["model"], config["data"])
    check_inputs(config["model"], config)
    check_precision(config["trainer"])
    check_steps(config["trainer"])
    _quiet_libraries()
    seed_all(config["seed"], workers=True)
    datamodule, module = build_data(config), build_module(config)
    module.adopt(datamodule)
    if is_first_process():
        _begin(run_dir, config, choices, datamodule)
    status, metrics = "failed", dict[str, float]()
    loggers = _build_all(config["logger"])
    try:
        trainer = _trainer(config, run_dir, loggers)
        if takes_own_settings(config):
            trainer.callbacks.append(ConfiguredRates())
        if is_first_process():
            record_processes(run_dir, trainer.world_size)
            _warn_of_slow_precision(trainer)
        log_start(loggers, {**config, "git": git_summary()})
        checkpoint = _resumable(config["ckpt_path"], module, trainer, run_dir)
        trainer.fit(module, datamodule, ckpt_path=checkpoint, weights_only=_flag(checkpoint))
        leave_group()
        metrics |= _numbers(trainer) | _best_score(trainer)
        if config["test"] and is_first_process():
            best, tester = _best_checkpoint(trainer), _tester(trainer, config, run_dir)
            tester.test(module, datamodule, ckpt_path=best, weights_only=_flag(best))
            metrics |= _numbers(tester)
        _log_best_checkpoint(trainer, metrics)
        status = "finished"
    except (KeyboardInterrupt, SystemExit):
        status = "interrupted"
        raise
    finally:
        # Another process that fails says so: it takes the first one with it.
        if is_first_process() or (status == "failed" and (run_dir / SNAPSHOT_FILE).is_file()):
            finish_snapshot(run_dir, status, metrics)
        log_end(loggers, status, metrics)
    return metrics


def _begin(run_dir: Path, config: Config, choices: Config, datamodule: Any) -> None:
    changes = check_resumed(run_dir, config, datamodule)
    for name in _WRITTEN:
        remove_leftovers(run_dir / name)
    data = datamodule.fingerprint()
    start_snapshot(run_dir, config=config, choices=choices, data=data, changes=changes)


def test(
    module: LightningModule,
    datamodule: LightningDataModule,
    callbacks: list[Callback],
    precision: Any,
) -> dict[str, float]:
    """Test a loaded module, on one device: several would see some samples twice."""
    _quiet_libraries()
    trainer = Trainer(
        devices=1,
        precision=precision,
        logger=False,
        callbacks=callbacks,
        enable_checkpointing=False,
    )
    _warn_of_slow_precision(trainer)
    trainer.test(module, datamodule, verbose=False)
    return _numbers(trainer)


def _warn_of_slow_precision(trainer: Trainer) -> None:
    """Say so where the device only emulates the precision that was asked for."""
    kind = trainer.strategy.root_device.type
    if trainer.precision == "bf16-mixed" != fast_precision(kind):
        LOG.warning(
            "trainer.precision=bf16-mixed, which this %s does not compute in: a step takes some "
            "ten times as long as with trainer.precision=32-true",
            kind,
        )


def _quiet_libraries() -> None:
    """Drop Lightning's advertising and its own use of deprecated torch calls.

    Of several processes the first one speaks; the others only warn.

    Seen with pytorch-lightning 2.6.6 and torch 2.15; warnings about the user's settings stay.
    """
    if rank_zero_only.rank:
        logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").addFilter(
        lambda record: "Tip: For seamless" not in record.getMessage()
    )
    warnings.filterwarnings("ignore", message=r".*treespec, LeafSpec.*")
    # The machine decides how many loader workers help; two cores feed two.
    warnings.filterwarnings("ignore", message=r".*does not have many workers.*")


def build_data(config: Config, **arguments: Any) -> Any:
    """Return the data module of a config, with what its model asks of the data.

    Further arguments of the data module take precedence.
    """
    return build(config["data"]["datamodule"], **config["model"]["inputs"] | arguments)


def build_module(config: Config, **arguments: Any) -> Any:
    """Return the Lightning module of a config, net included."""
    return build(config["model"]["module"], **arguments)


def _trainer(config: Config, run_dir: Path, loggers: list[Logger], **options: Any) -> Trainer:
    configured = [*_build_all(config["callbacks"]), *_build_all(config["model"]["callbacks"])]
    options |= {"logger": loggers, "default_root_dir": str(run_dir)}
    options["callbacks"] = [KeptMetrics(), *configured]
    given = options.get("plugins") or config["trainer"].get("plugins") or []
    options["plugins"] = [WholeCheckpointIO(), *given]
    trainer: Trainer = build(config["trainer"], **options)
    return trainer


def _tester(fitted: Trainer, config: Config, run_dir: Path) -> Trainer:
    """Return what tests after a training: the same trainer, or of several processes one alone.

    A test in several would see samples in an order of its own, and write its files several times.
    """
    if fitted.world_size == 1:
        return fitted
    device = fitted.strategy.root_device
    alone = {
        "devices": [device.index] if device.type == "cuda" else 1,
        "num_nodes": 1,
        "strategy": "auto",
        "sync_batchnorm": False,
        # torchrun and Slurm would be asked for their processes.
        "plugins": [LightningEnvironment()],
    }
    tester = _trainer(config, run_dir, fitted.loggers, **alone)
    # The test is logged at the step that the training ended with.
    tester.fit_loop.load_state_dict(fitted.fit_loop.state_dict())
    return tester


def _build_all(configs: Config | None) -> list[Any]:
    chosen = [config for config in (configs or {}).values() if config is not None]
    return [build(config) for config in chosen]


def _resumable(ckpt_path: str | None, module: Any, trainer: Trainer, run_dir: Path) -> str | None:
    if ckpt_path is None:
        return None
    path = Path(ckpt_path)
    if not path.is_file():
        raise ValueError(f"ckpt_path={path}: no such file")
    if path.suffix == ".ckpt":
        path = whole_checkpoint(path)
        check_resumable(path, trainer.callbacks)
        LOG.info("going on from %s", path)
        return str(path)
    converted = run_dir / "checkpoints" / f"from_{path.stem}.ckpt"
    if is_first_process():
        module.import_checkpoint(path, converted, trainer)
    return str(converted)


def _best_score(trainer: Trainer) -> dict[str, float]:
    """Return the monitored metric of the best checkpoint, which is what the test uses."""
    callback = trainer.checkpoint_callback
    if not isinstance(callback, ModelCheckpoint) or callback.best_model_score is None:
        return {}
    return {f"best_{callback.monitor}": float(callback.best_model_score)}


def _best_checkpoint(trainer: Trainer) -> str | None:
    """Return the best checkpoint of this fit, or None to test the weights as they are."""
    callback = trainer.checkpoint_callback
    if isinstance(callback, ModelCheckpoint) and callback.best_model_path:
        return callback.best_model_path
    LOG.warning("no best checkpoint in this run: the test uses the last weights")
    return None


def _log_best_checkpoint(trainer: Trainer, metrics: Mapping[str, float]) -> None:
    callback = trainer.checkpoint_callback
    if isinstance(callback, ModelCheckpoint) and callback.best_model_path:
        log_checkpoint(trainer.loggers, Path(callback.best_model_path), metrics)


def _flag(checkpoint: str | None) -> bool | None:
    """Return `weights_only` for a checkpoint: ours hold tensors and plain values."""
    return None if checkpoint is None else True


def _numbers(trainer: Trainer) -> dict[str, float]:
    metrics = trainer.callback_metrics.items()
    return {name: float(value) for name, value in metrics if isinstance(value, torch.Tensor)}
