"""What a test leaves behind: the callback that collects scores and has them written."""

from __future__ import annotations

import polars as pl
from pytorch_lightning import LightningModule, Trainer

from common.dashboard import log_picture
from common.output_collector import OutputCollector
from gazepose.predictions import predictions_table
from gazepose.result_files import write_results
from gazepose.smoothing import TrackSmoothing


class LamTestResults(OutputCollector):
    """Writes the scores of a test in the order of the data.

    The files are those of `gazepose.result_files.write_results`. They hold smoothed scores; the
    metric that the module logs is of the scores as they came from the net.

    Args:
        output_dir: of `OutputCollector`, as are the next two.
        model_key: the model's name.
        trained_on: name of the training data set.
        smoothing: of the scores over a track.
    """

    def __init__(
        self, output_dir: str, model_key: str, trained_on: str, smoothing: TrackSmoothing
    ) -> None:
        super().__init__(output_dir, model_key, trained_on)
        self._smoothing = smoothing

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write predictions, numbers, slices and figure."""
        datamodule = trainer.datamodule
        predictions = self._smoothing(predictions_table(self._outputs, datamodule.table))
        conditions = datamodule.test_conditions()
        described = {
            **self._described(datamodule),
            "stride": conditions["stride"],
            "protocol": {
                "landmark_source": _sources(predictions["landmark_source"]),
                "head_pose_source": _sources(predictions["head_pose_source"]),
                **conditions,
                "smoothing": self._smoothing.description,
            },
        }
        figure_path = write_results(
            predictions, described, self._output_dir, self._stem(datamodule)
        )
        if figure_path is not None:
            log_picture(trainer.loggers, "test/figure", figure_path, trainer.global_step)


def _sources(column: pl.Series) -> str | None:
    """Return what made the rows, e.g. ``mesh``, or ``mesh+pose`` of a mixed table."""
    names = column.drop_nulls().unique().sort()
    return "+".join(names) or None
