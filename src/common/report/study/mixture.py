"""What runs must share to stand in one table, and what differs where they do not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from common.report.kinds.model_test import ModelTest
from common.report.run import EXTRAS, NOT_RECORDED, Run
from common.report.study.study import Study

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
# Of a run that does not record what its ablation changes, these may not differ; others may.
_SWITCHES = (
    *("priors.landmark_index", "priors.train_landmark_codes", "priors.mirror", "priors.csplit"),
    *("dropout.margin", "dropout.threshold", "dropout.drop_rate", "dropout.drop_centre_at_test"),
    *("data.datamodule", "model.image_size", "model.zoom", "model.width", "model.backbone"),
    *("trainer.precision", "trainer.devices", "trainer.num_nodes"),
)
_LONG = 60  # characters of a value
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """Something that should be one and is not: its values, with the runs of each."""

    what: str
    values: Mapping[str, Sequence[str]]


def run_differences(study: Study) -> list[Difference]:
    """Return what the study's finished runs do not share beside what its rows change.

    Data of one name must be the same data. Seeds of a row must share every setting; rows, those
    that their ablations do not change.
    """
    data = _differing((run.name, _data_facts(run)) for run in study.runs)
    of_rows = [
        difference
        for row in study.rows
        for difference in _differing((run.name, _named(_settings(run), run)) for run in row.runs)
    ]
    known = {difference.what for difference in of_rows}
    across = _differing((run.name, _kept(run)) for run in study.runs)
    others = [difference for difference in across if difference.what not in known]
    return [*_twice(study), *data, *of_rows, *others]


def differences_of_tests(tests: Sequence[ModelTest]) -> list[Difference]:
    """Return in what the protocols of tests on the same data differ."""
    return _differing((_test_name(test), _protocol_facts(test)) for test in tests)


def _twice(study: Study) -> list[Difference]:
    found = []
    for row in study.rows:
        for seed in {job.seed for job in row.jobs}:
            names = [job.run.name for job in row.jobs if job.run and job.seed == seed]
            if len(names) > 1:
                values = {f"{number}. time": [name] for number, name in enumerate(names, start=1)}
                found.append(Difference(f"{row.name} with seed {seed}", values))
    return found


def _data_facts(run: Run) -> Facts:
    data = run.setting("data") or {}
    name = data.get("name", NOT_RECORDED)
    kept = {key: data[key] for key in _DATA_KEYS if key in data}
    return {f"{key} of {name}": value for key, value in _flat(kept)}


def _settings(run: Run) -> Facts:
    config = {group: run.setting(f"config.{group}") for group in _GROUPS}
    flat = (item for group, value in config.items() for item in _flat({group: value}))
    # Weights are what they hold, wherever they lie.
    weights = run.setting("weights") or {}
    return {
        key: 1 if _is_one_device(key, value) else weights.get(str(value)) or value
        for key, value in flat
        if not _is_within(key, _LEFT_OUT)
    }


def _kept(run: Run) -> Facts:
    """Return the settings that the run's ablation does not change."""
    is_kept = _keeps(run)
    return _named({key: value for key, value in _settings(run).items() if is_kept(key)}, run)


def _named(settings: Facts, run: Run) -> Facts:
    """Return settings by a name that says of which data they are, if of data."""
    data = run.setting("config.data.name")
    return {
        f"{key} of {data}" if _is_within(key, ("data",)) else key: value
        for key, value in settings.items()
    }


def _keeps(run: Run) -> Callable[[str], bool]:
    changed = run.setting("ablation_changes")
    if changed is None:
        return lambda key: _is_within(key, _SWITCHES)
    return lambda key: not _is_within(key, changed)


def _is_within(key: str, groups: Iterable[str]) -> bool:
    return any(key == group or key.startswith(f"{group}.") for group in groups)


def _protocol_facts(test: ModelTest) -> Facts:
    return {**asdict(test.protocol), **dict(_flat(test.test_settings))}


def _test_name(test: ModelTest) -> str:
    return f"{test.run.name}/{test.folder}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for key, value in values.items():
        path = f"{prefix}{key}"
        found += _flat(value, f"{path}.") if isinstance(value, Mapping) else [(path, value)]
    return found


def _is_one_device(key: str, value: Any) -> bool:
    """Return whether this says which one device is used: jobs take turns at several."""
    return key == "trainer.devices" and isinstance(value, list) and len(value) == 1


def _differing(named: Iterable[tuple[str, Facts]]) -> list[Difference]:
    values: dict[str, dict[str, list[str]]] = {}
    for name, facts in named:
        for key, value in facts.items():
            values.setdefault(key, {}).setdefault(str(value), []).append(name)
    return [Difference(key, found) for key, found in values.items() if len(found) > 1]


def short(text: str) -> str:
    """Return a value's text, cut if it is long."""
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."
