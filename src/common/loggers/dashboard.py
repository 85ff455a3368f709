"""Pictures, tables and charts to whichever loggers a run has, each in that logger's own form.

========  ============================  =======================  ==========================
logger    picture                       table                    chart
========  ============================  =======================  ==========================
W&B       image by step                 table, with pictures     custom chart by run
TB        image by step                 text                     -
CSV       - (`common.evaluation.pictures` writes files for all of them)     -
========  ============================  =======================  ==========================

Call these on rank zero only. Names are ``stage/what``, steps the optimizer's so far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pytorch_lightning.loggers import Logger, TensorBoardLogger

from common.arrays import Image
from common.loggers.wandb import WandbRunLogger
from common.media.image_codec import decode_image


@dataclass(frozen=True)
class Chart:
    """A chart that W&B draws of one run or of several laid over each other.

    Attributes:
        preset: W&B's name of it, e.g. ``wandb/area-under-curve/v0``.
        table: what it shows.
        fields: of the preset, each with a column of the table.
        title: headline.
    """

    preset: str
    table: pl.DataFrame
    fields: Mapping[str, str]
    title: str


def log_start(loggers: Sequence[Logger], config: Mapping[str, Any]) -> None:
    """Give every logger the resolved config; W&B's run begins with it."""
    for logger in loggers:
        logger.log_hyperparams(dict(config))


def log_picture(loggers: Sequence[Logger], name: str, path: Path, step: int) -> None:
    """Log a picture of a .png or .jpg file."""
    for logger in loggers:
        if isinstance(logger, WandbRunLogger):
            logger.log_image(name, [str(path)], step=step)
        elif isinstance(logger, TensorBoardLogger):
            image = decode_image(path.read_bytes())
            assert image is not None
            logger.experiment.add_image(name, image, step, dataformats="HWC")


def log_table(
    loggers: Sequence[Logger],
    name: str,
    table: pl.DataFrame,
    pictures: Sequence[Image],
    step: int,
) -> None:
    """Log a table of plain values whose rows have a picture (H, W, 3) uint8 RGB each."""
    for logger in loggers:
        if isinstance(logger, WandbRunLogger):
            _log_wandb_table(logger, name, table, pictures, step)
        elif isinstance(logger, TensorBoardLogger):
            logger.experiment.add_text(name, markdown(table), step)


def log_chart(loggers: Sequence[Logger], name: str, chart: Chart, step: int) -> None:
    """Log a chart where one can be drawn of several runs: in W&B."""
    for logger in loggers:
        if isinstance(logger, WandbRunLogger):
            import wandb

            table = wandb.Table(columns=chart.table.columns, data=[*map(list, chart.table.rows())])
            text = {"title": chart.title}
            drawn = wandb.plot_table(chart.preset, table, dict(chart.fields), text)
            logger.log_metrics({name: drawn}, step)


def log_end(loggers: Sequence[Logger], status: str, metrics: Mapping[str, float]) -> None:
    """Close what outlives a job: else the next one of a sweep would write into its W&B run."""
    for logger in loggers:
        if isinstance(logger, WandbRunLogger):
            logger.finish(status, metrics)


def log_checkpoint(loggers: Sequence[Logger], path: Path, metadata: Mapping[str, float]) -> None:
    """Offer the best checkpoint to the loggers; W&B's takes it if that was asked for."""
    for logger in loggers:
        if isinstance(logger, WandbRunLogger):
            logger.log_checkpoint(path, metadata)


def markdown(table: pl.DataFrame) -> str:
    """Return a table in Markdown, numbers with three digits behind the point."""
    rows = [table.columns, ["---"] * table.width, *table.rows()]
    return "\n".join(f"| {' | '.join(map(_text, row))} |" for row in rows)


def _text(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")


def _log_wandb_table(
    logger: WandbRunLogger, name: str, table: pl.DataFrame, pictures: Sequence[Image], step: int
) -> None:
    import wandb

    rows = [
        [*row, wandb.Image(image, file_type="jpg")]
        for row, image in zip(table.rows(), pictures, strict=True)
    ]
    logger.log_table(name, columns=[*table.columns, "picture"], data=rows, step=step)
