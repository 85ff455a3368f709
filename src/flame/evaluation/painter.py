"""Pictures of eye crops: landmarks as the net sees them, true and predicted gaze as arrows."""

from typing import Any

import cv2
import numpy as np
import polars as pl
import torch
from matplotlib.figure import Figure

from common.arrays import Image
from common.config.recordable import recordable
from common.evaluation.pictures import Sample, spread
from common.evaluation.sample_grid import INK, WRONG, captioned
from common.faces.drawing import GAZE_COLOUR, Colour, draw_gaze_arrow
from common.loggers.dashboard import Chart
from common.training.module import Outputs
from flame.batch import LEFT, RIGHT
from flame.data.crops import eye_centre
from flame.evaluation.callback import results_table
from flame.nets.heatmaps import render_heatmaps

TRUE_COLOUR: Colour = (60, 220, 90)
HEAT_COLOUR: Colour = (0, 220, 255)
_TILE_PX = 168
# Lines are drawn at twice the size, so that they are thin in the end.
_DRAWN_PX = 2 * _TILE_PX
# The arrow at 90 degrees is twice as long.
_ARROW_FACE_PX = 0.6 * _DRAWN_PX
# Of the colour, where a heatmap is highest; the eye stays visible below.
_HEAT_OPACITY = 0.6
_LARGE_ERROR_DEG = 10.0
_SCATTER_POINTS = 500


@recordable
class GazePainter:
    """Draws eye crops with true gaze (green arrow) and predicted gaze (pink arrow).

    Args:
        heatmap: lay the landmarks' heatmap over the eye, as the net sees it.
    """

    num_columns = 8
    legend = "gaze: green true, pink predicted"
    mistake_columns = (
        *("sample_id", "subject", "eye", "error_deg"),
        *("yaw_t", "pitch_t", "yaw_p", "pitch_p", "head_yaw", "head_pitch"),
    )

    def __init__(self, heatmap: bool = True) -> None:
        self._heatmap = heatmap

    def table(self, outputs: Outputs, datamodule: Any) -> pl.DataFrame:
        """Return `results_table` of the callback with the error as ``error_deg``; finite ones."""
        table = results_table(outputs, datamodule.table).rename({"loss_3d": "error_deg"})
        return table.filter(pl.col("error_deg").is_finite())

    def chosen(self, table: pl.DataFrame, num: int) -> pl.DataFrame:
        """Return samples evenly spread over the data."""
        return table[spread(table.height, num)]

    def worst(self, table: pl.DataFrame, num: int) -> pl.DataFrame:
        """Return the largest angular errors."""
        return table.sort("error_deg", descending=True, maintain_order=True).head(num)

    def tile(self, sample: Sample, datamodule: Any) -> Image:
        """Return an eye crop with heatmap, both arrows, error and names."""
        eye = datamodule.sample(sample["row"], LEFT if sample["eye"] == "left" else RIGHT)
        crop = np.ascontiguousarray(eye["rgb"].numpy().transpose(1, 2, 0))
        landmarks = eye["landmarks"]
        if self._heatmap:
            crop = with_heatmap(crop, landmarks)
        drawn = cv2.resize(crop, (_DRAWN_PX, _DRAWN_PX), interpolation=cv2.INTER_CUBIC)
        centre = eye_centre(landmarks.numpy().astype(np.float64), sample["eye"])
        _draw_arrows(drawn, sample, np.array(centre) * _DRAWN_PX / len(crop))
        tile = cv2.resize(drawn, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_AREA)
        error_deg = sample["error_deg"]
        words = [f"{error_deg:.1f} deg, {sample['eye']} eye", str(sample["sample_id"])]
        return captioned(tile, words, WRONG if error_deg > _LARGE_ERROR_DEG else INK)

    def figures(self, table: pl.DataFrame) -> dict[str, Figure]:
        """Return none: the error's curve says what a validation is about."""
        return {}

    def charts(self, table: pl.DataFrame) -> dict[str, Chart]:
        """Return predicted over true angles, of samples evenly spread over the data."""
        shown = self.chosen(table, _SCATTER_POINTS)
        return {
            f"{axis}_scatter": Chart(
                "wandb/scatter/v0",
                shown.select(true=f"{axis}_t", predicted=f"{axis}_p"),
                {"x": "true", "y": "predicted"},
                f"predicted over true {axis} [deg]",
            )
            for axis in ("yaw", "pitch")
        }


def _draw_arrows(image: Image, sample: Sample, origin_px: np.ndarray) -> None:
    for stage, colour in (("t", TRUE_COLOUR), ("p", GAZE_COLOUR)):
        gaze = np.radians([sample[f"yaw_{stage}"], sample[f"pitch_{stage}"]])
        draw_gaze_arrow(image, gaze, origin_px, _ARROW_FACE_PX, colour)


def with_heatmap(crop: Image, landmarks: torch.Tensor) -> Image:
    """Return a crop (H, W, 3) uint8 RGB with its landmarks' (112,) heatmaps laid over."""
    heat = render_heatmaps(landmarks[None], *crop.shape[:2])[0].amax(0).numpy()
    opacity = _HEAT_OPACITY * (heat / max(float(heat.max()), 1e-9))[..., None]
    mixed = (1 - opacity) * crop + opacity * np.array(HEAT_COLOUR)
    return mixed.round().astype(np.uint8)
