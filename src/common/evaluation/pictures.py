"""What a net does, shown: samples, worst mistakes, curves, as files and in the loggers."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pytorch_lightning import Callback, LightningModule, Trainer

from common.arrays import Image
from common.evaluation.sample_grid import grid
from common.files.atomic import partial_path
from common.loggers.dashboard import Chart, log_chart, log_picture, log_table
from common.media.image_codec import write_image
from common.training.module import Outputs

Sample = Mapping[str, Any]
MAX_PICTURES = 64
_JPEG_QUALITY = 92


class SamplePainter(Protocol):
    """What a line of the suite says about its samples.

    Attributes:
        num_columns: of a grid of its tiles.
        legend: what its tiles show; ASCII.
        mistake_columns: of a table of mistakes: identifiers first.
    """

    num_columns: int
    legend: str
    mistake_columns: Sequence[str]

    def table(self, outputs: Outputs, datamodule: Any) -> pl.DataFrame:
        """Return one row a sample of what steps returned, in the order of the data."""

    def chosen(self, table: pl.DataFrame, num: int) -> pl.DataFrame:
        """Return samples to look at, the same of the same data."""

    def worst(self, table: pl.DataFrame, num: int) -> pl.DataFrame:
        """Return the worst mistakes, worst first."""

    def tile(self, sample: Sample, datamodule: Any) -> Image:
        """Return a picture of a row of the table, with truth and prediction drawn in."""

    def figures(self, table: pl.DataFrame) -> dict[str, Figure]:
        """Return figures of a validation, by name."""

    def charts(self, table: pl.DataFrame) -> dict[str, Chart]:
        """Return charts of a test that lay several runs over each other, by name."""


class Pictures(Callback):
    """Shows samples with predictions, worst mistakes, and figures.

    Files go to the run folder, the last ones of each name: ``val_samples.jpg``,
    ``test_samples.jpg``, ``test_worst.jpg``, ``test_worst.csv``, and a validation's figures. The
    loggers get the same pictures by step. In a training on several devices those of the first one
    are shown.

    Args:
        painter: of the model's line; None shows nothing.
        output_dir: where the files go.
        every_n_epochs: whose validations are shown; 0: none.
        num_samples: shown of each stage; 0: none.
        num_worst: mistakes shown of a test; 0: none.

    Raises:
        ValueError: If a number is negative, or too large for one picture.
    """

    def __init__(
        self,
        painter: SamplePainter | None,
        output_dir: str,
        every_n_epochs: int,
        num_samples: int,
        num_worst: int,
    ) -> None:
        _check("every_n_epochs", every_n_epochs, math.inf)
        _check("num_samples", num_samples, MAX_PICTURES)
        _check("num_worst", num_worst, MAX_PICTURES)
        self._painter: Any = painter
        self._output_dir = Path(output_dir)
        self._every_n_epochs = every_n_epochs
        self._num_samples = num_samples
        self._num_worst = num_worst

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show samples and figures."""
        if self._shows_validation(trainer):
            table = self._show_samples(trainer, pl_module, "val")
            for name, figure in self._painter.figures(table).items():
                self._show(trainer, f"val/{name}", rendered(figure), "png")

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show samples, worst mistakes and charts."""
        if self._painter is not None:
            table = self._show_samples(trainer, pl_module, "test")
            self._show_worst(trainer, table)
            for name, chart in self._painter.charts(table).items():
                log_chart(trainer.loggers, f"test/{name}", chart, trainer.global_step)

    def _shows_validation(self, trainer: Trainer) -> bool:
        every = self._every_n_epochs
        if self._painter is None or trainer.sanity_checking or not trainer.is_global_zero:
            return False
        return every > 0 and (trainer.current_epoch + 1) % every == 0

    def _show_samples(self, trainer: Trainer, module: Any, stage: str) -> pl.DataFrame:
        """Show some samples of a validation or test; return the painter's table of all."""
        table: pl.DataFrame = self._painter.table(module.outputs, trainer.datamodule)
        tiles = self._tiles(self._painter.chosen(table, self._num_samples), trainer.datamodule)
        if tiles:
            self._show(trainer, f"{stage}/samples", self._grid(tiles), "jpg")
        return table

    def _show_worst(self, trainer: Trainer, table: pl.DataFrame) -> None:
        worst = self._painter.worst(table, self._num_worst)
        tiles = self._tiles(worst, trainer.datamodule)
        if not tiles:
            return
        self._show(trainer, "test/worst", self._grid(tiles), "jpg")
        named = worst.select(self._painter.mistake_columns)
        with partial_path(self._output_dir / "test_worst.csv") as partial:
            named.write_csv(partial)
        log_table(trainer.loggers, "test/worst_table", named, tiles, trainer.global_step)

    def _grid(self, tiles: Sequence[Image]) -> Image:
        return grid(tiles, self._painter.num_columns, self._painter.legend)

    def _tiles(self, samples: pl.DataFrame, datamodule: Any) -> list[Image]:
        return [self._painter.tile(sample, datamodule) for sample in samples.iter_rows(named=True)]

    def _show(self, trainer: Trainer, name: str, image: Image, suffix: str) -> None:
        path = self._output_dir / f"{name.replace('/', '_')}.{suffix}"
        write_image(path, image, _JPEG_QUALITY)
        log_picture(trainer.loggers, name, path, trainer.global_step)


def _check(name: str, value: int, highest: float) -> None:
    if not 0 <= value <= highest:
        raise ValueError(f"callbacks.pictures.{name} is {value}, expected 0 to {highest}")


def spread(num_rows: int, num: int) -> np.ndarray:
    """Return at most `num` places (n,) evenly spread over 0..num_rows - 1, first and last too."""
    num = min(num, num_rows)
    return np.unique(np.linspace(0, max(0, num_rows - 1), num).round().astype(np.int64))


def rendered(figure: Figure) -> Image:
    """Return a figure's pixels (H, W, 3) uint8 RGB."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
