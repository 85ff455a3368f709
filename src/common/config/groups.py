"""The config groups that we own, as dataclasses."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING, DictConfig


@dataclass
class DataConfig:
    """One data set: raw folder, reader, store, loaders."""

    name: str = MISSING
    line: str = MISSING  # as a model's
    raw_dir: str | None = None
    store_dir: str = MISSING
    openface_dir: str | None = None
    lists_dir: str | None = None  # Gaze360's
    images_dir: str | None = None  # of labelled photos
    raw_writer: dict[str, Any] | None = None
    reader: dict[str, Any] | None = None
    preprocessor: dict[str, Any] | None = None
    datamodule: dict[str, Any] = MISSING


def _open() -> DictConfig:
    """Return a value, not given so far, that may have any key: its library checks them."""
    return DictConfig(None, flags={"struct": False})


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
    module: dict[str, Any] = field(
        default_factory=lambda: {"optimizer": _open(), "scheduler": _open()}
    )
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
class FacesConfig:
    """How faces are measured, whatever they are measured for."""

    model: str | None = None


@dataclass
class StudyConfig:
    """One table: its rows in order, each with every seed.

    A row is a file of ``conf/ablations``, or a net trained on a data set.
    """

    name: str = MISSING
    title: str = MISSING
    nets: dict[str, str] | None = None  # title of each net, by the name of its model
    data: dict[str, str] | None = None  # title of each data set, by name
    rows: dict[str, str] = MISSING  # title of each row, by its name
    seeds: list[int] = MISSING
    published: str | None = None  # table of published numbers that belongs beside it
