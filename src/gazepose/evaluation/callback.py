"""What a test leaves behind: the callback that collects scores and has them written."""

import logging
from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import polars as pl
from pytorch_lightning import Trainer
from torch import Tensor, cat

from common.evaluation.result_files import ResultFiles
from common.evaluation.scores import known_map
from common.loggers.dashboard import log_picture
from gazepose.evaluation.files import write_results
from gazepose.evaluation.predictions import predictions_table
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.store.table import LamTable
from gazepose.submission.official_csv import check_scores

LOG = logging.getLogger(__name__)


class LamTestResults(ResultFiles):
    """Writes the scores of a test in the order of the data, and logs their mAP as ``test/map``.

    The files are those of `gazepose.evaluation.files.write_results`; they hold smoothed scores.
    Where smoothing changed any, ``test/map_raw`` is of the scores as they came from the net.

    Args:
        output_dir: of `ResultFiles`, as are the next two and `chosen_by`.
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

    def on_test_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Smooth the scores, write what they say, and log their mAP.

        Raises:
            ValueError: If a score is no number, as `check_scores`.
        """
        datamodule, stem = trainer.datamodule, self._stem(trainer.datamodule)
        raw = predictions_table(pl_module.outputs, datamodule.table)
        check_scores(raw)
        _warn_of_black_clips(pl_module.outputs, datamodule.table)
        predictions = self._smoothing(raw)
        is_changed = not predictions["score"].equals(raw["score"])
        map_raw = known_map(raw) if is_changed else None
        numbers = write_results(
            predictions,
            {
                **self._described(trainer),
                **({"fold": datamodule.fold} if datamodule.fold else {}),
                **self._conditions(trainer, pl_module, predictions),
                **({} if map_raw is None else {"map_raw": map_raw}),
            },
            self._output_dir,
            stem,
            datamodule.table.store_dir,
            pl_module.threshold,
            datamodule.fps_hz,
        )
        if map_raw is not None:
            pl_module.log("test/map_raw", map_raw)
        if numbers:
            pl_module.log("test/map", nan if numbers["map"] is None else numbers["map"])
            figure_path = self._output_dir / f"{stem}.png"
            log_picture(trainer.loggers, "test/figure", figure_path, trainer.global_step)

    def _conditions(
        self, trainer: Trainer, module: Any, predictions: pl.DataFrame
    ) -> dict[str, Any]:
        """Return all that the numbers depend on beside model and data."""
        conditions = trainer.datamodule.test_conditions()
        protocol = {
            "landmark_source": _sources(predictions["landmark_source"]),
            "head_pose_source": _sources(predictions["head_pose_source"]),
            **conditions,
            "flip_average": module.flip_average,
            "precision": trainer.precision,
            "smoothing": self._smoothing.description,
        }
        return {"stride": conditions["stride"], "protocol": protocol}


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
