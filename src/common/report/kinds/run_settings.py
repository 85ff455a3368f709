"""What of a run makes its result what it is, so that runs of one table must agree in it."""

from collections.abc import Mapping
from typing import Any

from common.config.plain import is_within, leaves
from common.report.kinds.registry import kind_optimising
from common.report.run import EXTRAS, NOT_RECORDED, Run

Facts = Mapping[str, Any]
# Of the data's fingerprint; numbers of training samples depend on the dropout.
_DATA_KEYS = (
    *("recipe", "split", "strides", "eval_eye", "table_sha256"),
    *("landmark_source", "head_pose_source"),
)
_GROUPS = ("priors", "dropout", "data.datamodule", "model", "trainer", *EXTRAS.values())
# What follows from other settings, or says where and not what.
_LEFT_OUT = (
    *("model.inputs", "model.net", "model.annotator", "model.callbacks"),
    *("model.module.net", "model.module.optimizer", "model.module.scheduler"),
    *("data.datamodule.seed", "data.datamodule.num_workers", "data.datamodule.store_dir"),
    *("data.datamodule.name", "data.datamodule.eval_batch_size", "data.datamodule.fold"),
    *("trainer.accelerator", "trainer.strategy", "trainer.enable_progress_bar"),
    *("trainer.enable_model_summary", "trainer.log_every_n_steps", "trainer.profiler"),
    *("trainer.default_root_dir", "trainer.deterministic", "trainer.benchmark"),
)
# Of a run that does not record what its ablation changes, these and its kind's `fixed_settings`
# may not differ; others may.
_FIXED = ("data.datamodule", "trainer.precision", "trainer.devices", "trainer.num_nodes")


def data_facts(run: Run) -> Facts:
    """Return what data of one name must share to be the same data."""
    data = run.setting("data") or {}
    kept = {key: data[key] for key in _DATA_KEYS if key in data}
    return {f"{key} of {data.get('name', NOT_RECORDED)}": value for key, value in leaves(kept)}


def settings(run: Run) -> Facts:
    """Return what the seeds of a row must share."""
    return _named(_settings(run), run)


def kept_settings(run: Run) -> Facts:
    """Return what the rows of a study must share: what the run's ablation does not change."""
    changed, found = run.setting("ablation_changes"), _settings(run)
    if changed is not None:
        kept = {key: value for key, value in found.items() if not is_within(key, changed)}
    else:
        kind = kind_optimising(run.metric)
        fixed = (*_FIXED, *(kind.fixed_settings if kind else ()))
        kept = {key: value for key, value in found.items() if is_within(key, fixed)}
    return _named(kept, run)


def _settings(run: Run) -> Facts:
    # Weights are what they hold, wherever they lie.
    weights = run.setting("weights") or {}
    return {
        key: 1 if _is_one_device(key, value) else weights.get(str(value)) or value
        for key, value in leaves({group: run.setting(f"config.{group}") for group in _GROUPS})
        if not is_within(key, _LEFT_OUT)
    }


def _named(facts: Facts, run: Run) -> Facts:
    """Return settings by a name that says of which data they are, if of data."""
    data = run.setting("config.data.name")
    return {
        f"{key} of {data}" if is_within(key, ("data",)) else key: value
        for key, value in facts.items()
    }


def _is_one_device(key: str, value: Any) -> bool:
    """Return whether this says which one device is used: jobs take turns at several."""
    return key == "trainer.devices" and isinstance(value, list) and len(value) == 1
