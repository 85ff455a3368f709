"""What `bench_gpu` measures: the suite's models as their configs make them, without a trainer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from hydra import compose, initialize_config_dir
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from common.config import schema
from common.config.instantiate import build
from common.config.plain import Config, plain
from common.runs.run import build_data, build_module

Batch = dict[str, Tensor]
CONF_DIR = Path(__file__).parents[1] / "conf"
CHANNELS_LAST = "model.module.channels_last=true"
FUSED = "model.module.optimizer.fused=true"
FASTEST_CUDNN = "trainer.benchmark=true"
FAST = (CHANNELS_LAST, FUSED, FASTEST_CUDNN)
COMPILED = "extras=[compile]"
LOOKS = (
    ("augmentation=none",),
    ("augmentation=photometric",),
    ("augmentation=photometric", "data.datamodule.photometric.on_device=true"),
    ("augmentation=full",),
    ("augmentation=full", "data.datamodule.photometric.on_device=true"),
)
_CLIPS = ["data=ego4d", "data.datamodule.train_stride=1", "data.datamodule.val_stride=1"]
_EYES = ["data.datamodule.split=${data.store_dir}/split.json", "data.datamodule.train_eye=both"]
# By `Case.family`, of the stores `lam` and `gaze` that `portrait_stores` writes.
DATA = {
    "gazepose": ("lam", _CLIPS),
    "gazelstm": ("lam", _CLIPS),
    "gaze360": ("gaze", ["data=gaze_faces", "data.name=bench"]),
    "flame": ("gaze", ["data=columbiagaze", *_EYES]),
}


@dataclass(frozen=True)
class Sizes:
    """How large everything is, by default for a GPU.

    Attributes:
        peak: sides of the matrices.
        rounds: of which the median is taken.
        round_s: how long a round of calls lasts, about.
        switches: what is typed beside, each for a row more of GazePose and of FLAME.
        looks: of the loader of clips, likewise.
        compiled: models that are compiled, too.
        batches: samples of a step, the published number first.
        overrides: of the models' configs, by `Case.family`.
        lam: clips of the eye-contact store, and frames of each.
        gaze_rows: faces of the gaze store.
        faces: people that are drawn, and the size of their charts of colour.
        heatmaps: samples whose heatmaps are rendered at once.
    """

    peak: tuple[int, ...] = (4096, 8192, 16384)
    rounds: int = 5
    round_s: float = 0.3
    switches: tuple[tuple[str, ...], ...] = ((CHANNELS_LAST,), (FUSED,), (FASTEST_CUDNN,), FAST)
    looks: tuple[tuple[str, ...], ...] = LOOKS
    compiled: tuple[str, ...] = ("flame", "gazepose")
    batches: dict[str, tuple[int, ...]] = field(
        default_factory=lambda: {
            "gazepose": (64,),
            "gazelstm": (64,),
            "gaze360": (64, 512),
            "flame": (8, 256),
        }
    )
    overrides: dict[str, list[str]] = field(default_factory=dict)
    lam: tuple[int, int] = (8, 1500)
    gaze_rows: int = 16384
    faces: tuple[int, int] = (16, 384)
    heatmaps: int = 256


_SMALL_CLIPS = ["model.backbone.width=2", "model.image_size=32", "model.lstm_hidden=4"]
_SMALL_TRANSFORMER = [
    *(f"model.transformer.{name}=8" for name in ("width", "feedforward")),
    *(f"model.transformer.num_{part}_layers=1" for part in ("encoder", "decoder")),
]
TINY = Sizes(
    peak=(64,),
    rounds=1,
    round_s=0,
    switches=(),
    looks=(LOOKS[0], LOOKS[-1]),
    compiled=(),
    batches=dict.fromkeys(("gazepose", "gazelstm", "gaze360", "flame"), (2,)),
    overrides={
        "gazepose": [*_SMALL_CLIPS, *_SMALL_TRANSFORMER],
        "gazelstm": _SMALL_CLIPS,
        "gaze360": _SMALL_CLIPS,
        "flame": ["model.width=2", "model.hidden=8"],
    },
    lam=(4, 12),
    gaze_rows=32,
    faces=(2, 64),
    heatmaps=2,
)


class Case(NamedTuple):
    """A model, how many samples a step of it has, and what is typed beside."""

    model: str
    batch_size: int
    settings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return how a row is called."""
        return ", ".join([self.model, str(self.batch_size), *self.settings])

    @property
    def family(self) -> str:
        """Return which model it is one of."""
        return self.model.split("_")[0]


class Trained:
    """A model as a training has it on its device, without a trainer.

    Args:
        config: of the training.
        device: where.
    """

    def __init__(self, config: Config, device: torch.device) -> None:
        torch.manual_seed(0)
        torch.backends.cudnn.benchmark = config["trainer"]["benchmark"]
        self.data, self.module = build_data(config), build_module(config)
        self.module.adopt(self.data)
        self.module.to(device)
        self._device = device
        configured = self.module.configure_optimizers()
        self._optimizer = configured["optimizer"] if isinstance(configured, dict) else configured
        if "compile" in config["callbacks"]:
            build(config["callbacks"]["compile"]).setup(None, self.module, "fit")

    def sent(self, batch: Batch) -> Batch:
        """Return a batch as Lightning gives it to a step."""
        moved = self.module.transfer_batch_to_device(batch, self._device, 0)
        return self.data.on_after_batch_transfer(moved, 0)

    def train(self, batch: Batch) -> None:
        """Take a step of training."""
        self.module.train()
        self._optimizer.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16):
            loss = self.module.training_step(batch, 0)
        loss.backward()
        self._optimizer.step()

    def test(self, batch: Batch) -> None:
        """Take a step of a test."""
        self.module.eval()
        with torch.inference_mode(), torch.autocast(self._device.type, torch.bfloat16):
            self.module.test_step(batch, 0)

    def flops(self, batch: Batch) -> tuple[float, float]:
        """Return the FLOPs of a step of training and of a test; a product and a sum are two."""
        with FlopCounterMode(display=False) as of_training:
            self.train(batch)
        # With gradients: without, the counter fails where a layer is given a parameter.
        with FlopCounterMode(display=False) as of_test:
            self.module.eval()(batch)
        return float(of_training.get_total_flops()), float(of_test.get_total_flops())


def composed(*overrides: str) -> Config:
    """Return a train config; later overrides win."""
    schema.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return plain(compose("train", overrides=["paths.run_dir=RUN", *overrides]))
