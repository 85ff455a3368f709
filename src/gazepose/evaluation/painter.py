"""Pictures of clips: the seven faces a net is shown, with its score and the truth."""

from typing import Any

import cv2
import numpy as np
import polars as pl
import torch
from matplotlib.figure import Figure

from common.arrays import Image
from common.config.recordable import recordable
from common.evaluation.pictures import Sample, spread
from common.evaluation.sample_grid import NEUTRAL, RIGHT, WRONG, captioned
from common.evaluation.scores import THRESHOLD, confusion_matrix, describe_scores
from common.loggers.dashboard import Chart
from common.training.module import Outputs
from gazepose.batch import CENTRE
from gazepose.evaluation.figures import decision_figure, precision_recall_curves
from gazepose.evaluation.predictions import predictions_table

_FACE_PX = 64
_FRAME_PX = 3
_CURVE_POINTS = 200
_TRUTH = {1: "looks", 0: "does not look", -1: "unknown"}


@recordable
class ClipPainter:
    """Draws clips as strips: the middle frame, which a clip is about, in a frame.

    The frame is green where the decision at 0.5 is right, red where it is wrong.
    """

    num_columns = 2
    legend = "middle frame: green where score >= 0.5 agrees with the truth, red where it does not"
    mistake_columns = (
        *("uid", "trackid", "frame", "label", "score", "mistake"),
        *("sharpness_p", "head_yaw_deg", "head_pitch_deg", "track_length"),
    )

    def table(self, outputs: Outputs, datamodule: Any) -> pl.DataFrame:
        """Return `predictions_table` with ``row`` and ``mistake``, label and score's distance."""
        distance = (pl.col("score") - pl.col("label")).abs()
        table = predictions_table(outputs, datamodule.table).with_columns(
            pl.Series(
                "row", torch.cat([output["row"] for output in outputs]).sort().values.numpy()
            ),
            pl.when(pl.col("label") >= 0).then(distance).alias("mistake"),
        )
        return table.filter(pl.col("score").is_finite())

    def chosen(self, table: pl.DataFrame, num: int) -> pl.DataFrame:
        """Return as many that look as that do not, each evenly spread over the data."""
        looks = table["label"] == 1
        parts = [table.filter(looks), table.filter(~looks)]
        num_looks = min(parts[0].height, num // 2)
        wanted = (num_looks, num - num_looks)
        return pl.concat(
            part[spread(part.height, share)] for part, share in zip(parts, wanted, strict=True)
        )

    def worst(self, table: pl.DataFrame, num: int) -> pl.DataFrame:
        """Return the most confident wrong decisions, of each track its worst one only."""
        wrong = (pl.col("score") >= THRESHOLD) != (pl.col("label") == 1)
        return (
            table.filter((pl.col("label") >= 0) & wrong)
            .sort("mistake", descending=True, maintain_order=True)
            .unique(["uid", "trackid"], keep="first", maintain_order=True)
            .head(num)
        )

    def tile(self, sample: Sample, datamodule: Any) -> Image:
        """Return a clip's frames side by side, with score, truth and names."""
        frames = datamodule.sample(sample["row"], sample["part"])["clip"].numpy()
        strip = [
            cv2.resize(frame, (_FACE_PX, _FACE_PX), interpolation=cv2.INTER_AREA)
            for frame in frames
        ]
        colour = decision_colour(sample["score"], sample["label"])
        end = _FACE_PX - 1
        cv2.rectangle(strip[CENTRE], (0, 0), (end, end), colour, 2 * _FRAME_PX)
        words = [
            f"score {sample['score']:.2f}, truth: {_TRUTH[sample['label']]}",
            f"{sample['uid']} {sample['trackid']} {sample['frame']}",
        ]
        return captioned(np.concatenate(strip, axis=1), words, colour)

    def figures(self, table: pl.DataFrame) -> dict[str, Figure]:
        """Return precision over recall beside the confusion matrix, of labelled samples."""
        known = table.filter(pl.col("label") >= 0)
        if known.is_empty():
            return {}
        numbers = describe_scores(known["score"].to_numpy(), known["label"].to_numpy())
        return {"decisions": decision_figure(known, numbers)}

    def charts(self, table: pl.DataFrame) -> dict[str, Chart]:
        """Return precision over recall of looking, and the confusion matrix."""
        known = table.filter(pl.col("label") >= 0)
        if known.is_empty():
            return {}
        return {"precision_recall": _curve_chart(known), "confusion": _confusion_chart(known)}


def decision_colour(score: float, label: int) -> tuple[int, int, int]:
    """Return the colour of a decision: right, wrong, or nobody knows."""
    if label < 0:
        return NEUTRAL
    return RIGHT if (score >= THRESHOLD) == (label == 1) else WRONG


def _curve_chart(known: pl.DataFrame) -> Chart:
    tables = [
        pl.DataFrame({"class": name, "recall": curve.recall, "precision": curve.precision})[
            spread(len(curve.recall), _CURVE_POINTS)
        ]
        for name, curve in precision_recall_curves(known).items()
    ]
    fields = {"x": "recall", "y": "precision", "class": "class"}
    return Chart("wandb/area-under-curve/v0", pl.concat(tables), fields, "precision over recall")


def _confusion_chart(known: pl.DataFrame) -> Chart:
    names = ["not looking", "looking"]
    counts = confusion_matrix(known["score"].to_numpy(), known["label"].to_numpy())
    rows = [
        (names[true], names[said], counts[true][said]) for true in range(2) for said in range(2)
    ]
    columns = ["Actual", "Predicted", "nPredictions"]
    table = pl.DataFrame(rows, schema=columns, orient="row")
    return Chart("wandb/confusion_matrix/v1", table, {name: name for name in columns}, "confusion")
