"""What a test leaves behind: the callback that collects scores and has them written."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, cat

from common.evaluation.output_collector import OutputCollector
from common.loggers.dashboard import log_picture
from gazepose.evaluation.files import write_results
from gazepose.evaluation.predictions import predictions_table
from gazepose.evaluation.score_slices import known_map
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.store.table import LamTable
from gazepose.submission.official_csv import check_scores

LOG = logging.getLogger(__name__)


class LamTestResults(OutputCollector):
    """Writes the scores of a test in the order of the data.

    The files are those of `gazepose.evaluation.files.write_results`; they hold smoothed scores.
    Where smoothing changed any, ``test/map`` is logged anew: what the module logs, of the scores as
    they came from the net, is ``test/map_raw``.

    Args:
        output_dir: of `OutputCollector`, as are the next two and `chosen_by`.
        model_key: the model's name.
        trained_on: name of the training data set.
        smoothing: of the scores over a track.
        chosen_by: the metric that the tested checkpoint is the best by.
    """

    def __init__(
        self,
        output_dir: str,
        model_key: str,
        trained_on: str,
        smoothing: TrackSmoothing,
        chosen_by: str | None = None,
    ) -> None:
        super().__init__(output_dir, model_key, trained_on, chosen_by)
        self._smoothing = smoothing
        self._predictions = pl.DataFrame()
        self._map_raw: float | None = None

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Smooth the scores, and log their mAP if that changed any.

        Raises:
            ValueError: If a score is no number, as `check_scores`.
        """
        table = trainer.datamodule.table
        _warn_of_black_clips(self._outputs, table)
        raw = predictions_table(self._outputs, table)
        check_scores(raw)
        self._predictions, self._map_raw = self._smoothing(raw), None
        if not self._predictions["score"].equals(raw["score"]):
            self._map_raw = known_map(raw)
        if self._map_raw is not None:
            # Lightning takes the later of two values of a name: this one.
            pl_module.log("test/map", known_map(self._predictions))
            pl_module.log("test/map_raw", self._map_raw)

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write predictions, numbers, slices and figure."""
        datamodule = trainer.datamodule
        figure_path = write_results(
            self._predictions,
            {**self._described(trainer), **self._conditions(trainer, pl_module)},
            self._output_dir,
            self._stem(datamodule),
            datamodule.table.store_dir,
            pl_module.threshold,
            datamodule.fps_hz,
        )
        if figure_path is not None:
            log_picture(trainer.loggers, "test/figure", figure_path, trainer.global_step)

    def _conditions(self, trainer: Trainer, pl_module: Any) -> dict[str, Any]:
        """Return all that the numbers depend on beside model and data."""
        conditions = trainer.datamodule.test_conditions()
        protocol = {
            "landmark_source": _sources(self._predictions["landmark_source"]),
            "head_pose_source": _sources(self._predictions["head_pose_source"]),
            **conditions,
            "flip_average": pl_module.flip_average,
            "precision": trainer.precision,
            "smoothing": self._smoothing.description,
        }
        raw = {} if self._map_raw is None else {"map_raw": self._map_raw}
        return {"stride": conditions["stride"], "protocol": protocol, **raw}


def _warn_of_black_clips(outputs: Sequence[Mapping[str, Tensor]], table: LamTable) -> None:
    rows = cat([output["row"] for output in outputs]).numpy()
    num_black = int((table.num_bytes[rows] == 0).sum())
    if num_black:
        LOG.warning(
            "%d of %d samples have no image: their clips had a black one in the middle, because a "
            "submission wants a score of each",
            *(num_black, len(rows)),
        )


def _sources(column: pl.Series) -> str | None:
    """Return what made the rows, e.g. ``mesh``, or ``mesh+pose`` of a mixed table."""
    names = column.drop_nulls().unique().sort()
    return "+".join(names) or None
