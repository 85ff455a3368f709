"""Our own config keys as dataclasses: a misspelt key in a YAML file or override is an error.

What libraries own (trainer, loggers, optimizers) stays plain YAML: their constructors check it.
Importing this module also registers the suite's resolvers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue


@dataclass
class DataConfig:
    """One data set: raw folder, reader, store, loaders."""

    name: str = MISSING
    line: str = MISSING  # as a model's
    raw_dir: str | None = None
    store_dir: str = MISSING
    openface_dir: str | None = None
    lists_dir: str | None = None  # Gaze360's
    raw_writer: dict[str, Any] | None = None
    reader: dict[str, Any] | None = None
    preprocessor: dict[str, Any] | None = None
    datamodule: dict[str, Any] = MISSING


@dataclass
class ModelConfig:
    """One net with the module around it; what all models have."""

    name: str = MISSING
    key: str = MISSING
    line: str = MISSING  # what it is about: gaze_angle | eye_contact | gaze_pretraining
    learning_rate: float = MISSING
    max_epochs: int = MISSING
    metric: str = MISSING  # of validation; chooses the best checkpoint
    metric_mode: str = MISSING  # min | max
    inputs: dict[str, Any] = field(default_factory=dict)  # what it asks of the data module
    net: dict[str, Any] = MISSING
    module: dict[str, Any] = MISSING
    callbacks: dict[str, Any] = field(default_factory=dict)
    painter: dict[str, Any] | None = None  # draws samples, for callbacks.pictures
    annotator: dict[str, Any] | None = None


@dataclass
class GazeAngleModelConfig(ModelConfig):
    """A net of the FLAME line."""

    width: int = MISSING
    hidden: int = MISSING
    dropout: float = MISSING


@dataclass
class EyeContactModelConfig(ModelConfig):
    """A net of the GazePose line."""

    backbone: dict[str, Any] = MISSING
    embedding: int = MISSING  # a frame's features
    lstm_hidden: int = MISSING
    image_size: int = MISSING  # side of what the net sees
    zoom: float = MISSING  # 1: the whole face
    transformer: dict[str, Any] = field(default_factory=dict)  # GazePose's
    init_checkpoint: str | None = None  # weights to start from
    init_part: str = MISSING  # backbone | all


@dataclass
class PriorsConfig:
    """Which priors query GazePose's Transformer, and how finely they are divided."""

    head: bool = MISSING
    landmarks: bool = MISSING
    split: float = MISSING
    dsplit: float = MISSING
    csplit: float = MISSING
    landmark_index: str = MISSING
    train_landmark_codes: bool = MISSING
    mirror: bool = MISSING


@dataclass
class DropoutConfig:
    """Temporal dropout: which neighbours of a frame a clip leaves out."""

    kind: str = MISSING
    margin: float = MISSING
    threshold: float = MISSING
    drop_rate: float = MISSING
    drop_centre_at_test: bool = MISSING


@dataclass
class PathsConfig:
    """Where things lie."""

    data_dir: str = MISSING
    store_dir: str = MISSING
    runs_dir: str = MISSING
    run_dir: str = MISSING


@dataclass
class StudyConfig:
    """One table: its rows (files of ``conf/ablations``) in order, each with every seed."""

    name: str = MISSING
    title: str = MISSING
    rows: dict[str, str] = MISSING  # title of each row, by the name of its file
    seeds: list[int] = MISSING
    published: str | None = None  # table of published numbers that belongs beside it


@dataclass
class TrainConfig:
    """Root of ``conf/train.yaml``."""

    name: str = MISSING
    seed: int = MISSING
    ckpt_path: str | None = None
    continue_run: bool = MISSING
    replay: str | None = None
    test: bool = MISSING
    also_test: list[str] = MISSING
    allow_other_convention: bool = MISSING
    ablation: str | None = None
    is_reference: bool = False
    study: StudyConfig | None = None
    optimized_metric: str = MISSING
    data: DataConfig = field(default_factory=DataConfig)
    priors: PriorsConfig | None = None
    dropout: DropoutConfig | None = None
    model: ModelConfig = field(default_factory=ModelConfig)
    trainer: dict[str, Any] = field(default_factory=dict)
    callbacks: dict[str, Any] = field(default_factory=dict)
    logger: dict[str, Any] = field(default_factory=dict)
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class ReplayTrainerConfig:
    """What a replay may change of the trainer; null keeps what the run had."""

    accelerator: str | None = None
    devices: Any = None
    enable_progress_bar: bool | None = None


