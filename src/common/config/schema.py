"""Our own config keys as dataclasses: a misspelt key in a YAML file or override is an error.

What libraries own (trainer, loggers, optimizers) stays plain YAML: their constructors check it.
"""

import warnings
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from common.config.groups import (
    DataConfig,
    DropoutConfig,
    EyeContactModelConfig,
    FacesConfig,
    GazeAngleModelConfig,
    ModelConfig,
    PathsConfig,
    PriorsConfig,
    StudyConfig,
)

# Hydra 1.3 checks our launcher files by the plugins' own schemas, as wanted, and says so each time.
warnings.filterwarnings("ignore", r"\s*'hydra/launcher/", UserWarning)


@dataclass
class TrainConfig:
    """Root of ``conf/train.yaml``."""

    name: str = MISSING
    seed: int = MISSING
    ckpt_path: str | None = None
    continue_run: bool = MISSING
    resume_with: list[str] = field(default_factory=list)
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
    trusted: list[str] = MISSING
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
    export_heatmaps: bool = True
    export_file: str | None = None
    seed: int = 0
    faces: FacesConfig = field(default_factory=FacesConfig)
    data: DataConfig = field(default_factory=DataConfig)
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class PredictTrainerConfig:
    """What a prediction may change of the trainer; null keeps what the run had."""

    precision: str | None = None


@dataclass
class CalibrationConfig:
    """Calibration by a person's own samples; nulls for none."""

    samples: int | None = None
    repeats: int = MISSING
    file: str | None = None


@dataclass
class PredictConfig:
    """Root of ``conf/predict.yaml``."""

    name: str = MISSING
    seed: int = MISSING
    run: str | None = None
    contact_run: str | None = None
    checkpoint: str | None = None
    onnx: str | None = None
    split: str | None = None
    source: str | None = None
    format: str = MISSING
    output_dir: str | None = None
    statistics: str | None = None
    allow_other_convention: bool = False
    trusted: list[str] = MISSING
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    trainer: PredictTrainerConfig = field(default_factory=PredictTrainerConfig)
    annotator: dict[str, Any] = field(default_factory=dict)
    faces: FacesConfig = field(default_factory=FacesConfig)
    datamodule: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    module: dict[str, Any] = field(default_factory=dict)
    export: str | None = None
    lines: dict[str, Any] = MISSING
    data: DataConfig | None = None
    priors: PriorsConfig | None = None
    dropout: DropoutConfig | None = None
    model: ModelConfig | None = None
    paths: PathsConfig = field(default_factory=PathsConfig)


@dataclass
class ServerConfig:
    """Where a page is served."""

    host: str = "127.0.0.1"
    port: int = 7860


@dataclass
class LivePathsConfig:
    """Where a live page finds runs by name."""

    runs_dir: str = "runs"


@dataclass
class LiveConfig:
    """What ``python -m common.live`` takes; it needs no file of ``conf/``."""

    run: str | None = None
    contact_run: str | None = None
    checkpoint: str | None = None
    trusted: list[str] = field(default_factory=list)
    annotator: dict[str, Any] = field(default_factory=dict)
    module: dict[str, Any] = field(default_factory=dict)
    trainer: PredictTrainerConfig = field(default_factory=PredictTrainerConfig)
    faces: FacesConfig = field(default_factory=FacesConfig)
    paths: LivePathsConfig = field(default_factory=LivePathsConfig)
    server: ServerConfig = field(default_factory=ServerConfig)


def register() -> None:
    """Register the schemas with Hydra; may be called again."""
    store = ConfigStore.instance()
    for name, schema in (
        ("train", TrainConfig),
        ("replay", ReplayConfig),
        ("preprocess", PreprocessConfig),
        ("predict", _open(PredictConfig, "annotator", "datamodule", "results", "module")),
    ):
        store.store(group="schema", name=name, node=schema, package="_global_")
    store.store(name="live", node=_open(LiveConfig, "annotator", "module"))
    for name, model in (
        ("gaze_angle", GazeAngleModelConfig),
        ("eye_contact", EyeContactModelConfig),
    ):
        store.store(group="schema/model", name=name, node=model)
    store.store(group="schema", name="priors", node=PriorsConfig)
    store.store(group="schema", name="dropout", node=DropoutConfig)


def _open(schema: type, *names: str) -> DictConfig:
    """Return a schema, of which some options, the changes to a run, may have any key."""
    config = OmegaConf.structured(schema)
    for name in names:
        # Else Hydra takes their keys for misspelt ones: nothing lists them.
        OmegaConf.set_struct(config[name], False)
    return config