@dataclass
class ReplayDataConfig:
    """Where a replay finds the data; null keeps what the run had."""

    store_dir: str | None = None


@dataclass
class ReplayModelConfig:
    """Where a replay finds the weights to start from; null keeps what the run had."""

    init_checkpoint: str | None = None


@dataclass
class ReplayConfig:
    """Root of ``conf/replay.yaml``: everything a replay may differ in."""

    name: str = MISSING
    replay: str = MISSING
    allow_differences: bool = MISSING
    ckpt_path: str | None = None
    trainer: ReplayTrainerConfig = field(default_factory=ReplayTrainerConfig)
    data: ReplayDataConfig = field(default_factory=ReplayDataConfig)
    model: ReplayModelConfig = field(default_factory=ReplayModelConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class PreprocessConfig:
    """Root of ``conf/preprocess.yaml``."""

    mode: str = MISSING
    shard: str = MISSING
    num_workers: int = MISSING
    export_dir: str | None = None
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class PredictConfig:
    """Root of ``conf/predict.yaml``."""

    name: str = MISSING
    seed: int = MISSING
    run: str | None = None
    checkpoint: str | None = None
    split: str | None = None
    source: str | None = None
    output_dir: str | None = None
    statistics: str | None = None
    allow_other_convention: bool = False
    annotator: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    module: dict[str, Any] = field(default_factory=dict)
    export: str | None = None
    data: DataConfig | None = None
    priors: PriorsConfig | None = None
    dropout: DropoutConfig | None = None
    model: ModelConfig | None = None
    paths: PathsConfig = field(default_factory=PathsConfig)


def run_dir(ckpt_path: str | None, new_dir: str) -> str:
    """Return the run folder a checkpoint lies in, so that resuming goes on there, or a new one."""
    if ckpt_path is None:
        return new_dir
    folder = Path(ckpt_path).parent
    is_in_run = folder.name == "checkpoints" and (folder.parent / "run.json").is_file()
    return str(folder.parent) if is_in_run else new_dir


def sweep_choices(values: Iterable[object]) -> str:
    """Return values as Hydra's sweeper wants them: a study's rows and seeds are stated once."""
    return ",".join(str(value) for value in values)


def device_of_job(num_devices: int) -> int:
    """Return the device of this job of a sweep: side by side, jobs take turns at the devices."""
    return int(HydraConfig.get().job.num) % num_devices


# At import: a launcher's workers import this module and call nothing.
OmegaConf.register_new_resolver("run_dir", run_dir, replace=True)
OmegaConf.register_new_resolver("sweep_choices", sweep_choices, replace=True)
OmegaConf.register_new_resolver("device_of_job", device_of_job, replace=True)
# Hydra 1.3 checks our launcher files by the plugins' own schemas, as wanted, and says so each time.
warnings.filterwarnings("ignore", r"\s*'hydra/launcher/", UserWarning)


def register() -> None:
    """Register the schemas with Hydra; may be called again."""
    store = ConfigStore.instance()
    for name, schema in (
        ("train", TrainConfig),
        ("replay", ReplayConfig),
        ("preprocess", PreprocessConfig),
        ("predict", _predict_schema()),
    ):
        store.store(group="schema", name=name, node=schema, package="_global_")
    for name, model in (
        ("gaze_angle", GazeAngleModelConfig),
        ("eye_contact", EyeContactModelConfig),
    ):
        store.store(group="schema/model", name=name, node=model)
    store.store(group="schema", name="priors", node=PriorsConfig)
    store.store(group="schema", name="dropout", node=DropoutConfig)


def _predict_schema() -> DictConfig:
    """Return the schema of predictions, in which changes to a run may have any key."""
    schema = OmegaConf.structured(PredictConfig)
    for name in ("annotator", "results", "module"):
        # Else Hydra takes their keys for misspelt ones: nothing lists them.
        OmegaConf.set_struct(schema[name], False)
    return schema


def plain(cfg: DictConfig | dict[str, Any]) -> dict[str, Any]:
    """Return a config as resolved plain values: what the code below the scripts sees.

    Raises:
        ValueError: If a value the user must give is missing; says what to type.
    """
    try:
        values: Any = OmegaConf.to_container(
            OmegaConf.create(cfg), resolve=True, throw_on_missing=True
        )
    except (MissingMandatoryValue, InterpolationToMissingValueError) as error:
        raise ValueError(f"a value must be given, as data.name=NAME: {error}") from error
    return dict(values)
